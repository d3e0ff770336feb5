// attack: Returns, and leaves a timer that would loop.
// limit: cpu
// ends: output 1
export default () => { setTimeout(() => { for (;;); }, 0); return 1; };
