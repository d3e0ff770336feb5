// attack: Sends ten thousand headers, which the host of the appliance refuses and this one does not.
// limit: none
// ends: output {}
// ends: function_error/thrown
export default () => fetch("https://venue.example/", { headers: Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, "y"]) });
