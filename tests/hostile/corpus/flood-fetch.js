// attack: Fetches for ever.
// limit: none
// ends: host_call_limit
export default async () => { for (;;) await fetch("https://venue.example/"); };
