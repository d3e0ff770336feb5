// Makes ten thousand host calls at once.
export default () => Promise.all(Array.from({ length: 10_000 }, () => r3e.store.get("k")));
