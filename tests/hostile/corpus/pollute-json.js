// attack: Replaces JSON and the hooks it looks for.
// limit: none
// ends: output ["s3cret"]
export default async () => {
  JSON.stringify = JSON.parse = () => { throw new Error("mine now"); };
  Array.prototype.toJSON = () => "polluted";
  const secret = await r3e.secrets.get("name");
  delete Array.prototype.toJSON;
  return [secret];
};
