// attack: Gives all objects a then, through which the host's answers pass.
// limit: none
// ends: output "mine"
// ends: output "s3cret"
// ends: output null
// ends: function_error/never_settled
export default () => {
  Object.defineProperty(Object.prototype, "then", { configurable: true, value: function (resolve) { delete Object.prototype.then; resolve("mine"); } });
  return r3e.secrets.get("name");
};
