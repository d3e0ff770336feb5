//! What a function may ask of the enclave process, and what comes back.
//!
//! Whether a function may, is not decided here: the enclave checks its permissions and budget.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::chain_call::{ChainSend, SentTransaction};

/// A request for something that a sandboxed process cannot do itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostCall {
    /// An HTTP request.
    Fetch {
        /// Absolute URL.
        url: String,
        /// Method, in upper case.
        method: String,
        /// Header names and values, in order.
        headers: Vec<(String, String)>,
        /// Request body in standard base64, if there is one.
        body_base64: Option<String>,
    },
    /// Reads a secret that the function was granted.
    SecretGet {
        /// Its name.
        name: String,
    },
    /// Sets a secret that the function may set.
    SecretSet {
        /// Its name.
        name: String,
        /// Its value.
        value: SecretText,
    },
    /// Reads from the function's own key-value store.
    StoreGet {
        /// Its key.
        key: String,
    },
    /// Writes to the function's own key-value store.
    StoreSet {
        /// Its key.
        key: String,
        /// JSON text, or nothing to delete the key.
        value: Option<String>,
    },
    /// Publishes an event.
    Publish {
        /// Its topic.
        topic: String,
        /// JSON text.
        data: String,
        /// The same key again queues nothing again, if there is one.
        #[serde(default)]
        key: Option<String>,
    },
    /// Makes a trigger that invokes the function.
    TriggerCreate {
        /// What it waits for, JSON text.
        definition: String,
    },
    /// Deletes a trigger that the function made.
    TriggerDelete {
        /// Its name.
        name: String,
    },
    /// Reads the latest report of a feed.
    OraclePrice {
        /// The feed's name.
        feed: String,
    },
    /// Draws a verifiable random number.
    OracleRandom {
        /// The least that it may be.
        min: u64,
        /// The greatest.
        max: u64,
        /// What it is drawn for; without, this invocation, or the job that it is an attempt of.
        #[serde(default)]
        seed: Option<String>,
    },
    /// Asks an HTTPS endpoint, and has the answer signed.
    OracleData {
        /// Absolute URL.
        url: String,
        /// Header names and values, in order.
        headers: Vec<(String, String)>,
        /// Where in the answer, which is JSON then, the value stands.
        #[serde(default)]
        path: Option<String>,
        /// The contracts that it is signed for; without one, it is bound to no chain.
        #[serde(default)]
        targets: Vec<String>,
    },
    /// Asks for the weather at a place, and has the answer signed.
    OracleWeather {
        /// Its name.
        place: String,
        /// The contracts that it is signed for; without one, it is bound to no chain.
        #[serde(default)]
        targets: Vec<String>,
    },
    /// Reads from a contract of a network.
    ChainRead {
        /// The network, by CAIP-2.
        network: String,
        /// The contract, as the network writes it.
        contract: String,
        /// The method: of Ethereum's its declaration, of Neo's its name.
        #[serde(default)]
        method: Option<String>,
        /// What it is called with: a JSON array's text.
        args: String,
        /// On Ethereum, the data of the call, in place of the method and what it is called with.
        #[serde(default)]
        data: Option<String>,
        /// How many blocks stand above the one whose state is read.
        confirmations: u64,
    },
    /// Has a transaction brought onto a chain.
    ChainSend(Box<ChainSend>),
    /// Asks how far one is that the function asked for.
    ChainSent {
        /// Its name.
        name: String,
    },
    /// Has it proved that numbers are in ranges.
    ZkProveRanges {
        /// Which, and what for: JSON text.
        asked: SecretText,
    },
    /// Asks whether a range proof holds.
    ZkVerifyRanges {
        /// The proof with what it proves: JSON text.
        proof: String,
    },
    /// Asks whether a Groth16 proof proves signals by a key.
    ZkVerifyProof {
        /// The key, the signals and the proof: JSON text.
        asked: String,
    },
    /// Asks for fresh attestation evidence.
    Attestation {
        /// Bytes the evidence is to commit to, in standard base64.
        data_base64: Option<String>,
    },
}

impl HostCall {
    /// The operation's stable name, for logs and metering.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fetch { .. } => "fetch",
            Self::SecretGet { .. } => "secret_get",
            Self::SecretSet { .. } => "secret_set",
            Self::StoreGet { .. } => "store_get",
            Self::StoreSet { .. } => "store_set",
            Self::Publish { .. } => "publish",
            Self::TriggerCreate { .. } => "trigger_create",
            Self::TriggerDelete { .. } => "trigger_delete",
            Self::OraclePrice { .. } => "oracle_price",
            Self::OracleRandom { .. } => "oracle_random",
            Self::OracleData { .. } => "oracle_data",
            Self::OracleWeather { .. } => "oracle_weather",
            Self::ChainRead { .. } => "chain_read",
            Self::ChainSend(_) => "chain_send",
            Self::ChainSent { .. } => "chain_sent",
            Self::ZkProveRanges { .. } => "zk_prove_ranges",
            Self::ZkVerifyRanges { .. } => "zk_verify_ranges",
            Self::ZkVerifyProof { .. } => "zk_verify_proof",
            Self::Attestation { .. } => "attestation",
        }
    }
}

/// Arguments may hold what the function learnt from a secret, so only the operation is shown.
impl fmt::Debug for HostCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostCall({})", self.name())
    }
}

/// What a host call gave.
pub type HostReply = Result<HostValue, HostError>;

/// The value of a host call that succeeded; its variant is the call's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostValue {
    /// A whole HTTP response.
    Fetch {
        /// Status code.
        status: u16,
        /// Header names, in lower case, and values.
        headers: Vec<(String, String)>,
        /// Response body in standard base64.
        body_base64: String,
    },
    /// A secret, or nothing when there is none of that name.
    SecretGet {
        /// Its value.
        value: Option<SecretText>,
    },
    /// The secret's new version is durable.
    SecretSet {},
    /// A stored value, or nothing when the key is not there.
    StoreGet {
        /// JSON text.
        value: Option<String>,
    },
    /// The write is durable.
    StoreSet {},
    /// The event was taken in, durably.
    Publish {
        /// Triggers that queued a job for it, or had before under the same key.
        queued: u32,
        /// Triggers that could not.
        failed: u32,
    },
    /// The trigger is there, durably.
    TriggerCreate {
        /// Its name.
        name: String,
        /// Whether it was not there before.
        created: bool,
    },
    /// Whether there was one, which is gone, durably.
    TriggerDelete {
        /// Whether there was.
        deleted: bool,
    },
    /// What a feed said last.
    OraclePrice {
        /// Its name.
        feed: String,
        /// What its answer is the price of: `BASE/QUOTE`.
        pair: String,
        /// Decimal text.
        answer: String,
        /// Decimal text.
        confidence: String,
        /// The places of both behind the point.
        decimals: u8,
        /// When its sources were compared, in Unix milliseconds: a whole second.
        observed_at_ms: u64,
        /// When the last second begins in which it is valid.
        valid_until_ms: u64,
        /// One more than in the report before.
        sequence: u64,
        /// Whether that second is over, by the appliance's clock.
        is_stale: bool,
    },
    /// A random number, and what proves that it could be no other. All but the number is hex with `0x`.
    OracleRandom {
        /// The number.
        value: u64,
        /// What it was drawn for.
        message: String,
        /// What the function of RFC 9381 gives of the message, of which the number is made.
        output: String,
        /// The proof.
        proof: String,
        /// The tenant's key.
        key: String,
    },
    /// What an endpoint answered, signed.
    OracleData {
        /// JSON text: a signed observation, with the body.
        data: String,
    },
    /// The weather at a place.
    OracleWeather(Box<Weather>),
    /// What a contract gave.
    ChainRead {
        /// The block behind which it was read; on Neo, at the least.
        height: u64,
        /// The values, a JSON array's text; none where no method was declared.
        values: String,
        /// On Ethereum, the data that it gave.
        data: Option<String>,
    },
    /// A transaction, as far as it is.
    ChainSend(Box<SentTransaction>),
    /// A transaction, as far as it is.
    ChainSent(Box<SentTransaction>),
    /// A range proof.
    ZkProveRanges {
        /// With what its maker alone should know: JSON text.
        made: SecretText,
    },
    /// Whether a range proof holds.
    ZkVerifyRanges {
        /// Whether it does.
        holds: bool,
    },
    /// Whether a Groth16 proof does.
    ZkVerifyProof {
        /// Whether it does.
        holds: bool,
    },
    /// Evidence.
    Attestation {
        /// The attestation document in standard base64.
        document_base64: String,
    },
}

/// The weather at a place. Numbers are decimal text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// The place that was found.
    pub place: String,
    /// Its country, where that is known.
    pub country: Option<String>,
    /// Degrees north.
    pub latitude: String,
    /// Degrees east.
    pub longitude: String,
    /// When it was so, in UTC: `2026-01-31T12:15`.
    pub time: String,
    /// Degrees Celsius, two metres above ground.
    pub temperature_c: String,
    /// Percent.
    pub humidity_percent: String,
    /// Millimetres, in the time before.
    pub precipitation_mm: String,
    /// Kilometres an hour, ten metres above ground.
    pub wind_kmh: String,
    /// Where it comes from, in degrees.
    pub wind_direction_degrees: String,
    /// By the WMO's table 4677.
    pub weather_code: String,
    /// JSON text: the signed observation that says so, with the body.
    pub data: String,
}

/// Values are not shown: some are secrets, others may be.
impl fmt::Debug for HostValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Fetch { .. } => "fetch",
            Self::SecretGet { .. } => "secret_get",
            Self::SecretSet {} => "secret_set",
            Self::StoreGet { .. } => "store_get",
            Self::StoreSet {} => "store_set",
            Self::Publish { .. } => "publish",
            Self::TriggerCreate { .. } => "trigger_create",
            Self::TriggerDelete { .. } => "trigger_delete",
            Self::OraclePrice { .. } => "oracle_price",
            Self::OracleRandom { .. } => "oracle_random",
            Self::OracleData { .. } => "oracle_data",
            Self::OracleWeather(_) => "oracle_weather",
            Self::ChainRead { .. } => "chain_read",
            Self::ChainSend(_) => "chain_send",
            Self::ChainSent(_) => "chain_sent",
            Self::ZkProveRanges { .. } => "zk_prove_ranges",
            Self::ZkVerifyRanges { .. } => "zk_verify_ranges",
            Self::ZkVerifyProof { .. } => "zk_verify_proof",
            Self::Attestation { .. } => "attestation",
        };
        write!(f, "HostValue({name})")
    }
}

/// Text that is wiped when dropped and shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes ownership of a secret.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Why a host call gave no value. The function sees it as a thrown `HostError`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostError {
    /// What a program decides by.
    pub code: HostErrorCode,
    /// What a person reads; it holds nothing that the function may not know.
    pub message: String,
}

/// Stable classes of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HostErrorCode {
    /// The function was not granted this.
    Denied,
    /// It was granted, and its time is over.
    Expired,
    /// The arguments do not make a request.
    Invalid,
    /// There is nothing of this name, or nothing in it yet.
    NotFound,
    /// The arguments or the answer are larger than allowed.
    TooLarge,
    /// A budget of the function or its tenant is used up.
    LimitExceeded,
    /// It took longer than allowed.
    TimedOut,
    /// The other side could not be reached or failed.
    Unavailable,
    /// Something else is there under this key.
    Conflict,
    /// The contract that was called failed, by its own word.
    Reverted,
    /// A write was neither confirmed nor refused in time: it may stand or not.
    Unconfirmed,
    /// The enclave failed; nothing the function did.
    Internal,
}
