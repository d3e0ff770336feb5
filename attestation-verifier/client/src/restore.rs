//! Signing orders to restore.

use r3e_proto::restore::{OrderError, SignedRestoreOrder, approval_message};

use crate::signing_key::SigningKey;

/// Adds the signature of `key` to an order: its holder's consent that an appliance goes back to an older state.
///
/// # Errors
/// [`OrderError::AlreadySigned`]; [`OrderError::Wire`] where there are 16 signatures already.
pub fn approve_restore(order: &mut SignedRestoreOrder, key: &SigningKey) -> Result<(), OrderError> {
    let signature = key.sign_fixed(&approval_message(order.order()));
    order.add(key.public_key(), signature)
}
