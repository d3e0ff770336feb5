//! The console: where the first process and its child are heard. `nitro-cli console` shows it of an enclave in debug
//! mode; of any other nobody sees it, so nothing waits for it and nothing depends on it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;

const CONSOLE: &str = "/dev/console";
const NULL: &str = "/dev/null";

/// Writes a line. A console that cannot be written to is no reason to stop, so unlike `eprintln!` this never fails.
pub(crate) fn say(text: &str) {
    // One write a line: the kernel's own lines come between, never into it.
    let line = format!("r3e-init: {text}\n");
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// Makes the console the standard output and error of this process and its children, and nothing their standard input.
pub(crate) fn attach() {
    if let Ok(null) = File::open(NULL) {
        replace(&null, libc::STDIN_FILENO);
    }
    // Not as the terminal that controls this process: a break on the line would then be a signal.
    let console = OpenOptions::new().write(true).custom_flags(libc::O_NOCTTY).open(CONSOLE);
    if let Ok(out) = console.or_else(|_| OpenOptions::new().write(true).open(NULL)) {
        replace(&out, libc::STDOUT_FILENO);
        replace(&out, libc::STDERR_FILENO);
    }
}

fn replace(file: &File, target: RawFd) {
    // SAFETY: `target` is a standard descriptor, which no object of this program owns; `file` is open during the call, and
    // is another descriptor: the three standard ones were open when Rust's runtime had started.
    let _failed = unsafe { libc::dup2(file.as_raw_fd(), target) };
}
