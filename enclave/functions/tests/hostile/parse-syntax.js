// Does not parse.
export default () => {
