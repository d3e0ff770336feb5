// attack: The module throws as it loads.
// limit: none
// ends: load_error/thrown
throw new Error("at load");
export default () => 1;
