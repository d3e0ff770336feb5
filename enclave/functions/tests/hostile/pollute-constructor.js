// Makes promises lie about their constructor.
export default async () => {
  Object.defineProperty(Promise.prototype, "constructor", { get() { throw new Error("mine now"); } });
  return "still here";
};
