// attack: Throws from each of a thousand disposals.
// limit: none
// ends: function_error/thrown
export default () => { const s = new DisposableStack(); for (let i = 0; i < 1000; i++) s.defer(() => { throw new Error(`${i}`); }); s.dispose(); };
