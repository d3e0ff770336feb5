// attack: Stops timers by numbers that it was not given.
// limit: none
// ends: output "fired"
export default () => new Promise((resolve) => {
  setTimeout(resolve, 5, "fired");
  for (const id of [0, -1, NaN, 2 ** 53, "x", null, undefined, {}, 1e9]) { clearTimeout(id); clearInterval(id); }
});
