// Nests its result a hundred thousand deep.
export default () => { let a = []; for (let i = 0; i < 100_000; i++) a = [a]; return a; };
