// Starts a million timers.
export default () => { for (let i = 0; i < 1_000_000; i++) setTimeout(() => {}, 1_000_000); };
