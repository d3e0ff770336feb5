// attack: Is empty.
// limit: none
// ends: load_error/no_handler

