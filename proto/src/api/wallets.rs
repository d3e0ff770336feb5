//! Wallets: keys that sign for a tenant, each behind a policy of its own.
//!
//! Binary values are hexadecimal with `0x`, amounts are decimal text in the chain's smallest unit (wei), times are Unix
//! milliseconds by the appliance's clock. A member that is not named here is refused.

mod audit;
mod neo;
mod payload;
mod policy;
mod secret_text;
mod values;

pub use audit::{Action, AuditEntry, WalletAudit};
pub use neo::{NeoAccount, NeoArgument, NeoInteger, NeoScope, NeoTransaction};
pub use payload::{AccessEntry, Eip712Domain, EvmTransaction, Fee, Payload, TypedData};
pub use policy::{
    ApprovalRule, ChainRules, Methods, NeoContract, NeoContracts, NeoMethods, NeoRules, Policy, Recipient,
    Recipients, TypedDataDomain, Window,
};
pub use secret_text::SecretText;
pub use values::{EvmAddress, Hash32, HexBytes, Selector, Signature64, ValueError, Wei, keccak256};

use serde::{Deserialize, Serialize};

use super::identity::PublicKey;

/// What a wallet's key is, and so which chain's form its address and its signatures have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// ECDSA over secp256k1, for Ethereum and the chains that share its transactions.
    Secp256k1,
    /// ECDSA over secp256r1 (P-256), for Neo N3.
    Secp256r1,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl KeyType {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secp256k1 => "secp256k1",
            Self::Secp256r1 => "secp256r1",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// Creates a wallet whose key the appliance derives. It is nowhere else, unless the policy lets it be exported.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateWallet {
    /// The key's type.
    pub key_type: KeyType,
    /// What it may sign.
    pub policy: Policy,
}

/// Imports a key that was made elsewhere, and may still be there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportWallet {
    /// The key's type: the format must be one that holds it.
    pub key_type: KeyType,
    /// The form of `secret`.
    pub format: ImportFormat,
    /// The key, or the text of the file that holds it.
    pub secret: SecretText,
    /// The password, for the formats that have one. Its UTF-8 bytes are used as they are: NEP-2 asks for Unicode's
    /// normalization form C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// Which account of a NEP-6 wallet, by its address; may be absent where the wallet has one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What it may sign.
    pub policy: Policy,
}

/// The form of an imported key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// 64 hex digits, with or without `0x`: every key type.
    Hex,
    /// Neo's wallet import format: secp256r1.
    Wif,
    /// NEP-2, an encrypted key: secp256r1.
    Nep2,
    /// NEP-6, a wallet file with NEP-2 keys: secp256r1.
    Nep6,
    /// Web3 Secret Storage, version 3: secp256k1.
    Keystore,
}

/// Where a wallet's key is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Derived from the appliance's root secret and this id, which was drawn for this wallet.
    Derived(Hash32),
    /// Imported in this form.
    Imported(ImportFormat),
}

/// A wallet without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Its name.
    pub name: String,
    /// The key's type.
    pub key_type: KeyType,
    /// Where the key is from.
    pub origin: Origin,
    /// The public key: 33 bytes (SEC 1, compressed), 32 for Ed25519.
    pub public_key: HexBytes,
    /// secp256k1: Ethereum's, with EIP-55's checksum; secp256r1: Neo N3's; Ed25519: the public key, hex without `0x`.
    pub address: String,
    /// When it was created or imported.
    pub created_at_ms: u64,
    /// The policy's number: 1, and one more with each change. One that has the name of a deleted wallet goes on from that.
    pub revision: u64,
}

/// A wallet with its policy, and what it has signed lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletDetails {
    /// The wallet.
    pub wallet: Wallet,
    /// What it may sign.
    pub policy: Policy,
    /// Signatures that count against the window now.
    pub signatures_in_window: u32,
    /// What of each chain's `max_spend` is used in the window now.
    pub spent_in_window: Vec<ChainSpend>,
}

/// A sum in a chain's own coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainSpend {
    /// The chain; of Neo N3 the network's magic number.
    pub chain_id: u64,
    /// Values and highest fees, together.
    pub spend: Wei,
}

/// Changes a wallet's policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// The revision that it replaces: another one stands if somebody was faster.
    pub revision: u64,
    /// The new policy.
    pub policy: Policy,
    /// Where the standing policy has approvers and the new one is looser in any respect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// Asks for a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignRequest {
    /// What to sign.
    pub payload: Payload,
    /// Where the policy has approvers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// An approver's consent to one thing ([`crate::wallet::approval`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Whose.
    pub public_key: PublicKey,
    /// Until when it holds.
    pub expires_at_ms: u64,
    /// Ed25519 over [`crate::wallet::approval::message`].
    pub signature: Signature64,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The 32 bytes that were signed; for an Ed25519 key their SHA-256, since the bytes themselves were.
    pub digest: Hash32,
    /// secp256k1: r, s and v, 65 bytes, v 27 or 28; secp256r1: r and s; Ed25519: as in RFC 8032.
    pub signature: HexBytes,
    /// The signed transaction, as a node takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<HexBytes>,
    /// The transaction's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_hash: Option<Hash32>,
    /// Signatures left in the window, after this one.
    pub signatures_left: u32,
}

/// Asks for the key itself, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// The X25519 public key to encrypt to.
    pub recipient: Hash32,
    /// Where the policy has approvers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// A wallet's key, encrypted by HPKE (RFC 9180): see `SPEC.md` for the suite and the info.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// Whose wallet.
    pub tenant: super::identity::TenantId,
    /// The wallet's name.
    pub name: String,
    /// The key's type.
    pub key_type: KeyType,
    /// Its public key.
    pub public_key: HexBytes,
    /// HPKE's encapsulated key.
    pub encapsulated_key: Hash32,
    /// The 32 bytes of the private key, encrypted, with their tag.
    pub ciphertext: HexBytes,
}
