// attack: Exports eval, to have it called with the event.
// limit: none
// ends: output {}
export default eval;
