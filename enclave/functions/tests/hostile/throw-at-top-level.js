// The module throws as it loads.
throw new Error("at load");
export default () => 1;
