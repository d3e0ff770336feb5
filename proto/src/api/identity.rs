//! Who is who: the operator, tenants, and the API keys that tenants mint.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::channel::binding::{Digest, digest_fields};

/// The domain of the message that a key signs to sign in.
pub const SIGN_IN_DOMAIN: &str = "r3e/1/sign-in";
/// What an API key's text begins with, so that secret scanners find leaked ones.
pub const API_KEY_PREFIX: &str = "r3e_";

/// An Ed25519 public key, lower-case hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "hex_array")] pub [u8; 32]);

/// A tenant's id: the first 16 bytes of the SHA-256 of its public key, lower-case hex in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(#[serde(with = "hex_array")] pub [u8; 16]);

/// What a text of hex digits is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected {expected_digits} hex digits")]
pub struct HexError {
    /// How many digits the value has.
    pub expected_digits: usize,
}

impl TenantId {
    /// The id that belongs to a public key.
    pub fn of(key: &PublicKey) -> Self {
        let digest = Sha256::digest(key.0);
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for TenantId {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        hex_array::parse(text).map(Self)
    }
}

impl FromStr for PublicKey {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        hex_array::parse(text).map(Self)
    }
}

/// As whom a key signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInRole {
    /// The key in the measured configuration.
    Operator,
    /// A key that the operator admitted.
    Tenant,
}

/// Signs a key in for the rest of this session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// As whom.
    pub role: SignInRole,
    /// The key that signs.
    pub public_key: PublicKey,
    /// Ed25519 over [`sign_in_message`], 128 hex digits.
    pub signature: String,
}

/// The message that a key signs to sign in: SHA-384 over domain, role, this session's binding and the key, each
/// behind its length. The binding is the challenge: it holds the client's nonce and the TLS exporter value, so the
/// signature is worth nothing on any other session.
pub fn sign_in_message(role: SignInRole, binding: &Digest, key: &PublicKey) -> Digest {
    let role: &[u8] = match role {
        SignInRole::Operator => b"operator",
        SignInRole::Tenant => b"tenant",
    };
    digest_fields(&[SIGN_IN_DOMAIN.as_bytes(), role, binding, &key.0])
}

/// The answer to [`SignIn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// As whom.
    pub role: SignInRole,
    /// The tenant's id; absent for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

/// Whose a request is: the answer to `GET /v1/whoami`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whoami {
    /// As whom.
    pub role: SignInRole,
    /// The tenant's id; absent for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The API key that the request came with, and what it may do; absent where the session itself is signed in, which
    /// may do all that the role may. API keys do not expire: they are revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
}

/// The operator admits a tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmitTenant {
    /// The tenant's key.
    pub public_key: PublicKey,
    /// What the operator calls it.
    pub name: String,
}

/// Whether a tenant may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// It may.
    Active,
    /// It may not; its objects are kept.
    Suspended,
}

/// A tenant, as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its key.
    pub public_key: PublicKey,
    /// What the operator calls it.
    pub name: String,
    /// Whether it may act.
    pub state: TenantState,
    /// When it was admitted, by the appliance's clock.
    pub admitted_at_ms: u64,
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Invoke functions and read their logs, and what is counted of functions, jobs and feeds.
    Invoke,
    /// Deploy, list and delete functions.
    Deploy,
    /// Set, list and delete secrets. No scope reads a secret's value.
    Secrets,
    /// List and show wallets, and ask for signatures where a wallet's policy lets API keys. No scope makes, imports or
    /// deletes a wallet, exports a key or changes a policy.
    Wallets,
    /// Read usage, balance and ledger. No scope moves money.
    Billing,
}

/// A tenant mints an API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What the tenant calls it.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// 16 hex digits; the middle part of the key's text.
    pub id: String,
    /// What the tenant calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was minted, by the appliance's clock.
    pub created_at_ms: u64,
}

/// A minted key: the only time that its secret is shown. Its `Debug` shows nothing of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreatedKey {
    /// The key's description.
    #[serde(flatten)]
    pub key: ApiKey,
    /// `r3e_<id>_<64 hex digits>`.
    pub secret: String,
}

impl fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Arrays of bytes as lower-case hex.
pub(super) mod hex_array {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::HexError;

    pub(in crate::api) fn parse<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HexError { expected_digits: 2 * N })?;
        Ok(bytes)
    }

    pub(in crate::api) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(bytes))
    }

    pub(in crate::api) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        d: D,
    ) -> Result<[u8; N], D::Error> {
        parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}
