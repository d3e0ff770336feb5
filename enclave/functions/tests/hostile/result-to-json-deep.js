// Its JSON form has itself in it, without end.
export default () => ({ toJSON() { return { next: { toJSON: this.toJSON } }; } });
