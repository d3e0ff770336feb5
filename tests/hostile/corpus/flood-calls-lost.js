// attack: Makes host calls and does not wait for them.
// limit: none
// ends: output "left"
export default () => { for (let i = 0; i < 10; i++) r3e.store.get("hang"); return "left"; };
