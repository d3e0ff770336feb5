//! What transactions need of the rest of the appliance.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes, Payload};
use serde::{Deserialize, Serialize};

use crate::evm::{Receipt, Refusal, Rules, View};

/// What is under way.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The chains of a family that there are nodes of. `C` is what one is.
pub trait Chains<C: ?Sized>: Send + Sync + 'static {
    /// The chain of this number: on Ethereum its id, on Neo N3 its magic number.
    fn chain(&self, number: u64) -> Option<Arc<C>>;
}

/// One chain like Ethereum, as enough of its nodes agree on it.
pub trait Chain: Send + Sync + 'static {
    /// How it is waited for.
    fn rules(&self) -> Rules;

    /// Between two looks at it.
    fn pause(&self) -> Duration;

    /// An account, in one block.
    ///
    /// # Errors
    /// In words: enough nodes do not say the same.
    fn view(&self, account: EvmAddress) -> BoxFuture<'_, Result<View, String>>;

    /// The receipt of a transaction that is in the chain of the view's block, up to it; none of one that is not.
    ///
    /// # Errors
    /// In words: enough nodes do not say the same.
    fn receipt(&self, hash: Hash32, view: View) -> BoxFuture<'_, Result<Option<Receipt>, String>>;

    /// Gives a signed transaction to every node.
    fn send<'a>(&'a self, bytes: &'a HexBytes) -> BoxFuture<'a, Sent>;
}

/// What nodes say to a transaction, together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// At least one has it.
    Taken,
    /// None has, and enough of them for the same reason.
    Refused(Refusal, String),
    /// None has, as far as it is known.
    Unknown(String),
}

/// The wallets, behind their gates.
pub trait Signer: Send + Sync + 'static {
    /// Signs a transaction by the tenant's wallet, if its account is `account`, as its chain shows it, and its policy allows it, to
    /// whoever asked. Gives the signed bytes and their hash.
    ///
    /// # Errors
    /// [`NotSigned`].
    fn sign<'a>(
        &'a self,
        tenant: TenantId,
        by: By<'a>,
        account: String,
        payload: Payload,
    ) -> BoxFuture<'a, Result<(Hash32, HexBytes), NotSigned>>;
}

/// What is to sign, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// The wallet.
    pub wallet: &'a str,
    /// Who asked for it.
    pub asker: &'a Asker,
}

/// Who asks for a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Asker {
    /// The tenant itself.
    #[default]
    Tenant,
    /// One of its API keys, by its id.
    ApiKey(String),
    /// A version of one of its functions, `NAME@VERSION`.
    Function(String),
}

impl Asker {
    /// The version of a function, where one asks.
    pub(crate) fn function(self) -> Option<String> {
        match self {
            Self::Function(version) => Some(version),
            Self::Tenant | Self::ApiKey(_) => None,
        }
    }
}

/// As it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    api_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<String>,
}

impl From<Asker> for Written {
    fn from(asker: Asker) -> Self {
        let (api_key, function) = match asker {
            Asker::Tenant => (None, None),
            Asker::ApiKey(id) => (Some(id), None),
            // Who knows of no functions takes it for an API key, and not for the tenant.
            Asker::Function(version) => (Some(version.clone()), Some(version)),
        };
        Self { api_key, function }
    }
}

impl From<Written> for Asker {
    fn from(written: Written) -> Self {
        match written {
            Written { function: Some(version), .. } => Self::Function(version),
            Written { api_key: Some(id), .. } => Self::ApiKey(id),
            Written { .. } => Self::Tenant,
        }
    }
}

/// Why a wallet does not sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSigned {
    /// A short name of the reason.
    pub code: String,
    /// In words.
    pub message: String,
    /// Whether that may be otherwise later.
    pub may_pass: bool,
}

impl NotSigned {
    pub(crate) fn in_words(&self) -> String {
        format!("the wallet does not sign: {} ({})", self.message, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        id: u64,
        #[serde(flatten)]
        asker: Asker,
        rest: u64,
    }

    #[test]
    fn who_asked_is_read_as_it_was_written_before_and_now() {
        for (text, asker) in [
            (r#"{"id":1,"api_key":null,"rest":2}"#, Asker::Tenant),
            (r#"{"id":1,"api_key":"00ff","rest":2}"#, Asker::ApiKey("00ff".into())),
            (r#"{"id":1,"api_key":"f@12","function":"f@12","rest":2}"#, Asker::Function("f@12".into())),
        ] {
            let record = Record { id: 1, asker, rest: 2 };
            assert_eq!(serde_json::from_str::<Record>(text).unwrap(), record);
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
        }
    }
}
