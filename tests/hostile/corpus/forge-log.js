// attack: Prints objects that say they are of a class of the language's.
// limit: none
// ends: output "printed"
export default () => {
  for (const tag of ["Date", "RegExp", "Map", "Set", "Promise", "Error", "ArrayBuffer", "DataView", "Number", "Symbol", "Module"]) {
    console.log({ [Symbol.toStringTag]: tag }, [{ [Symbol.toStringTag]: tag }]);
  }
  return "printed";
};
