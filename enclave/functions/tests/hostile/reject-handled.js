// Handles its rejections; nothing is wrong.
export default async () => { const p = Promise.reject(new Error("mine")); p.catch(() => {}); try { await p; } catch (e) { return e.message; } };
