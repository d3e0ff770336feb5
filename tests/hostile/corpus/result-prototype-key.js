// attack: Returns keys by which a careless reader of JSON is polluted.
// limit: none
// ends: output {"__proto__":{"polluted":true},"constructor":{"prototype":1}}
export default () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}');
