//! `r3e.chain`: what one invocation reads of the networks that its function was granted, and sends to them.

use std::sync::atomic::{AtomicU32, Ordering};

use r3e_proto::api::functions::Permissions;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::{Inclusion, Outcome, Reason, Stage, Transaction};
use r3e_runner_api::{ChainSend, HostError, HostErrorCode, HostReply, HostValue, SentTransaction};
use serde_json::Value;

use crate::invoker::Run;
use crate::limits::{MAX_CHAIN_ARGUMENTS_BYTES, MAX_CHAIN_KEY_BYTES, MAX_CHAIN_READS, MAX_CHAIN_SENDS};
use crate::sources::{ChainError, ContractCall, FunctionVersion, Networks, ToSend};
use crate::values::refused;

/// What one invocation may do on chains.
pub(crate) struct OnChains<'a> {
    networks: &'a dyn Networks,
    tenant: TenantId,
    by: FunctionVersion<'a>,
    permissions: &'a Permissions,
    run: Run<'a>,
    reads: AtomicU32,
    sends: AtomicU32,
    /// Those of them that have no key of their own.
    keyless: AtomicU32,
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
        run: Run<'a>,
    ) -> Self {
        let (reads, sends, keyless) = <_>::default();
        Self { networks, tenant, by, permissions, run, reads, sends, keyless }
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

    /// Under which key a transaction is sent: the function's own, or one of this run. Settled when the call comes in: what else is under way must not change
    /// which is which. All attempts of a job have the same.
    pub(crate) fn key(&self, own: Option<String>) -> Result<String, HostError> {
        if let Some(own) = own {
            if own.is_empty() || own.len() > MAX_CHAIN_KEY_BYTES {
                let message = format!("a key has 1 to {MAX_CHAIN_KEY_BYTES} bytes");
                return Err(refused(HostErrorCode::Invalid, message));
            }
            // Nobody's own key is one of a run.
            return Ok(format!("key {own}"));
        }
        let index = self.keyless.fetch_add(1, Ordering::Relaxed);
        Ok(match self.run.job {
            Some(job) => format!("job {} {index}", hex::encode(job)),
            None => format!("invocation {} {index}", hex::encode(self.run.invocation)),
        })
    }

    /// Has a transaction sent.
    pub(crate) async fn send(&self, key: Result<String, HostError>, wanted: ChainSend) -> HostReply {
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
            timeout_ms,
            key: _,
        } = wanted;
        self.may_use(&network)?;
        if !self.permissions.wallets.contains(&wallet) {
            let message = "this function may not use that wallet: name it in permissions.wallets";
            return Err(refused(HostErrorCode::Denied, message));
        }
        let (key, arguments) = (key?, arguments(&args)?);
        if self.sends.fetch_add(1, Ordering::Relaxed) >= MAX_CHAIN_SENDS {
            let message = format!("an invocation asks for at most {MAX_CHAIN_SENDS} transactions");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let wanted =
            ToSend { wallet, network, to, method, arguments, data, value, gas_limit, fee_limit, timeout_ms };
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
fn told(transaction: Transaction) -> Box<SentTransaction> {
    let (outcome, reason) = match &transaction.outcome {
        None => (None, transaction.trouble),
        Some(Outcome::Included(_)) => (Some("included"), None),
        Some(Outcome::Abandoned(reason)) => (Some("abandoned"), Some(in_words(reason))),
        Some(Outcome::Refused { code, message }) => (Some("refused"), Some(format!("{code}: {message}"))),
        Some(Outcome::Displaced) => {
            (Some("displaced"), Some("something else that the same key signed took its place".to_owned()))
        }
        Some(_) => (Some("unknown"), None),
    };
    let stage = match transaction.stage {
        Stage::Waiting => "waiting",
        Stage::Pending => "pending",
        Stage::Included => "included",
        _ => "ended",
    };
    let found: Option<&Inclusion> = match &transaction.outcome {
        Some(Outcome::Included(inclusion)) => Some(inclusion),
        _ => transaction.included.as_ref(),
    };
    let last = transaction.attempts.last().map(|attempt| attempt.hash);
    Box::new(SentTransaction {
        stage: stage.to_owned(),
        outcome: outcome.map(str::to_owned),
        succeeded: found.map(|inclusion| inclusion.succeeded),
        hash: found.map(|inclusion| inclusion.hash).or(last).map(|hash| hash.to_string()),
        height: found.map(|inclusion| inclusion.height),
        reason,
        name: transaction.name,
    })
}

fn in_words(reason: &Reason) -> String {
    match reason {
        Reason::Expired => "its time was over".to_owned(),
        Reason::Cancelled => "it was cancelled".to_owned(),
        Reason::NotTaken(words) => format!("no node takes it: {words}"),
        _ => "it is not to be done any more".to_owned(),
    }
}
