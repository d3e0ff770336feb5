//! What functions read of chains, and send to them. Where a network is, is asked as triggers ask; a call is asked of nodes apart, which are never left alone for
//! their silence: it may be the contract of one tenant that takes so long.

use std::sync::{Arc, Mutex};

use r3e_chain::evm::abi::{Method, Value as AbiValue};
use r3e_chain::evm::{Called, EvmAddress, EvmCalls, HexBytes};
use r3e_chain::limits::{MAX_CALL_DATA_BYTES, MAX_CONFIRMATIONS};
use r3e_chain::neo::NeoCalls;
use r3e_chain::rpc::Quorum;
use r3e_chain::watch::{Network, Watch};
use r3e_functions::{
    AnyTransaction, ChainError, ChainFuture, ContractAnswer, ContractCall, FunctionVersion, Networks, ToSend,
};
use r3e_neo::Hash160;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::{NeoCall, SendNeoTransaction};
use r3e_proto::api::secrets::Grantee;
use r3e_proto::api::transactions::{Call, SendTransaction};
use r3e_proto::api::wallets::{NeoArgument, NeoScope};
use r3e_proto::wallet::neo_reading;
use r3e_triggers::NotRead;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::nodes::HttpsNodes;
use super::{Chains, Followed, in_words, lock, unavailable};
use crate::limits::{CONTRACT_READ_PACE, CONTRACT_READ_TIMEOUT, HEIGHT_PATIENCE, MAX_HEIGHT_AGE};
use crate::service::{NeoTransactions, ServiceError, Transactions};

/// The chains, as functions read them.
pub(crate) struct ForFunctions {
    chains: Arc<Chains>,
    transactions: Arc<Transactions>,
    neo_transactions: Arc<NeoTransactions>,
}

/// How far a network was, and when that was asked.
pub(super) type LastHeight = Mutex<Option<(Instant, u64)>>;

impl ForFunctions {
    pub(crate) fn new(
        chains: Arc<Chains>,
        transactions: Arc<Transactions>,
        neo_transactions: Arc<NeoTransactions>,
    ) -> Self {
        Self { chains, transactions, neo_transactions }
    }

    async fn read_in_turn(
        &self,
        tenant: TenantId,
        call: &ContractCall,
    ) -> Result<ContractAnswer, ChainError> {
        let unknown = |_| ChainError::Invalid(format!("{:?} names no network", call.network));
        let network = call.network.parse::<Network>().map_err(unknown)?;
        // What breaks a rule is said before anybody is asked.
        let question = Question::of(network, call)?;
        let followed = self.chains.0.get(&network);
        let followed = followed.ok_or_else(|| {
            let why = self.chains.followed(network).err().unwrap_or_default();
            ChainError::NotFound(why)
        })?;
        let stops = || ChainError::Unavailable("the appliance stops".to_owned());
        let turn = followed.turns.take(tenant).await.map_err(|error| match error {
            ServiceError::Busy(why) => ChainError::Full(why),
            _ => stops(),
        })?;
        // Nodes count questions.
        let turn = turn.for_at_least(CONTRACT_READ_PACE);
        let _place = followed.calls_at_once.acquire().await.map_err(|_| stops())?;
        let height = followed.height_by_now(network).await?;
        let answer = question.ask(&followed.calls, height).await;
        drop(turn);
        answer
    }
}

impl Networks for ForFunctions {
    fn read<'a>(&'a self, tenant: TenantId, call: &'a ContractCall) -> ChainFuture<'a, ContractAnswer> {
        Box::pin(async move {
            let read = timeout(CONTRACT_READ_TIMEOUT, self.read_in_turn(tenant, call)).await;
            read.unwrap_or_else(|_| {
                let seconds = CONTRACT_READ_TIMEOUT.as_secs();
                Err(ChainError::TimedOut(format!(
                    "its turn did not come, or enough nodes did not answer, within {seconds} s"
                )))
            })
        })
    }

    fn send<'a>(
        &'a self,
        tenant: TenantId,
        by: FunctionVersion<'a>,
        key: &'a str,
        wanted: &'a ToSend,
    ) -> ChainFuture<'a, AnyTransaction> {
        Box::pin(async move {
            let unknown = |_| ChainError::Invalid(format!("{:?} names no network", wanted.network));
            let network = wanted.network.parse::<Network>().map_err(unknown)?;
            let request = Request::of(network, wanted)?;
            self.chains.followed(network).map_err(ChainError::NotFound)?;
            let version = format!("{}@{}", by.function, hex::encode(by.version));
            let function = Grantee::parse(&version);
            let function =
                function.ok_or_else(|| ChainError::Invalid("no version of a function".to_owned()))?;
            let sent = match request {
                Request::Evm(request) => {
                    let sent = self.transactions.send_for(tenant, &function, key, request).await;
                    sent.map(AnyTransaction::from)
                }
                Request::Neo(request) => {
                    let sent = self.neo_transactions.send_for(tenant, &function, key, request).await;
                    sent.map(AnyTransaction::from)
                }
            };
            sent.map_err(not_sent)
        })
    }

    fn sent<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        name: &'a str,
    ) -> ChainFuture<'a, AnyTransaction> {
        Box::pin(async move {
            let shown = self.transactions.shown_to(tenant, function, name).await;
            let shown = match shown.map(AnyTransaction::from) {
                Err(ServiceError::NotFound { .. }) => {
                    let shown = self.neo_transactions.shown_to(tenant, function, name).await;
                    shown.map(AnyTransaction::from)
                }
                shown => shown,
            };
            shown.map_err(|error| match error {
                ServiceError::NotFound { .. } => ChainError::NotFound(error.to_string()),
                error => {
                    tracing::warn!(%error, "a function was not told how far its transaction is");
                    ChainError::Unavailable("how far it is cannot be said now; ask again".to_owned())
                }
            })
        })
    }
}

/// What a wallet is to send.
enum Request {
    Evm(SendTransaction),
    Neo(SendNeoTransaction),
}

impl Request {
    fn of(network: Network, wanted: &ToSend) -> Result<Self, ChainError> {
        match network {
            Network::Eip155(chain_id) => evm_request(chain_id, wanted).map(Self::Evm),
            Network::NeoN3(magic) => neo_request(magic, wanted).map(Self::Neo),
        }
    }
}

fn neo_request(magic: u32, wanted: &ToSend) -> Result<SendNeoTransaction, ChainError> {
    let (Some(method), None, "0", 0) =
        (&wanted.method, &wanted.data, wanted.value.as_str(), wanted.gas_limit)
    else {
        let why =
            "a transaction on Neo N3 calls a method, and has no data, value or limit of gas but its fee's";
        return Err(ChainError::Invalid(why.to_owned()));
    };
    let scope = match wanted.scope.as_deref() {
        None | Some("called_by_entry") => NeoScope::CalledByEntry,
        Some("none") => NeoScope::None,
        Some(other) => {
            let why = format!("the scope {other:?} is none: called_by_entry or none");
            return Err(ChainError::Invalid(why));
        }
    };
    let call = NeoCall {
        contract: wanted.to.parse().map_err(|error| invalid("the contract", &error))?,
        method: method.clone(),
        arguments: neo_arguments(&wanted.arguments)?,
        scope,
        fee_limit: wanted.fee_limit.parse().map_err(|error| invalid("the limit of the fee", &error))?,
    };
    let (wallet, timeout_ms) = (wanted.wallet.clone(), wanted.timeout_ms);
    Ok(SendNeoTransaction { wallet, magic, call, timeout_ms })
}

fn neo_arguments(arguments: &[Value]) -> Result<Vec<NeoArgument>, ChainError> {
    let arguments = arguments.iter().cloned().map(exactly).collect();
    serde_json::from_value(Value::Array(arguments)).map_err(|error| invalid("the arguments", &error))
}

fn evm_request(chain_id: u64, wanted: &ToSend) -> Result<SendTransaction, ChainError> {
    if wanted.scope.is_some() {
        return Err(ChainError::Invalid("a scope is one of Neo N3".to_owned()));
    }
    let to = wanted.to.parse().map_err(|error| invalid("the recipient", &error))?;
    let data = match (&wanted.method, &wanted.data) {
        (None, None) if wanted.arguments.is_empty() => HexBytes::default(),
        _ => call_data(wanted.method.as_deref(), &wanted.arguments, wanted.data.as_deref())?.1,
    };
    let call = Call {
        to: Some(to),
        value: wanted.value.parse().map_err(|error| invalid("the value", &error))?,
        data,
        gas_limit: wanted.gas_limit,
        fee_limit: wanted.fee_limit.parse().map_err(|error| invalid("the limit of the fee", &error))?,
    };
    let (wallet, timeout_ms) = (wanted.wallet.clone(), wanted.timeout_ms);
    Ok(SendTransaction { wallet, chain_id, call, timeout_ms })
}

/// A call's data, by its method's declaration and what it is called with, or as it is given.
fn call_data(
    method: Option<&str>,
    arguments: &[Value],
    data: Option<&str>,
) -> Result<(Option<Method>, HexBytes), ChainError> {
    match (method, data) {
        (Some(method), None) => {
            let method = method.parse::<Method>().map_err(|error| invalid("the method", &error))?;
            let data = method.call(arguments).map_err(|error| invalid("the arguments", &error))?;
            Ok((Some(method), HexBytes(data)))
        }
        (None, Some(data)) if arguments.is_empty() => {
            Ok((None, data.parse().map_err(|error| invalid("the data", &error))?))
        }
        _ => Err(ChainError::Invalid("a call has a method, or data in place of it".to_owned())),
    }
}

fn not_sent(error: ServiceError) -> ChainError {
    let message = error.to_string();
    match error {
        ServiceError::Invalid(_) => ChainError::Invalid(message),
        ServiceError::NotFound { .. } => ChainError::NotFound(message),
        ServiceError::Denied { code, .. } => ChainError::Denied(format!("{code}: {message}")),
        ServiceError::Conflict(_) => ChainError::Conflict(message),
        ServiceError::TooMany { .. } => ChainError::Full(message),
        ServiceError::Busy(_) => ChainError::Unavailable(message),
        unknown => {
            tracing::error!(error = %unknown, "a function's transaction was neither taken in nor refused");
            let message =
                "the transaction was neither taken in nor refused in time: send it again under the same key";
            ChainError::Unconfirmed(message.to_owned())
        }
    }
}

/// What is asked of a contract.
enum Question {
    /// On a chain like Ethereum.
    Evm { contract: EvmAddress, method: Option<Method>, data: HexBytes, confirmations: u64 },
    /// On Neo N3.
    Neo { script: Vec<u8> },
}

impl Question {
    fn of(network: Network, call: &ContractCall) -> Result<Self, ChainError> {
        match network {
            Network::Eip155(_) => Self::of_evm(call),
            Network::NeoN3(_) => Self::of_neo(call),
        }
    }

    fn of_evm(call: &ContractCall) -> Result<Self, ChainError> {
        let contract = call.contract.parse().map_err(|error| invalid("the contract", &error))?;
        if call.confirmations > MAX_CONFIRMATIONS.into() {
            return Err(ChainError::Invalid(format!("at most {MAX_CONFIRMATIONS} confirmations")));
        }
        let (method, data) = call_data(call.method.as_deref(), &call.arguments, call.data.as_deref())?;
        if data.0.len() > MAX_CALL_DATA_BYTES {
            return Err(ChainError::Invalid(format!(
                "a call's data has at most {MAX_CALL_DATA_BYTES} bytes"
            )));
        }
        Ok(Self::Evm { contract, method, data, confirmations: call.confirmations })
    }

    fn of_neo(call: &ContractCall) -> Result<Self, ChainError> {
        let (Some(method), None, 0) = (&call.method, &call.data, call.confirmations) else {
            let why = "a call on Neo N3 has a method and no data, and is of the last block";
            return Err(ChainError::Invalid(why.to_owned()));
        };
        let contract = call.contract.parse::<Hash160>().map_err(|error| invalid("the contract", &error))?;
        let arguments = neo_arguments(&call.arguments)?;
        let script = neo_reading(contract, method, &arguments);
        Ok(Self::Neo { script: script.map_err(|error| invalid("the call", &error))? })
    }

    async fn ask(self, nodes: &Quorum<HttpsNodes>, height: u64) -> Result<ContractAnswer, ChainError> {
        match self {
            Self::Evm { contract, method, data, confirmations } => {
                let height = height.saturating_sub(confirmations);
                let called = EvmCalls::new(nodes).call(contract, &data, height).await;
                let Called::Returned(data) =
                    called.map_err(|error| ChainError::Unavailable(in_words(&error)))?
                else {
                    return Err(ChainError::Reverted("the call was reverted".to_owned()));
                };
                let values = method.map(|method| method.decode(&data)).transpose().map_err(|error| {
                    let why = format!(
                        "what the contract gave is not what the method is declared to return: {error}"
                    );
                    ChainError::Reverted(why)
                })?;
                let values = values.unwrap_or_default().iter().map(AbiValue::to_json).collect();
                Ok(ContractAnswer { height, values, data: Some(HexBytes(data).to_string()) })
            }
            Self::Neo { script } => {
                let ran = NeoCalls::new(nodes).run(&script).await;
                let ran = ran.map_err(|error| ChainError::Unavailable(in_words(&error)))?;
                let Some(value) = ran.value else {
                    return Err(ChainError::Reverted(format!(
                        "the call failed; one node says: {}",
                        ran.fault
                    )));
                };
                Ok(ContractAnswer { height, values: vec![value.to_json()], data: None })
            }
        }
    }
}

/// Numbers that JSON readers do not round, as the decimal text that Neo's are written in.
fn exactly(value: Value) -> Value {
    const MAX_EXACT: i64 = (1 << 53) - 1;
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) if (-MAX_EXACT..=MAX_EXACT).contains(&whole) => Value::String(whole.to_string()),
            _ => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(exactly).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, exactly(value))).collect(),
        other => other,
    }
}

impl Followed {
    /// The height that enough nodes have reached: now, or a while ago where one that is silent holds up the answer, or by those that answer where none is known.
    async fn height_by_now(self: &Arc<Self>, network: Network) -> Result<u64, ChainError> {
        let (followed, begun) = (Arc::clone(self), Instant::now());
        // To its end, so that a silent node is found out, and left alone.
        let asked = tokio::spawn(async move {
            let height = followed.height(&Watch::blocks(network)).await;
            let mut last = lock(&followed.last_height);
            // Not over what was asked for later, and answered before.
            if let (Ok(height), true) = (&height, last.is_none_or(|(at, _)| at < begun)) {
                *last = Some((begun, *height));
            }
            drop(last);
            height
        });
        match timeout(HEIGHT_PATIENCE, asked).await {
            Ok(Ok(Ok(height))) => Ok(height),
            Ok(Ok(Err(error))) => Err(unreached(error)),
            Ok(Err(_)) => Err(ChainError::Unavailable("the appliance stops".to_owned())),
            Err(_) => {
                let last = *lock(&self.last_height);
                match last.filter(|(at, _)| at.elapsed() < MAX_HEIGHT_AGE) {
                    Some((_, height)) => Ok(height),
                    // What was said already is not asked for again.
                    None => self.height_of_first(network).await.map_err(unreached),
                }
            }
        }
    }

    async fn height_of_first(&self, network: Network) -> Result<u64, NotRead> {
        let watch = Watch::blocks(network);
        self.is_right(&watch).await?;
        watch.height_of_first(&self.nodes).await.map_err(|error| unavailable(&error))
    }
}

fn unreached(error: NotRead) -> ChainError {
    let (NotRead::Unavailable(why) | NotRead::Stuck(why) | NotRead::Reorganised { why, .. }) = error;
    ChainError::Unavailable(why)
}

fn invalid(what: &str, error: &dyn std::fmt::Display) -> ChainError {
    ChainError::Invalid(format!("{what}: {error}"))
}
