//! `r3e.chain`: what one invocation reads of the networks that its function was granted.

use std::sync::atomic::{AtomicU32, Ordering};

use r3e_proto::api::identity::TenantId;
use r3e_runner_api::{HostError, HostErrorCode, HostReply, HostValue};
use serde_json::Value;

use crate::limits::{MAX_CHAIN_ARGUMENTS_BYTES, MAX_CHAIN_READS};
use crate::sources::{ContractCall, Networks, ReadError};
use crate::values::refused;

/// What one invocation may read.
pub(crate) struct Reading<'a> {
    networks: &'a dyn Networks,
    tenant: TenantId,
    granted: &'a [String],
    reads: AtomicU32,
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

impl<'a> Reading<'a> {
    pub(crate) fn of(networks: &'a dyn Networks, tenant: TenantId, granted: &'a [String]) -> Self {
        Self { networks, tenant, granted, reads: AtomicU32::new(0) }
    }

    /// What a contract says.
    pub(crate) async fn read(&self, asked: Asked) -> HostReply {
        let Asked { network, contract, method, args, data, confirmations } = asked;
        if !self.granted.contains(&network) {
            let message = "this function may not read that network: name it in permissions.networks";
            return Err(refused(HostErrorCode::Denied, message));
        }
        let arguments = arguments(&args)?;
        if self.reads.fetch_add(1, Ordering::Relaxed) >= MAX_CHAIN_READS {
            let message = format!("an invocation reads at most {MAX_CHAIN_READS} times from chains");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let call = ContractCall { network, contract, method, arguments, data, confirmations };
        let answer = self.networks.read(self.tenant, &call).await.map_err(|error| unread(&error))?;
        let values = Value::Array(answer.values).to_string();
        Ok(HostValue::ChainRead { height: answer.height, values, data: answer.data })
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

fn unread(error: &ReadError) -> HostError {
    let code = match error {
        ReadError::Invalid(_) => HostErrorCode::Invalid,
        ReadError::NoNodes(_) => HostErrorCode::NotFound,
        ReadError::Reverted(_) => HostErrorCode::Reverted,
        ReadError::Busy(_) => HostErrorCode::LimitExceeded,
        ReadError::TimedOut(_) => HostErrorCode::TimedOut,
        ReadError::Unavailable(_) => HostErrorCode::Unavailable,
    };
    refused(code, error.to_string())
}
