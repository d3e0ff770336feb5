//! The Attester: typed, asynchronous calls to the NSM.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::document::Document;
use crate::driver::{Digest, NsmDriver, Request, Response};
use crate::error::AttesterError;
use crate::limits::{
    DEFAULT_CALL_TIMEOUT, DEFAULT_QUEUE_CAPACITY, MAX_NONCE_BYTES, MAX_PCR_EXTEND_BYTES,
    MAX_PUBLIC_KEY_BYTES, MAX_RANDOM_BYTES, MAX_USER_DATA_BYTES, MIN_RANDOM_ANSWER_BYTES, PCR_BYTES,
};
use crate::queue::{Answer, Outcome, Queue};
use crate::stats::{AttesterStats, Counters};

/// How the Attester treats its callers.
#[derive(Debug, Clone, Copy)]
pub struct AttesterConfig {
    /// Requests that may wait while one is with the device.
    pub queue_capacity: NonZeroUsize,
    /// How long a caller waits for its answer, queueing included.
    pub call_timeout: Duration,
}

impl Default for AttesterConfig {
    fn default() -> Self {
        Self { queue_capacity: DEFAULT_QUEUE_CAPACITY, call_timeout: DEFAULT_CALL_TIMEOUT }
    }
}

/// A handle to the NSM. Cheap to clone; all clones share one queue and one thread, which ends when
/// the last of them is dropped.
///
/// Every method needs a tokio runtime with time enabled, and every method can fail with
/// [`AttesterError::Busy`], [`AttesterError::Deadline`], [`AttesterError::Stopped`],
/// [`AttesterError::Nsm`] (the device refused) and [`AttesterError::Answer`] (the device answered
/// something that does not fit). A future that is dropped before the device has begun with its
/// request takes the request back.
#[derive(Debug, Clone)]
pub struct Attester {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    timeout: Duration,
}

/// What the NSM says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleInfo {
    /// The identifier of this NSM: instance and enclave.
    pub module_id: String,
    /// The version of its interface.
    pub version: Version,
    /// The number of its PCRs.
    pub max_pcrs: u16,
    /// The PCRs that can no longer be extended. Only these appear in documents.
    pub locked_pcrs: BTreeSet<u16>,
    /// The hash of the PCR bank.
    pub digest: Digest,
}

/// A version of the NSM's interface; a higher `major` is incompatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Incompatible changes.
    pub major: u16,
    /// Compatible changes.
    pub minor: u16,
    /// Corrections.
    pub patch: u16,
}

/// A Platform Configuration Register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pcr {
    /// Whether it is fixed for the life of the enclave.
    pub locked: bool,
    /// Its value: SHA-384.
    pub value: [u8; PCR_BYTES],
}

impl Attester {
    /// Starts the thread that serves `driver`.
    ///
    /// # Errors
    ///
    /// [`AttesterError::ThreadStart`].
    pub fn start<D: NsmDriver>(driver: D, config: AttesterConfig) -> Result<Self, AttesterError> {
        let counters = Arc::new(Counters::default());
        let queue = Queue::start(driver, config.queue_capacity.get(), Arc::clone(&counters))?;
        Ok(Self { queue: Arc::new(queue), counters, timeout: config.call_timeout })
    }

    /// The same Attester, for a caller with another deadline.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Asks for Evidence: a signed document over the locked PCRs and these three fields.
    ///
    /// `user_data` and `nonce` take up to 512 bytes, `public_key` 1 to 1024.
    ///
    /// # Errors
    ///
    /// [`AttesterError::Length`] before anything is sent, and those of every call.
    pub async fn attest(
        &self,
        user_data: Option<&[u8]>,
        nonce: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<Document, AttesterError> {
        const NAME: &str = "Attestation";
        check_length("user_data", user_data, 0, MAX_USER_DATA_BYTES)?;
        check_length("nonce", nonce, 0, MAX_NONCE_BYTES)?;
        check_length("public_key", public_key, 1, MAX_PUBLIC_KEY_BYTES)?;
        let request = Request::Attestation {
            user_data: user_data.map(|bytes| bytes.to_vec().into()),
            nonce: nonce.map(|bytes| bytes.to_vec().into()),
            public_key: public_key.map(|bytes| bytes.to_vec().into()),
        };
        let Answer { outcome, answered_at } = self.queue.call(request, self.timeout).await?;
        match self.response(NAME, outcome)? {
            Response::Attestation { document } => Document::from_device(document, answered_at)
                .ok_or_else(|| self.unfit(NAME, "the document is empty or over 12 KiB")),
            _ => Err(self.wrong_kind(NAME)),
        }
    }

    /// Asks the NSM for its description.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn describe(&self) -> Result<ModuleInfo, AttesterError> {
        const NAME: &str = "DescribeNSM";
        match self.call(NAME, Request::DescribeNSM).await? {
            Response::DescribeNSM {
                version_major: major,
                version_minor: minor,
                version_patch: patch,
                module_id,
                max_pcrs,
                locked_pcrs,
                digest,
            } => Ok(ModuleInfo {
                module_id,
                version: Version { major, minor, patch },
                max_pcrs,
                locked_pcrs,
                digest,
            }),
            _ => Err(self.wrong_kind(NAME)),
        }
    }

    /// Reads a PCR.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn pcr(&self, index: u16) -> Result<Pcr, AttesterError> {
        const NAME: &str = "DescribePCR";
        match self.call(NAME, Request::DescribePCR { index }).await? {
            Response::DescribePCR { lock, data } => {
                Ok(Pcr { locked: lock, value: self.pcr_value(NAME, &data)? })
            }
            _ => Err(self.wrong_kind(NAME)),
        }
    }

    /// Extends a PCR: its value becomes SHA-384(value || data). Returns the new value.
    ///
    /// `data` is 1 to 512 bytes; callers pass a digest.
    ///
    /// # Errors
    ///
    /// [`AttesterError::Length`] before anything is sent, and those of every call. After
    /// [`AttesterError::Deadline`] the PCR may have been extended: read it.
    pub async fn extend_pcr(&self, index: u16, data: &[u8]) -> Result<[u8; PCR_BYTES], AttesterError> {
        const NAME: &str = "ExtendPCR";
        check_length("PCR data", Some(data), 1, MAX_PCR_EXTEND_BYTES)?;
        match self.call(NAME, Request::ExtendPCR { index, data: data.to_vec() }).await? {
            Response::ExtendPCR { data } => self.pcr_value(NAME, &data),
            _ => Err(self.wrong_kind(NAME)),
        }
    }

    /// Locks a PCR for the life of the enclave. From then on it is part of every document.
    ///
    /// # Errors
    ///
    /// Those of every call; a PCR that is locked already is refused with
    /// [`NsmError::ReadOnlyIndex`](crate::NsmError::ReadOnlyIndex).
    pub async fn lock_pcr(&self, index: u16) -> Result<(), AttesterError> {
        const NAME: &str = "LockPCR";
        match self.call(NAME, Request::LockPCR { index }).await? {
            Response::LockPCR => Ok(()),
            _ => Err(self.wrong_kind(NAME)),
        }
    }

    /// Draws `length` bytes (1 to 4096) of the NSM's entropy, wiped on drop.
    ///
    /// # Errors
    ///
    /// [`AttesterError::Length`] before anything is sent, and those of every call. An answer that
    /// is short, that repeats the one before, or whose bytes are all the same is
    /// [`AttesterError::Answer`]: the generator is broken, and no key may be made from it.
    pub async fn random(&self, length: usize) -> Result<Zeroizing<Vec<u8>>, AttesterError> {
        const NAME: &str = "GetRandom";
        within("random bytes", length, 1, MAX_RANDOM_BYTES)?;
        // Reserved at once: a vector that grows leaves unwiped copies behind.
        let mut gathered = Zeroizing::new(Vec::with_capacity(length));
        let mut previous = Zeroizing::new(Vec::new());
        while gathered.len() < length {
            let fresh = match self.queue.call(Request::GetRandom, self.timeout).await?.outcome {
                Outcome::Random(fresh) => fresh,
                other => {
                    self.response(NAME, other)?;
                    return Err(self.wrong_kind(NAME));
                }
            };
            if fresh.len() < MIN_RANDOM_ANSWER_BYTES {
                return Err(self.unfit(NAME, "it is shorter than 32 bytes"));
            }
            if *fresh == *previous || fresh.iter().all(|byte| Some(byte) == fresh.first()) {
                return Err(self.unfit(NAME, "it is not random"));
            }
            let wanted = length - gathered.len();
            gathered.extend(fresh.iter().take(wanted));
            previous = fresh;
        }
        Ok(gathered)
    }

    /// The counters since the start.
    pub fn stats(&self) -> AttesterStats {
        self.counters.snapshot()
    }

    async fn call(&self, name: &'static str, request: Request) -> Result<Response, AttesterError> {
        self.response(name, self.queue.call(request, self.timeout).await?.outcome)
    }

    fn response(&self, request: &'static str, outcome: Outcome) -> Result<Response, AttesterError> {
        match outcome {
            Outcome::Other(response) => Ok(response),
            Outcome::Refused(source) => {
                tracing::warn!(request, reason = %source, "the NSM refused a request");
                Err(AttesterError::Nsm { request, source })
            }
            Outcome::Random(_) => Err(self.wrong_kind(request)),
        }
    }

    fn pcr_value(&self, request: &'static str, data: &[u8]) -> Result<[u8; PCR_BYTES], AttesterError> {
        data.try_into()
            .map_err(|_| self.unfit(request, "the PCR is not 48 bytes, so its bank is not SHA-384"))
    }

    fn wrong_kind(&self, request: &'static str) -> AttesterError {
        self.unfit(request, "it belongs to another request")
    }

    fn unfit(&self, request: &'static str, problem: &'static str) -> AttesterError {
        self.counters.error();
        tracing::warn!(request, problem, "the NSM's answer is unusable");
        AttesterError::Answer { request, problem }
    }
}

fn check_length(
    field: &'static str,
    value: Option<&[u8]>,
    min_bytes: usize,
    max_bytes: usize,
) -> Result<(), AttesterError> {
    value.map_or(Ok(()), |bytes| within(field, bytes.len(), min_bytes, max_bytes))
}

fn within(
    field: &'static str,
    actual_bytes: usize,
    min_bytes: usize,
    max_bytes: usize,
) -> Result<(), AttesterError> {
    if (min_bytes..=max_bytes).contains(&actual_bytes) {
        return Ok(());
    }
    Err(AttesterError::Length { field, actual_bytes, min_bytes, max_bytes })
}
