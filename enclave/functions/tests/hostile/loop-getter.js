// The thrown error's message never ends.
export default () => { throw { get message() { for (;;); } }; };
