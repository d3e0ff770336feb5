//! What functions may be given that lives elsewhere, as the narrowest interfaces that serve. The composition root
//! supplies them.

use std::future::Future;
use std::pin::Pin;

use r3e_egress::{Egress, FetchError, FetchLimits, HostAllowList, Request, Response};
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::SentNeoTransaction;
use r3e_proto::api::random::Random;
use r3e_proto::api::transactions::Transaction;
use r3e_proto::api::zk::{ProveRanges, ProvedRanges, RangeProof, Verdict, VerifyProof};
use r3e_proto::random::Occasion;
use r3e_proto::report::Report;
use thiserror::Error;
use zeroize::Zeroizing;

use r3e_proto::function_version::Version;

use crate::observing::Seen;

/// What a source answers, boxed so that the traits can be trait objects.
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// A source that has no answer now. The words are for the appliance's log, never for the function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Which invocation asks for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretReader<'a> {
    /// Whose function it is.
    pub tenant: TenantId,
    /// The function's name.
    pub function: &'a str,
    /// The version that runs.
    pub version: &'a Version,
    /// Whether an alias of the function named this version when the invocation was looked up: a grant to the function's name is for
    /// versions in service alone, one to this version for it in any case.
    pub in_service: bool,
    /// The invocation's id, as its receipt names it.
    pub invocation: &'a [u8; 16],
}

/// What an invocation is given of a secret.
#[derive(Clone)]
pub enum SecretAnswer {
    /// The value, and which version it is.
    Given {
        /// The value.
        value: Zeroizing<String>,
        /// Its version.
        version: u64,
    },
    /// Nothing: the secret was not granted to this function, or not to this version of it.
    NotGranted,
    /// Nothing: its time is over.
    Expired,
    /// Nothing: there is none of that name.
    Absent,
}

/// Tenants' secrets.
pub trait SecretSource: Send + Sync {
    /// The secret of this name, if the reader may have it; it is asked only for names that the function's manifest holds.
    /// When this answers, the tenant's log says that the reader asked, and what came of it, durably.
    fn read<'a>(&'a self, reader: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, SecretAnswer>;

    /// Logs that the reader asked for a secret that its manifest does not hold.
    fn undeclared<'a>(&'a self, reader: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, ()>;

    /// Logs that the reader is about to run in a process that was given these secrets, each with its version, in an earlier
    /// invocation: their values may be in its memory. Durable when this answers; dropping the future half way may log it or not.
    fn held<'a>(&'a self, reader: SecretReader<'a>, held: Vec<(String, u64)>) -> SourceFuture<'a, ()>;

    /// Sets a secret: its next version, or its first, which the tenant's log has as the setter's. Gives the version once it is durable.
    /// It is asked only for names that the function's manifest says it may set.
    fn set<'a>(
        &'a self,
        setter: SecretReader<'a>,
        name: &'a str,
        value: &'a Zeroizing<String>,
    ) -> ChangeFuture<'a, u64>;
}

/// Why something that a function wants changed was not; each in words for the function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// A field breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// It is not the function's to change.
    #[error("{0}")]
    Denied(String),
    /// There are as many as there may be.
    #[error("{0}")]
    Full(String),
    /// It cannot be known whether it was.
    #[error("{0}")]
    Unconfirmed(String),
    /// It was not, for now. The words are for the appliance's log.
    #[error(transparent)]
    Unavailable(#[from] SourceError),
}

/// What a change answers, boxed so that the traits can be trait objects.
pub type ChangeFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ChangeError>> + Send + 'a>>;

/// A trigger that a function made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeTrigger {
    /// Its name.
    pub name: String,
    /// Whether it was not there before.
    pub created: bool,
}

/// Triggers that functions make: each invokes the one that made it, which alone of all functions may change and delete it.
pub trait OwnTriggers: Send + Sync {
    /// Makes the trigger that `definition` describes, JSON text that the function wrote. The same again makes no other one.
    fn create<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        definition: &'a str,
    ) -> ChangeFuture<'a, MadeTrigger>;

    /// Deletes a trigger that the function made; false where there is none.
    fn delete<'a>(&'a self, tenant: TenantId, function: &'a str, name: &'a str) -> ChangeFuture<'a, bool>;
}

/// What a feed said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestPrice {
    /// What its answer is the price of: `BASE/QUOTE`.
    pub pair: String,
    /// What it said.
    pub report: Report,
    /// Whether that is valid no more, by the appliance's clock.
    pub is_stale: bool,
}

/// Tenants' price feeds.
pub trait PriceSource: Send + Sync {
    /// What the tenant's feed of this name said last; none where there is no such feed, or it has said nothing yet. From memory.
    ///
    /// # Errors
    /// [`SourceError`].
    fn latest(&self, tenant: TenantId, feed: &str) -> Result<Option<LatestPrice>, SourceError>;
}

/// Why there is no random number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RandomError {
    /// The range or the seed breaks a rule; which, in words for the function.
    #[error("{0}")]
    Invalid(String),
    /// There is none, for now.
    #[error(transparent)]
    Unavailable(#[from] SourceError),
}

/// What [`RandomSource::draw`] answers, boxed so that the trait can be a trait object.
pub type RandomFuture<'a> = Pin<Box<dyn Future<Output = Result<Random, RandomError>> + Send + 'a>>;

/// Where verifiable random numbers come from.
pub trait RandomSource: Send + Sync {
    /// The number from `min` to `max` for this occasion of the tenant's, always the same, and what proves it.
    fn draw(&self, tenant: TenantId, occasion: Occasion, min: u64, max: u64) -> RandomFuture<'_>;
}

/// Why there is no proof, or no verdict about one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// What is asked for breaks a rule; which, in words for the function.
    #[error("{0}")]
    Invalid(String),
    /// There is no turn for it; why, in words for the function.
    #[error("{0}")]
    Busy(String),
    /// There is none, for now.
    #[error(transparent)]
    Unavailable(#[from] SourceError),
}

/// What a [`ProofSource`] answers, boxed so that the trait can be a trait object.
pub type ProofFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProofError>> + Send + 'a>>;

/// What makes and verifies zero-knowledge proofs.
pub trait ProofSource: Send + Sync {
    /// Proves, as the tenant's, that numbers are in ranges.
    fn prove_ranges(&self, tenant: TenantId, asked: ProveRanges) -> ProofFuture<'_, ProvedRanges>;

    /// Whether a range proof, whoever's it is, holds.
    fn verify_ranges(&self, tenant: TenantId, proof: RangeProof) -> ProofFuture<'_, Verdict>;

    /// Whether a Groth16 proof proves its signals by its key.
    fn verify_proof(&self, tenant: TenantId, asked: VerifyProof) -> ProofFuture<'_, Verdict>;
}

/// What a function asks of a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractCall {
    /// The network, by CAIP-2: one that the function was granted.
    pub network: String,
    /// The contract, as the network writes it.
    pub contract: String,
    /// The method, and what it is called with; none where the data says both.
    pub method: Option<String>,
    /// What it is called with.
    pub arguments: Vec<serde_json::Value>,
    /// The call's data.
    pub data: Option<String>,
    /// How many blocks stand above the one whose state is read.
    pub confirmations: u64,
}

/// What it says.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractAnswer {
    /// The block behind which it was read, or one before it.
    pub height: u64,
    /// The values; none where no method was declared.
    pub values: Vec<serde_json::Value>,
    /// The data that it gave, where there is such.
    pub data: Option<String>,
}

/// What a function has sent to a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct ToSend {
    /// The wallet that signs: one that the function was granted.
    pub wallet: String,
    /// The network, by CAIP-2: one that the function was granted.
    pub network: String,
    /// Whom it goes to, as the network writes it.
    pub to: String,
    /// The method; none where the data says it, or nothing is called.
    pub method: Option<String>,
    /// What it is called with.
    pub arguments: Vec<serde_json::Value>,
    /// The call's data.
    pub data: Option<String>,
    /// What is sent along, in the chain's smallest unit, as decimal text.
    pub value: String,
    /// The most gas; 0 on Neo N3, where the fee alone has a limit.
    pub gas_limit: u64,
    /// The most that it may cost, as decimal text: in wei, or in 10^-8 GAS.
    pub fee_limit: String,
    /// For whom the signature counts, on Neo N3; as wallets of people have it without.
    pub scope: Option<String>,
    /// How long it is tried; the appliance's own choice without.
    pub timeout_ms: Option<u64>,
}

/// A transaction, whichever family its chain is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyTransaction {
    /// On a chain like Ethereum.
    Evm(Box<Transaction>),
    /// On Neo N3.
    Neo(Box<SentNeoTransaction>),
}

impl From<Transaction> for AnyTransaction {
    fn from(transaction: Transaction) -> Self {
        Self::Evm(Box::new(transaction))
    }
}

impl From<SentNeoTransaction> for AnyTransaction {
    fn from(transaction: SentNeoTransaction) -> Self {
        Self::Neo(Box::new(transaction))
    }
}

/// A version of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionVersion<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The version.
    pub version: &'a Version,
}

/// Why a chain was neither read nor written to; each in words for the function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// A field breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// The appliance has no nodes of the network, or there is no such wallet or transaction.
    #[error("{0}")]
    NotFound(String),
    /// The contract failed.
    #[error("{0}")]
    Reverted(String),
    /// The wallet's policy does not let it be signed.
    #[error("{0}")]
    Denied(String),
    /// Under this key, something else was sent.
    #[error("{0}")]
    Conflict(String),
    /// As many of the tenant's wait as may.
    #[error("{0}")]
    Full(String),
    /// It cannot be known whether it was taken in.
    #[error("{0}")]
    Unconfirmed(String),
    /// It took too long.
    #[error("{0}")]
    TimedOut(String),
    /// Enough nodes do not agree, for now.
    #[error("{0}")]
    Unavailable(String),
}

/// What [`Networks`] answer, boxed so that the trait can be a trait object.
pub type ChainFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ChainError>> + Send + 'a>>;

/// The chains that the appliance has nodes of.
pub trait Networks: Send + Sync {
    /// What a contract says, as enough of the network's nodes agree.
    fn read<'a>(&'a self, tenant: TenantId, call: &'a ContractCall) -> ChainFuture<'a, ContractAnswer>;

    /// Has a transaction brought onto its chain, once for each key of the function's; durable when this answers.
    fn send<'a>(
        &'a self,
        tenant: TenantId,
        by: FunctionVersion<'a>,
        key: &'a str,
        wanted: &'a ToSend,
    ) -> ChainFuture<'a, AnyTransaction>;

    /// How far a transaction is that the function asked for, by its name.
    fn sent<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        name: &'a str,
    ) -> ChainFuture<'a, AnyTransaction>;
}

/// Who signs what functions were answered.
pub trait Notary: Send + Sync {
    /// The observation of now, with a signature for each target, or without one for no chain in particular.
    ///
    /// # Errors
    /// [`SourceError`].
    fn sign(
        &self,
        tenant: TenantId,
        seen: &Seen,
        targets: &[Target],
    ) -> Result<SignedObservation, SourceError>;
}

/// What [`Internet::fetch`] answers, boxed so that the trait can be a trait object.
pub type ResponseFuture<'a> = Pin<Box<dyn Future<Output = Result<Response, FetchError>> + Send + 'a>>;

/// The way to the hosts that functions were granted.
pub trait Internet: Send + Sync {
    /// Sends one request to a host that `granted` allows, and gives the whole response.
    fn fetch<'a>(
        &'a self,
        request: Request,
        granted: &'a HostAllowList,
        limits: &'a FetchLimits,
    ) -> ResponseFuture<'a>;
}

impl Internet for Egress {
    fn fetch<'a>(
        &'a self,
        request: Request,
        granted: &'a HostAllowList,
        limits: &'a FetchLimits,
    ) -> ResponseFuture<'a> {
        Box::pin(Self::fetch(self, request, granted, limits))
    }
}

/// An event that a function publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its topic; no name of one, perhaps.
    pub topic: String,
    /// JSON text, perhaps: the function said so.
    pub data: String,
    /// The same event again under the same key queues nothing again.
    pub key: Option<String>,
    /// How many events caused one another, this one counted.
    pub hops: u32,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Triggers that queued a job for it, or had before.
    pub queued: u32,
    /// Triggers that could not.
    pub failed: u32,
}

/// Why an event was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublishError {
    /// A field breaks a rule; which, in words for the function.
    #[error("{0}")]
    Invalid(String),
    /// More of the tenant's events come than are taken; in words for the function.
    #[error("{0}")]
    TooFast(String),
    /// It cannot be known whether it was.
    #[error(transparent)]
    Unavailable(#[from] SourceError),
}

/// What [`EventSink::publish`] answers, boxed so that the trait can be a trait object.
pub type PublishFuture<'a> = Pin<Box<dyn Future<Output = Result<Taken, PublishError>> + Send + 'a>>;

/// Where the events go that functions publish.
pub trait EventSink: Send + Sync {
    /// Gives an event to the tenant's triggers of its topic. When this answers, what they queued is durable.
    fn publish(&self, event: Event) -> PublishFuture<'_>;
}

/// The attestation device, for one purpose.
pub trait AttestationSource: Send + Sync {
    /// A fresh document that says: this version of a function of this tenant's asked for `data` to be attested
    /// (`Statement::Function`). `data` has at most `MAX_FUNCTION_DATA_BYTES`.
    fn attest_function(&self, tenant: TenantId, version: Version, data: Vec<u8>)
    -> SourceFuture<'_, Vec<u8>>;
}
