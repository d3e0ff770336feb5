//! What is asked for.

use r3e_proto::api::is_name;
use r3e_proto::api::transactions::Call;
use r3e_proto::api::wallets::EvmAddress;

use crate::error::TransactionsError;
use crate::limits::{MAX_DATA_BYTES, MAX_GAS, MAX_ID_BYTES, MAX_LIFE, MIN_LIFE, NOOP_GAS};
use crate::outside::Asker;

/// A call, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The caller's name for it. Under the same name the same is not done twice.
    pub id: String,
    /// The wallet that signs.
    pub wallet: String,
    /// Who asks for it.
    pub asker: Asker,
    /// Its account.
    pub account: EvmAddress,
    /// On which chain.
    pub chain_id: u64,
    /// What to do.
    pub call: Call,
    /// When it is given up, in Unix milliseconds: what is in no block then is replaced by nothing.
    pub deadline_ms: u64,
    /// Its name is given once: when it has ended, others may be remembered longer.
    pub is_brief: bool,
}

/// Whether a transaction may be called that.
pub fn is_transaction_id(id: &str) -> bool {
    is_name(id) && id.len() <= MAX_ID_BYTES
}

impl Submission {
    /// By itself: under a name that is one, there may be a transaction already, whose time is over by now.
    pub(crate) fn check_name(&self) -> Result<(), TransactionsError> {
        let rule = || format!("a transaction's name has 1 to {MAX_ID_BYTES} of A-Z a-z 0-9 `-` `_` `.`");
        if is_transaction_id(&self.id) { Ok(()) } else { Err(TransactionsError::Invalid(rule())) }
    }

    pub(crate) fn check(&self, now_ms: u64) -> Result<(), TransactionsError> {
        let Call { to, data, gas_limit, fee_limit, .. } = &self.call;
        let life_ms = u128::from(self.deadline_ms.saturating_sub(now_ms));
        let wrong = if self.chain_id == 0 {
            "a chain's id is at least 1".to_owned()
        } else if data.0.len() > MAX_DATA_BYTES {
            format!("data has at most {MAX_DATA_BYTES} bytes")
        } else if to.is_none() && data.0.is_empty() {
            "a contract that is created has code".to_owned()
        } else if !(NOOP_GAS..=MAX_GAS).contains(gas_limit) {
            format!("gas_limit is {NOOP_GAS} to {MAX_GAS}")
        } else if fee_limit.0 < u128::from(*gas_limit) {
            "fee_limit is at least 1 wei for each unit of gas".to_owned()
        } else if !(MIN_LIFE.as_millis()..=MAX_LIFE.as_millis()).contains(&life_ms) {
            format!(
                "the deadline is {} s to {} days from now",
                MIN_LIFE.as_secs(),
                MAX_LIFE.as_secs() / 86_400
            )
        } else {
            return Ok(());
        };
        Err(TransactionsError::Invalid(wrong))
    }
}
