// attack: Starts a million timers.
// limit: none
// ends: function_error/thrown
export default () => { for (let i = 0; i < 1_000_000; i++) setTimeout(() => {}, 1_000_000); };
