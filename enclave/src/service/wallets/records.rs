//! How a wallet is kept: what it is and may, what it has signed lately, and, where it was imported, its key. Apart, since
//! each changes at another pace.

use r3e_keys::wallet::gate::Usage;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Policy, Wallet};
use r3e_store::{Namespace, StoreError};
use serde::{Deserialize, Serialize};

/// The namespaces of one tenant's wallets; all records but audit pages are under the wallet's name.
pub(super) struct Spaces {
    /// [`Stored`].
    pub(super) wallets: Namespace,
    /// [`State`].
    pub(super) states: Namespace,
    /// Imported keys.
    pub(super) keys: Namespace,
    /// Pages of the audit.
    pub(super) audit: Namespace,
}

impl Spaces {
    pub(super) fn of(tenant: TenantId) -> Result<Self, StoreError> {
        let tenant = tenant.to_string();
        Ok(Self {
            wallets: Namespace::of_tenant("wallets", &tenant)?,
            states: Namespace::of_tenant("wallet-states", &tenant)?,
            keys: Namespace::of_tenant("wallet-keys", &tenant)?,
            audit: Namespace::of_tenant("wallet-audit", &tenant)?,
        })
    }
}

/// What a wallet is, and what it may.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) wallet: Wallet,
    pub(super) policy: Policy,
}

/// What changes with each use.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// What the window counts.
    pub(super) usage: Usage,
    /// Entries that the audit has had of what the wallet is,
    pub(super) kept: u64,
    /// of what it signed,
    pub(super) signed: u64,
    /// and of what was denied;
    pub(super) denied: u64,
    /// and what was denied without an entry, too often in too short a time.
    #[serde(default)]
    pub(super) unlogged: u64,
    /// The last revision of the deleted wallet that had this name; 0 where there was none.
    pub(super) deleted_revision: u64,
}

impl State {
    /// Entries that the audit has had, or would have had.
    pub(super) fn entries(&self) -> u64 {
        self.kept.saturating_add(self.signed).saturating_add(self.denied).saturating_add(self.unlogged)
    }
}

/// A wallet as it was read, with the versions of its records.
pub(super) struct Standing {
    pub(super) stored: Stored,
    pub(super) version: u64,
    pub(super) state: State,
    pub(super) state_version: u64,
}
