// attack: Makes promises lie about their constructor.
// limit: none
// ends: function_error/thrown
export default async () => {
  Object.defineProperty(Promise.prototype, "constructor", { get() { throw new Error("mine now"); } });
  return "still here";
};
