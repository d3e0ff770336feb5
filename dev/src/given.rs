//! What stands in for the appliance's own sources here: secrets from a file or a case, hosts that a case answers for, and no
//! attestation device.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use r3e_egress::{FetchError, FetchLimits, HostAllowList, Request, Response};
use r3e_functions::{
    AdmissionFuture, Admissions, Admitted, AnyTransaction, AttestationSource, ChainError, ChainFuture,
    ChangeFuture, ContractAnswer, ContractCall, Event, EventSink, FunctionVersion, Internet, LatestPrice,
    MadeTrigger, Networks, Notary, OwnTriggers, PriceSource, PublishFuture, RandomError, RandomFuture,
    RandomSource, ResponseFuture, SecretAnswer, SecretReader, SecretSource, Seen, SourceError, SourceFuture,
    Taken, ToSend, Version,
};
use r3e_keys::{KeyError, OracleKeys, RandomKey, RootSecret};
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::Target;
use r3e_proto::api::functions::{Function, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_proto::host::egress::RefusalCode;
use r3e_proto::random::Occasion;
use zeroize::Zeroizing;

use crate::workshop::now_ms;

/// Secrets by name.
pub(crate) type SecretValues = BTreeMap<String, Zeroizing<String>>;

/// Secrets that are set anew for each case. Every function may read those that its manifest declares.
#[derive(Default)]
pub(crate) struct GivenSecrets(Mutex<SecretValues>);

impl GivenSecrets {
    pub(crate) fn set(&self, values: SecretValues) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = values;
    }
}

impl SecretSource for GivenSecrets {
    fn read<'a>(&'a self, _: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, SecretAnswer> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let answer = found.map_or(SecretAnswer::Absent, |value| SecretAnswer::Given { value, version: 1 });
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn undeclared<'a>(&'a self, _: SecretReader<'a>, _: &'a str) -> SourceFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn held<'a>(&'a self, _: SecretReader<'a>, _: Vec<(String, u64)>) -> SourceFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn set<'a>(
        &'a self,
        _: SecretReader<'a>,
        name: &'a str,
        value: &'a Zeroizing<String>,
    ) -> ChangeFuture<'a, u64> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(name.to_owned(), value.clone());
        Box::pin(std::future::ready(Ok(2)))
    }
}

/// One request that a case answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How often it was asked for.
    pub(crate) asked: u32,
}

/// The hosts of a case: they answer what it says, and nothing else is reachable.
#[derive(Default)]
pub(crate) struct GivenHosts {
    state: Mutex<(Vec<Answer>, Vec<String>)>,
}

impl GivenHosts {
    pub(crate) fn set(&self, answers: Vec<Answer>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (answers, Vec::new());
    }

    /// The answers that nobody asked for, and the requests that nobody answered.
    pub(crate) fn left(&self) -> (Vec<String>, Vec<String>) {
        let (answers, unanswered) = &*self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unasked = answers.iter().filter(|answer| answer.asked == 0);
        (unasked.map(|answer| format!("{} {}", answer.method, answer.url)).collect(), unanswered.clone())
    }

    fn answer(&self, request: &Request) -> Result<Response, FetchError> {
        let (method, url) = (request.method(), request.url());
        let (answers, unanswered) = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let matching = answers.iter_mut().filter(|answer| answer.method == method && answer.url == url);
        // Several for one request are its answers one after the other; the last stays.
        let Some(answer) = matching.min_by_key(|answer| answer.asked) else {
            unanswered.push(format!("{method} {url}"));
            let message = "the case answers for no such request".to_owned();
            return Err(FetchError::Refused { code: RefusalCode::Unreachable, message });
        };
        answer.asked += 1;
        Ok(Response {
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            // No certificate was shown.
            peer_certificate: [0; 32],
        })
    }
}

impl Internet for GivenHosts {
    fn fetch<'a>(&'a self, request: Request, _: &'a HostAllowList, _: &'a FetchLimits) -> ResponseFuture<'a> {
        Box::pin(std::future::ready(self.answer(&request)))
    }
}

/// There is no attestation device on an author's machine.
pub(crate) struct NoDevice;

impl AttestationSource for NoDevice {
    fn attest_function(&self, _: TenantId, _: Version, _: Vec<u8>) -> SourceFuture<'_, Vec<u8>> {
        let absent = SourceError(
            "an attestation document comes from an enclave; there is none on this machine".to_owned(),
        );
        Box::pin(std::future::ready(Err(absent)))
    }
}

/// Triggers do not fire here: what is published is said, and goes nowhere.
pub(crate) struct Said;

impl EventSink for Said {
    fn publish(&self, event: Event) -> PublishFuture<'_> {
        eprintln!("event {} published, and no trigger fires here: {}", event.topic, event.data);
        Box::pin(std::future::ready(Ok(Taken { queued: 0, failed: 0 })))
    }
}

impl OwnTriggers for Said {
    fn create<'a>(&'a self, _: TenantId, _: &'a str, definition: &'a str) -> ChangeFuture<'a, MadeTrigger> {
        eprintln!("a trigger made, and none fires here: {definition}");
        Box::pin(std::future::ready(Ok(MadeTrigger { name: "here".to_owned(), created: true })))
    }

    fn delete<'a>(&'a self, _: TenantId, _: &'a str, _: &'a str) -> ChangeFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

/// No feeds: they are an appliance's.
pub(crate) struct NoFeeds;

impl PriceSource for NoFeeds {
    fn latest(&self, _: TenantId, feed: &str) -> Result<Option<LatestPrice>, SourceError> {
        eprintln!("a price was asked for, and no feed runs here: {feed}");
        Ok(None)
    }
}

/// No chain has a node here.
pub(crate) struct NoNodes;

impl Networks for NoNodes {
    fn read<'a>(&'a self, _: TenantId, call: &'a ContractCall) -> ChainFuture<'a, ContractAnswer> {
        eprintln!(
            "a contract was to be read, and no chain has a node here: {} of {}",
            call.contract, call.network
        );
        no_node()
    }

    fn send<'a>(
        &'a self,
        _: TenantId,
        _: FunctionVersion<'a>,
        _: &'a str,
        wanted: &'a ToSend,
    ) -> ChainFuture<'a, AnyTransaction> {
        eprintln!(
            "a transaction was to be sent, and no chain has a node here: to {} on {}",
            wanted.to, wanted.network
        );
        no_node()
    }

    fn sent<'a>(&'a self, _: TenantId, _: &'a str, name: &'a str) -> ChainFuture<'a, AnyTransaction> {
        eprintln!("a transaction was asked about, and none was sent here: {name}");
        no_node()
    }
}

fn no_node<'a, T: Send + 'a>() -> ChainFuture<'a, T> {
    Box::pin(std::future::ready(Err(ChainError::NotFound("no chain has a node here".to_owned()))))
}

/// Random numbers by a key of this run alone, which nobody attests.
pub(crate) struct OwnDice(pub(crate) Arc<RootSecret>);

impl RandomSource for OwnDice {
    fn draw(&self, tenant: TenantId, occasion: Occasion, min: u64, max: u64) -> RandomFuture<'_> {
        let unavailable = |error: KeyError| RandomError::Unavailable(SourceError(error.to_string()));
        let drawn = RandomKey::of(&self.0, tenant).map_err(unavailable).and_then(|key| {
            key.draw(&occasion, min, max).map_err(|error| match error {
                KeyError::Range(_) | KeyError::Occasion(_) => RandomError::Invalid(error.to_string()),
                error => unavailable(error),
            })
        });
        Box::pin(std::future::ready(drawn))
    }
}

/// What was answered, signed by keys of this run alone, which nobody attests.
pub(crate) struct OwnSeal(pub(crate) Arc<RootSecret>);

impl Notary for OwnSeal {
    fn sign(
        &self,
        tenant: TenantId,
        seen: &Seen,
        targets: &[Target],
    ) -> Result<SignedObservation, SourceError> {
        let signed = OracleKeys::of(&self.0, tenant)
            .and_then(|keys| keys.sign_observation(tenant, seen.at(now_ms() / 1_000), targets));
        signed.map_err(|error| SourceError(error.to_string()))
    }
}

/// Everything is let in, and nothing is charged.
pub(crate) struct Open;

impl Admissions for Open {
    fn admit<'a>(&'a self, _: TenantId, _: &'a Function) -> AdmissionFuture<'a> {
        let admitted: Box<dyn Admitted> = Box::new(Open);
        Box::pin(std::future::ready(Ok(admitted)))
    }
}

impl Admitted for Open {
    fn settle(self: Box<Self>, _: &Usage, _: bool) {}
}
