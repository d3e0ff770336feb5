// Nests its result deeper than JSON readers bear.
export default () => { let a = []; for (let i = 0; i < 500; i++) a = [a]; return a; };
