// attack: Extends each class by another.
// limit: none
// ends: memory_limit
export default () => { let C = class {}; for (;;) C = class extends C { m() { return super.m; } }; };
