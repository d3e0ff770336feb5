//! What an invocation may reach: every host call of a runner comes here, and is done only if the function was granted
//! it and has budget left. The runner is not trusted to have checked anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_proto::api::identity::TenantId;
use r3e_proto::channel::statement::MAX_FUNCTION_DATA_BYTES;
use r3e_proto::random::{Occasion, check_range};
use r3e_runner_api::{HostCall, HostError, HostErrorCode, HostReply, HostValue};
use r3e_store::Store;
use tokio::sync::Semaphore;

use crate::course::Course;
use crate::events::Events;
use crate::fetches::{Fetch, Fetches};
use crate::invoker::{InvokeError, Run};
use crate::limits::{MAX_ATTESTATIONS, MAX_RANDOM};
use crate::networks::{Asked, OnChains};
use crate::observing::{Ask, Observing};
use crate::own_triggers::Making;
use crate::proofs::Proofs;
use crate::registry::Deployed;
use crate::runner_pool::{HostCalls, HostFuture, ProcessNotes, ReadyFuture, Stage};
use crate::secrets::Secrets;
use crate::sources::{
    AttestationSource, Event, EventSink, FunctionVersion, Internet, LatestPrice, Networks, Notary,
    OwnTriggers, PriceSource, ProofSource, RandomError, RandomSource, SecretReader, SecretSource,
    SourceError,
};
use crate::values::{Values, refused};
use crate::writes::Writes;

/// What host calls are carried out with; the same for all functions.
pub(crate) struct Resources {
    pub(crate) store: Store,
    pub(crate) secrets: Arc<dyn SecretSource>,
    pub(crate) attestation: Arc<dyn AttestationSource>,
    pub(crate) internet: Arc<dyn Internet>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) triggers: Arc<dyn OwnTriggers>,
    pub(crate) prices: Arc<dyn PriceSource>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) proofs: Arc<dyn ProofSource>,
    pub(crate) notary: Arc<dyn Notary>,
    pub(crate) networks: Arc<dyn Networks>,
    pub(crate) attestation_turns: Semaphore,
}

/// The host calls of one invocation.
pub(crate) struct Host<'a> {
    resources: &'a Resources,
    tenant: TenantId,
    deployed: &'a Deployed,
    course: &'a Course,
    values: Values,
    fetches: Fetches,
    events: Events<'a>,
    run: Run<'a>,
    attestations: AtomicU32,
    draws: AtomicU32,
    proofs: Proofs<'a>,
    /// Those of them that are of the run.
    unseeded: AtomicU32,
    /// Answers that were to be signed.
    observed: AtomicU32,
    secrets: Secrets<'a>,
    making: Making<'a>,
    chains: OnChains<'a>,
    writes: Writes,
}

impl<'a> Host<'a> {
    pub(crate) fn new(
        resources: &'a Resources,
        tenant: TenantId,
        run: Run<'a>,
        deployed: &'a Deployed,
        course: &'a Course,
    ) -> Result<Self, InvokeError> {
        let function = &deployed.function;
        let values = Values::of(&resources.store, tenant, &function.name)?;
        let reader = SecretReader {
            tenant,
            function: &function.name,
            version: &deployed.version,
            in_service: deployed.in_service,
            invocation: run.invocation,
        };
        let by = FunctionVersion { function: &function.name, version: &deployed.version };
        Ok(Self {
            resources,
            tenant,
            deployed,
            course,
            writes: Writes::of(values.clone()),
            values,
            fetches: Fetches::of(&function.permissions)?,
            events: Events::of(&*resources.events, &function.permissions.publish, run.hops),
            run,
            attestations: AtomicU32::new(0),
            proofs: Proofs::new(&*resources.proofs, tenant),
            draws: AtomicU32::new(0),
            unseeded: AtomicU32::new(0),
            observed: AtomicU32::new(0),
            secrets: Secrets::of(&*resources.secrets, reader, &function.permissions),
            making: Making::of(&*resources.triggers, tenant, &function.name, function.permissions.triggers),
            chains: OnChains::of(&*resources.networks, tenant, by, &function.permissions),
        })
    }

    /// Waits for the writes that are under way, and gives how many nobody can vouch for ([`Writes::settle`]).
    pub(crate) async fn settle(&self) -> usize {
        self.writes.settle().await
    }

    /// Bytes that its fetches sent.
    pub(crate) fn bytes_out(&self) -> u64 {
        self.fetches.bytes_out()
    }

    /// Why the event was not handed over, if the log of what its process holds could not be written.
    pub(crate) fn not_logged(&self) -> Option<SourceError> {
        self.secrets.not_logged()
    }

    /// What one of the tenant's feeds said last. All of its functions may know: whoever may invoke one may read the feed.
    fn price(&self, feed: String) -> HostReply {
        let latest = self.resources.prices.latest(self.tenant, &feed).map_err(|error| failed(&error))?;
        let Some(LatestPrice { pair, report, is_stale }) = latest else {
            let message = "the tenant has no feed of this name, or it has not published yet";
            return Err(refused(HostErrorCode::NotFound, message));
        };
        Ok(HostValue::OraclePrice {
            feed,
            pair,
            answer: report.answer_text(),
            confidence: report.confidence_text(),
            decimals: report.decimals,
            observed_at_ms: report.observed_at_s.saturating_mul(1_000),
            valid_until_ms: report.valid_until_s.saturating_mul(1_000),
            sequence: report.sequence,
            is_stale,
        })
    }

    /// What a random number is for: the seed that the function gives, or the run that it is. Settled when the call comes in, and not when its turn
    /// comes: what else is under way must not change which number is which.
    fn occasion(&self, min: u64, max: u64, seed: Option<String>) -> Result<Occasion, HostError> {
        check_range(min, max).map_err(|why| refused(HostErrorCode::Invalid, why))?;
        if self.draws.fetch_add(1, Ordering::Relaxed) >= MAX_RANDOM {
            let message = format!("an invocation draws at most {MAX_RANDOM} random numbers");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let function = self.deployed.function.name.clone();
        let index = || self.unseeded.fetch_add(1, Ordering::Relaxed);
        Ok(match (seed, self.run.job) {
            (Some(seed), _) => Occasion::FunctionSeed { function, seed },
            // All attempts draw the same: a function that fails because it does not like its number gets no other.
            (None, Some(job)) => Occasion::Job { function, job, index: index() },
            (None, None) => {
                Occasion::Invocation { function, invocation: *self.run.invocation, index: index() }
            }
        })
    }

    async fn random(&self, occasion: Result<Occasion, HostError>, min: u64, max: u64) -> HostReply {
        let drawn = self.resources.random.draw(self.tenant, occasion?, min, max).await;
        let drawn = drawn.map_err(|error| match error {
            RandomError::Invalid(why) => refused(HostErrorCode::Invalid, why),
            RandomError::Unavailable(error) => failed(&error),
        })?;
        Ok(HostValue::OracleRandom {
            value: drawn.value,
            message: drawn.message.to_string(),
            output: drawn.output.to_string(),
            proof: drawn.proof.to_string(),
            key: drawn.key.to_string(),
        })
    }

    /// What asks endpoints for this function.
    fn observing(&self) -> Observing<'_> {
        Observing {
            internet: &*self.resources.internet,
            notary: &*self.resources.notary,
            fetches: &self.fetches,
            tenant: self.tenant,
            function: &self.deployed.function.name,
            observed: &self.observed,
        }
    }

    async fn attestation(&self, data_base64: Option<&str>) -> HostReply {
        let data = BASE64
            .decode(data_base64.unwrap_or_default())
            .map_err(|_| refused(HostErrorCode::Invalid, "the data is not standard base64"))?;
        if data.len() > MAX_FUNCTION_DATA_BYTES {
            let message =
                format!("at most {MAX_FUNCTION_DATA_BYTES} bytes can be attested; attest their hash");
            return Err(refused(HostErrorCode::TooLarge, message));
        }
        if self.attestations.fetch_add(1, Ordering::Relaxed) >= MAX_ATTESTATIONS {
            let message = format!("an invocation has at most {MAX_ATTESTATIONS} attestation documents");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let stopping = |_| refused(HostErrorCode::Unavailable, "the appliance is stopping");
        let _turn = self.resources.attestation_turns.acquire().await.map_err(stopping)?;
        let document =
            self.resources.attestation.attest_function(self.tenant, self.deployed.version, data).await;
        let document = document.map_err(|error| failed(&error))?;
        Ok(HostValue::Attestation { document_base64: BASE64.encode(document) })
    }
}

impl HostCalls for Host<'_> {
    fn passed(&self, stage: Stage) {
        self.course.passed(stage);
    }

    fn served_by<'a>(&'a self, notes: &'a Arc<ProcessNotes>) -> ReadyFuture<'a> {
        Box::pin(async move {
            self.secrets.served_by(notes).await?;
            self.course.ready();
            Ok(())
        })
    }

    fn call(&self, call: HostCall) -> HostFuture<'_> {
        let noting = self.course.call(call.name(), self.shown(&call));
        let answer = self.carry_out(call);
        Box::pin(async move {
            let reply = answer.await;
            self.course.answered(noting, &reply);
            reply
        })
    }
}

impl Host<'_> {
    /// What a trace shows of a call: of what is asked of a granted host, method and host; of an event, a granted topic; of a chain, a granted network. All else may hold what the function learnt
    /// from a secret.
    fn shown(&self, call: &HostCall) -> Option<String> {
        let permissions = &self.deployed.function.permissions;
        if let HostCall::Publish { topic, .. } = call {
            return permissions.publish.contains(topic).then(|| topic.clone());
        }
        let network = match call {
            HostCall::ChainRead { network, .. } => Some(network),
            HostCall::ChainSend(wanted) => Some(&wanted.network),
            _ => None,
        };
        if let Some(network) = network {
            return permissions.networks.contains(network).then(|| network.clone());
        }
        let (url, method) = match call {
            HostCall::Fetch { url, method, .. } => (url, method.as_str()),
            HostCall::OracleData { url, .. } => (url, "GET"),
            _ => return None,
        };
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = methods.iter().find(|known| **known == method)?;
        let host = url.strip_prefix("https://")?.split(['/', '?', '#']).next()?.to_ascii_lowercase();
        let host = host.strip_suffix(":443").unwrap_or(&host);
        let granted = permissions.net.iter().find(|granted| *granted == host)?;
        Some(format!("{method} {granted}"))
    }

    fn carry_out(&self, call: HostCall) -> HostFuture<'_> {
        match call {
            HostCall::StoreSet { key, value } => self.writes.start(key, value),
            HostCall::StoreGet { key } => {
                Box::pin(async move { Ok(HostValue::StoreGet { value: self.values.read(&key).await? }) })
            }
            HostCall::SecretGet { name } => Box::pin(async move { self.secrets.get(&name).await }),
            HostCall::SecretSet { name, value } => {
                Box::pin(async move { self.secrets.set(&name, &value).await })
            }
            HostCall::TriggerCreate { definition } => {
                Box::pin(async move { self.making.create(&definition).await })
            }
            HostCall::TriggerDelete { name } => Box::pin(async move { self.making.delete(&name).await }),
            HostCall::Publish { topic, data, key } => {
                let event = Event { tenant: self.tenant, topic, data, key, hops: 0 };
                Box::pin(self.events.publish(event))
            }
            HostCall::OraclePrice { feed } => Box::pin(std::future::ready(self.price(feed))),
            HostCall::OracleRandom { min, max, seed } => {
                let occasion = self.occasion(min, max, seed);
                Box::pin(self.random(occasion, min, max))
            }
            HostCall::ZkProveRanges { asked } => Box::pin(self.proofs.prove_ranges(asked)),
            HostCall::ZkVerifyRanges { proof } => Box::pin(self.proofs.verify_ranges(proof)),
            HostCall::ZkVerifyProof { asked } => Box::pin(self.proofs.verify_proof(asked)),
            HostCall::OracleData { url, headers, path, targets } => {
                let ask = Ask { url, headers, path, targets };
                Box::pin(async move { self.observing().data(ask).await })
            }
            HostCall::OracleWeather { place, targets } => {
                Box::pin(async move { self.observing().weather(&place, targets).await })
            }
            HostCall::ChainRead { network, contract, method, args, data, confirmations } => {
                let asked = Asked { network, contract, method, args, data, confirmations };
                Box::pin(self.chains.read(asked))
            }
            HostCall::ChainSend(wanted) => Box::pin(self.chains.send(*wanted)),
            HostCall::ChainSent { name } => Box::pin(async move { self.chains.sent(&name).await }),
            HostCall::Attestation { data_base64 } => {
                Box::pin(async move { self.attestation(data_base64.as_deref()).await })
            }
            HostCall::Fetch { url, method, headers, body_base64 } => {
                let fetch = Fetch { url, method, headers, body_base64 };
                Box::pin(self.fetches.send(&*self.resources.internet, fetch))
            }
        }
    }
}

/// A source's own words are for the log: they may tell of other tenants.
pub(crate) fn failed(error: &SourceError) -> HostError {
    tracing::warn!(%error, "a host call failed");
    refused(HostErrorCode::Unavailable, "the appliance cannot do this now; try again")
}
