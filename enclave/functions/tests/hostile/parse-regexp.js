// A regular expression of a hundred thousand groups.
export default () => new RegExp("(".repeat(100_000) + ")".repeat(100_000)).test("");
