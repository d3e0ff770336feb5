// attack: Its default export cannot be called.
// limit: none
// ends: load_error/no_handler
export default { handler: () => 1 };
