// attack: Imports a file as JSON.
// limit: none
// ends: load_error/module
import passwd from "file:///etc/passwd" with { type: "json" };
export default () => passwd;
