// attack: Reads secrets for ever, and keeps them.
// limit: none
// ends: host_call_limit
export default async () => { const all = []; for (let i = 0;; i++) all.push(await r3e.secrets.get(`name ${i}`)); };
