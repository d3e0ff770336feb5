//! A successor beside an appliance: another release of the same programs, the keys that approve of it, and the command
//! that goes over to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use r3e_client::{SigningKey, approve_release};
use r3e_proto::release::{ImagePcrs, Release, SignedRelease};
use serde_json::Value;

use crate::appliance::Appliance;
use crate::command::Done;
use crate::enclave::{EnclavePlace, Place as _};
use crate::process::Process;
use crate::programs::program;

/// What the fake device keeps its root in: both releases attest under one, as under the hypervisor's.
const ROOT_IDENTITY: &str = "test-root-identity.pem";

/// The holders of the keys that approve of releases.
#[derive(Debug)]
pub struct ReleaseKeys(Vec<SigningKey>);

/// A successor's place and image.
#[derive(Debug, Clone)]
pub struct Successor {
    place: EnclavePlace,
    runner: PathBuf,
}

impl ReleaseKeys {
    /// So many people.
    pub fn of(people: usize) -> Self {
        Self((0..people).map(|_| SigningKey::generate().expect("a key")).collect())
    }

    /// The table `[handoff]` of a configuration.
    pub fn table(&self, threshold: usize) -> String {
        let keys: Vec<String> = self.0.iter().map(|key| format!("\"{}\"", key.public_key())).collect();
        format!("[handoff]\nthreshold = {threshold}\nkeys = [{}]\n\n", keys.join(", "))
    }

    /// Writes a release from one image to another, signed by the first `signers` of them.
    pub fn release(&self, from: ImagePcrs, to: ImagePcrs, version: &str, signers: usize, file: &Path) {
        let version = version.parse().expect("a version");
        let release = Release::new(version, to, 0, vec![from], vec![]).expect("a release");
        let mut signed = SignedRelease::unsigned(&release);
        for key in &self.0[..signers] {
            approve_release(&mut signed, key).expect("a signature");
        }
        std::fs::write(file, signed.encode()).expect("the manifest");
    }
}

impl Successor {
    /// In a folder of its own beside an enclave that has been started: the same programs with a runner that is another file.
    pub fn beside(appliance: &Appliance, name: &str) -> Self {
        let folder = appliance.folder().join(name);
        let place = EnclavePlace::new(&folder);
        std::fs::create_dir_all(place.state()).expect("a folder");
        let root = appliance.enclave_place().state().join(ROOT_IDENTITY);
        std::fs::copy(root, place.state().join(ROOT_IDENTITY)).expect("the root");
        let runner = folder.join("runner");
        std::fs::copy(program("r3e-runner"), &runner).expect("the runner");
        let mut bytes = std::fs::read(&runner).expect("the runner");
        bytes.extend(name.as_bytes());
        std::fs::write(&runner, bytes).expect("the runner");
        Self { place, runner }
    }

    /// Where it is.
    pub fn place(&self) -> &EnclavePlace {
        &self.place
    }

    /// Its endpoint, as the parent takes it.
    pub fn endpoint(&self) -> String {
        format!("unix:{}", self.place.socket().display())
    }

    /// Starts it. It waits for a parent to open its ports, for a minute.
    pub fn start(&self) -> Process {
        self.place.start_with_runner(&self.runner)
    }
}

/// The PCRs of the image that was started at a place last.
///
/// # Panics
/// None was.
pub fn image_pcrs(place: &EnclavePlace) -> ImagePcrs {
    let json = std::fs::read(place.trust().reference_values_file).expect("reference values");
    let json: Value = serde_json::from_slice(&json).expect("reference values");
    ["0", "1", "2"].map(|index| {
        let pcr = json["releases"][0]["pcrs"][index].as_str().expect("a PCR");
        hex::decode(pcr).expect("hex").try_into().expect("48 bytes")
    })
}

/// `r3e-parent upgrade` for the parent of an appliance, which starts its enclave not itself.
pub async fn upgrade(appliance: &Appliance, manifest: &Path, successor: &Successor, more: &[&str]) -> Done {
    let mut command = Command::new(program("r3e-parent"));
    command.args(["upgrade", "--data"]).arg(appliance.data()).arg("--manifest").arg(manifest);
    command.args(["--enclave", &successor.endpoint()]).args(more);
    command.env_clear().stdin(Stdio::null());
    let line = format!("{command:?}");
    let output = tokio::task::spawn_blocking(move || command.output().expect("r3e-parent upgrade"));
    let output = output.await.expect("r3e-parent upgrade");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("tools speak UTF-8");
    Done {
        line,
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
