// attack: Resolves to nothing.
// limit: none
// ends: output null
export default async () => {};
