// attack: Many host calls that are never answered, and a busy loop behind them.
// limit: cpu
// ends: cpu_limit
export default async () => { for (let i = 0; i < 5; i++) r3e.store.get("hang"); for (;;); };
