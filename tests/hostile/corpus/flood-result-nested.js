// attack: Returns a tree of a hundred thousand small objects.
// limit: none
// ends: output_limit
export default () => Array.from({ length: 100_000 }, (_, i) => ({ id: i, name: `name ${i}` }));
