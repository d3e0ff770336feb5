// attack: Imports code out of its own address.
// limit: none
// ends: load_error/module
import one from "data:text/javascript,export default Deno";
export default () => one;
