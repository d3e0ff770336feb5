// The module never finishes loading.
for (;;);
export default () => 1;
