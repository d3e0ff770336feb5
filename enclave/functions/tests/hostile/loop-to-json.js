// The result is asked for its JSON form for ever.
export default () => ({ toJSON() { for (;;); } });
