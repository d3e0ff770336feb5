// attack: Takes random bytes, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const data = new Uint8Array(65_536); for (;;) crypto.getRandomValues(data); };
