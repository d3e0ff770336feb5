// Returns a thenable that settles twice.
export default () => ({ then(resolve, reject) { resolve(1); reject(new Error("second")); resolve(2); } });
