// A promise that nothing can settle.
export default () => new Promise(() => {});
