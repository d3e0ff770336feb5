//! What is counted, as OpenMetrics text: of one tenant, for it alone, and of the appliance as a whole, for its operator. Each is
//! taken once and written from that; nothing here counts.

mod appliance;
mod families;
mod tenant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use r3e_proto::api::feeds::RoundCounts;

use super::ServiceError;

pub(crate) use appliance::ApplianceMetrics;
pub(crate) use tenant::TenantMetrics;

/// What a round of a feed comes to.
const ROUNDS: [&str; 4] = ["published", "quiet", "nothing", "failed"];

/// How many came to each of [`ROUNDS`].
fn counted(rounds: RoundCounts) -> [u64; ROUNDS.len()] {
    let RoundCounts { published, quiet, nothing, failed } = rounds;
    [published, quiet, nothing, failed]
}

/// The text of what was taken.
///
/// # Errors
/// [`ServiceError::Internal`]: it cannot be written.
fn text(taken: impl Collector) -> Result<String, ServiceError> {
    let (mut registry, mut text) = (Registry::default(), String::new());
    registry.register_collector(Box::new(taken));
    encode(&mut text, &registry)
        .map_err(|_| ServiceError::Internal("the metrics could not be written".to_owned()))?;
    Ok(text)
}

#[cfg(test)]
mod tests;
