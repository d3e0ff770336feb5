// attack: Looks for a process, its arguments, its environment, its working folder.
// limit: none
// ends: output []
export default () => {
  const found = [];
  for (const text of ["process.env", "process.argv", "Deno.env", "Deno.args", "Deno.cwd()", "require('fs')", "std.getenv('PATH')", "os.getcwd()", "scriptArgs", "__filename", "__dirname", "import.meta.dirname", "navigator.hardwareConcurrency"]) {
    try { if (new Function(`return ${text}`)() !== undefined) found.push(text); } catch {}
  }
  return found;
};
