// Its JSON form is a function.
export default () => ({ toJSON: () => () => 1 });
