// attack: Exports all of a module that is not its own.
// limit: none
// ends: load_error/module
export * from "node:process";
export default () => 1;
