// attack: Closes an asynchronous iterator whose closing never settles.
// limit: none
// ends: function_error/never_settled
export default async () => {
  const endless = {
    [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }), return: () => new Promise(() => {}) }),
  };
  for await (const _ of endless) break;
};
