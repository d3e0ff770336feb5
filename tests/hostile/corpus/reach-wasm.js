// attack: Looks for WebAssembly, which could loop, grow and trap where no script does.
// limit: none
// ends: output "undefined"
export default () => typeof WebAssembly;
