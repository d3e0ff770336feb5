//! `r3e.chain`: what one invocation reads of the networks that its function was granted, and sends to them.

use std::sync::atomic::{AtomicU32, Ordering};

use r3e_proto::api::functions::Permissions;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::SentNeoTransaction;
use r3e_proto::api::transactions::{Attempt, Inclusion, Kind, Outcome, Reason, Stage, Transaction};
use r3e_runner_api::{ChainSend, HostError, HostErrorCode, HostReply, HostValue, SentTransaction};
use serde_json::Value;

use crate::limits::{MAX_CHAIN_ARGUMENTS_BYTES, MAX_CHAIN_KEY_BYTES, MAX_CHAIN_READS, MAX_CHAIN_SENDS};
use crate::sources::{AnyTransaction, ChainError, ContractCall, FunctionVersion, Networks, ToSend};
use crate::values::refused;

/// What one invocation may do on chains.
pub(crate) struct OnChains<'a> {
    networks: &'a dyn Networks,
    tenant: TenantId,
    by: FunctionVersion<'a>,
    permissions: &'a Permissions,
    reads: AtomicU32,
    sends: AtomicU32,
}

/// What it asks, as it came from the runner.
pub(crate) struct Asked {
    pub(crate) network: String,
    pub(crate) contract: String,
    pub(crate) method: Option<String>,
    pub(crate) args: String,
    pub(crate) data: Option<String>,
    pub(crate) confirmations: u64,
}

impl<'a> OnChains<'a> {
    pub(crate) fn of(
        networks: &'a dyn Networks,
        tenant: TenantId,
        by: FunctionVersion<'a>,
        permissions: &'a Permissions,
    ) -> Self {
        let (reads, sends) = <_>::default();
        Self { networks, tenant, by, permissions, reads, sends }
    }

    /// What a contract says.
    pub(crate) async fn read(&self, asked: Asked) -> HostReply {
        let Asked { network, contract, method, args, data, confirmations } = asked;
        self.may_use(&network)?;
        let arguments = arguments(&args)?;
        if self.reads.fetch_add(1, Ordering::Relaxed) >= MAX_CHAIN_READS {
            let message = format!("an invocation reads at most {MAX_CHAIN_READS} times from chains");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let call = ContractCall { network, contract, method, arguments, data, confirmations };
        let answer = self.networks.read(self.tenant, &call).await.map_err(|error| refusal(&error))?;
        let values = Value::Array(answer.values).to_string();
        Ok(HostValue::ChainRead { height: answer.height, values, data: answer.data })
    }

    /// Has a transaction sent.
    pub(crate) async fn send(&self, wanted: ChainSend) -> HostReply {
        let ChainSend {
            wallet,
            network,
            to,
            method,
            args,
            data,
            value,
            gas_limit,
            fee_limit,
            scope,
            timeout_ms,
            key,
        } = wanted;
        self.may_use(&network)?;
        if !self.permissions.wallets.contains(&wallet) {
            let message = "this function may not use that wallet: name it in permissions.wallets";
            return Err(refused(HostErrorCode::Denied, message));
        }
        if key.is_empty() || key.len() > MAX_CHAIN_KEY_BYTES {
            let message = format!("a key has 1 to {MAX_CHAIN_KEY_BYTES} bytes");
            return Err(refused(HostErrorCode::Invalid, message));
        }
        let arguments = arguments(&args)?;
        if self.sends.fetch_add(1, Ordering::Relaxed) >= MAX_CHAIN_SENDS {
            let message = format!("an invocation asks for at most {MAX_CHAIN_SENDS} transactions");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let wanted = ToSend {
            wallet,
            network,
            to,
            method,
            arguments,
            data,
            value,
            gas_limit,
            fee_limit,
            scope,
            timeout_ms,
        };
        let sent = self.networks.send(self.tenant, self.by, &key, &wanted).await;
        Ok(HostValue::ChainSend(told(sent.map_err(|error| refusal(&error))?)))
    }

    /// How far one is that the function asked for.
    pub(crate) async fn sent(&self, name: &str) -> HostReply {
        let sent = self.networks.sent(self.tenant, self.by.function, name).await;
        Ok(HostValue::ChainSent(told(sent.map_err(|error| refusal(&error))?)))
    }

    fn may_use(&self, network: &String) -> Result<(), HostError> {
        if self.permissions.networks.contains(network) {
            return Ok(());
        }
        let message = "this function may not use that network: name it in permissions.networks";
        Err(refused(HostErrorCode::Denied, message))
    }
}

fn arguments(text: &str) -> Result<Vec<Value>, HostError> {
    if text.len() > MAX_CHAIN_ARGUMENTS_BYTES {
        let message = format!("a call's arguments have at most {MAX_CHAIN_ARGUMENTS_BYTES} bytes as JSON");
        return Err(refused(HostErrorCode::TooLarge, message));
    }
    serde_json::from_str(text)
        .map_err(|_| refused(HostErrorCode::Invalid, "a call's arguments are an array of JSON values"))
}

fn refusal(error: &ChainError) -> HostError {
    let code = match error {
        ChainError::Invalid(_) => HostErrorCode::Invalid,
        ChainError::NotFound(_) => HostErrorCode::NotFound,
        ChainError::Reverted(_) => HostErrorCode::Reverted,
        ChainError::Denied(_) => HostErrorCode::Denied,
        ChainError::Conflict(_) => HostErrorCode::Conflict,
        ChainError::Full(_) => HostErrorCode::LimitExceeded,
        ChainError::Unconfirmed(_) => HostErrorCode::Unconfirmed,
        ChainError::TimedOut(_) => HostErrorCode::TimedOut,
        ChainError::Unavailable(_) => HostErrorCode::Unavailable,
    };
    refused(code, error.to_string())
}

/// As a function is told of it.
fn told(transaction: AnyTransaction) -> Box<SentTransaction> {
    Box::new(match transaction {
        AnyTransaction::Evm(transaction) => told_of_evm(*transaction),
        AnyTransaction::Neo(transaction) => told_of_neo(*transaction),
    })
}

fn told_of_neo(transaction: SentNeoTransaction) -> SentTransaction {
    let held_up = held_up(transaction.abandoned.as_ref(), transaction.trouble);
    let (outcome, reason) = ended(transaction.outcome.as_ref()).unwrap_or((None, held_up));
    let found = match &transaction.outcome {
        Some(Outcome::Included(inclusion)) => Some(inclusion),
        _ => None,
    };
    let is_told = found.is_some() || transaction.outcome.is_none();
    let stage = match transaction.stage {
        Stage::Waiting => "waiting",
        Stage::Pending => "pending",
        _ => "ended",
    };
    SentTransaction {
        stage: stage.to_owned(),
        outcome: outcome.map(str::to_owned),
        succeeded: found.map(|inclusion| inclusion.succeeded),
        hash: transaction.signed.filter(|_| is_told).map(|signed| signed.hash.to_string()),
        height: found.map(|inclusion| inclusion.height),
        reason,
        name: transaction.name,
    }
}

/// What holds one up that has not ended.
fn held_up(abandoned: Option<&Reason>, trouble: Option<String>) -> Option<String> {
    abandoned.map(in_words).into_iter().chain(trouble).reduce(|why, trouble| format!("{why}; {trouble}"))
}

/// What became of one that has ended, and why, in words.
fn ended<I>(outcome: Option<&Outcome<I>>) -> Option<(Option<&'static str>, Option<String>)> {
    Some(match outcome? {
        Outcome::Included(_) => (Some("included"), None),
        Outcome::Abandoned(reason) => (Some("abandoned"), Some(in_words(reason))),
        Outcome::Refused { code, message } => (Some("refused"), Some(format!("{code}: {message}"))),
        Outcome::Displaced => {
            (Some("displaced"), Some("something else that the same key signed took its place".to_owned()))
        }
        _ => (Some("unknown"), None),
    })
}

/// Of what it asked for alone, and not of what took its place.
fn told_of_evm(transaction: Transaction) -> SentTransaction {
    let of_it = |hash| {
        let is = |attempt: &&Attempt| attempt.kind == Kind::Call && attempt.hash == hash;
        transaction.attempts.iter().any(|attempt| is(&attempt))
    };
    let found: Option<&Inclusion> = match &transaction.outcome {
        Some(Outcome::Included(inclusion)) => Some(inclusion),
        Some(_) => None,
        None => transaction.included.as_ref().filter(|inclusion| of_it(inclusion.hash)),
    };
    let held_up = held_up(transaction.abandoned.as_ref(), transaction.trouble.clone());
    // What a block has is not held up any more.
    let (outcome, reason) =
        ended(transaction.outcome.as_ref()).unwrap_or((None, held_up.filter(|_| found.is_none())));
    let stage = match transaction.stage {
        Stage::Waiting => "waiting",
        // Where nothing took its place, it is not in a block.
        Stage::Included if found.is_some() => "included",
        Stage::Pending | Stage::Included => "pending",
        _ => "ended",
    };
    let last = transaction.attempts.iter().rfind(|attempt| attempt.kind == Kind::Call);
    let last = last.filter(|_| transaction.outcome.is_none()).map(|attempt| attempt.hash);
    SentTransaction {
        stage: stage.to_owned(),
        outcome: outcome.map(str::to_owned),
        succeeded: found.map(|inclusion| inclusion.succeeded),
        hash: found.map(|inclusion| inclusion.hash).or(last).map(|hash| hash.to_string()),
        height: found.map(|inclusion| inclusion.height),
        reason,
        name: transaction.name,
    }
}

fn in_words(reason: &Reason) -> String {
    match reason {
        Reason::Expired => "its time was over".to_owned(),
        Reason::Cancelled => "it was cancelled".to_owned(),
        Reason::NotTaken(words) => format!("no node takes it: {words}"),
        Reason::Reverts(words) => words.clone(),
        _ => "it is not to be done any more".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::transactions::{Call, Fees};
    use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes, Wei};

    use super::*;

    fn transaction(kinds: &[Kind]) -> Transaction {
        let fees = Fees { max: Wei(1), tip: Wei(0) };
        let attempt =
            |(number, kind): (u8, &Kind)| Attempt { hash: Hash32([number; 32]), kind: *kind, fees, at_ms: 0 };
        Transaction {
            name: "x-1".to_owned(),
            function: None,
            wallet: "w".to_owned(),
            account: EvmAddress([0; 20]),
            chain_id: 1,
            call: Call {
                to: None,
                value: Wei(0),
                data: HexBytes::default(),
                gas_limit: 0,
                fee_limit: Wei(0),
            },
            made_at_ms: 0,
            deadline_ms: 0,
            stage: Stage::Pending,
            nonce: Some(0),
            attempts: (1..).zip(kinds).map(attempt).collect(),
            included: None,
            abandoned: None,
            outcome: None,
            trouble: None,
        }
    }

    fn in_block(number: u8) -> Inclusion {
        let hash = Hash32([number; 32]);
        Inclusion { hash, height: 7, block: Hash32([0; 32]), succeeded: true, gas_used: 1 }
    }

    #[test]
    fn what_took_its_place_is_not_told_as_what_was_asked_for() {
        let hash = |number: u8| Some(Hash32([number; 32]).to_string());
        let both = transaction(&[Kind::Call, Kind::Call, Kind::Noop]);
        let pending = told_of_evm(both.clone());
        assert_eq!((pending.stage.as_str(), pending.hash, pending.succeeded), ("pending", hash(2), None));
        // The earlier of two that do the same is as good.
        let included = Transaction { stage: Stage::Included, included: Some(in_block(1)), ..both.clone() };
        let paid = told_of_evm(included);
        assert_eq!((paid.stage.as_str(), paid.hash, paid.succeeded), ("included", hash(1), Some(true)));
        let late = Transaction {
            stage: Stage::Included,
            included: Some(in_block(2)),
            abandoned: Some(Reason::Cancelled),
            ..both.clone()
        };
        let paid = told_of_evm(late);
        assert_eq!((paid.stage.as_str(), paid.reason, paid.succeeded), ("included", None, Some(true)));
        let noop = Transaction {
            stage: Stage::Included,
            included: Some(in_block(3)),
            abandoned: Some(Reason::Cancelled),
            ..both.clone()
        };
        let given_up = told_of_evm(noop.clone());
        assert_eq!((given_up.stage.as_str(), given_up.hash, given_up.succeeded), ("pending", hash(2), None));
        assert_eq!(given_up.reason.as_deref(), Some("it was cancelled"));
        let ended = |outcome: Outcome| {
            told_of_evm(Transaction { stage: Stage::Ended, outcome: Some(outcome), ..noop.clone() })
        };
        for outcome in [Outcome::Abandoned(Reason::Expired), Outcome::Displaced] {
            let over = ended(outcome);
            assert_eq!(
                (over.stage.as_str(), over.hash, over.succeeded, over.height),
                ("ended", None, None, None)
            );
        }
        let done = ended(Outcome::Included(in_block(2)));
        assert_eq!((done.outcome.as_deref(), done.hash, done.height), (Some("included"), hash(2), Some(7)));
    }
}
