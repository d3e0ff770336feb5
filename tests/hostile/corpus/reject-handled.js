// attack: Handles its rejections; nothing is wrong.
// limit: none
// ends: output "mine"
export default async () => { const p = Promise.reject(new Error("mine")); p.catch(() => {}); try { await p; } catch (e) { return e.message; } };
