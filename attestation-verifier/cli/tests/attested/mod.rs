//! Documents that attest a statement, and the tool that judges what they attest.

use std::{fs, path::Path, process::Command};

use r3e_proto::channel::statement::Statement;
use serde_json::Value as Json;

use crate::generator::{self, Spec, bytes, pcr};
use crate::pem::pem;

/// A document with this statement, and the root it is under.
pub(crate) fn attested(statement: &Statement) -> (Vec<u8>, String) {
    let mut spec = Spec::valid();
    spec.set("user_data", bytes(&statement.encode()));
    let certificates = generator::certificate::build(&spec.certs);
    let root = pem(&certificates[0]);
    (spec.build_from(certificates), root)
}

/// What `r3e-verify SUBCOMMAND FILE` says of this content, trusting the root: its exit status and its verdict.
pub(crate) fn verdict(
    subcommand: &str,
    folder: &Path,
    content: &Json,
    root: &Path,
    more: &[&str],
) -> (i32, Json) {
    let file = folder.join(subcommand);
    fs::write(&file, content.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_r3e-verify"));
    command.env_clear().arg(subcommand).arg(file).arg("--json").arg("--test-root").arg(root);
    for index in 0..3 {
        command.arg(format!("--pcr={index}={}", hex::encode(pcr(index))));
    }
    let output = command.args(more).output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}
