//! Functions as the appliance composes them: a real store over a keeper in memory, real runners, real egress to a
//! small internet of this process. Secrets and attestation documents are made up here.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod admissions;
pub(crate) mod web;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use r3e_functions::runner_pool::{Layers, RunnerConfig, RunnerPool};
use r3e_functions::{
    AnyTransaction, AttestationSource, Bundler, ChainError, ChainFuture, ChangeError, ChangeFuture,
    CheckError, Completed, ContractAnswer, ContractCall, Definition, Event, EventSink, FunctionVersion,
    InvokeError, Invoker, InvokerParts, LatestPrice, Loadable, MadeTrigger, Networks, OwnTriggers,
    PriceSource, ProofError, ProofFuture, ProofSource, PublishFuture, RandomError, RandomFuture,
    RandomSource, Registry, SecretAnswer, SecretReader, SecretSource, Seen, SourceError, SourceFuture, Taken,
    ToSend, Version,
};
use r3e_groth16::{Proof, VerificationKey, verify};
use r3e_keys::{OracleKeys, RandomKey, RootSecret};
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::Target;
use r3e_proto::api::functions::{Deploy, Function, Limits, Outcome, Permissions};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::{Call, Inclusion, Outcome as Sent, Stage, Transaction};
use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes, Wei};
use r3e_proto::api::zk::{ProveRanges, ProvedRanges, RangeProof, Verdict, VerifyProof};
use r3e_proto::random::Occasion;
use r3e_proto::report::{FeedId, Report};
use r3e_range_proof::{prove_asked, verify_document};
use r3e_store::{BlobStore, Options, Store};
use zeroize::Zeroizing;

use crate::keeper::{Keeper, keys};
use crate::support::runner_path;

pub(crate) const ALICE: TenantId = TenantId([1; 16]);
pub(crate) const BOB: TenantId = TenantId([2; 16]);
/// The id of every invocation here.
pub(crate) const INVOCATION: [u8; 16] = [7; 16];
/// When everything is signed here.
pub(crate) const NOW_S: u64 = 1_763_000_000;

pub(crate) struct Appliance {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) store: Store,
    pub(crate) pool: Arc<RunnerPool>,
    pub(crate) bundler: Bundler,
    pub(crate) registry: Arc<Registry>,
    pub(crate) invoker: Invoker,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) attestation: Arc<Attestation>,
    pub(crate) events: Arc<Events>,
    pub(crate) made: Arc<Made>,
    pub(crate) chains: Arc<OneContract>,
    pub(crate) gate: Arc<admissions::Gate>,
    /// Connections that the parent was asked for.
    pub(crate) connections: Arc<AtomicU32>,
    /// SHA-256 of the certificate of `api.example.com`.
    pub(crate) certificate: [u8; 32],
}

impl Appliance {
    pub(crate) async fn new() -> Self {
        Self::over(Keeper::new()).await
    }

    /// Over what a keeper has already.
    pub(crate) async fn over(keeper: Arc<Keeper>) -> Self {
        Self::with(keeper, Options::default()).await
    }

    /// The same, with other settings of the store.
    pub(crate) async fn with(keeper: Arc<Keeper>, options: Options) -> Self {
        let blobs: Arc<dyn BlobStore> = keeper.clone();
        let store = Store::open(blobs, keys(1), options).await.unwrap();
        let config = RunnerConfig {
            spares: 1,
            max_processes: 6,
            layers: Layers::beside(&runner_path()),
            ..RunnerConfig::new(runner_path())
        };
        let pool = Arc::new(RunnerPool::new(config).unwrap());
        let registry = Arc::new(Registry::new(store.clone()));
        let secrets = Arc::new(Secrets::default());
        let attestation = Arc::new(Attestation::default());
        let events = Arc::new(Events::default());
        let made = Arc::new(Made::default());
        let chains = Arc::new(OneContract::default());
        let gate = Arc::new(admissions::Gate::default());
        let connections = Arc::new(AtomicU32::new(0));
        let (internet, certificate) = web::internet(Arc::clone(&connections)).await;
        let invoker = Invoker::new(InvokerParts {
            registry: Arc::clone(&registry),
            pool: Arc::clone(&pool),
            store: store.clone(),
            internet: Arc::new(internet),
            secrets: secrets.clone(),
            attestation: attestation.clone(),
            events: events.clone(),
            triggers: made.clone(),
            prices: Arc::new(OneFeed),
            random: Arc::new(Dice),
            proofs: Arc::new(Proofs),
            notary: Arc::new(Notary),
            networks: chains.clone(),
            admissions: gate.clone(),
        });
        let bundler = Bundler::new(runner_path().with_file_name("r3e-bundler")).with_compilers_beside();
        Self {
            keeper,
            store,
            pool,
            bundler,
            registry,
            invoker,
            secrets,
            attestation,
            events,
            made,
            chains,
            gate,
            connections,
            certificate,
        }
    }

    pub(crate) async fn deploy(&self, name: &str, deploy: Deploy) -> Function {
        let definition = Definition::new(name, deploy).unwrap();
        let loadable = Loadable::check(&self.pool, &self.bundler, ALICE, definition).await.unwrap();
        self.registry.deploy(ALICE, loadable, 1).await.unwrap().function
    }

    /// Why a source is not deployed.
    pub(crate) async fn refusal(&self, source: &str, limits: Limits) -> String {
        self.refusal_of(Deploy { limits, ..function(source) }).await
    }

    /// Why a deployment is refused.
    pub(crate) async fn refusal_of(&self, deploy: Deploy) -> String {
        let definition = Definition::new("f", deploy).unwrap();
        match Loadable::check(&self.pool, &self.bundler, ALICE, definition).await {
            Err(CheckError::Refused(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn invoke(&self, name: &str, event: &str) -> Result<Completed, InvokeError> {
        self.invoker.invoke(ALICE, &INVOCATION, name, event.as_bytes()).await
    }

    /// The output of one event of a function with this source.
    pub(crate) async fn output(&self, deploy: Deploy, event: &str) -> String {
        self.deploy("f", deploy).await;
        output(&self.invoke("f", event).await.unwrap())
    }
}

/// The output; the error in words where there is none.
pub(crate) fn output(completed: &Completed) -> String {
    match &completed.outcome {
        Outcome::Output(text) => text.clone(),
        Outcome::Error(error) => format!("{}: {}", error.code, error.message),
    }
}

/// A function without grants.
pub(crate) fn function(source: &str) -> Deploy {
    let permissions = Permissions::default();
    Deploy { permissions, limits: ample(), ..Deploy::javascript(source) }
}

pub(crate) fn granted(source: &str, secrets: &[&str], net: &[&str]) -> Deploy {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let permissions = Permissions { secrets: texts(secrets), net: texts(net), ..Permissions::default() };
    Deploy { permissions, ..function(source) }
}

/// Limits that nothing well behaved reaches, however slow the machine.
pub(crate) fn ample() -> Limits {
    Limits { timeout_ms: 60_000, cpu_ms: 30_000, ..Limits::default() }
}

#[derive(Default)]
pub(crate) struct Secrets {
    pub(crate) values: Mutex<BTreeMap<(TenantId, String), String>>,
    /// Every name that was asked for.
    pub(crate) asked: Mutex<Vec<String>>,
    /// Every name that was asked for by functions that do not declare it.
    pub(crate) undeclared: Mutex<Vec<String>>,
    /// Held for writing, it stops every entry of what a process holds before it is durable.
    pub(crate) gate: tokio::sync::RwLock<()>,
    /// How many entries came to it.
    pub(crate) came: AtomicUsize,
    /// Whether such entries fail.
    pub(crate) is_log_lost: AtomicBool,
    /// What processes had in memory that were about to be given an event.
    pub(crate) held: Mutex<Vec<(String, u64)>>,
    /// What is answered instead of a value, where it is not the value.
    pub(crate) refusals: Mutex<BTreeMap<String, SecretAnswer>>,
}

impl Secrets {
    pub(crate) fn set(&self, tenant: TenantId, name: &str, value: &str) {
        self.values.lock().unwrap().insert((tenant, name.to_owned()), value.to_owned());
    }
}

impl SecretSource for Secrets {
    fn read<'a>(&'a self, reader: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, SecretAnswer> {
        assert_eq!(reader.invocation, &INVOCATION);
        self.asked.lock().unwrap().push(name.to_owned());
        let value = self.values.lock().unwrap().get(&(reader.tenant, name.to_owned())).cloned();
        let given = value.map(|value| SecretAnswer::Given { value: Zeroizing::new(value), version: 1 });
        let refusal = self.refusals.lock().unwrap().get(name).cloned();
        Box::pin(async move { Ok(refusal.or(given).unwrap_or(SecretAnswer::Absent)) })
    }

    fn undeclared<'a>(&'a self, _: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, ()> {
        self.undeclared.lock().unwrap().push(name.to_owned());
        Box::pin(async { Ok(()) })
    }

    fn held<'a>(&'a self, _: SecretReader<'a>, held: Vec<(String, u64)>) -> SourceFuture<'a, ()> {
        Box::pin(async move {
            self.came.fetch_add(1, Ordering::SeqCst);
            let _open = self.gate.read().await;
            if self.is_log_lost.load(Ordering::SeqCst) {
                return Err(SourceError("the log is lost".into()));
            }
            self.held.lock().unwrap().extend(held);
            Ok(())
        })
    }

    fn set<'a>(
        &'a self,
        setter: SecretReader<'a>,
        name: &'a str,
        value: &'a Zeroizing<String>,
    ) -> ChangeFuture<'a, u64> {
        assert_eq!(setter.invocation, &INVOCATION);
        Box::pin(async move {
            if value.as_str() == "refused" {
                return Err(ChangeError::Unconfirmed("nobody knows".into()));
            }
            Self::set(self, setter.tenant, name, value);
            Ok(2)
        })
    }
}

/// A contract that says what it was asked, and transactions by their keys, each with who asked for it first and how often it was asked for.
#[derive(Default)]
pub(crate) struct OneContract(Mutex<BTreeMap<String, (String, ToSend, usize)>>);

impl OneContract {
    pub(crate) fn asked(&self, name: &str) -> (String, ToSend, usize) {
        self.0.lock().unwrap().get(name).unwrap().clone()
    }
}

impl Networks for OneContract {
    fn read<'a>(&'a self, tenant: TenantId, call: &'a ContractCall) -> ChainFuture<'a, ContractAnswer> {
        assert_eq!(tenant, ALICE);
        let ContractCall { network, contract, method, arguments, data, confirmations } = call.clone();
        Box::pin(async move {
            match contract.as_str() {
                "reverts" => Err(ChainError::Reverted("it does not want to".into())),
                "disagrees" => Err(ChainError::Unavailable("nodes differ".into())),
                _ => {
                    let said = serde_json::json!([network, contract, method, confirmations]);
                    Ok(ContractAnswer { height: 7, values: vec![said, arguments.into()], data })
                }
            }
        })
    }

    fn send<'a>(
        &'a self,
        tenant: TenantId,
        by: FunctionVersion<'a>,
        key: &'a str,
        wanted: &'a ToSend,
    ) -> ChainFuture<'a, AnyTransaction> {
        assert_eq!(tenant, ALICE);
        Box::pin(async move {
            if wanted.to == "denied" {
                return Err(ChainError::Denied("recipient_not_allowed: no".into()));
            }
            let name = format!("{} {key}", by.function);
            let mut all = self.0.lock().unwrap();
            let first = || (hex::encode(by.version), wanted.clone(), 0);
            let (version, there, count) = all.entry(name.clone()).or_insert_with(first);
            if there != wanted {
                return Err(ChainError::Conflict("something else is there".into()));
            }
            *count += 1;
            Ok(transaction(&name, &format!("{}@{version}", by.function), wanted).into())
        })
    }

    fn sent<'a>(&'a self, _: TenantId, function: &'a str, name: &'a str) -> ChainFuture<'a, AnyTransaction> {
        Box::pin(async move {
            let all = self.0.lock().unwrap();
            let missing = || ChainError::NotFound("there is none".into());
            let (version, there, _) = all.get(name).ok_or_else(missing)?;
            let sent = transaction(name, &format!("{function}@{version}"), there);
            let hash = Hash32([9; 32]);
            let inclusion = Inclusion { hash, height: 12, block: hash, succeeded: false, gas_used: 1 };
            Ok(Transaction { stage: Stage::Ended, outcome: Some(Sent::Included(inclusion)), ..sent }.into())
        })
    }
}

fn transaction(name: &str, function: &str, wanted: &ToSend) -> Transaction {
    Transaction {
        name: name.to_owned(),
        function: Some(function.to_owned()),
        wallet: wanted.wallet.clone(),
        account: EvmAddress([1; 20]),
        chain_id: 1,
        call: Call { to: None, value: Wei(0), data: HexBytes::default(), gas_limit: 0, fee_limit: Wei(0) },
        made_at_ms: 0,
        deadline_ms: 1,
        stage: Stage::Waiting,
        nonce: None,
        attempts: Vec::new(),
        included: None,
        abandoned: None,
        outcome: None,
        trouble: Some("nobody mines".to_owned()),
    }
}

/// Alice's one feed.
pub(crate) struct OneFeed;

impl PriceSource for OneFeed {
    fn latest(&self, tenant: TenantId, feed: &str) -> Result<Option<LatestPrice>, SourceError> {
        let report = Report {
            feed_id: FeedId::named("neo-usd").unwrap(),
            answer: -5_012_000_000,
            confidence: 3_000_000,
            decimals: 8,
            observed_at_s: 1_795_284_000,
            valid_until_s: 1_795_291_200,
            sequence: 412,
            sources: 5,
            config_digest: [1; 32],
        };
        match feed {
            "broken" => Err(SourceError("a secret of the appliance's".into())),
            "neo-usd" if tenant == ALICE => {
                Ok(Some(LatestPrice { pair: "NEO/USD".into(), report, is_stale: false }))
            }
            _ => Ok(None),
        }
    }
}

/// The key that a tenant's numbers here are drawn with.
pub(crate) fn dice(tenant: TenantId) -> RandomKey {
    RandomKey::of(&RootSecret::from_recovered(&Zeroizing::new([1; 32])), tenant).unwrap()
}

/// Random numbers, except of ranges up to 13.
pub(crate) struct Dice;

impl RandomSource for Dice {
    fn draw(&self, tenant: TenantId, occasion: Occasion, min: u64, max: u64) -> RandomFuture<'_> {
        let drawn = match max {
            13 => Err(RandomError::Unavailable(SourceError("a secret of the appliance's".into()))),
            _ => dice(tenant).draw(&occasion, min, max).map_err(|why| RandomError::Invalid(why.to_string())),
        };
        Box::pin(std::future::ready(drawn))
    }
}

/// What snarkjs made of 3 and 11, signals 33 and 106: a verification key and a proof.
pub(crate) const SNARK: (&str, &str) = (
    include_str!("../../../../proto/groth16/tests/snarkjs/bn128/verification_key.json"),
    include_str!("../../../../proto/groth16/tests/snarkjs/bn128/proof.json"),
);

/// Makes proofs where it is asked, and not in a process of its own.
pub(crate) struct Proofs;

impl ProofSource for Proofs {
    fn prove_ranges(&self, tenant: TenantId, asked: ProveRanges) -> ProofFuture<'_, ProvedRanges> {
        let made = match asked.context.as_str() {
            "fails" => Err(ProofError::Unavailable(SourceError("a secret of the appliance's".into()))),
            _ => prove_asked(&tenant.to_string(), &asked).map_err(|why| ProofError::Invalid(why.to_string())),
        };
        Box::pin(std::future::ready(made))
    }

    fn verify_ranges(&self, _tenant: TenantId, proof: RangeProof) -> ProofFuture<'_, Verdict> {
        let holds = verify_document(&proof).is_ok();
        Box::pin(std::future::ready(Ok(Verdict { holds, reason: None })))
    }

    fn verify_proof(&self, _tenant: TenantId, asked: VerifyProof) -> ProofFuture<'_, Verdict> {
        let key = VerificationKey::from_json(asked.key.get().as_bytes());
        let verdict = key.map_err(|why| ProofError::Invalid(why.to_string())).map(|key| {
            let proof = Proof::from_json(asked.proof.get().as_bytes());
            let holds = proof.and_then(|proof| verify(&key, &asked.signals, &proof)).is_ok();
            Verdict { holds, reason: None }
        });
        Box::pin(std::future::ready(verdict))
    }
}

/// The keys that sign what a tenant's functions here are answered.
pub(crate) fn seal(tenant: TenantId) -> OracleKeys {
    OracleKeys::of(&RootSecret::from_recovered(&Zeroizing::new([1; 32])), tenant).unwrap()
}

/// Signs at one time, except of the function `unsigned`.
pub(crate) struct Notary;

impl r3e_functions::Notary for Notary {
    fn sign(
        &self,
        tenant: TenantId,
        seen: &Seen,
        targets: &[Target],
    ) -> Result<SignedObservation, SourceError> {
        let observation = seen.at(NOW_S);
        if observation.function == "unsigned" {
            return Err(SourceError("a secret of the appliance's".into()));
        }
        Ok(seal(tenant).sign_observation(tenant, observation, targets).unwrap())
    }
}

/// What became of triggers that functions made: the function and what it said.
#[derive(Default)]
pub(crate) struct Made(pub(crate) Mutex<Vec<(String, String)>>);

impl OwnTriggers for Made {
    fn create<'a>(
        &'a self,
        _: TenantId,
        function: &'a str,
        definition: &'a str,
    ) -> ChangeFuture<'a, MadeTrigger> {
        let mut made = self.0.lock().unwrap();
        let one = (function.to_owned(), definition.to_owned());
        let created = !made.contains(&one);
        made.push(one);
        Box::pin(async move { Ok(MadeTrigger { name: "t".into(), created }) })
    }

    fn delete<'a>(&'a self, _: TenantId, _: &'a str, name: &'a str) -> ChangeFuture<'a, bool> {
        Box::pin(async move {
            match name {
                "t" => Ok(true),
                "tenants" => Err(ChangeError::Denied("it is not the function's".into())),
                _ => Ok(false),
            }
        })
    }
}

#[derive(Default)]
pub(crate) struct Attestation {
    /// What was asked to be attested.
    pub(crate) asked: Mutex<Vec<(TenantId, Version, Vec<u8>)>>,
}

/// Takes every event in.
#[derive(Default)]
pub(crate) struct Events {
    /// What was published.
    pub(crate) taken: Mutex<Vec<Event>>,
}

impl EventSink for Events {
    fn publish(&self, event: Event) -> PublishFuture<'_> {
        self.taken.lock().unwrap().push(event);
        Box::pin(async { Ok(Taken { queued: 2, failed: 1 }) })
    }
}

impl AttestationSource for Attestation {
    fn attest_function(
        &self,
        tenant: TenantId,
        version: Version,
        data: Vec<u8>,
    ) -> SourceFuture<'_, Vec<u8>> {
        self.asked.lock().unwrap().push((tenant, version, data));
        Box::pin(async { Ok(b"document".to_vec()) })
    }
}
