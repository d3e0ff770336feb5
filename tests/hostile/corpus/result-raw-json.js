// attack: Returns raw JSON that closes what it stands in.
// limit: none
// ends: output "no raw JSON"
// ends: function_error/thrown
// ends: function_error/result_not_json
// ends: output [1]
export default () => (typeof JSON.rawJSON === "function" ? [JSON.rawJSON("1],[2")] : "no raw JSON");
