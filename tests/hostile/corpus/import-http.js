// attack: Imports from the address of a cloud's metadata.
// limit: none
// ends: load_error/module
import one from "http://169.254.169.254/latest/meta-data/";
export default () => one;
