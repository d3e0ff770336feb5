// attack: Leaves ten thousand timers running as it loads.
// limit: none
// ends: output 1
// ends: load_error/thrown
for (let i = 0; i < 9_999; i++) setInterval(() => console.log(i), 1);
export default () => 1;
