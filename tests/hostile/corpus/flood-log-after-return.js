// attack: Returns, and prints in all that runs after.
// limit: none
// ends: output "left"
export default () => { for (let i = 0; i < 100; i++) { Promise.resolve().then(() => console.log("late")); setTimeout(() => console.log("later"), 0); } return "left"; };
