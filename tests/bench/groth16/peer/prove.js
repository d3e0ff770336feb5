// Proves by snarkjs, so many times, and verifies what was proved elsewhere.
//
// node prove.js FOLDER TIMES, where FOLDER has key.zkey, witness.wtns, verification_key.json and ours.json with ours-public.json.
// Prints { "proved_ms": [..], "ours_hold": true, "tampered_hold": false }, and leaves proof.json and public.json.
"use strict";

const fs = require("fs");
const path = require("path");
const snarkjs = require("snarkjs");

async function main() {
  const [folder, times] = process.argv.slice(2);
  const file = (name) => path.join(folder, name);
  const json = (name) => JSON.parse(fs.readFileSync(file(name), "utf8"));
  const proved_ms = [];
  let made;
  for (let time = 0; time < Number(times); time += 1) {
    const begun = process.hrtime.bigint();
    made = await snarkjs.groth16.prove(file("key.zkey"), file("witness.wtns"));
    proved_ms.push(Number(process.hrtime.bigint() - begun) / 1e6);
  }
  fs.writeFileSync(file("proof.json"), JSON.stringify(made.proof));
  fs.writeFileSync(file("public.json"), JSON.stringify(made.publicSignals));
  const key = json("verification_key.json");
  const signals = json("ours-public.json");
  const ours_hold = await snarkjs.groth16.verify(key, signals, json("ours.json"));
  signals[0] = (BigInt(signals[0]) + 1n).toString();
  const tampered_hold = await snarkjs.groth16.verify(key, signals, json("ours.json"));
  console.log(JSON.stringify({ proved_ms, ours_hold, tampered_hold }));
  // Its threads would keep the process.
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
