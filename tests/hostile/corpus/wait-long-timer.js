// attack: Waits for the longest timer there is.
// limit: wall
// ends: timeout
export default () => new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
