//! What can go wrong between a caller and the NSM.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::driver::ErrorCode;

/// Why the Attester gave no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttesterError {
    /// There is no NSM device.
    #[error(
        "{} does not exist: this process is not inside a Nitro Enclave, or its kernel has no NSM driver; \
         start the image with `nitro-cli run-enclave`",
        path.display()
    )]
    DeviceAbsent {
        /// Where the device should be.
        path: PathBuf,
    },
    /// The NSM device is there and cannot be used.
    #[error("{} cannot be used as the NSM: it must be a character device that this process may read and write", path.display())]
    DeviceUnusable {
        /// Where the device is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The thread that serves the device could not be started.
    #[error("the thread that serves the NSM could not be started")]
    ThreadStart(#[source] io::Error),
    /// The queue to the device is full. Nothing was sent; try again after a pause.
    #[error("the NSM is busy: {capacity} requests are waiting already; try again later")]
    Busy {
        /// How many requests may wait.
        capacity: usize,
    },
    /// No answer came in time. A request that the device had begun is still carried out: read the
    /// PCR before repeating an extension or a lock.
    #[error("the NSM did not answer within {timeout_ms} ms")]
    Deadline {
        /// How long the caller was willing to wait.
        timeout_ms: u64,
    },
    /// The thread that serves the device is gone. Only a new Attester helps.
    #[error("the thread that serves the NSM has stopped; the enclave must be restarted")]
    Stopped,
    /// An argument has a length that the NSM would refuse, or that makes no sense. Nothing was sent.
    #[error("{field} is {actual_bytes} bytes; {min_bytes} to {max_bytes} are allowed")]
    Length {
        /// The argument.
        field: &'static str,
        /// Its length.
        actual_bytes: usize,
        /// The least allowed.
        min_bytes: usize,
        /// The most allowed.
        max_bytes: usize,
    },
    /// The NSM refused the request.
    #[error("the NSM refused {request}")]
    Nsm {
        /// The request's name in the NSM's protocol.
        request: &'static str,
        /// The NSM's reason.
        source: NsmError,
    },
    /// The NSM's answer does not fit the request.
    #[error("the NSM's answer to {request} is unusable: {problem}")]
    Answer {
        /// The request's name in the NSM's protocol.
        request: &'static str,
        /// What is wrong with the answer.
        problem: &'static str,
    },
    /// A document from the NSM carries no readable timestamp.
    #[error("no time can be read from the NSM's document: {problem}")]
    Timestamp {
        /// What is wrong with the document.
        problem: &'static str,
    },
    /// The kernel's entropy source cannot be read.
    #[error("the name of the kernel's entropy source cannot be read from {}; is sysfs mounted?", path.display())]
    EntropySourceUnknown {
        /// The file that was read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel draws entropy from something that is not the NSM.
    #[error("the kernel's entropy source is {found:?}, and must be {expected:?}; refuse to make keys here")]
    EntropySource {
        /// The source in use.
        found: String,
        /// The source required.
        expected: &'static str,
    },
}

/// The NSM's own error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NsmError {
    /// The error response carries the code for success: the device contradicts itself.
    #[error("the device reported an error with the code for success")]
    Contradiction,
    /// An argument is invalid.
    #[error("an argument is invalid")]
    InvalidArgument,
    /// There is no PCR of that index.
    #[error("there is no PCR of that index")]
    InvalidIndex,
    /// The response does not belong to the request.
    #[error("the response does not belong to the request")]
    InvalidResponse,
    /// The PCR is locked.
    #[error("the PCR is locked")]
    ReadOnlyIndex,
    /// The device lacks the operation.
    #[error("the device lacks the operation")]
    InvalidOperation,
    /// The response did not fit the buffer.
    #[error("the response did not fit the buffer")]
    BufferTooSmall,
    /// An argument is too large.
    #[error("an argument is too large")]
    InputTooLarge,
    /// The device, or the driver in front of it, failed.
    #[error("the device failed internally")]
    InternalError,
}

impl From<ErrorCode> for NsmError {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Success => Self::Contradiction,
            ErrorCode::InvalidArgument => Self::InvalidArgument,
            ErrorCode::InvalidIndex => Self::InvalidIndex,
            ErrorCode::InvalidResponse => Self::InvalidResponse,
            ErrorCode::ReadOnlyIndex => Self::ReadOnlyIndex,
            ErrorCode::InvalidOperation => Self::InvalidOperation,
            ErrorCode::BufferTooSmall => Self::BufferTooSmall,
            ErrorCode::InputTooLarge => Self::InputTooLarge,
            ErrorCode::InternalError => Self::InternalError,
        }
    }
}
