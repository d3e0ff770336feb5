// Makes a host call as it loads.
const value = await r3e.secrets.get("name");
export default () => value;
