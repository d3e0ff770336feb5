// attack: Keeps the largest bodies that can be fetched.
// limit: none
// ends: memory_limit
// ends: host_call_limit
// ends: function_error/thrown
export default async () => { const all = []; for (;;) all.push(await (await fetch("https://venue.example/large")).text()); };
