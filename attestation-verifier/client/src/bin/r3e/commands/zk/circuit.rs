//! `r3e zk setup`, `prove` and `export-key`: Groth16 proofs of circuits, made on this machine of the files that Circom and snarkjs write.

use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use r3e_client::groth16::{Groth16Error, VerificationKey};
use r3e_client::groth16_prover::{self, Made, ProverError, ProvingKey, R1cs, Witness};
use serde_json::json;
use zeroize::Zeroizing;

use super::groth16;
use crate::commands::enclave::write;
use crate::error::CliError;
use crate::limits::{MAX_R1CS_FILE_BYTES, MAX_WTNS_FILE_BYTES, MAX_ZKEY_FILE_BYTES};
use crate::output::{Printer, fields, note, spinner};
use crate::profile::read_bytes_limited;

pub(super) const SETUP_HELP: &str = "\
The keys are made of numbers that are drawn on this machine and given to nobody. Whoever could read its memory, or changed this program, can prove anything by them: others
have no more than your word, and a contribution that is made to the keys later does not change that. For proofs that strangers rely on, hold a ceremony: from public powers of tau by
`snarkjs groth16 setup`, then `snarkjs zkey contribute` by many, of whom one has to be honest. What is there already is not written over.

Examples:
  circom circuit.circom --r1cs --wasm
  r3e zk setup circuit.r1cs --save circuit.zkey --save-key verification_key.json";

pub(super) const PROVE_HELP: &str = "\
The witness holds every secret of the statement. It stays on this machine, which the proof is made on; the appliance is not asked. The key is checked where it is read, and
the proof verified before it is given. What is saved is as `snarkjs groth16 prove` saves it.

A proving key says which wires are public, and these are shown: one that was made to, shows more than the circuit does. Take it from whom you trust, or have it compared with a
verification key that you do trust, by --verification-key.

Examples:
  node circuit_js/generate_witness.js circuit_js/circuit.wasm input.json witness.wtns
  r3e zk prove witness.wtns --key circuit.zkey --save proof.json --save-public public.json
  r3e zk prove witness.wtns --key circuit.zkey --verification-key trusted.json --json | jq .signals

Exit status:
  0  proved
  1  there is no proof: the witness does not satisfy the circuit, or is of another; the reason is printed
  2  wrong usage, or a file that cannot be read or is none of the format";

pub(super) const EXPORT_KEY_HELP: &str = "\
Examples:
  r3e zk export-key circuit.zkey --save verification_key.json
  r3e zk export-key circuit.zkey --json | jq .IC";

/// Of which circuit, and where to put what is made.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// The circuit, as the Circom compiler writes it
    #[arg(value_name = "R1CS")]
    circuit: PathBuf,
    /// Save the proving key
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
    /// Save the verification key
    #[arg(long, value_name = "FILE")]
    save_key: PathBuf,
}

/// What is proved to be known, and by which key.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The witness, as the circuit's own program calculates it
    #[arg(value_name = "WTNS")]
    witness: PathBuf,
    /// The proving key, as `r3e zk setup` or a ceremony of snarkjs makes it
    #[arg(long, value_name = "ZKEY")]
    key: PathBuf,
    /// Refuse the proving key unless this is its verification key
    #[arg(long, value_name = "FILE")]
    verification_key: Option<PathBuf>,
    /// Save the proof
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Save the public signals
    #[arg(long, value_name = "FILE")]
    save_public: Option<PathBuf>,
}

/// Of which proving key.
#[derive(Debug, Args)]
pub(crate) struct ExportKey {
    /// The proving key
    #[arg(value_name = "ZKEY")]
    key: PathBuf,
    /// Save the verification key
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub(super) fn setup(arguments: &Setup, printer: Printer) -> Result<(), CliError> {
    for path in [&arguments.save, &arguments.save_key] {
        // Before the work; what comes to be there meanwhile is not written over either.
        if path.exists() {
            return Err(CliError::Io {
                what: path.display().to_string(),
                source: io::ErrorKind::AlreadyExists.into(),
            });
        }
    }
    let what = &arguments.circuit;
    let circuit = R1cs::read(&read(what, MAX_R1CS_FILE_BYTES)?).map_err(|error| none_of(what, &error))?;
    let working = spinner("making the keys");
    let key = groth16_prover::setup(&circuit, threads()).map_err(|error| none_of(what, &error))?;
    drop(working);
    write_new(&arguments.save, &key.to_bytes())?;
    write_new(&arguments.save_key, key.verification_key().as_bytes())?;
    note(
        "r3e: whoever can read this machine's memory, or changed this program, can prove anything by these keys",
    );
    let shown = json!({
        "curve": key.curve(), "constraints": circuit.constraints(), "wires": key.wires(), "signals": key.signals(),
    });
    printer.result(&shown, |_| {
        fields(&[
            ("curve", key.curve().to_owned()),
            ("constraints", circuit.constraints().to_string()),
            ("wires", key.wires().to_string()),
            ("public signals", key.signals().to_string()),
        ])
    })
}

pub(super) fn prove(arguments: &Prove, printer: Printer) -> Result<(), CliError> {
    apart(arguments)?;
    let key = proving_key(&arguments.key)?;
    if let Some(path) = &arguments.verification_key {
        require(&key, path)?;
    }
    let what = &arguments.witness;
    let witness = Zeroizing::new(read(what, MAX_WTNS_FILE_BYTES)?);
    let witness = Witness::read(&witness).map_err(|error| none_of(what, &error))?;
    let working = spinner("proving");
    let made = groth16_prover::prove(&key, &witness, threads());
    drop(working);
    let Made { proof, signals } = made.map_err(|error| CliError::NoProof { why: error.to_string() })?;
    if let Some(path) = &arguments.save {
        write(path, proof.as_bytes())?;
    }
    if let Some(path) = &arguments.save_public {
        write(path, json!(signals).to_string().as_bytes())?;
    }
    let proof: serde_json::Value =
        serde_json::from_str(&proof).map_err(|_| CliError::NoProof { why: "it is no JSON".to_owned() })?;
    printer.result(&json!({ "proof": proof, "signals": signals }), |_| {
        let mut pairs = vec![("curve", key.curve().to_owned())];
        pairs.extend(signals.iter().map(|signal| ("signal", signal.clone())));
        fields(&pairs)
    })
}

pub(super) fn export_key(arguments: &ExportKey, printer: Printer) -> Result<(), CliError> {
    let key = proving_key(&arguments.key)?.verification_key();
    if let Some(path) = &arguments.save {
        write(path, key.as_bytes())?;
    }
    let shown: serde_json::Value = serde_json::from_str(&key)
        .map_err(|_| CliError::Usage("the verification key is no JSON".to_owned()))?;
    printer.result(&shown, |_| key + "\n")
}

/// What is saved takes the place of nothing that is read, and of nothing else that is saved.
fn apart(arguments: &Prove) -> Result<(), CliError> {
    let found =
        |path: &PathBuf| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_default();
    let mut taken = vec![found(&arguments.witness), found(&arguments.key)];
    taken.extend(arguments.verification_key.as_ref().map(found));
    for path in [&arguments.save, &arguments.save_public].into_iter().flatten() {
        let place = found(path);
        if taken.contains(&place) {
            return Err(CliError::Usage(format!("{} is named twice: save in another file", path.display())));
        }
        taken.push(place);
    }
    Ok(())
}

/// A proving key is the one that proofs are expected of.
fn require(key: &ProvingKey, expected: &Path) -> Result<(), CliError> {
    let text = groth16::read(expected)?;
    let wrong = |path: &Path, error: Groth16Error| CliError::Usage(format!("{}: {error}", path.display()));
    let expected_key = VerificationKey::from_json(text.as_bytes()).map_err(|error| wrong(expected, error))?;
    let own = VerificationKey::from_json(key.verification_key().as_bytes());
    if own.as_ref() != Ok(&expected_key) {
        return Err(CliError::NoProof { why: format!("the key is not that of {}", expected.display()) });
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| CliError::Io { what: path.display().to_string(), source })
}

fn proving_key(path: &Path) -> Result<ProvingKey, CliError> {
    let file = read(path, MAX_ZKEY_FILE_BYTES)?;
    let _working = spinner("reading and checking the key");
    ProvingKey::read(&file, threads()).map_err(|error| none_of(path, &error))
}

fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, CliError> {
    read_bytes_limited(path, max_bytes)
        .map_err(|source| CliError::Io { what: path.display().to_string(), source })
}

fn none_of(path: &Path, error: &ProverError) -> CliError {
    CliError::Usage(format!("{}: {error}", path.display()))
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
