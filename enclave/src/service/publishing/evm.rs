//! By the transactions of a wallet on Ethereum or a chain like it. Nothing of it is kept here: a transaction's name has the report's sequence and the number
//! of the try, so that the next life finds how far the last one was.

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::feeds::{DEFAULT_GAS_LIMIT, Publication, SignedReport, Target};
use r3e_proto::api::transactions::{
    Call, Inclusion, Kind, Outcome, Reason, SendTransaction, Stage, Transaction,
};
use r3e_proto::api::wallets::{HexBytes, Wei};
use r3e_proto::report::EvmTarget;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::{Fate, Inner, Key};
use crate::limits::{PUBLISH_AFTER_TROUBLE, PUBLISH_LOOK, PUBLISH_PATIENCE, PUBLISH_WITHDRAWING};
use crate::service::ServiceError;
use crate::service::transactions::OWN_NAMES;

impl Inner {
    /// One report, until a block has it that is final, or one has it and there is a newer report, or there is a newer one for long and nothing
    /// was signed for this.
    pub(super) async fn bring_to_evm(
        &self,
        key: &Key,
        one: &Publication,
        signed: &SignedReport,
        number: u32,
        told: &mut watch::Receiver<u64>,
    ) -> Result<Fate, ServiceError> {
        let sequence = signed.report.sequence;
        let name = key.transaction(sequence, number);
        self.note(key, |it| it.transaction = Some(name.clone()));
        let mut at = match self.transactions.show(key.tenant, &name).await {
            // Of another life, or from before it was changed how it is paid for.
            Ok(there) if is_paid_so(one, &there) => there,
            Ok(there) => {
                let there = self.transactions.withdraw(key.tenant, &there.name).await?;
                if there.stage == Stage::Ended && !matches!(self.ended(key, sequence, &there), Fate::Done) {
                    return Ok(Fate::Lost("it is paid for otherwise by now".to_owned()));
                }
                there
            }
            Err(ServiceError::NotFound { .. }) => {
                let Some(left) = self.left(signed) else {
                    return Ok(Fate::Stale);
                };
                self.transactions.send_own(key.tenant, &name, transaction(one, signed, left)?).await?
            }
            Err(error) => return Err(error),
        };
        let patience = Instant::now() + PUBLISH_PATIENCE;
        loop {
            if at.stage == Stage::Ended {
                return Ok(self.ended(key, sequence, &at));
            }
            let is_newer = *told.borrow() > sequence;
            match at.included.as_ref().map(|inclusion| why_not(&at, inclusion)) {
                // It is there; whether its block becomes final is waited for as long as nothing newer is.
                Some(None) => {
                    self.note(key, |it| (it.sequence, it.trouble) = (sequence, None));
                    if is_newer {
                        return Ok(Fate::Done);
                    }
                }
                Some(Some(fate)) => return Ok(fate),
                None => self.note(key, |it| it.trouble.clone_from(&at.trouble)),
            }
            if is_newer && at.stage == Stage::Waiting && Instant::now() >= patience {
                at = self.transactions.withdraw(key.tenant, &name).await?;
                if at.stage == Stage::Ended {
                    return Ok(Fate::Done);
                }
            }
            sleep(PUBLISH_LOOK).await;
            at = self.transactions.show(key.tenant, &name).await?;
        }
    }

    fn ended(&self, key: &Key, sequence: u64, at: &Transaction) -> Fate {
        let lost = |why: &str| Fate::Lost(why.to_owned());
        match &at.outcome {
            Some(Outcome::Included(inclusion)) => {
                let Some(fate) = why_not(at, inclusion) else {
                    self.note(key, |it| (it.sequence, it.trouble) = (sequence, None));
                    return Fate::Done;
                };
                fate
            }
            Some(Outcome::Abandoned(Reason::NotTaken(why))) => Fate::Lost(format!("no node takes it: {why}")),
            // Whoever cancels what was signed does not want it there.
            Some(Outcome::Abandoned(Reason::Cancelled)) if at.nonce.is_some() => {
                Fate::Reverted("it was cancelled".to_owned())
            }
            Some(Outcome::Abandoned(_)) => lost("its time was over"),
            Some(Outcome::Refused { code, message }) => {
                Fate::Lost(format!("the wallet does not sign: {message} ({code})"))
            }
            Some(Outcome::Displaced) => lost("something else of the wallet's key took its place"),
            _ => lost("its transaction has not ended"),
        }
    }

    /// Gives up what was begun for a publication that is none any more, if nothing was signed for it. What was on its way to the store when it was ended
    /// comes through later: so it is looked for again, for a while.
    pub(super) fn withdraw_from_evm(self: &Arc<Self>, key: &Key) {
        let Some(name) = self.states().get(key).and_then(|state| state.transaction.clone()) else { return };
        let (inner, tenant) = (Arc::clone(self), key.tenant);
        tokio::spawn(async move {
            let until = Instant::now() + PUBLISH_WITHDRAWING;
            while Instant::now() < until && !*inner.closed.borrow() {
                if let Err(error) = inner.transactions.withdraw(tenant, &name).await {
                    tracing::debug!(%error, "a report on its way to a contract is not withdrawn yet");
                }
                sleep(PUBLISH_AFTER_TROUBLE).await;
            }
        });
    }
}

impl Key {
    /// The name of a report's transaction, 64 characters at the most.
    fn transaction(&self, sequence: u64, number: u32) -> String {
        format!("{OWN_NAMES}{}-{sequence}-{number}", self.short())
    }
}

/// Whether a transaction is paid for as the publication says now.
fn is_paid_so(one: &Publication, at: &Transaction) -> bool {
    at.wallet == one.wallet && at.call.gas_limit == gas_limit(one) && at.call.fee_limit == one.fee_limit
}

fn gas_limit(one: &Publication) -> u64 {
    one.gas_limit.unwrap_or(DEFAULT_GAS_LIMIT)
}

fn transaction(
    one: &Publication,
    signed: &SignedReport,
    left: Duration,
) -> Result<SendTransaction, ServiceError> {
    let internal = |what: &str| ServiceError::Internal(what.to_owned());
    let Target::Evm(EvmTarget { chain_id, contract }) = one.target else {
        return Err(internal("a publication is on no chain like Ethereum"));
    };
    let signature = signed.signatures.iter().find(|signature| signature.target == one.target);
    let signature = signature.ok_or_else(|| internal("a report is not signed for its contract"))?;
    let data = EvmTarget::transmit_call(&signed.report, &signature.signature.0);
    let data = data.ok_or_else(|| internal("a report's signature is none"))?;
    let call = Call {
        to: Some(contract),
        value: Wei(0),
        data: HexBytes(data),
        gas_limit: gas_limit(one),
        fee_limit: one.fee_limit,
    };
    let timeout_ms = u64::try_from(left.as_millis()).ok();
    Ok(SendTransaction { wallet: one.wallet.clone(), chain_id, call, timeout_ms })
}

/// What a block has of a transaction, if it is not the report.
fn why_not(at: &Transaction, inclusion: &Inclusion) -> Option<Fate> {
    let kind = at.attempts.iter().find(|attempt| attempt.hash == inclusion.hash).map(|attempt| attempt.kind);
    match (kind, inclusion.succeeded) {
        (Some(Kind::Noop), _) => Some(Fate::Lost("its time was over, and nothing took its place".to_owned())),
        (_, true) => None,
        (_, false) => {
            let why = "it was reverted: another may have brought it first, or its contract does not take it";
            Some(Fate::Reverted(why.to_owned()))
        }
    }
}
