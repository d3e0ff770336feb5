// Compiles a deep template.
export default () => eval("`${".repeat(200_000));
