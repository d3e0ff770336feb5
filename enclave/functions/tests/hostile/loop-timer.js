// A timer that starts itself again, for ever.
export default () => new Promise(() => { const again = () => setTimeout(again, 0); again(); });
