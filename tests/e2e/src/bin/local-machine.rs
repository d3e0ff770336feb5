//! Stands in for QEMU and for its vsock device, by the name that it is called by: what it "boots" is `enclave-under-test` as
//! a local process, so that `r3e-parent run` starts, watches and ends it as it does an emulated machine.
//!
//! Beside an image `NAME.eif` lies `NAME.state`, the folder of the fake attestation device, and `NAME.runner`, the runner
//! that makes this release another than the next. Where there is a file `NAME.dies`, the next machine that boots the image
//! takes it away, and dies in the moment in which its enclave's first commit stands.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use r3e_proto::host::blob::{Outcome, Response};
use r3e_proto::host::{
    BLOB_PORT, CONFIGURATION_PORT, CREDENTIALS_PORT, EGRESS_PORT, HEARTBEAT_PORT, LIFECYCLE_PORT,
};
use r3e_proto::limits::MAX_HOST_FRAME_BYTES;
use r3e_transport::frame::{read_frame, write_frame};
use tokio::net::{UnixListener as Listener, UnixStream as Stream};

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
    let command = |socket: &str| {
        let mut command = Command::new(&program);
        command.args(["--socket", socket, "--state"]).arg(image.with_extension("state"));
        command.arg("--runner").arg(image.with_extension("runner"));
        command
    };
    if std::fs::remove_file(image.with_extension("dies")).is_ok() {
        let inner = format!("{enclave}-dies");
        return match die_with_first_commit(enclave, &inner, command(&inner)) {
            Ok(()) => "the first commit stands".to_owned(),
            Err(error) => error.to_string(),
        };
    }
    command(enclave).exec().to_string()
}

/// Runs the enclave behind its own sockets, which lead to the parent's, and kills it before it hears of its first commit.
fn die_with_first_commit(outer: &str, inner: &str, mut command: Command) -> std::io::Result<()> {
    let port = |base: &str, port: u32| format!("{base}_{port}");
    for number in [HEARTBEAT_PORT, CONFIGURATION_PORT, EGRESS_PORT, CREDENTIALS_PORT, LIFECYCLE_PORT] {
        std::os::unix::fs::symlink(port(outer, number), port(inner, number))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = Listener::bind(port(inner, BLOB_PORT))?;
        let mut enclave = command.spawn()?;
        let (committed, mut first_commit) = tokio::sync::mpsc::channel(1);
        loop {
            tokio::select! {
                connection = listener.accept() => {
                    let parent = Stream::connect(port(outer, BLOB_PORT)).await?;
                    tokio::spawn(carry(connection?.0, parent, committed.clone()));
                }
                // There is always a sender here.
                _ = first_commit.recv() => {
                    enclave.kill()?;
                    return enclave.wait().map(drop);
                }
            }
        }
    })
}

/// Carries questions forth and answers back, but for the one that a commit stands.
async fn carry(enclave: Stream, parent: Stream, committed: tokio::sync::mpsc::Sender<()>) {
    let (mut questions, mut to_enclave) = enclave.into_split();
    let (mut answers, mut to_parent) = parent.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut questions, &mut to_parent).await });
    while let Ok(body) = read_frame(&mut answers, MAX_HOST_FRAME_BYTES).await {
        if matches!(Response::decode(&body), Ok(Response { outcome: Outcome::Committed, .. })) {
            // Nobody listens only where it was killed already.
            let _ = committed.send(()).await;
            return;
        }
        if write_frame(&mut to_enclave, &body, MAX_HOST_FRAME_BYTES).await.is_err() {
            return;
        }
    }
}
