// attack: Leaves a hundred thousand rejections unhandled.
// limit: none
// ends: function_error/unhandled_rejection
// ends: memory_limit
export default () => { for (let i = 0; i < 100_000; i++) Promise.reject(new Error(`${i}`)); return 1; };
