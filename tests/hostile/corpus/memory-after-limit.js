// attack: Catches the end of memory in every way there is, and goes on.
// limit: none
// ends: memory_limit
export default async () => {
  const all = [];
  const eat = () => { for (;;) all.push(new Array(1000).fill(all)); };
  for (;;) {
    try { eat(); } catch { try { await Promise.reject(1).finally(eat); } catch { queueMicrotask(eat); } }
  }
};
