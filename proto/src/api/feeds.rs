//! Price feeds: what a tenant defines, what became of its rounds, and the reports that are signed.

mod target;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::identity::TenantId;
use super::wallets::{EvmAddress, Hash32, HexBytes, Wei};
use crate::report::{Proof, Report};

pub use target::{Target, TargetError};

/// Between two rounds, where the definition does not say.
pub const DEFAULT_INTERVAL_MS: u64 = 10_000;
/// How long a round waits for its slowest source, where the definition does not say.
pub const DEFAULT_TIMEOUT_MS: u64 = 3_000;

/// What a feed is: the body of `PUT /v1/feeds/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFeed {
    /// What its answer is the price of: `BASE/QUOTE`.
    pub pair: String,
    /// Whom it asks: each the id of a built-in venue; or `{"venue": ID, "markets": {…}, "weight": N}`, which is one with changes; or a
    /// whole venue's definition.
    pub sources: Vec<Value>,
    /// Its rules, as far as they are not the defaults.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub policy: Map<String, Value>,
    /// Between two rounds.
    #[serde(default = "default_interval_ms")]
    pub interval_ms: u64,
    /// How long a round waits for its slowest source.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// The contracts that its reports are signed for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Whom of them its reports are brought to, each as a transaction of a wallet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publication>,
    /// Whether anyone may read its latest report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// Reports that are brought to a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The contract: one of the feed's targets.
    pub target: Target,
    /// The wallet whose transactions they are.
    pub wallet: String,
    /// The most gas of one; [`DEFAULT_GAS_LIMIT`] where it is absent. On Neo N3, where a transaction names what it takes, there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_limit: Option<u64>,
    /// The most that one may cost, in wei; on Neo N3 both fees together, in 10^-8 GAS.
    pub fee_limit: Wei,
}

/// How far a publication is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The contract.
    pub target: Target,
    /// The sequence of the last report that was brought there, or that was given up; 0 since the boot.
    pub sequence: u64,
    /// The transaction that is under way, or was the last: its name, on Neo N3 its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// What holds it up, or why the last report is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The most gas of a publication's transaction, where it does not say: twice what a report takes, and the first of a contract.
pub const DEFAULT_GAS_LIMIT: u64 = 150_000;

fn default_interval_ms() -> u64 {
    DEFAULT_INTERVAL_MS
}

fn default_timeout_ms() -> u64 {
    DEFAULT_TIMEOUT_MS
}

/// A feed, as its tenant is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name, which is its identifier on chain.
    pub name: String,
    /// What reports' `config_digest` is of: name, pair, the whole policy and the venues, with nothing left to defaults.
    pub definition: Value,
    /// That digest.
    pub config_digest: Hash32,
    /// Between two rounds.
    pub interval_ms: u64,
    /// How long a round waits for its slowest source.
    pub timeout_ms: u64,
    /// The contracts that its reports are signed for.
    pub targets: Vec<Target>,
    /// Whom of them they are brought to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publication>,
    /// Whether anyone may read its latest report.
    pub public: bool,
    /// Whether it asks nobody.
    pub paused: bool,
    /// When it was made, by the appliance's clock.
    pub created_at_ms: u64,
    /// When it was changed last.
    pub changed_at_ms: u64,
    /// The last sequence that was used under its name; 0 before the first.
    pub sequence: u64,
    /// The last report.
    pub latest: Option<Report>,
    /// What became of the last round since the boot.
    pub last_round: Option<Round>,
    /// Rounds since the boot.
    pub rounds: RoundCounts,
}

/// What rounds came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundCounts {
    /// A report.
    pub published: u64,
    /// An answer near enough to the last one.
    pub quiet: u64,
    /// No answer that may be published.
    pub nothing: u64,
    /// Nothing, by a fault of the appliance or its store.
    pub failed: u64,
}

/// One round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// When its answers were compared, by the appliance's clock.
    pub at_ms: u64,
    /// How long it waited for them.
    pub took_ms: u64,
    /// What it came to.
    pub outcome: RoundOutcome,
    /// Its answer, as a decimal number.
    pub answer: Option<String>,
    /// How far from it the farther quartile is.
    pub confidence: Option<String>,
    /// The report's sequence, where there is one.
    pub sequence: Option<u64>,
    /// Why nothing was published.
    pub reason: Option<String>,
    /// What became of each source.
    pub sources: Vec<SourceFate>,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundOutcome {
    /// A report.
    Published,
    /// An answer near enough to the last one, before the heartbeat.
    Quiet,
    /// No answer that may be published: `reason` says why.
    Nothing,
    /// A fault of the appliance or its store: `reason` says which.
    Failed,
}

/// What became of a source in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFate {
    /// The venue's id.
    pub source: String,
    /// Its share of all weight, in hundredths of a percent.
    pub weight_bps: u32,
    /// `counted`, `outlier`, `silent`, `unreachable`, `unreadable`, `stale`, `ahead`, `frozen`, `thin` or `out_of_bounds`.
    pub fate: String,
    /// The same for a person, with the figures that decided it.
    pub message: String,
    /// The price that it said.
    pub price: Option<String>,
}

/// A report with its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReport {
    /// The feed's name.
    pub feed: String,
    /// Whose feed it is.
    pub tenant: TenantId,
    /// What is said.
    pub report: Report,
    /// One for each target of the feed.
    pub signatures: Vec<Signature>,
    /// The document that attests the signers, standard base64: in files of reports. The appliance's answers have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// What is asked for: the body of `POST /v1/feed-batches`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeBatch {
    /// The feeds whose latest reports are its: each once, and at most as many as a tenant may have.
    pub feeds: Vec<String>,
}

/// Reports of several feeds under one signature for each target that all of the feeds have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBatch {
    /// Whose feeds they are.
    pub tenant: TenantId,
    /// The root of the reports' tree: what is signed, with their number.
    pub root: Hash32,
    /// In the order of the tree.
    pub reports: Vec<BatchedReport>,
    /// One for each target.
    pub signatures: Vec<Signature>,
    /// The document that attests the signers, standard base64: in files of batches. The appliance's answers have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// A report of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchedReport {
    /// The feed's name.
    pub feed: String,
    /// What is said.
    pub report: Report,
    /// That it is part of the batch.
    pub proof: Proof,
}

/// A signature, which holds for one contract on one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Where.
    pub target: Target,
    /// What was signed.
    pub digest: Hash32,
    /// Who: an address of Ethereum's, or for Neo a compressed point, with `0x`.
    pub signer: String,
    /// Ethereum: r, s, v, 65 bytes. Neo: r, s, 64 bytes.
    pub signature: HexBytes,
}

/// The keys that sign reports of a tenant's feeds and what its functions were answered, with the evidence for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OracleKey {
    /// Whose feeds.
    pub tenant: TenantId,
    /// For Ethereum and chains like it.
    pub evm_address: EvmAddress,
    /// For Neo N3: a compressed point.
    pub neo_public_key: HexBytes,
    /// An attestation document whose `user_data` names both, standard base64.
    pub document: String,
}

/// The report that was waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// The latest one; none where none came in time.
    pub report: Option<SignedReport>,
}

/// Reports, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// What was said.
    pub reports: Vec<Report>,
    /// What `before` is to be for the page behind this one, where there is one.
    pub next: Option<u64>,
}
