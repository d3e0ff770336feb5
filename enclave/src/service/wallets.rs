//! Wallets: made or imported by their tenant, listed and shown without their keys. [`signing`] is what they are for.

mod audit;
mod deletion;
mod records;
mod refusals;
mod signing;

use std::sync::Arc;

use aws_lc_rs::rand;
use r3e_attester::TrustedClock;
use r3e_keys::wallet::WalletSecret;
use r3e_keys::wallet::gate::{Usage, check_policy};
use r3e_keys::wallet::import::{Import, ImportError, import};
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::is_name;
use r3e_proto::api::wallets::{
    Action, CreateWallet, Hash32, HexBytes, ImportFormat, ImportWallet, KeyType, Origin, Policy, Wallet,
    WalletAudit, WalletDetails,
};
use r3e_store::{Store, Write};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ServiceError;
use super::json::{decode, encode};
use super::turns::{Turn, Turns};
use crate::limits::{IMPORT_WAIT, MAX_WAITING_IMPORTS, MAX_WAITING_USES, MAX_WALLET_NAMES, MAX_WALLETS};
use audit::Ring;
use records::{Spaces, Standing, State, Stored};
use refusals::Refusals;

/// Who asks for a wallet's use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// The tenant's own key, signed in.
    Tenant,
    /// An API key with the scope, by its id.
    ApiKey(String),
    /// A version of a function, `NAME@VERSION`.
    Function(String),
}

impl By {
    fn text(&self) -> String {
        match self {
            Self::Tenant => "tenant".to_owned(),
            Self::ApiKey(id) => id.clone(),
            Self::Function(version) => version.clone(),
        }
    }
}

/// The wallets of all tenants.
pub(crate) struct Wallets {
    store: Store,
    clock: TrustedClock,
    root: Arc<RootSecret>,
    /// Held from the count to the commit, so that two at once of a tenant cannot both take the last place.
    making: Turns<TenantId>,
    /// One of a wallet's uses at a time: each is judged by what the one before left.
    uses: Turns<(TenantId, String)>,
    /// One password of a tenant's at a time, so that none waits behind many of another's,
    passwords: Turns<TenantId>,
    /// and one at a time for all tenants: each takes a quarter of a gigabyte and a second of a processor.
    importing: Arc<Semaphore>,
    refusals: Refusals,
}

impl Wallets {
    pub(crate) fn new(store: Store, clock: TrustedClock, root: Arc<RootSecret>) -> Self {
        Self {
            store,
            clock,
            root,
            making: Turns::new(MAX_WAITING_USES),
            uses: Turns::new(MAX_WAITING_USES),
            passwords: Turns::new(MAX_WAITING_IMPORTS),
            importing: Arc::new(Semaphore::new(1)),
            refusals: Refusals::default(),
        }
    }

    /// Makes a wallet with a derived key.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a bad name or policy; [`ServiceError::Conflict`] if there is one of this name, or as many
    /// as there may be.
    pub(crate) async fn create(
        &self,
        tenant: TenantId,
        name: &str,
        request: CreateWallet,
    ) -> Result<WalletDetails, ServiceError> {
        let CreateWallet { key_type, policy } = request;
        checked(name, &policy, key_type)?;
        let spaces = Spaces::of(tenant)?;
        let _making = self.making.take(tenant).await?;
        // Drawn for this wallet alone: a wallet that is made in a state which was rolled back, or wiped, under the same root
        // never has the key of one that was there before, and with it another policy.
        let mut id = Hash32([0; 32]);
        rand::fill(&mut id.0).map_err(|_| ServiceError::Internal("the random generator failed".into()))?;
        let secret = WalletSecret::derive(&self.root, tenant, key_type, &id)?;
        let made =
            Made { name, secret: &secret, origin: Origin::Derived(id), policy, action: Action::Create };
        self.make(&spaces, made, None).await
    }

    /// Makes a wallet with an imported key.
    ///
    /// # Errors
    /// As [`Self::create`]; [`ServiceError::Invalid`] for a key that is none, or a wrong password; [`ServiceError::Busy`] if
    /// others' imports take too long.
    pub(crate) async fn import(
        &self,
        tenant: TenantId,
        name: &str,
        request: ImportWallet,
    ) -> Result<WalletDetails, ServiceError> {
        checked(name, &request.policy, request.key_type)?;
        let spaces = Spaces::of(tenant)?;
        // Before any work is done for it.
        self.place_for(&spaces, name)?;
        let (policy, origin) = (request.policy.clone(), Origin::Imported(request.format));
        let secret = self.open(tenant, request).await?;
        let _making = self.making.take(tenant).await?;
        let keep = Write::put(&spaces.keys, name, secret.stored_form()).if_absent();
        let made = Made { name, secret: &secret, origin, policy, action: Action::Import };
        self.make(&spaces, made, Some(keep)).await
    }

    /// The tenant's wallets, by name.
    pub(crate) async fn list(&self, tenant: TenantId) -> Result<Vec<Wallet>, ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let mut wallets = Vec::new();
        for listed in self.store.scan(&spaces.wallets, "", None, MAX_WALLETS)? {
            if let Some(record) = self.store.get(&spaces.wallets, &listed.key).await? {
                wallets.push(decode::<Stored>(record.value.as_bytes())?.wallet);
            }
        }
        Ok(wallets)
    }

    /// One wallet, its policy, and what of the window is used now.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn show(&self, tenant: TenantId, name: &str) -> Result<WalletDetails, ServiceError> {
        let standing = self.standing(&Spaces::of(tenant)?, name).await?;
        Ok(details(standing.stored, &standing.state, self.clock.now_ms()))
    }

    /// What was done with a wallet and what was refused, oldest first; so much of each as is kept, also of a deleted one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn audit(&self, tenant: TenantId, name: &str) -> Result<WalletAudit, ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let missing = || ServiceError::NotFound { kind: "wallet", name: name.to_owned() };
        let state = self.store.get(&spaces.states, name).await?.ok_or_else(missing)?;
        audit::read(&self.store, &spaces.audit, name, &decode(state.value.as_bytes())?).await
    }

    /// Opens an imported key, apart from the tasks that serve others.
    async fn open(&self, tenant: TenantId, request: ImportWallet) -> Result<WalletSecret, ServiceError> {
        let turn = match request.format {
            // No password, and no work to speak of.
            ImportFormat::Hex | ImportFormat::Wif => None,
            ImportFormat::Nep2 | ImportFormat::Nep6 | ImportFormat::Keystore => {
                Some(self.password(tenant).await?)
            }
        };
        let opened = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also where nobody waits for it any more.
            let _turn = turn;
            import(&Import {
                key_type: request.key_type,
                format: request.format,
                secret: request.secret.expose(),
                password: request.password.as_ref().map(r3e_proto::api::wallets::SecretText::expose),
                account: request.account.as_deref(),
            })
        });
        opened
            .await
            .map_err(|error| ServiceError::Internal(format!("an import broke off: {error}")))?
            .map_err(Into::into)
    }

    /// Waits for the turn to work on a password.
    async fn password(&self, tenant: TenantId) -> Result<(Turn, OwnedSemaphorePermit), ServiceError> {
        let busy = || ServiceError::Busy("other imports are under way; try again in some seconds".into());
        let both = async {
            let own = self.passwords.take(tenant).await?;
            let all = Arc::clone(&self.importing).acquire_owned().await.map_err(|_| busy())?;
            Ok((own, all))
        };
        timeout(IMPORT_WAIT, both).await.map_err(|_| busy())?
    }

    /// Whether there is room for one wallet more, of this name.
    fn place_for(&self, spaces: &Spaces, name: &str) -> Result<(), ServiceError> {
        let listed = self.store.scan(&spaces.wallets, "", None, MAX_WALLETS)?;
        if listed.iter().any(|entry| entry.key == name) {
            return Err(exists(name));
        }
        if listed.len() >= MAX_WALLETS {
            return Err(full());
        }
        // A deleted wallet's audit stays: names are used up, though one may be used again.
        let names = self.store.scan(&spaces.states, "", None, MAX_WALLET_NAMES)?;
        if names.len() >= MAX_WALLET_NAMES && !names.iter().any(|entry| entry.key == name) {
            return Err(ServiceError::Conflict(format!(
                "a tenant's wallets have at most {MAX_WALLET_NAMES} names, those of deleted ones among them: use one of these again"
            )));
        }
        Ok(())
    }

    /// Writes a wallet down, with what else makes it one.
    async fn make(
        &self,
        spaces: &Spaces,
        made: Made<'_>,
        more: Option<Write>,
    ) -> Result<WalletDetails, ServiceError> {
        let Made { name, secret, origin, policy, action } = made;
        self.place_for(spaces, name)?;
        let left = self.store.get(&spaces.states, name).await?;
        // What a deleted wallet of this name has left is gone on from: its audit, and its revisions, so that no approval
        // that was given for it holds for this one, though it have the same key.
        let (mut state, version) = match left {
            Some(record) => (decode::<State>(record.value.as_bytes())?, Some(record.version)),
            None => (State::default(), None),
        };
        state.usage = Usage::default();
        let revision = state.deleted_revision.saturating_add(1);
        let key = secret.key()?;
        let now_ms = self.clock.now_ms();
        let wallet = Wallet {
            name: name.to_owned(),
            key_type: secret.key_type(),
            origin,
            public_key: HexBytes(key.public_key().to_vec()),
            address: key.address().to_owned(),
            created_at_ms: now_ms,
            revision,
        };
        let stored = Stored { wallet, policy };
        let entry = audit::entry(now_ms, action, &By::Tenant, revision);
        let page = audit::add(&self.store, &spaces.audit, name, &mut state, Ring::Kept, entry).await?;
        let put_state = Write::put(&spaces.states, name, encode(&state)?);
        let put_state = match version {
            Some(version) => put_state.if_version(version),
            None => put_state.if_absent(),
        };
        let mut writes =
            vec![Write::put(&spaces.wallets, name, encode(&stored)?).if_absent(), put_state, page];
        writes.extend(more);
        match self.store.batch(writes).await {
            Ok(_) => Ok(details(stored, &state, now_ms)),
            Err(r3e_store::StoreError::Conflict { .. }) => Err(exists(name)),
            Err(error) => Err(error.into()),
        }
    }

    /// A wallet as it is kept, and what it has signed lately.
    async fn standing(&self, spaces: &Spaces, name: &str) -> Result<Standing, ServiceError> {
        let missing = || ServiceError::NotFound { kind: "wallet", name: name.to_owned() };
        let record = self.store.get(&spaces.wallets, name).await?.ok_or_else(missing)?;
        let state = self.store.get(&spaces.states, name).await?.ok_or_else(missing)?;
        Ok(Standing {
            stored: decode(record.value.as_bytes())?,
            version: record.version,
            state: decode(state.value.as_bytes())?,
            state_version: state.version,
        })
    }

    /// Waits for a wallet's turn.
    async fn turn(&self, tenant: TenantId, name: &str) -> Result<Turn, ServiceError> {
        self.uses.take((tenant, name.to_owned())).await
    }
}

/// A wallet that is to be written down.
struct Made<'a> {
    name: &'a str,
    secret: &'a WalletSecret,
    origin: Origin,
    policy: Policy,
    action: Action,
}

fn details(stored: Stored, state: &State, now_ms: u64) -> WalletDetails {
    WalletDetails {
        signatures_in_window: state.usage.signatures(&stored.policy, now_ms),
        spent_in_window: state.usage.spent(&stored.policy, now_ms),
        wallet: stored.wallet,
        policy: stored.policy,
    }
}

fn checked(name: &str, policy: &Policy, key_type: KeyType) -> Result<(), ServiceError> {
    if !is_name(name) {
        let rule = "a wallet's name has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`";
        return Err(ServiceError::Invalid(rule.into()));
    }
    check_policy(policy, key_type).map_err(|error| ServiceError::Invalid(format!("the policy: {error}")))
}

fn full() -> ServiceError {
    ServiceError::Conflict(format!("a tenant has at most {MAX_WALLETS} wallets: delete one that is empty"))
}

fn exists(name: &str) -> ServiceError {
    ServiceError::Conflict(format!("there is a wallet {name:?} already; a wallet's key is never replaced"))
}

impl From<KeyError> for ServiceError {
    fn from(error: KeyError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<ImportError> for ServiceError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Key(error) => error.into(),
            error => Self::Invalid(error.to_string()),
        }
    }
}
