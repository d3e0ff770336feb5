//! The oracle keys of each tenant, and the documents that attest them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_attester::Attester;
use r3e_feeds::Kept;
use r3e_functions::Seen;
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::{OracleKey, Signature, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::channel::statement::Statement;
use r3e_proto::report::Batch;

use crate::service::tenant_keys::{AttestedKeyError, TenantKeys};

/// The oracle keys of all tenants.
pub(crate) struct OracleKeys(TenantKeys<r3e_keys::OracleKeys>);

impl OracleKeys {
    pub(crate) fn new(root: Arc<RootSecret>, attester: Attester) -> Self {
        Self(TenantKeys::new(root, attester, r3e_keys::OracleKeys::of))
    }

    /// A tenant's keys, with a document that names them.
    ///
    /// # Errors
    /// [`AttestedKeyError`].
    pub(crate) async fn attested(&self, tenant: TenantId) -> Result<OracleKey, AttestedKeyError> {
        let keys = self.0.of(tenant)?;
        let (evm, neo) = (keys.address(), keys.neo_public_key());
        let statement = Statement::Oracle { tenant: tenant.0, evm: evm.0, neo };
        Ok(OracleKey {
            tenant,
            evm_address: evm,
            neo_public_key: HexBytes(neo.to_vec()),
            document: STANDARD.encode(self.0.document(tenant, &statement).await?),
        })
    }

    pub(super) fn sign(&self, tenant: TenantId, target: &Target, kept: &Kept) -> Result<Signature, KeyError> {
        let keys = self.0.of(tenant)?;
        let made = keys.sign(target, kept.report())?;
        let (signer, signature) = (keys.signer(Some(target)), HexBytes(made.bytes));
        Ok(Signature { target: *target, digest: Hash32(made.digest), signer, signature })
    }

    /// A batch of reports, signed for a target.
    pub(super) fn sign_batch(
        &self,
        tenant: TenantId,
        target: &Target,
        batch: &Batch,
    ) -> Result<Signature, KeyError> {
        let keys = self.0.of(tenant)?;
        let made = keys.sign_batch(target, batch)?;
        let (signer, signature) = (keys.signer(Some(target)), HexBytes(made.bytes));
        Ok(Signature { target: *target, digest: Hash32(made.digest), signer, signature })
    }

    /// What the appliance was answered, signed for each target, or without one for no chain in particular.
    pub(in crate::service) fn sign_seen(
        &self,
        tenant: TenantId,
        seen: &Seen,
        observed_at_s: u64,
        targets: &[Target],
    ) -> Result<SignedObservation, KeyError> {
        self.0.of(tenant)?.sign_observation(tenant, seen.at(observed_at_s), targets)
    }
}
