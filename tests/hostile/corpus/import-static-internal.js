// attack: Imports the runtime itself.
// limit: none
// ends: load_error/module
import { core } from "ext:core/mod.js";
export default () => Object.keys(core);
