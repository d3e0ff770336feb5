// attack: Resolves promises with promises two hundred thousand deep.
// limit: none
// ends: output 1
// ends: memory_limit
export default async () => { let p = Promise.resolve(1); for (let i = 0; i < 200_000; i++) { const q = p; p = new Promise((resolve) => resolve(q)); } return p; };
