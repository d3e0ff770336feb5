//! What a transaction on Neo N3 costs, as its nodes try it.

use r3e_proto::api::wallets::{NeoTransaction, Wei};
use r3e_proto::wallet::{neo_script, signed_neo_transaction};

use super::chain::NeoChain;

/// Methods that say by "false" that they did nothing: NEP-17's, and NEO's.
const SAY_FALSE: [&str; 2] = ["transfer", "vote"];

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPriced {
    /// What it calls refuses it, in words.
    Refused(String),
    /// It costs more than it may, in words.
    Dear(String),
    /// Nodes do not agree, in words.
    HeldUp(String),
}

/// Fills in both fees of a transaction, whose `public_key` is its sender's; it is to cost `limit` at the most.
///
/// # Errors
/// [`NotPriced`].
pub async fn price(
    chain: &dyn NeoChain,
    transaction: &mut NeoTransaction,
    public_key: &[u8; 33],
    limit: Wei,
) -> Result<(), NotPriced> {
    let held_up = |error: &dyn std::fmt::Display| NotPriced::HeldUp(error.to_string());
    let script = neo_script(transaction).map_err(|error| held_up(&error))?;
    let ran = chain.trial(&script, transaction.sender, transaction.scope).await.map_err(NotPriced::HeldUp)?;
    if let Some(why) = ran.refusal {
        return Err(NotPriced::Refused(why));
    }
    if ran.gives_false && SAY_FALSE.contains(&transaction.method.as_str()) {
        return Err(NotPriced::Refused("its contract gives false: it does nothing".to_owned()));
    }
    // What is not used of it is burned, and what is missing fails: a thousandth more, as the state may have changed until then.
    transaction.system_fee = Wei(u128::from(ran.gas_consumed).saturating_mul(1_001) / 1_000);
    // Of the size that it has once it is signed.
    let sized = signed_neo_transaction(transaction, public_key, &[0; 64]).map_err(|error| held_up(&error))?;
    transaction.network_fee = Wei(chain.network_fee(&sized).await.map_err(NotPriced::HeldUp)?.into());
    let fee = transaction.fee();
    if fee > limit {
        return Err(NotPriced::Dear(format!("it costs {fee} of 10^-8 GAS, and fee_limit allows {limit}")));
    }
    Ok(())
}
