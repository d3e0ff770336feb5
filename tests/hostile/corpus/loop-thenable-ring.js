// attack: Resolves with thenables that lead to one another in a ring.
// limit: cpu
// ends: cpu_limit
export default () => { const a = { then: (r) => r(b) }; const b = { then: (r) => r(a) }; return a; };
