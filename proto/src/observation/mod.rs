//! Observations: what an HTTPS endpoint answered the appliance, in one canonical form, and the digests that are signed of it.
//!
//! `SPEC.md`, section 5.14, has the bytes. This module fetches nothing, signs nothing and knows no key.

mod digest;
mod request;

pub use digest::{NEO_DATA_DOMAIN, OBSERVATION_TYPE};
pub use request::{REQUEST_DOMAIN, request_hash};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::api::is_name;
use crate::api::wallets::Hash32;
use crate::limits::{MAX_OBSERVED_PATH_BYTES, MAX_OBSERVED_URL_BYTES, MAX_OBSERVED_VALUE_BYTES};

/// What was answered, to whom, when, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The function that asked.
    pub function: String,
    /// Whom it asked, in the form in which it was sent: without a fragment, without the default port.
    pub url: String,
    /// Where in the answer the value stands; empty where none was picked.
    pub path: String,
    /// What stands there, as it was written; empty where none was picked.
    pub value: String,
    /// The answer's status, 200 to 299, and neither 206 nor 226.
    pub status: u16,
    /// When the answer was there, in Unix seconds, by the appliance's clock.
    pub observed_at_s: u64,
    /// SHA-256 of the certificate (DER) with which the server proved its name.
    pub certificate: Hash32,
    /// SHA-256 of the answer's body, as it was received.
    pub response_hash: Hash32,
    /// What was asked, header by header ([`request_hash`]).
    pub request_hash: Hash32,
}

/// A field that no observation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{field}: {rule}")]
pub struct ObservationError {
    /// Which.
    pub field: &'static str,
    /// What it breaks.
    pub rule: &'static str,
}

/// Whether a status is a success, and the answer not a part alone: whoever asks for a part chooses where it begins, and a text within an answer could
/// pass for the answer.
pub fn is_whole(status: u16) -> bool {
    (200..300).contains(&status) && !matches!(status, 206 | 226)
}

impl Observation {
    /// Whether it is one.
    ///
    /// # Errors
    /// [`ObservationError`].
    pub fn check(&self) -> Result<(), ObservationError> {
        // What is normal has no other characters, and what is shown to people must not look like something else.
        let plain = |text: &str| text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        let url = self.url.starts_with("https://") && plain(&self.url);
        let picked = !self.path.is_empty() || self.value.is_empty();
        let rules = [
            (is_name(&self.function), "function", "it is no function's name"),
            (url, "url", "it is no normal URL of HTTPS"),
            (self.url.len() <= MAX_OBSERVED_URL_BYTES, "url", "it is too long"),
            (plain(&self.path), "path", "it is no path"),
            (self.path.len() <= MAX_OBSERVED_PATH_BYTES, "path", "it is too long"),
            (self.value.len() <= MAX_OBSERVED_VALUE_BYTES, "value", "it is too long"),
            (picked, "value", "it is empty where no path leads to it"),
            (is_whole(self.status), "status", "it is from 200 to 299, and neither 206 nor 226"),
            (i64::try_from(self.observed_at_s).is_ok(), "observed_at_s", "it is below 2^63"),
        ];
        match rules.into_iter().find(|(kept, ..)| !kept) {
            Some((_, field, rule)) => Err(ObservationError { field, rule }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
