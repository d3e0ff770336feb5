// attack: Imports its own file.
// limit: none
// ends: load_error/module
import again from "file:///function.js";
export default () => again;
