// attack: Settles its promise, and goes on calling what settles it.
// limit: none
// ends: output 1
export default () => new Promise((resolve, reject) => { resolve(1); for (let i = 0; i < 1000; i++) { resolve(i); reject(new Error("x")); } });
