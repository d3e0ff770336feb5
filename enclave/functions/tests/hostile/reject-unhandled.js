// Returns, and leaves a rejection unhandled.
export default () => { Promise.reject(new Error("nobody")); return 1; };
