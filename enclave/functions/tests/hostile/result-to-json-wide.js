// Its JSON form doubles at every level.
const node = (n) => ({ toJSON: () => n === 0 ? 0 : [node(n - 1), node(n - 1)] });
export default () => node(100);
