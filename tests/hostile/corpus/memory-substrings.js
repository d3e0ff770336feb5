// attack: Keeps a letter of each of many large texts.
// limit: none
// ends: memory_limit
// ends: output "kept"
export default () => { const all = []; for (let i = 0; i < 500; i++) all.push((String(i) + "x".repeat(1_000_000)).slice(0, 20)); return "kept"; };
