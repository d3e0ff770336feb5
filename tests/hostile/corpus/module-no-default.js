// attack: Has no default export.
// limit: none
// ends: load_error/no_handler
export const handler = () => 1;
