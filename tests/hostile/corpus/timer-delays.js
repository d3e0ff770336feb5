// attack: Starts timers after delays that are no times.
// limit: none
// ends: output "fired"
export default async () => {
  for (const delay of [-1, NaN, Infinity, -Infinity, 2 ** 53, "x", null, undefined, {}, [], true]) await new Promise((resolve) => setTimeout(resolve, delay));
  return "fired";
};
