// Imports a file.
import fs from "fs";
export default () => fs.readFileSync("/etc/passwd", "utf8");
