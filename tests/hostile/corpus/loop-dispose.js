// attack: Disposes of what never lets go.
// limit: cpu
// ends: cpu_limit
export default () => { const stack = new DisposableStack(); stack.defer(() => { for (;;); }); stack.dispose(); };
