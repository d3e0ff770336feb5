// Its default export cannot be called.
export default { handler: () => 1 };
