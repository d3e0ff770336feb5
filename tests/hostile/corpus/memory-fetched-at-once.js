// attack: Fetches the largest bodies at once, and reads none.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
// ends: host_call_limit
export default () => Promise.all(Array.from({ length: 64 }, () => fetch("https://venue.example/large")));
