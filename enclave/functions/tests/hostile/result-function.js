// Returns a function.
export default () => () => 1;
