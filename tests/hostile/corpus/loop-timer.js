// attack: A timer that starts itself again, for ever.
// limit: wall
// ends: timeout
export default () => new Promise(() => { const again = () => setTimeout(again, 0); again(); });
