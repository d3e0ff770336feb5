// Registers symbols without end; they are never collected.
export default () => { for (let i = 0;; i++) Symbol.for(`symbol ${i}`); };
