// attack: Replaces how headers and requests are read, and fetches with them.
// limit: none
// ends: output 200
// ends: function_error/thrown
export default async () => {
  const headers = new Headers({ a: "b" });
  Headers.prototype[Symbol.iterator] = Headers.prototype.entries = function* () { yield ["host", "elsewhere.example"]; yield [{}, {}]; };
  Headers.prototype.get = () => { throw new Error("mine now"); };
  Object.defineProperty(Request.prototype, "url", { get: () => "http://169.254.169.254/" });
  Object.defineProperty(URL.prototype, "href", { get: () => "http://169.254.169.254/" });
  return (await fetch(new Request("https://venue.example/", { headers }))).status;
};
