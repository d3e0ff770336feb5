//! One machine: QEMU, and the process that serves its vsock.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::MachineError;
use crate::limits::{
    DEFAULT_GUEST_CID, DEFAULT_MEMORY_MIB, DEFAULT_PROCESSORS, MAX_SOCKET_PATH_BYTES, POLL,
    PORT_ENDING_BYTES, VSOCK_READY_TIMEOUT,
};
use crate::tools::Tools;

/// What a machine is booted with.
#[derive(Debug, Clone)]
pub struct MachineConfig {
    /// The image.
    pub eif: PathBuf,
    /// Where the machine's sockets and logs are; must be there, and have a short path without a comma.
    pub folder: PathBuf,
    /// Memory.
    pub memory_mib: u32,
    /// Processors.
    pub processors: u32,
    /// The machine's own CID.
    pub guest_cid: u32,
    /// The folder of a [`crate::TestAuthority`] under which documents are signed. Without one the device does what QEMU
    /// does: it signs nothing.
    pub sign_dir: Option<PathBuf>,
    /// Arguments for the kernel after the image's own. They are not measured.
    pub append: Option<String>,
}

impl MachineConfig {
    /// With the default for everything else; documents are not signed.
    pub fn new(eif: &Path, folder: &Path) -> Self {
        Self {
            eif: eif.to_owned(),
            folder: folder.to_owned(),
            memory_mib: DEFAULT_MEMORY_MIB,
            processors: DEFAULT_PROCESSORS,
            guest_cid: DEFAULT_GUEST_CID,
            sign_dir: None,
            append: None,
        }
    }
}

/// A machine that was booted. Dropped, it is switched off: its two processes are killed and reaped, and no others.
#[derive(Debug)]
pub struct Machine {
    // QEMU goes first: its vsock process would take its end for a fault.
    qemu: Killed,
    _vsock: Killed,
    folder: PathBuf,
}

impl Machine {
    /// Starts a machine and returns while it boots. Its console and its vsock process's log are appended to, its sockets
    /// are made anew; what listens for it should listen already.
    ///
    /// # Errors
    /// All of [`MachineError`]. An image that QEMU refuses is no error: QEMU ends, and says why on the console.
    pub fn boot(tools: &Tools, config: &MachineConfig) -> Result<Self, MachineError> {
        let folder = config.folder.as_path();
        check_paths(config)?;
        let vsock = start_vsock(tools, config)?;
        let qemu = Killed::start(&tools.qemu(), &qemu_arguments(tools, config), &console_file(folder))?;
        Ok(Self { qemu, _vsock: vsock, folder: folder.to_owned() })
    }

    /// The unix socket of its vsock, by the hybrid-vsock convention: connect, send `CONNECT port\n`, read `OK n\n`.
    pub fn socket(&self) -> PathBuf {
        socket(&self.folder)
    }

    /// Where its connections to a port of its parent arrive.
    pub fn parent_socket(&self, port: u32) -> PathBuf {
        parent_socket(&self.folder, port)
    }

    /// What stands on the console, of all machines that were booted in this folder, and what QEMU said itself.
    pub fn console(&self) -> String {
        read_lossy(&console_file(&self.folder))
    }

    /// QEMU's process id.
    pub fn id(&self) -> u32 {
        self.qemu.0.id()
    }

    /// How QEMU ended, if it has: with success where the machine switched itself off.
    ///
    /// # Errors
    /// The operating system's.
    pub fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.qemu.0.try_wait()
    }

    /// Waits for the machine's end, and gives none where it has not come within `limit`.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn wait(&mut self, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            match self.ended()? {
                None if Instant::now() < deadline => tokio::time::sleep(POLL).await,
                outcome => return Ok(outcome),
            }
        }
    }

    /// Waits until the console shows a text, and says whether it did within `limit`.
    pub async fn shows(&self, text: &str, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.console().contains(text) {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }
}

/// The unix socket of the vsock of machines in `folder`.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("vsock")
}

/// Where the connections of machines in `folder` to a port of their parent arrive.
pub fn parent_socket(folder: &Path, port: u32) -> PathBuf {
    folder.join(format!("vsock_{port}"))
}

/// The file of the console of machines in `folder`.
pub fn console_file(folder: &Path) -> PathBuf {
    folder.join("console.log")
}

fn device_socket(folder: &Path) -> PathBuf {
    folder.join("device")
}

fn check_paths(config: &MachineConfig) -> Result<(), MachineError> {
    let longest = socket(&config.folder).as_os_str().len() + PORT_ENDING_BYTES;
    if longest > MAX_SOCKET_PATH_BYTES {
        return Err(MachineError::LongPath(config.folder.clone()));
    }
    let given = [Some(&config.folder), config.sign_dir.as_ref()];
    match given.into_iter().flatten().find(|path| path.as_os_str().as_encoded_bytes().contains(&b',')) {
        Some(path) => Err(MachineError::Comma(path.clone())),
        None => Ok(()),
    }
}

/// Starts the process that serves the machine's vsock, and waits until QEMU can connect to it.
fn start_vsock(tools: &Tools, config: &MachineConfig) -> Result<Killed, MachineError> {
    let folder = config.folder.as_path();
    let (device, log) = (device_socket(folder), folder.join("vsock.log"));
    for path in [&device, &socket(folder)] {
        match fs::remove_file(path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(MachineError::Folder { path: path.clone(), source });
            }
            _ => {}
        }
    }
    let vm = option(&[
        ("guest-cid=", config.guest_cid.to_string().as_ref()),
        (",socket=", device.as_os_str()),
        (",uds-path=", socket(folder).as_os_str()),
    ]);
    let mut process = Killed::start(&tools.vsock(), &["--vm".into(), vm], &log)?;
    let deadline = Instant::now() + VSOCK_READY_TIMEOUT;
    while !device.exists() {
        if Instant::now() > deadline || !matches!(process.0.try_wait(), Ok(None)) {
            return Err(MachineError::Vsock { log: read_lossy(&log) });
        }
        sleep(POLL);
    }
    Ok(process)
}

fn qemu_arguments(tools: &Tools, config: &MachineConfig) -> Vec<OsString> {
    let console = console_file(&config.folder);
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |name: &str, value: OsString| arguments.extend([name.into(), value]);
    for folder in tools.firmware() {
        add("-L", folder.into());
    }
    add("-machine", "nitro-enclave,vsock=vsock".into());
    add("-chardev", option(&[("socket,id=vsock,path=", device_socket(&config.folder).as_os_str())]));
    add("-accel", "tcg".into());
    add("-cpu", "max".into());
    add("-m", config.memory_mib.to_string().into());
    add("-smp", config.processors.to_string().into());
    add("-kernel", config.eif.clone().into());
    // Appended to, as QEMU's own words go into the same file.
    add("-chardev", option(&[("file,id=console,append=on,path=", console.as_os_str())]));
    add("-serial", "chardev:console".into());
    add("-display", "none".into());
    add("-monitor", "none".into());
    if let Some(folder) = &config.sign_dir {
        add("-global", option(&[("virtio-nsm-device.sign-dir=", folder.as_os_str())]));
    }
    if let Some(text) = &config.append {
        add("-append", text.into());
    }
    // A machine that resets itself has ended.
    arguments.push("-no-reboot".into());
    arguments
}

/// An option of several parts, each a name with its value.
fn option(parts: &[(&str, &std::ffi::OsStr)]) -> OsString {
    let mut option = OsString::new();
    for (name, value) in parts {
        option.push(name);
        option.push(value);
    }
    option
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A process that is killed and reaped when it is dropped.
#[derive(Debug)]
struct Killed(Child);

impl Killed {
    fn start(program: &Path, arguments: &[OsString], log: &Path) -> Result<Self, MachineError> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(|source| MachineError::Folder { path: log.to_owned(), source });
        let (out, err) = output?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|source| MachineError::Spawn { program: program.to_owned(), source })?;
        Ok(Self(child))
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
