// Returns nothing.
export default () => {};
