// attack: Exports a then, by which a module passes for a thenable.
// limit: none
// ends: output 1
export function then(resolve) { resolve({ default: () => "hijacked" }); }
export default () => 1;
