// attack: Returns a thenable that settles twice.
// limit: none
// ends: output 1
export default () => ({ then(resolve, reject) { resolve(1); reject(new Error("second")); resolve(2); } });
