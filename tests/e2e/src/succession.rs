//! A successor beside an appliance, and `r3e-parent upgrade`, which goes over to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use r3e_proto::release::ImagePcrs;
use serde_json::Value;

use crate::appliance::Appliance;
use crate::command::Done;
use crate::enclave::EnclavePlace;
use crate::handoff::{other_runner, share_test_root};
use crate::process::Process;
use crate::programs::program;

/// A successor's place and image.
#[derive(Debug, Clone)]
pub struct Successor {
    place: EnclavePlace,
    runner: PathBuf,
}

impl Successor {
    /// In a folder of its own beside an enclave that has been started: the same programs with a runner that is another file.
    pub fn beside(appliance: &Appliance, name: &str) -> Self {
        let folder = appliance.folder().join(name);
        let place = EnclavePlace::new(&folder);
        share_test_root(appliance.enclave_place(), &place);
        Self { place, runner: other_runner(&folder, "runner") }
    }

    /// Where it is.
    pub fn place(&self) -> &EnclavePlace {
        &self.place
    }

    /// Starts it. It waits for a parent to open its ports, for a minute.
    pub fn start(&self) -> Process {
        self.place.start_with_runner(&self.runner)
    }

    /// `r3e-parent upgrade` to it, for the parent of an appliance, which does not start enclaves itself.
    ///
    /// # Panics
    /// The program does not start.
    pub async fn upgrade(&self, appliance: &Appliance, manifest: &Path) -> Done {
        let mut command = Command::new(program("r3e-parent"));
        command.args(["upgrade", "--data"]).arg(appliance.data()).arg("--manifest").arg(manifest);
        command.arg("--enclave").arg(format!("unix:{}", self.place.socket().display()));
        command.env_clear().stdin(Stdio::null());
        let line = format!("{command:?}");
        let running = tokio::task::spawn_blocking(move || command.output().expect("r3e-parent upgrade"));
        let output = running.await.expect("r3e-parent upgrade");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("tools speak UTF-8");
        Done {
            line,
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// PCR0 to 2 of the image that was started at a place last: the programs may have been built anew since.
///
/// # Panics
/// None was started there.
pub fn image_pcrs(place: &EnclavePlace) -> ImagePcrs {
    let json = std::fs::read(place.reference_values_file()).expect("reference values");
    let json: Value = serde_json::from_slice(&json).expect("reference values");
    ["0", "1", "2"].map(|index| {
        let pcr = json["releases"][0]["pcrs"][index].as_str().expect("a PCR");
        hex::decode(pcr).expect("hex").try_into().expect("48 bytes")
    })
}
