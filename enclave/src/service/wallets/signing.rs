//! What a wallet is asked for: signatures, another policy, its key. Each is judged by the gate; what the gate decides is
//! durable before it has any effect, so that a crash can cost allowance, and never give any.

use r3e_keys::wallet::WalletSecret;
use r3e_keys::wallet::gate::{Asker, Asking, Decoded, Denied, Gate, Usage, check_policy};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{
    Action, Approval, AuditEntry, ExportRequest, Exported, Hash32, HexBytes, Origin, Payload, SetPolicy,
    SignRequest, Signed, Wallet, WalletDetails, Wei,
};
use r3e_proto::wallet::approval::{WalletRevision, policy_digest};
use r3e_store::{StoreError, Write};

use super::audit::{self, Ring};
use super::records::{Spaces, Standing, Stored};
use super::{By, Wallets, details};
use crate::service::ServiceError;
use crate::service::json::encode;

impl Wallets {
    /// Signs, if the policy allows it.
    ///
    /// # Errors
    /// [`ServiceError::Denied`] with the rule's code; [`ServiceError::Invalid`] for a payload that no policy could allow;
    /// [`ServiceError::NotFound`]; the store's, after which the allowance may be used up.
    pub(crate) async fn sign(
        &self,
        tenant: TenantId,
        by: &By,
        name: &str,
        request: &SignRequest,
    ) -> Result<Signed, ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let _turn = self.turn(tenant, name).await?;
        let standing = self.standing(&spaces, name).await?;
        let wallet = &standing.stored.wallet;
        let decoded = Decoded::of(wallet.key_type, &request.payload)
            .map_err(|error| ServiceError::Invalid(error.to_string()))?;
        if let Payload::NeoTransaction(fields) = &request.payload
            && fields.sender.to_string() != wallet.address
        {
            let why = format!("the sender is {}, and the wallet's account {}", fields.sender, wallet.address);
            return Err(ServiceError::Invalid(why));
        }
        let now_ms = self.clock.now_ms();
        let asking = asking(by, now_ms, &request.approvals);
        let entry = sign_entry(audit::entry(now_ms, Action::Sign, by, wallet.revision), &decoded);
        let gate = gate(tenant, &standing.stored);
        let allowed = match gate.sign(decoded, &standing.state.usage, &asking) {
            Ok(allowed) => allowed,
            Err(denied) => return Err(self.deny(tenant, &spaces, &standing, entry, denied).await),
        };
        // Before the allowance is used: a key that cannot be had costs nothing.
        let key = self.secret(&spaces, tenant, wallet).await?.key()?;
        if key.public_key() != wallet.public_key.0 {
            return Err(ServiceError::Internal("a wallet's key is not the one that it was made with".into()));
        }
        self.done(&spaces, &standing, Some(allowed.usage().clone()), entry, None).await?;
        let signature = key.sign(&allowed)?;
        Ok(Signed {
            digest: Hash32(signature.digest),
            signature: HexBytes(signature.bytes),
            transaction_hash: signature.transaction_hash,
            transaction: signature.transaction.map(HexBytes),
            signatures_left: allowed.signatures_left(),
        })
    }

    /// Whether the policy allows a payload but for how much was signed lately: what it would deny now, it is to be asked for no more. Nothing is signed, or
    /// counted; what is denied is kept as any other.
    ///
    /// # Errors
    /// As [`Self::sign`]; [`ServiceError::Busy`].
    pub(crate) async fn judge(
        &self,
        tenant: TenantId,
        by: &By,
        name: &str,
        payload: &Payload,
    ) -> Result<(), ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let _turn = self.turn(tenant, name).await?;
        let standing = self.standing(&spaces, name).await?;
        let wallet = &standing.stored.wallet;
        let decoded = Decoded::of(wallet.key_type, payload)
            .map_err(|error| ServiceError::Invalid(error.to_string()))?;
        let now_ms = self.clock.now_ms();
        let entry = sign_entry(audit::entry(now_ms, Action::Sign, by, wallet.revision), &decoded);
        match gate(tenant, &standing.stored).sign(decoded, &Usage::default(), &asking(by, now_ms, &[])) {
            Ok(_) => Ok(()),
            Err(denied) => Err(match self.deny(tenant, &spaces, &standing, entry, denied).await {
                // The wallet was used meanwhile. Nothing was done.
                ServiceError::Conflict(why) => ServiceError::Busy(why),
                error => error,
            }),
        }
    }

    /// Puts another policy in the place of the standing one.
    ///
    /// # Errors
    /// [`ServiceError::Denied`]; [`ServiceError::Invalid`] for a policy that is none; [`ServiceError::Conflict`] if another
    /// revision stands than the request names; [`ServiceError::NotFound`].
    pub(crate) async fn set_policy(
        &self,
        tenant: TenantId,
        name: &str,
        request: SetPolicy,
    ) -> Result<WalletDetails, ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let _turn = self.turn(tenant, name).await?;
        let standing = self.standing(&spaces, name).await?;
        let revision = standing.stored.wallet.revision;
        check_policy(&request.policy, standing.stored.wallet.key_type)
            .map_err(|error| ServiceError::Invalid(format!("the policy: {error}")))?;
        if request.revision != revision {
            let message =
                format!("the policy's revision is {revision}, not {}: look at it again", request.revision);
            return Err(ServiceError::Conflict(message));
        }
        let digest = policy_digest(&request.policy)
            .map_err(|error| ServiceError::Internal(format!("a policy cannot be written: {error}")))?;
        let now_ms = self.clock.now_ms();
        let entry = AuditEntry {
            digest: Some(digest),
            ..audit::entry(now_ms, Action::SetPolicy, &By::Tenant, revision)
        };
        let asking = asking(&By::Tenant, now_ms, &request.approvals);
        if let Err(denied) = gate(tenant, &standing.stored).set_policy(&request.policy, &asking) {
            return Err(self.deny(tenant, &spaces, &standing, entry, denied).await);
        }
        let wallet = Wallet { revision: revision.saturating_add(1), ..standing.stored.wallet.clone() };
        let stored = Stored { wallet, policy: request.policy };
        self.done(&spaces, &standing, None, entry, Some(&stored)).await?;
        Ok(details(stored, &standing.state, now_ms))
    }

    /// The wallet's key, encrypted to the key that the request names.
    ///
    /// # Errors
    /// [`ServiceError::Denied`]; [`ServiceError::Invalid`] for a recipient that is no X25519 key; [`ServiceError::NotFound`].
    pub(crate) async fn export(
        &self,
        tenant: TenantId,
        name: &str,
        request: &ExportRequest,
    ) -> Result<Exported, ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let _turn = self.turn(tenant, name).await?;
        let standing = self.standing(&spaces, name).await?;
        let wallet = &standing.stored.wallet;
        let now_ms = self.clock.now_ms();
        let entry = AuditEntry {
            digest: Some(request.recipient),
            ..audit::entry(now_ms, Action::Export, &By::Tenant, wallet.revision)
        };
        let asking = asking(&By::Tenant, now_ms, &request.approvals);
        let allowed = match gate(tenant, &standing.stored).export(request.recipient, &asking) {
            Ok(allowed) => allowed,
            Err(denied) => return Err(self.deny(tenant, &spaces, &standing, entry, denied).await),
        };
        let secret = self.secret(&spaces, tenant, wallet).await?;
        let sealed =
            secret.seal(&allowed, tenant, name).map_err(|error| ServiceError::Invalid(error.to_string()))?;
        self.done(&spaces, &standing, None, entry, None).await?;
        Ok(Exported {
            tenant,
            name: wallet.name.clone(),
            key_type: wallet.key_type,
            public_key: wallet.public_key.clone(),
            encapsulated_key: Hash32(sealed.encapsulated_key),
            ciphertext: HexBytes(sealed.ciphertext),
        })
    }

    /// The private key.
    async fn secret(
        &self,
        spaces: &Spaces,
        tenant: TenantId,
        wallet: &Wallet,
    ) -> Result<WalletSecret, ServiceError> {
        match wallet.origin {
            Origin::Derived(id) => Ok(WalletSecret::derive(&self.root, tenant, wallet.key_type, &id)?),
            Origin::Imported(_) => {
                let record = self.store.get(&spaces.keys, &wallet.name).await?;
                let record =
                    record.ok_or_else(|| ServiceError::Internal("a wallet's key is not there".into()))?;
                Ok(WalletSecret::from_stored(wallet.key_type, record.value.as_bytes())?)
            }
        }
    }

    /// Makes what was allowed durable: the usage, the entry, and the policy where it changes.
    async fn done(
        &self,
        spaces: &Spaces,
        standing: &Standing,
        usage: Option<Usage>,
        entry: AuditEntry,
        stored: Option<&Stored>,
    ) -> Result<(), ServiceError> {
        let name = &standing.stored.wallet.name;
        let mut state = standing.state.clone();
        if let Some(usage) = usage {
            state.usage = usage;
        }
        let ring = if entry.action == Action::Sign { Ring::Signed } else { Ring::Kept };
        let mut writes = vec![audit::add(&self.store, &spaces.audit, name, &mut state, ring, entry).await?];
        writes.push(Write::put(&spaces.states, name, encode(&state)?).if_version(standing.state_version));
        if let Some(stored) = stored {
            writes.push(Write::put(&spaces.wallets, name, encode(stored)?).if_version(standing.version));
        }
        self.commit(writes).await
    }

    /// Keeps what was denied, unless too much was lately; what the asker is told.
    pub(super) async fn deny(
        &self,
        tenant: TenantId,
        spaces: &Spaces,
        standing: &Standing,
        entry: AuditEntry,
        denied: Denied,
    ) -> ServiceError {
        let name = &standing.stored.wallet.name;
        let told = ServiceError::Denied { code: denied.code(), message: denied.to_string() };
        let Some(unlogged) = self.refusals.log(tenant, name, entry.at_ms) else { return told };
        let entry = AuditEntry { denied: Some(denied.code().to_owned()), ..entry };
        let mut state = standing.state.clone();
        state.unlogged = state.unlogged.saturating_add(unlogged);
        let kept = async {
            let page = audit::add(&self.store, &spaces.audit, name, &mut state, Ring::Denied, entry).await?;
            let state = Write::put(&spaces.states, name, encode(&state)?).if_version(standing.state_version);
            self.commit(vec![page, state]).await
        };
        match kept.await {
            Ok(()) => told,
            Err(error) => error,
        }
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<(), ServiceError> {
        match self.store.batch(writes).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict { .. }) => Err(ServiceError::Conflict(
                "the wallet was used meanwhile; nothing was done, try again".into(),
            )),
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) fn gate(tenant: TenantId, stored: &Stored) -> Gate<'_> {
    let Stored { wallet, policy } = stored;
    let wallet = WalletRevision {
        tenant,
        name: &wallet.name,
        public_key: &wallet.public_key.0,
        revision: wallet.revision,
    };
    Gate { wallet, policy }
}

fn asking<'a>(by: &'a By, now_ms: u64, approvals: &'a [Approval]) -> Asking<'a> {
    let by = match by {
        By::Tenant => Asker::Tenant,
        By::ApiKey(_) => Asker::ApiKey,
        By::Function(version) => Asker::Function(version),
    };
    Asking { by, now_ms, approvals }
}

/// What the audit says of a payload.
fn sign_entry(entry: AuditEntry, decoded: &Decoded<'_>) -> AuditEntry {
    let payload = decoded.payload();
    AuditEntry {
        payload: Some(payload.kind().to_owned()),
        digest: Some(Hash32(*decoded.digest())),
        ..of_transaction(entry, payload)
    }
}

fn of_transaction(entry: AuditEntry, payload: &Payload) -> AuditEntry {
    match payload {
        Payload::EvmTransaction(one) => AuditEntry {
            chain_id: Some(one.chain_id),
            to: one.to,
            // Value and fee together fit 128 bits, or it would have no digest.
            spend: one.highest_fee().and_then(|fee| fee.checked_add(one.value.0)).map(Wei),
            ..entry
        },
        Payload::NeoTransaction(one) => AuditEntry {
            chain_id: Some(one.magic.into()),
            contract: Some(one.contract),
            spend: Some(Wei(one.fee().0.saturating_add(one.sent().0))),
            ..entry
        },
        _ => entry,
    }
}
