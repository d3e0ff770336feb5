// Compiles what is under src by the compiler that is given, and writes or compares one file of each contract under artifacts.
//
// node compile.js SOLJSON write|check
"use strict";

const fs = require("fs");
const path = require("path");

const [soljson, what] = process.argv.slice(2);
const root = __dirname;
const contracts = ["Aggregator", "MultiplierVerifier", "PriceConsumer", "StateAnchor"];

function sources(folder) {
  const found = {};
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) Object.assign(found, sources(name));
    else if (name.endsWith(".sol")) found[name] = { content: fs.readFileSync(path.join(root, name), "utf8") };
  }
  return found;
}

// What the bytecode is decided by. No metadata is appended: it would hold the paths and comments of the sources.
const settings = {
  optimizer: { enabled: true, runs: 1000000 },
  viaIR: true,
  evmVersion: "shanghai",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};

const compiler = require(path.resolve(soljson));
const compile = compiler.cwrap("solidity_compile", "string", ["string", "number", "number"]);
const input = { language: "Solidity", sources: sources("src"), settings };
const output = JSON.parse(compile(JSON.stringify(input), 0, 0));
const said = output.errors ?? [];
for (const error of said) process.stderr.write(error.formattedMessage);
if (said.length > 0) process.exit(1);

const version = compiler.cwrap("solidity_version", "string", [])();
let differs = false;
for (const contracts_ of Object.values(output.contracts)) {
  for (const [name, { abi, evm }] of Object.entries(contracts_)) {
    if (!contracts.includes(name)) continue;
    const { optimizer, viaIR, evmVersion } = settings;
    const artifact = { name, compiler: version, settings: { optimizer, viaIR, evmVersion }, abi, bytecode: `0x${evm.bytecode.object}` };
    const text = `${JSON.stringify(artifact, null, 1)}\n`;
    const file = path.join(root, "artifacts", `${name}.json`);
    if (what === "write") fs.writeFileSync(file, text);
    else if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
      process.stderr.write(`artifacts/${name}.json is not what the sources compile to\n`);
      differs = true;
    }
  }
}
process.exit(differs ? 1 : 0);
