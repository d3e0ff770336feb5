// Chains closures without end.
export default () => { let f = () => 0; for (;;) { const g = f; f = () => g; } };
