//! What an appliance says of itself. Nothing here is evidence: that is the attestation document.

use serde::{Deserialize, Serialize};

/// That it is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`; `locked` until the members of its quorum have approved, and `opening` from then until it serves;
    /// `store_tampered` once the parent's store gave back what was not put there.
    pub status: String,
    /// The release.
    pub version: String,
}

/// The appliance's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The release.
    pub version: String,
    /// The unlock provider: where the root secret comes from.
    pub unlock: String,
    /// Whether that provider would release this root secret at the next boot. Not so in a successor that inherited it, until
    /// its provider has adopted it: a restart before that would end the appliance. It is tried each minute.
    pub unlock_adopted: bool,
    /// The commitment to the root secret, hex: the same as long as the appliance is the same, whatever runs it.
    pub identity: String,
    /// What tells a rolled-back state from the latest one, beside clients' receipts.
    pub witness: super::witness::WitnessStatus,
    /// The chain that remembers how far it was; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<super::anchor::AnchorStatus>,
    /// The store's sequence number.
    pub sequence: u64,
    /// SHA-384 of the configuration, hex.
    pub configuration: String,
    /// By the appliance's clock, which the attestation device sets.
    pub time_ms: u64,
    /// How long it has been up.
    pub uptime_ms: u64,
    /// Calls to the attestation device.
    pub attestation: AttestationCalls,
    /// Sessions that were given evidence.
    pub attested_sessions: u64,
    /// Open sessions, this one among them.
    pub open_sessions: u64,
    /// Tenants' jobs, all together.
    #[serde(default)]
    pub jobs: super::jobs::JobCounts,
}

/// Calls to the attestation device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationCalls {
    /// Calls made.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Calls refused because the queue was full.
    pub refused: u64,
    /// Calls dropped from the queue unsent, because nobody waited for their answer any more.
    pub abandoned: u64,
    /// Calls that wait in the queue now.
    pub waiting: u64,
    /// Time that the device took for its last answer, in microseconds.
    pub last_us: u64,
    /// Time that it took for its slowest answer.
    pub max_us: u64,
    /// Time that it took for all its answers together: divided by `calls`, the mean.
    pub total_us: u64,
}

/// The key that signs receipts, with the Evidence that it is this appliance's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportKey {
    /// Ed25519, hex.
    pub public_key: String,
    /// An attestation document whose `user_data` names the key, standard base64.
    pub document: String,
}
