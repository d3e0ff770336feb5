// attack: Imports a WebAssembly module from its own text.
// limit: none
// ends: load_error/module
import wasm from "data:application/wasm;base64,AGFzbQEAAAA=" with { type: "webassembly" };
export default () => wasm;
