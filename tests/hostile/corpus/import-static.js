// attack: Imports a file.
// limit: none
// ends: load_error/module
import fs from "fs";
export default () => fs.readFileSync("/etc/passwd", "utf8");
