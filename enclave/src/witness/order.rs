//! An order to restore: asked of the parent at a boot, and believed only with the signatures that the measured configuration
//! demands, for this appliance.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::restore::{OrderError, RestorePolicy, SignedRestoreOrder};
use r3e_store::{Restore, Witnessed};
use r3e_transport::EnclaveTransport;
use thiserror::Error;

use crate::handoff::lifecycle;

/// Why an order is not followed.
#[derive(Debug, Error)]
enum NotFollowed {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error("it is for the appliance {0}, which this one is not")]
    OtherAppliance(String),
}

/// The order that the parent has, if it has one that holds. One that does not is left alone: a state that needs none opens
/// without it, and one that does is refused.
pub(crate) async fn ordered(
    transport: &EnclaveTransport,
    policy: Option<&RestorePolicy>,
    identity: &[u8; 32],
    now_ms: u64,
) -> Option<Restore> {
    let policy = policy?;
    let file = match lifecycle::restore_order(transport).await {
        Ok(file) => file?,
        Err(error) => {
            tracing::warn!(%error, "the parent does not say whether there is an order to restore");
            return None;
        }
    };
    match judge(&file, policy, identity, now_ms) {
        Ok(order) => {
            let (state, over) = (order.state, order.over);
            tracing::info!(?state, over, "there is an order to restore, signed as the configuration demands");
            Some(order)
        }
        Err(error) => {
            tracing::warn!(%error, "the order to restore that the parent has is not followed");
            None
        }
    }
}

fn judge(
    file: &[u8],
    policy: &RestorePolicy,
    identity: &[u8; 32],
    now_ms: u64,
) -> Result<Restore, NotFollowed> {
    let signed = SignedRestoreOrder::decode(file).map_err(OrderError::from)?;
    let order = signed.verify(policy, verifies)?;
    if order.identity != *identity {
        return Err(NotFollowed::OtherAppliance(hex::encode(order.identity)));
    }
    let state = Witnessed { sequence: order.sequence, head: order.head };
    Ok(Restore { state, over: order.over, at_ms: now_ms })
}

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use r3e_proto::restore::{RestoreOrder, approval_message};

    use super::*;

    fn pair(number: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap()
    }

    fn key(number: u8) -> PublicKey {
        PublicKey(pair(number).public_key().as_ref().try_into().unwrap())
    }

    fn file(identity: u8, by: &[u8]) -> Vec<u8> {
        let order = RestoreOrder { identity: [identity; 32], sequence: 4, head: [2; 32], over: 9 };
        let mut signed = SignedRestoreOrder::unsigned(&order);
        for number in by {
            let signature = pair(*number).sign(&approval_message(signed.order()));
            signed.add(key(*number), signature.as_ref().try_into().unwrap()).unwrap();
        }
        signed.encode()
    }

    #[test]
    fn an_order_takes_its_signatures_and_its_appliance() {
        let policy = RestorePolicy::new(2, vec![key(1), key(2), key(3)]).unwrap();
        let order = judge(&file(7, &[1, 3]), &policy, &[7; 32], 55).unwrap();
        assert_eq!((order.state.sequence, order.over, order.at_ms), (4, 9, 55));
        let foreign = judge(&file(8, &[1, 3]), &policy, &[7; 32], 55);
        assert!(matches!(foreign, Err(NotFollowed::OtherAppliance(_))));
        for by in [&[][..], &[1], &[1, 9], &[8, 9]] {
            assert!(
                matches!(judge(&file(7, by), &policy, &[7; 32], 55), Err(NotFollowed::Order(_))),
                "{by:?}"
            );
        }
        assert!(judge(b"", &policy, &[7; 32], 55).is_err());
    }
}
