//! What a function may ask the appliance for, by the types of `r3e:functions`: each call is one host call.

// Generated from the interface description.
#[allow(missing_docs, clippy::pedantic, reason = "what the description says is documented there")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../runner-api/wit/functions.wit",
        world: "function",
        imports: { default: async },
        exports: { default: async },
    });
}

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_runner_api::limits::MAX_HOST_CALL_BYTES;
use r3e_runner_api::{
    ChainSend, HostCall, HostError as Refused, HostErrorCode as Code, HostValue, LogLevel, SecretText,
    SentTransaction as Sent,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use wasmtime::Error;
use wasmtime::component::{HasSelf, Linker};

pub(super) use bindings::FunctionPre;
use bindings::r3e::functions::types::{HostError, HostErrorCode};
use bindings::r3e::functions::{chain, events, http, log, oracle, secrets, store, tee, trigger, types, zk};

use crate::desk::Desk;
use crate::guest::State;

/// Gives components an interface.
///
/// # Errors
/// There is none of that name, or the linker's own.
pub(super) fn link(linker: &mut Linker<State>, interface: &str) -> Result<(), Error> {
    type Own = HasSelf<Desk>;
    match interface.strip_prefix(super::API).unwrap_or_default() {
        "types" => types::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "secrets" => secrets::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "store" => store::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "events" => events::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "trigger" => trigger::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "oracle" => oracle::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "chain" => chain::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "zk" => zk::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "http" => http::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "tee" => tee::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        "log" => log::add_to_linker::<_, Own>(linker, |state| &mut state.desk),
        _ => Err(Error::msg(format!("there is no interface {interface}"))),
    }
}

impl Desk {
    async fn ask(&self, call: HostCall) -> Result<HostValue, HostError> {
        self.call(call).await.map_err(HostError::from)
    }

    async fn randomness(
        &self,
        min: u64,
        max: u64,
        seed: Option<String>,
    ) -> Result<oracle::Randomness, HostError> {
        match self.ask(HostCall::OracleRandom { min, max, seed }).await? {
            HostValue::OracleRandom { value, message, output, proof, key } => {
                Ok(oracle::Randomness { value, min, max, message, output, proof, key })
            }
            _ => Err(another()),
        }
    }

    fn say(&self, level: LogLevel, text: &str) {
        self.lock().say(level, text);
    }
}

impl types::Host for Desk {}

impl secrets::Host for Desk {
    async fn get(&mut self, name: String) -> Result<Option<String>, HostError> {
        match self.ask(HostCall::SecretGet { name }).await? {
            HostValue::SecretGet { value } => Ok(value.map(|value| value.expose().to_owned())),
            _ => Err(another()),
        }
    }

    async fn set(&mut self, name: String, value: String) -> Result<(), HostError> {
        let value = SecretText::new(value.into());
        self.ask(HostCall::SecretSet { name, value }).await.map(drop)
    }
}

impl store::Host for Desk {
    async fn get(&mut self, key: String) -> Result<Option<String>, HostError> {
        match self.ask(HostCall::StoreGet { key }).await? {
            HostValue::StoreGet { value } => Ok(value),
            _ => Err(another()),
        }
    }

    async fn set(&mut self, key: String, value: String) -> Result<(), HostError> {
        self.ask(HostCall::StoreSet { key, value: Some(value) }).await.map(drop)
    }

    async fn delete(&mut self, key: String) -> Result<(), HostError> {
        self.ask(HostCall::StoreSet { key, value: None }).await.map(drop)
    }
}

impl events::Host for Desk {
    async fn publish(
        &mut self,
        topic: String,
        data: String,
        key: Option<String>,
    ) -> Result<events::Published, HostError> {
        match self.ask(HostCall::Publish { topic, data, key }).await? {
            HostValue::Publish { queued, failed } => Ok(events::Published { queued, failed }),
            _ => Err(another()),
        }
    }
}

impl trigger::Host for Desk {
    async fn create(&mut self, definition: String) -> Result<trigger::Made, HostError> {
        match self.ask(HostCall::TriggerCreate { definition }).await? {
            HostValue::TriggerCreate { name, created } => Ok(trigger::Made { name, created }),
            _ => Err(another()),
        }
    }

    async fn delete(&mut self, name: String) -> Result<bool, HostError> {
        match self.ask(HostCall::TriggerDelete { name }).await? {
            HostValue::TriggerDelete { deleted } => Ok(deleted),
            _ => Err(another()),
        }
    }
}

impl oracle::Host for Desk {
    async fn get_price(&mut self, feed: String) -> Result<oracle::Price, HostError> {
        match self.ask(HostCall::OraclePrice { feed }).await? {
            HostValue::OraclePrice {
                feed,
                pair,
                answer,
                confidence,
                decimals,
                observed_at_ms,
                valid_until_ms,
                sequence,
                is_stale,
            } => Ok(oracle::Price {
                feed,
                pair,
                answer,
                confidence,
                decimals,
                observed_at_ms,
                valid_until_ms,
                sequence,
                is_stale,
            }),
            _ => Err(another()),
        }
    }

    async fn get_random(&mut self, min: u64, max: u64, seed: Option<String>) -> Result<u64, HostError> {
        self.randomness(min, max, seed).await.map(|drawn| drawn.value)
    }

    async fn get_randomness(
        &mut self,
        min: u64,
        max: u64,
        seed: Option<String>,
    ) -> Result<oracle::Randomness, HostError> {
        self.randomness(min, max, seed).await
    }

    async fn get_custom_data(&mut self, request: oracle::DataRequest) -> Result<String, HostError> {
        let oracle::DataRequest { url, headers, path, targets } = request;
        match self.ask(HostCall::OracleData { url, headers, path, targets }).await? {
            HostValue::OracleData { data } => Ok(data),
            _ => Err(another()),
        }
    }

    async fn get_weather(
        &mut self,
        place: String,
        targets: Vec<String>,
    ) -> Result<oracle::Weather, HostError> {
        match self.ask(HostCall::OracleWeather { place, targets }).await? {
            HostValue::OracleWeather(weather) => {
                let weather = *weather;
                Ok(oracle::Weather {
                    place: weather.place,
                    country: weather.country,
                    latitude: weather.latitude,
                    longitude: weather.longitude,
                    time: weather.time,
                    temperature_c: weather.temperature_c,
                    humidity_percent: weather.humidity_percent,
                    precipitation_mm: weather.precipitation_mm,
                    wind_kmh: weather.wind_kmh,
                    wind_direction_degrees: weather.wind_direction_degrees,
                    weather_code: weather.weather_code,
                    data: weather.data,
                })
            }
            _ => Err(another()),
        }
    }
}

impl chain::Host for Desk {
    async fn read(&mut self, request: chain::ReadRequest) -> Result<chain::Answer, HostError> {
        let chain::ReadRequest { network, contract, method, args, data, confirmations } = request;
        match self.ask(HostCall::ChainRead { network, contract, method, args, data, confirmations }).await? {
            HostValue::ChainRead { height, values, data } => Ok(chain::Answer { height, values, data }),
            _ => Err(another()),
        }
    }

    async fn send(&mut self, transaction: chain::Transaction) -> Result<chain::SentTransaction, HostError> {
        let scope = transaction.scope.map(|scope| match scope {
            chain::SignatureScope::CalledByEntry => "called_by_entry".to_owned(),
            chain::SignatureScope::None => "none".to_owned(),
        });
        let call = ChainSend {
            wallet: transaction.wallet,
            network: transaction.network,
            to: transaction.to,
            method: transaction.method,
            args: transaction.args,
            data: transaction.data,
            value: transaction.value.unwrap_or_else(|| "0".to_owned()),
            gas_limit: transaction.gas_limit.unwrap_or_default(),
            fee_limit: transaction.fee_limit,
            scope,
            timeout_ms: transaction.timeout_ms,
            key: transaction.key,
        };
        match self.ask(HostCall::ChainSend(Box::new(call))).await? {
            HostValue::ChainSend(sent) => Ok((*sent).into()),
            _ => Err(another()),
        }
    }

    async fn sent(&mut self, name: String) -> Result<chain::SentTransaction, HostError> {
        match self.ask(HostCall::ChainSent { name }).await? {
            HostValue::ChainSent(sent) => Ok((*sent).into()),
            _ => Err(another()),
        }
    }
}

impl zk::Host for Desk {
    async fn create_range_proof(
        &mut self,
        numbers: Vec<zk::HiddenNumber>,
        context: Option<String>,
    ) -> Result<zk::ProvedRanges, HostError> {
        let hidden = numbers.iter().map(|number| {
            let zk::HiddenNumber { value, min, max, blinding } = number;
            let mut asked =
                json!({ "value": value.to_string(), "min": min.to_string(), "max": max.to_string() });
            if let Some(blinding) = blinding {
                asked["blinding"] = json!(blinding);
            }
            asked
        });
        let asked = json!({ "context": context.unwrap_or_default(), "numbers": hidden.collect::<Vec<_>>() });
        let asked = SecretText::new(asked.to_string().into());
        match self.ask(HostCall::ZkProveRanges { asked }).await? {
            HostValue::ZkProveRanges { made } => {
                let Made { proof, blindings } = serde_json::from_str(made.expose()).map_err(|_| another())?;
                Ok(zk::ProvedRanges { proof: proof.to_string(), blindings })
            }
            _ => Err(another()),
        }
    }

    async fn verify_range_proof(&mut self, proof: String) -> Result<bool, HostError> {
        match self.ask(HostCall::ZkVerifyRanges { proof }).await? {
            HostValue::ZkVerifyRanges { holds } => Ok(holds),
            _ => Err(another()),
        }
    }

    async fn verify_proof(
        &mut self,
        key: String,
        signals: Vec<String>,
        proof: String,
    ) -> Result<bool, HostError> {
        let json = |what: &str, text: String| {
            let invalid =
                |_| HostError { code: HostErrorCode::Invalid, message: format!("{what} is no JSON") };
            RawValue::from_string(text).map_err(invalid)
        };
        let asked = VerifyProof { key: json("the key", key)?, signals, proof: json("the proof", proof)? };
        let asked = serde_json::to_string(&asked).map_err(|_| another())?;
        match self.ask(HostCall::ZkVerifyProof { asked }).await? {
            HostValue::ZkVerifyProof { holds } => Ok(holds),
            _ => Err(another()),
        }
    }
}

impl http::Host for Desk {
    async fn fetch(&mut self, request: http::Request) -> Result<http::Response, HostError> {
        let http::Request { url, method, headers, body } = request;
        bounded(body.as_deref())?;
        let body_base64 = body.map(|body| STANDARD.encode(body));
        match self.ask(HostCall::Fetch { url, method, headers, body_base64 }).await? {
            HostValue::Fetch { status, headers, body_base64 } => {
                let body = STANDARD.decode(body_base64).map_err(|_| another())?;
                Ok(http::Response { status, headers, body })
            }
            _ => Err(another()),
        }
    }
}

impl tee::Host for Desk {
    async fn get_attestation(&mut self, data: Option<Vec<u8>>) -> Result<Vec<u8>, HostError> {
        bounded(data.as_deref())?;
        let data_base64 = data.map(|data| STANDARD.encode(data));
        match self.ask(HostCall::Attestation { data_base64 }).await? {
            HostValue::Attestation { document_base64 } => {
                STANDARD.decode(document_base64).map_err(|_| another())
            }
            _ => Err(another()),
        }
    }
}

impl log::Host for Desk {
    async fn debug(&mut self, text: String) {
        self.say(LogLevel::Debug, &text);
    }

    async fn info(&mut self, text: String) {
        self.say(LogLevel::Info, &text);
    }

    async fn warn(&mut self, text: String) {
        self.say(LogLevel::Warn, &text);
    }

    async fn error(&mut self, text: String) {
        self.say(LogLevel::Error, &text);
    }
}

/// A Groth16 proof that is to be verified.
#[derive(Serialize)]
struct VerifyProof {
    key: Box<RawValue>,
    signals: Vec<String>,
    proof: Box<RawValue>,
}

/// A range proof that was made, as it comes.
#[derive(Deserialize)]
struct Made {
    proof: serde_json::Value,
    blindings: Vec<String>,
}

impl From<Sent> for chain::SentTransaction {
    fn from(sent: Sent) -> Self {
        let Sent { name, stage, outcome, succeeded, hash, height, reason } = sent;
        Self { name, stage, outcome, succeeded, hash, height, reason }
    }
}

impl From<Refused> for HostError {
    fn from(refused: Refused) -> Self {
        let code = match refused.code {
            Code::Denied => HostErrorCode::Denied,
            Code::Expired => HostErrorCode::Expired,
            Code::Invalid => HostErrorCode::Invalid,
            Code::NotFound => HostErrorCode::NotFound,
            Code::TooLarge => HostErrorCode::TooLarge,
            Code::LimitExceeded => HostErrorCode::LimitExceeded,
            Code::TimedOut => HostErrorCode::TimedOut,
            Code::Unavailable => HostErrorCode::Unavailable,
            Code::Conflict => HostErrorCode::Conflict,
            Code::Reverted => HostErrorCode::Reverted,
            Code::Unconfirmed => HostErrorCode::Unconfirmed,
            // A code that this interface does not have yet, too.
            _ => HostErrorCode::Internal,
        };
        Self { code, message: refused.message }
    }
}

/// What no message holds is not even encoded.
fn bounded(bytes: Option<&[u8]>) -> Result<(), HostError> {
    if bytes.is_some_and(|bytes| bytes.len() > MAX_HOST_CALL_BYTES) {
        return Err(crate::host::too_large().into());
    }
    Ok(())
}

/// The answer to another call than was made, which the enclave process never gives.
fn another() -> HostError {
    HostError { code: HostErrorCode::Internal, message: "the appliance answered another call".to_owned() }
}

#[cfg(test)]
mod tests;
