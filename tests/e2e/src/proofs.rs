//! Zero-knowledge proofs through the tools a user has, whatever kind of enclave the appliance has.

use serde_json::json;

use crate::command::argument;
use crate::enclave::Place;
use crate::main_job::Town;

impl<P: Place> Town<P> {
    /// A tenant has it proved that a hidden number lies between two bounds, by the tool and by a function, and a stranger verifies it. To be done
    /// once in a town.
    ///
    /// # Panics
    /// Any of it went otherwise.
    pub fn do_proofs_job(&self) {
        let (prover, id) = self.admit("prover");
        let file = prover.path("proof.json");
        let bounds = ["--min", "18", "--max", "150", "--context", "auction 7"];
        let prove = [&["zk", "range", "prove", "--save", argument(&file), "--json"], &bounds[..]].concat();
        let made = prover.r3e_with_input(&prove, b"42\n").ok().json();
        assert_eq!(made["proof"]["owner"], id.as_str());

        let (stranger, _) = self.admit("stranger");
        let verify =
            [&["zk", "range", "verify", argument(&file), "--owner", &id, "--json"], &bounds[..]].concat();
        assert_eq!(stranger.r3e(&verify).ok().json(), json!({ "holds": true }));
        let lower = [&["zk", "range", "verify", argument(&file), "--min", "43"][..]].concat();
        stranger.r3e(&lower).exits(1);

        let script = prover.path("prove.js");
        let source = "export default async (value) => {
            const { proof } = await r3e.zk.createRangeProof([{ value, min: 18, max: 150 }], 'auction 8');
            const ranges = [await r3e.zk.verifyRangeProof(proof), await r3e.zk.verifyRangeProof({ ...proof, context: 'auction 7' })];
            const holds = (...signals) => r3e.zk.verifyProof(KEY, signals, PROOF);
            return [proof.owner, ...ranges, await holds('33', 106n), await holds('33', 107)];
        };";
        // What snarkjs proved.
        let key = include_str!("../../../proto/groth16/tests/snarkjs/bls12381/verification_key.json");
        let snark = include_str!("../../../proto/groth16/tests/snarkjs/bls12381/proof.json");
        let source = source.replace("KEY", key).replace("PROOF", snark);
        std::fs::write(&script, source).expect("a function's file");
        prover.r3e(&["functions", "deploy", argument(&script), "--name", "prove", "--json"]).ok();
        let invoked = prover.r3e(&["functions", "invoke", "prove", "--input", "42", "--json"]).ok().json();
        let output = invoked["output"].as_str().unwrap_or_default();
        assert_eq!(output, json!([id, true, false, true, false]).to_string());
    }
}
