// attack: Makes host calls and catches every refusal.
// limit: none
// ends: host_call_limit
export default async () => { for (;;) { try { await r3e.tee.getAttestation("x"); } catch {} } };
