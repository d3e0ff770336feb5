// Imports the runtime itself.
import { core } from "ext:core/mod.js";
export default () => Object.keys(core);
