//! Ways out: HTTPS to whoever proves the name, under the public web's roots and those of the configuration.

use r3e_attester::TrustedClock;
use r3e_egress::{Egress, TrustRoots};
use r3e_transport::EnclaveTransport;

use super::ServiceError;
use super::error::with_causes;
use crate::configuration::Configuration;

/// A way out of its own: what is slow on one takes no connection from another.
///
/// # Errors
/// [`ServiceError::Internal`]: an extra root is no certificate.
pub(crate) fn open_egress(
    transport: EnclaveTransport,
    configuration: &Configuration,
    clock: &TrustedClock,
) -> Result<Egress, ServiceError> {
    let internal = |error: &dyn std::error::Error| ServiceError::Internal(with_causes(error));
    let roots =
        TrustRoots::public().with_extra(configuration.extra_roots()).map_err(|error| internal(&error))?;
    let time = clock.clone();
    let time = r3e_egress::TrustedClock::new(move || Some(time.now_ms()));
    Egress::new(transport, roots, time).map_err(|error| internal(&error))
}
