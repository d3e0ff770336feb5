//! Signing what functions were answered.

use std::sync::Arc;

use r3e_attester::TrustedClock;
use r3e_functions::{Notary, Seen, SourceError};
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;

use super::OracleKeys;

/// By each tenant's oracle keys, at the appliance's time. It is given what was fetched, and nothing that a caller says: no route leads here.
pub(crate) struct OracleNotary {
    keys: Arc<OracleKeys>,
    clock: TrustedClock,
}

impl OracleNotary {
    pub(crate) fn new(keys: Arc<OracleKeys>, clock: TrustedClock) -> Self {
        Self { keys, clock }
    }
}

impl Notary for OracleNotary {
    fn sign(
        &self,
        tenant: TenantId,
        seen: &Seen,
        targets: &[Target],
    ) -> Result<SignedObservation, SourceError> {
        let signed = self.keys.sign_seen(tenant, seen, self.clock.now_ms() / 1_000, targets);
        signed.map_err(|error| SourceError(error.to_string()))
    }
}
