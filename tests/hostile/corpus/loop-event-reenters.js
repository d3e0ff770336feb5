// attack: Dispatches an event from its own listener, without end.
// limit: none
// ends: function_error/thrown
// ends: output "dispatched"
export default () => { const t = new EventTarget(); t.addEventListener("e", () => t.dispatchEvent(new Event("e"))); t.dispatchEvent(new Event("e")); return "dispatched"; };
