// attack: Evaluates text that evaluates itself.
// limit: none
// ends: function_error/thrown
export default () => { const text = "eval(text)"; void text; globalThis.text = "(0, eval)(text)"; return (0, eval)(globalThis.text); };
