// One buffer of 8 GiB.
export default () => new Uint8Array(2 ** 33).length;
