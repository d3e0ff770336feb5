//! What is asked for.

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::Call;
use r3e_proto::api::wallets::EvmAddress;

use super::entry::{Entry, digest};
use super::lane::Place;
use crate::error::TransactionsError;
use crate::family::Submitted;
use crate::limits::{MAX_DATA_BYTES, MAX_GAS, MAX_LIFE, MIN_LIFE, NOOP_GAS};
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

impl Submitted for Submission {
    type Record = Entry;

    fn id(&self) -> &str {
        &self.id
    }

    fn place(&self) -> Place {
        Place { chain_id: self.chain_id, account: self.account }
    }

    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn is_brief(&self) -> bool {
        self.is_brief
    }

    fn bytes(&self) -> usize {
        self.call.data.0.len()
    }

    fn check(&self, now_ms: u64) -> Result<(), TransactionsError> {
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

    fn is_same(&self, there: &Entry) -> bool {
        there.place == self.place() && there.wallet == self.wallet && there.digest == digest(&self.call)
    }

    fn into_record(self, _: TenantId, now_ms: u64) -> Entry {
        let place = self.place();
        let Self { id, wallet, asker, call, deadline_ms, is_brief, .. } = self;
        Entry { is_brief, ..Entry::new(id, wallet, asker, place, (now_ms, deadline_ms), call) }
    }
}
