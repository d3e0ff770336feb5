// attack: Looks up a name through a million prototypes.
// limit: none
// ends: output "undefined"
// ends: function_error/thrown
// ends: memory_limit
export default () => { let o = {}; for (let i = 0; i < 300_000; i++) o = Object.create(o); return typeof o.x; };
