// attack: Throws in a thousand timers.
// limit: none
// ends: function_error/thrown
export default () => new Promise(() => { for (let i = 0; i < 1000; i++) setTimeout(() => { throw new Error(`${i}`); }, 0); });
