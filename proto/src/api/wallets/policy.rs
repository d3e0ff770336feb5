//! What a wallet may sign. What is not said is not allowed.

use r3e_neo::Hash160;
use serde::{Deserialize, Serialize};

use super::{EvmAddress, NeoAccount, Selector, Wei};
use crate::api::identity::PublicKey;

/// What a wallet may sign, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "four grants that have nothing to do with each other")]
pub struct Policy {
    /// Chains on which transactions may be signed. secp256k1.
    #[serde(default)]
    pub chains: Vec<ChainRules>,
    /// Networks of Neo N3 on which calls may be signed. secp256r1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neo: Vec<NeoRules>,
    /// Whether messages may be signed (EIP-191; the form of Neo's wallets).
    #[serde(default)]
    pub messages: bool,
    /// EIP-712 domains that typed data may be signed for. Within a domain, everything may be.
    #[serde(default)]
    pub typed_data: Vec<TypedDataDomain>,
    /// Whether digests and bytes may be signed as they are. They may stand for anything, a transaction of any chain among
    /// it: with this, no other rule but the window and the approval holds anybody back.
    #[serde(default)]
    pub raw: bool,
    /// How much may be signed in how long.
    pub window: Window,
    /// Whether API keys with the scope `wallets` may ask for signatures; the tenant's own key always may.
    #[serde(default)]
    pub api_keys: bool,
    /// Versions of functions that may have transactions signed, `NAME@VERSION` each: what the code is, and not who may deploy under its name, says what
    /// becomes of the money.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// Who must consent to each signature, each export, and each looser policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
    /// Whether the key may be exported. Once false, it is false for ever.
    #[serde(default)]
    pub export: bool,
}

/// What may be signed for one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainRules {
    /// The chain.
    pub chain_id: u64,
    /// Who may be sent something, or called.
    pub recipients: Recipients,
    /// Whether contracts may be created; with a value only where `recipients` are any, since the code that is created may send
    /// it to anybody.
    #[serde(default)]
    pub creation: bool,
    /// The most that one transaction may send along.
    pub max_value: Wei,
    /// The most that one transaction may cost in fees: all its gas at its highest price.
    pub max_fee: Wei,
    /// The most bytes of data and access list (20 an account, 32 a slot) that one transaction may have. On a rollup it pays for
    /// them apart from its gas, which `max_fee` does not bound.
    #[serde(default = "default_max_data_bytes")]
    pub max_data_bytes: u32,
    /// The most that all transactions of one window may send along and cost, together.
    pub max_spend: Wei,
}

/// Calls of tokens and exchanges have tens to hundreds of bytes.
const DEFAULT_MAX_DATA_BYTES: u32 = 1024;

fn default_max_data_bytes() -> u32 {
    DEFAULT_MAX_DATA_BYTES
}

/// Recipients of transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// Every address, with any data.
    Any,
    /// These.
    Only(Vec<Recipient>),
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Its address.
    pub address: EvmAddress,
    /// Whether it may be sent coins without any data.
    #[serde(default)]
    pub transfer: bool,
    /// Which of its methods may be called; none unless said.
    #[serde(default)]
    pub methods: Methods,
}

/// Methods of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Methods {
    /// Every method, and any other data that is not empty.
    Any,
    /// Data that begins with one of these.
    Only(Vec<Selector>),
}

impl Default for Methods {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

/// What may be signed for one network of Neo N3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeoRules {
    /// The network's magic number.
    pub magic: u32,
    /// Which contracts may be called.
    pub contracts: NeoContracts,
    /// The most GAS that one transaction may send, in 10^-8 GAS: of calls of the GAS contract's `transfer`. What is sent of other tokens is for their
    /// contracts' rules.
    #[serde(default)]
    pub max_value: Wei,
    /// The most that one transaction may cost, system and network fee together.
    pub max_fee: Wei,
    /// The most bytes that one transaction's script may have.
    #[serde(default = "default_max_data_bytes")]
    pub max_data_bytes: u32,
    /// The most GAS that all transactions of one window may send and cost, together.
    pub max_spend: Wei,
}

/// Contracts of Neo N3 that may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeoContracts {
    /// Every contract, and each may act in the account's name.
    Any,
    /// These.
    Only(Vec<NeoContract>),
}

/// One contract of Neo N3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeoContract {
    /// Its script hash, as nodes show it.
    pub hash: Hash160,
    /// Which of its methods may be called; none unless said.
    #[serde(default)]
    pub methods: NeoMethods,
    /// Whether it may act in the account's name. One that anybody may call needs no such signature.
    #[serde(default)]
    pub witness: bool,
    /// To whom `transfer` (NEP-17) may send; to anybody where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<NeoAccount>>,
}

/// Methods of a contract of Neo N3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeoMethods {
    /// Every method.
    Any,
    /// These.
    Only(Vec<String>),
}

impl Default for NeoMethods {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

/// An EIP-712 domain that may be signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedDataDomain {
    /// `chainId`.
    pub chain_id: u64,
    /// `verifyingContract`.
    pub verifying_contract: EvmAddress,
}

/// A time that moves with the clock: at no moment were more than so many signatures made within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its length in seconds.
    pub seconds: u32,
    /// Signatures of every kind.
    pub max_signatures: u32,
}

/// Who must consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// How many of them.
    pub threshold: u8,
    /// Their Ed25519 keys.
    pub approvers: Vec<PublicKey>,
}
