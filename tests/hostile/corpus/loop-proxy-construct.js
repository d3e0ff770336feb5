// attack: Constructs by a proxy that never does.
// limit: cpu
// ends: cpu_limit
export default () => new (new Proxy(class {}, { construct() { for (;;); } }))();
