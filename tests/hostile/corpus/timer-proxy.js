// attack: Starts a timer with a proxy of a function.
// limit: none
// ends: output "called"
export default () => new Promise((resolve) => setTimeout(new Proxy(() => {}, { apply: () => resolve("called") }), 0));
