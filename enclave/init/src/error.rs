//! Why the enclave ends.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::program::Ended;

/// Why the machine is switched off. Each text says what to do where the operator can do something.
#[derive(Debug)]
pub(crate) enum InitError {
    /// A file system that cannot be done without.
    Mount { target: &'static str, source: io::Error },
    /// A setting of the kernel that exists and cannot be made.
    Setting { path: &'static str, source: io::Error },
    /// A device that an enclave has.
    Device { path: &'static str, source: io::Error },
    /// The kernel had no room for all of the image.
    ImageCutShort,
    /// The limits of all processes.
    Resources(io::Error),
    /// The kernel draws its entropy from something else, or from nothing.
    EntropySource { found: String },
    /// The NSM's entropy, or its way into the kernel's generator.
    Seed { step: &'static str, source: io::Error },
    /// The NSM gives the same byte over and over.
    EntropyBroken,
    /// The parent cannot be reached.
    HeartbeatUnreachable { waited: Duration, last: io::Error },
    /// The parent was reached, and the exchange failed.
    HeartbeatBroken(io::Error),
    /// The parent was reached, and gave no answer in time.
    HeartbeatLate { waited: Duration },
    /// The parent answered something else.
    HeartbeatWrong { answer: u8 },
    /// The program could not be started.
    Start { path: &'static str, source: io::Error },
    /// The program could not be waited for.
    Wait(io::Error),
    /// The program ended.
    Ended(Ended),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mount { target, source } => write!(f, "cannot mount {target}: {source}"),
            Self::Setting { path, source } => write!(f, "cannot set {path}: {source}"),
            Self::Device { path, source } => write!(
                f,
                "the device {path} cannot be used ({source}); this kernel or this machine is not an enclave's"
            ),
            Self::ImageCutShort => write!(
                f,
                "the kernel had no room to unpack the whole image: give the enclave more memory ({})",
                crate::memory::Memory::read()
            ),
            Self::Resources(source) => write!(f, "cannot limit resources: {source}"),
            Self::EntropySource { found } => write!(
                f,
                "the kernel's entropy source is {found:?} and must be {:?}: no key can be made safely here",
                crate::entropy::SOURCE
            ),
            Self::Seed { step, source } => {
                write!(f, "the kernel's generator was not seeded from the NSM: {step}: {source}")
            }
            Self::EntropyBroken => f.write_str("the NSM's entropy is one byte over and over: it is broken"),
            Self::HeartbeatUnreachable { waited, last } => write!(
                f,
                "the parent did not take the heartbeat within {} ms ({last}); it must listen before the enclave starts",
                waited.as_millis()
            ),
            Self::HeartbeatBroken(source) => write!(f, "the parent broke off the heartbeat: {source}"),
            Self::HeartbeatLate { waited } => {
                write!(f, "the parent did not answer the heartbeat within {} ms", waited.as_millis())
            }
            Self::HeartbeatWrong { answer } => write!(
                f,
                "the parent answered the heartbeat with {answer:#04x}, not {:#04x}",
                crate::heartbeat::HEARTBEAT
            ),
            Self::Start { path, source } => {
                write!(f, "cannot start {path}: {source} ({})", crate::memory::Memory::read())
            }
            Self::Wait(source) => write!(f, "cannot wait for processes: {source}"),
            Self::Ended(ended) => write!(f, "{} {ended}", crate::program::NAME),
        }
    }
}
