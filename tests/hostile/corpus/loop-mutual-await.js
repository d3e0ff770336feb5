// attack: Has two promises wait for each other.
// limit: none
// ends: function_error/never_settled
export default async () => { let b; const a = (async () => { await null; await b; })(); b = (async () => { await a; })(); await b; };
