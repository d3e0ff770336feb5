//! An enclave of QEMU's: the same image on an emulated machine, for tests and for a look. It protects nothing.
//!
//! `vhost-device-vsock` carries its vsock over unix sockets by the hybrid-vsock convention, so to the parent it is an
//! enclave at `unix:PATH`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::Launch;
use super::console::Console;
use super::error::LaunchError;
use crate::limits::{CHILD_STOP_TIMEOUT_MS, HEARTBEAT_LOOK_MS, VSOCK_DEVICE_TIMEOUT_MS};
use crate::programs::{self, Emulator};

/// Where Debian keeps what QEMU gives a kernel before it boots. A folder that is not there is passed over.
const FIRMWARE: [&str; 2] = ["/usr/share/qemu", "/usr/share/seabios"];
/// The lines of a console that explain an end.
const EXPLAINING_LINES: usize = 8;

/// A running emulator.
#[derive(Debug)]
pub(super) struct QemuEnclave {
    qemu: Child,
    vsock_device: Child,
    console: Console,
}

/// Removes the sockets that an earlier run left.
pub(super) fn clean(enclave_socket: &Path) -> Result<(), LaunchError> {
    for path in [enclave_socket.to_owned(), device_socket(enclave_socket)] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(LaunchError::Stale { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Starts the emulator. The enclave boots while this returns; its heartbeat comes to the parent.
pub(super) async fn start(
    folder: Option<&Path>,
    sign_with: Option<&Path>,
    enclave_socket: &Path,
    launch: &Launch,
) -> Result<QemuEnclave, LaunchError> {
    let Emulator { qemu, vsock_device } = programs::find_emulator(folder)
        .map_err(|missing| LaunchError::Missing { program: missing.program, searched: missing.searched })?;
    let (console, socket) = (Console::default(), device_socket(enclave_socket));
    let mut device =
        spawn(&vsock_device, &device_arguments(enclave_socket, &socket, launch), &console, "vsock")?;
    let opening = async {
        // It makes both sockets; the one towards QEMU is the last.
        while !(socket.exists() && enclave_socket.exists()) {
            if device.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            sleep(Duration::from_millis(HEARTBEAT_LOOK_MS)).await;
        }
        true
    };
    if !timeout(Duration::from_millis(VSOCK_DEVICE_TIMEOUT_MS), opening).await.unwrap_or(false) {
        // Its last words may still be on their way.
        sleep(Duration::from_millis(HEARTBEAT_LOOK_MS)).await;
        return Err(LaunchError::VsockDevice { path: socket, said: console.tail(EXPLAINING_LINES) });
    }
    let qemu = spawn(&qemu, &arguments(&socket, sign_with, launch), &console, "enclave")?;
    Ok(QemuEnclave { qemu, vsock_device: device, console })
}

impl QemuEnclave {
    /// Waits until it runs no more, and says what is known of why.
    pub(super) async fn ended(&mut self) -> String {
        let how = tokio::select! {
            status = self.qemu.wait() => ended("QEMU", &status),
            status = self.vsock_device.wait() => ended("vhost-device-vsock", &status),
        };
        sleep(Duration::from_millis(HEARTBEAT_LOOK_MS)).await;
        format!("the enclave has ended: {how}{}", self.last_words())
    }

    /// The end of its console, as an appendix to a sentence.
    pub(super) fn last_words(&self) -> String {
        match self.console.tail(EXPLAINING_LINES) {
            tail if tail.is_empty() => "; its console said nothing".into(),
            tail => format!("; its console's last lines: {tail}"),
        }
    }

    /// Ends both programs.
    pub(super) async fn stop(&mut self) {
        for child in [&mut self.qemu, &mut self.vsock_device] {
            let id = child.id().and_then(|id| i32::try_from(id).ok());
            if let Some(id) = id {
                // One that has ended by itself needs no signal.
                let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
            }
            if timeout(Duration::from_millis(CHILD_STOP_TIMEOUT_MS), child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
    }
}

fn ended(what: &str, status: &io::Result<std::process::ExitStatus>) -> String {
    match status {
        Ok(status) => format!("{what} ended with {status}"),
        Err(error) => format!("{what} cannot be watched: {error}"),
    }
}

/// The socket between the two programs, beside the enclave's.
fn device_socket(enclave_socket: &Path) -> PathBuf {
    let mut name = enclave_socket.as_os_str().to_owned();
    name.push("-vhost");
    PathBuf::from(name)
}

fn device_arguments(enclave_socket: &Path, device_socket: &Path, launch: &Launch) -> Vec<OsString> {
    let mut vm = OsString::from(format!("guest-cid={},socket=", launch.context_id()));
    vm.push(device_socket);
    vm.push(",uds-path=");
    vm.push(enclave_socket);
    vec!["--vm".into(), vm]
}

/// No `-append`: a kernel's command line stands in the image, where it is measured.
fn arguments(device_socket: &Path, sign_with: Option<&Path>, launch: &Launch) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    for folder in FIRMWARE.iter().filter(|folder| Path::new(folder).is_dir()) {
        arguments.extend(["-L".into(), folder.into()]);
    }
    let mut channel = OsString::from("socket,id=vsock,path=");
    channel.push(device_socket);
    let fixed = ["-machine", "nitro-enclave,vsock=vsock,id=r3e", "-accel", "tcg", "-cpu", "max", "-m"];
    arguments.extend(fixed.map(OsString::from));
    arguments.extend([launch.memory_mib.to_string().into(), "-smp".into(), launch.cpus.to_string().into()]);
    arguments.extend(["-kernel".into(), launch.image.clone().into(), "-chardev".into(), channel]);
    arguments.extend(["-nographic", "-no-reboot"].map(OsString::from));
    if let Some(folder) = sign_with {
        let mut signing = OsString::from("virtio-nsm-device.sign-dir=");
        signing.push(folder);
        arguments.extend(["-global".into(), signing]);
    }
    arguments
}

fn spawn(
    program: &Path,
    arguments: &[OsString],
    console: &Console,
    source: &'static str,
) -> Result<Child, LaunchError> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // A terminal's Ctrl-C is for the parent, which ends its children in order.
        .process_group(0)
        .spawn()
        .map_err(|source| LaunchError::Spawn { program: program.into(), source })?;
    if let Some(stream) = child.stdout.take() {
        console.follow(stream, source);
    }
    if let Some(stream) = child.stderr.take() {
        console.follow(stream, source);
    }
    Ok(child)
}
