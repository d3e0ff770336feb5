//! What is asked for.

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::NeoCall;
use r3e_proto::api::wallets::{HexBytes, NeoAccount, Wei};
use r3e_proto::wallet::{neo_account, neo_script};

use super::entry::{Entry, Place, digest};
use crate::error::TransactionsError;
use crate::family::Submitted;
use crate::limits::{MAX_NEO_LIFE, MIN_NEO_LIFE};
use crate::outside::Asker;

/// A call, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeoSubmission {
    /// The caller's name for it. Under the same name the same is not done twice.
    pub id: String,
    /// The wallet that signs.
    pub wallet: String,
    /// Who asks for it.
    pub asker: Asker,
    /// Its public key, by whose account the fees are paid.
    pub public_key: [u8; 33],
    /// The network's magic number.
    pub magic: u32,
    /// What to do.
    pub call: NeoCall,
    /// When it is given up, in Unix milliseconds.
    pub deadline_ms: u64,
}

impl Submitted for NeoSubmission {
    type Record = Entry;

    fn id(&self) -> &str {
        &self.id
    }

    fn place(&self) -> Place {
        Place { magic: self.magic, account: NeoAccount(neo_account(&self.public_key)) }
    }

    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn is_brief(&self) -> bool {
        false
    }

    fn bytes(&self) -> usize {
        super::entry::bytes(&self.call)
    }

    fn check(&self, now_ms: u64) -> Result<(), TransactionsError> {
        let invalid = |wrong: String| Err(TransactionsError::Invalid(wrong));
        let life_ms = u128::from(self.deadline_ms.saturating_sub(now_ms));
        if self.call.fee_limit == Wei(0) {
            return invalid("fee_limit is at least 1, in 10^-8 GAS".to_owned());
        }
        if !(MIN_NEO_LIFE.as_millis()..=MAX_NEO_LIFE.as_millis()).contains(&life_ms) {
            let (least, most) = (MIN_NEO_LIFE.as_secs(), MAX_NEO_LIFE.as_secs() / 3_600);
            return invalid(format!("the deadline is {least} s to {most} hours from now"));
        }
        let entry = self.clone().into_record(TenantId([0; 16]), now_ms);
        match neo_script(&entry.transaction()) {
            Ok(_) => Ok(()),
            Err(error) => invalid(format!("the call: {error}")),
        }
    }

    fn is_same(&self, there: &Entry) -> bool {
        there.place == self.place() && there.wallet == self.wallet && there.digest == digest(&self.call)
    }

    fn into_record(self, tenant: TenantId, now_ms: u64) -> Entry {
        let place = self.place();
        let Self { id, wallet, asker, public_key, call, deadline_ms, .. } = self;
        let public_key = HexBytes(public_key.to_vec());
        Entry::new((tenant, id), (wallet, public_key), asker, place, (now_ms, deadline_ms), call)
    }
}
