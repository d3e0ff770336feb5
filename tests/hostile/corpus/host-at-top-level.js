// attack: Makes a host call as it loads.
// limit: none
// ends: load_error/thrown
const value = await r3e.secrets.get("name");
export default () => value;
