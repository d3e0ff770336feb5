// attack: Looks for the place of the machine in its time zone.
// limit: none
// ends: output [0,true]
export default () => [new Date().getTimezoneOffset(), /UTC|GMT|Z/.test(String(new Date(0)))];
