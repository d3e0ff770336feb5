// Resolves to nothing.
export default async () => {};
