//! Stands in for QEMU and for its vsock device, by the name that it is called by: what it "boots" is `enclave-under-test` as
//! a local process, so that `r3e-parent run` starts, watches and ends it as it does an emulated machine.
//!
//! Beside an image `NAME.eif` lies `NAME.state`, the folder of the fake attestation device, and `NAME.runner`, the runner
//! that makes this release another than the next.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = PathBuf::from(arguments.next().unwrap_or_default());
    let arguments: Vec<OsString> = arguments.collect();
    let failed = match called.file_name().and_then(|name| name.to_str()) {
        Some("vhost-device-vsock") => serve_vsock(&arguments),
        Some("qemu-system-x86_64") => boot(&arguments),
        _ => format!("called as {}", called.display()),
    };
    eprintln!("local-machine: {failed}");
    ExitCode::FAILURE
}

/// Leaves both sockets behind, the enclave's as one that nobody listens on, and waits to be ended.
fn serve_vsock(arguments: &[OsString]) -> String {
    let vm =
        arguments.iter().filter_map(|argument| argument.to_str()).find(|argument| argument.contains('='));
    let part = |name: &str| vm.and_then(|vm| vm.split(',').find_map(|part| part.strip_prefix(name)));
    let (Some(enclave), Some(device)) = (part("uds-path="), part("socket=")) else {
        return "no sockets are named".to_owned();
    };
    if let Err(error) = UnixListener::bind(enclave).and_then(|_| File::create(device)) {
        return format!("{enclave}, {device}: {error}");
    }
    loop {
        std::thread::park();
    }
}

/// Becomes the enclave.
fn boot(arguments: &[OsString]) -> String {
    let after = |option: &str| arguments.iter().skip_while(|argument| *argument != option).nth(1);
    let channel =
        after("-chardev").and_then(|value| value.to_str()).and_then(|value| value.split_once("path="));
    let (Some(image), Some((_, device))) = (after("-kernel"), channel) else {
        return "no image, or no vsock".to_owned();
    };
    let Some(enclave) = device.strip_suffix("-vhost") else {
        return format!("{device} is no device's socket");
    };
    let image = Path::new(image);
    let program = match std::env::current_exe() {
        Ok(own) => own.with_file_name("enclave-under-test"),
        Err(error) => return error.to_string(),
    };
    let mut command = Command::new(program);
    command.args(["--socket", enclave, "--state"]).arg(image.with_extension("state"));
    command.arg("--runner").arg(image.with_extension("runner"));
    command.exec().to_string()
}
