//! Jobs over a keeper in memory, with functions and webhooks that do as they are told. What they were asked outlives the jobs,
//! as the world outside an appliance does.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r3e_jobs::{
    BoxFuture, Courier, Invocations, Jobs, JobsParts, NewJob, NotInvoked, Run, Settings, Telling,
};
use r3e_keys::ReportKey;
use r3e_proto::api::functions::{FunctionError, Invocation, Outcome, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{JobDetails, JobId, RetryPolicy};
use r3e_store::{Store, StoreError};
use tokio::sync::watch;

use crate::keeper::{Keeper, keys, root};

pub(crate) const ALICE: TenantId = TenantId([1; 16]);
pub(crate) const BOB: TenantId = TenantId([2; 16]);
/// The one host that every function is granted.
pub(crate) const HOST: &str = "hooks.example.com";

/// The world outside.
pub(crate) struct Outside {
    /// Every invocation, in order: whose, its id, and the event's text.
    pub(crate) calls: Mutex<Vec<(TenantId, String, String)>>,
    /// Invocations with the script `wait` end when this is true.
    pub(crate) gate: watch::Sender<bool>,
    /// Functions that there are not.
    pub(crate) missing: Mutex<BTreeSet<String>>,
    /// What webhooks were told: notice and body.
    pub(crate) told: Mutex<Vec<(String, Vec<u8>)>>,
    /// What they answer; the last one again and again.
    pub(crate) answers: Mutex<Vec<Result<u16, String>>>,
    /// What functions are granted.
    pub(crate) granted: Mutex<Vec<String>>,
    /// The appliance's clock.
    pub(crate) now_ms: AtomicU64,
    /// Whether the clock stands still between reads.
    pub(crate) is_still: AtomicBool,
    /// Calls of each event so far.
    made: Mutex<BTreeMap<String, usize>>,
}

impl Outside {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            calls: Mutex::default(),
            gate: watch::Sender::new(false),
            missing: Mutex::default(),
            told: Mutex::default(),
            answers: Mutex::new(vec![Ok(204)]),
            granted: Mutex::new(vec![HOST.to_owned()]),
            now_ms: AtomicU64::new(1_763_000_000_000),
            is_still: AtomicBool::new(false),
            made: Mutex::default(),
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        let step = u64::from(!self.is_still.load(Ordering::SeqCst));
        self.now_ms.fetch_add(step, Ordering::SeqCst)
    }

    pub(crate) fn calls(&self) -> Vec<(TenantId, String, String)> {
        self.calls.lock().unwrap().clone()
    }
}

impl Invocations for Outside {
    fn granted<'a>(
        &'a self,
        _: TenantId,
        function: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, String>> {
        let missing = self.missing.lock().unwrap().contains(function);
        let granted = self.granted.lock().unwrap().clone();
        Box::pin(async move { Ok((!missing).then_some(granted)) })
    }

    fn invoke<'a>(
        &'a self,
        tenant: TenantId,
        run: Run,
        function: &'a str,
        event: &'a [u8],
    ) -> BoxFuture<'a, Result<Invocation, NotInvoked>> {
        Box::pin(async move {
            let invocation = run.invocation;
            let text = String::from_utf8(event.to_vec()).unwrap();
            tokio::task::yield_now().await;
            if self.missing.lock().unwrap().contains(function) {
                let message = "there is no such function".to_owned();
                return Err(NotInvoked::Refused { code: "no_function", message });
            }
            let nth = {
                let mut made = self.made.lock().unwrap();
                let count = made.entry(text.clone()).or_default();
                *count += 1;
                *count - 1
            };
            // ["what the first call comes to", "the second", …, anything else]; the last again and again.
            let script: Vec<String> = serde_json::from_slice(event).unwrap_or_default();
            let steps: Vec<&str> =
                script.iter().map(String::as_str).filter(|step| !step.starts_with('#')).collect();
            let step = steps.get(nth).or(steps.last()).copied().unwrap_or("ok");
            // Without room, the event is handed to nobody.
            if step != "no_room" {
                self.calls.lock().unwrap().push((tenant, hex::encode(invocation), text));
            }
            match step {
                "wait" => {
                    self.gate.subscribe().wait_for(|open| *open).await.unwrap();
                    Ok(invoked(invocation, Outcome::Output("\"waited\"".into())))
                }
                "no_room" => Err(NotInvoked::NoRoom),
                "unavailable" => Err(NotInvoked::Unavailable("no runner".into())),
                "ok" => Ok(invoked(invocation, Outcome::Output(format!("{nth}")))),
                code => Ok(invoked(
                    invocation,
                    Outcome::Error(FunctionError {
                        code: code.to_owned(),
                        message: "as told".into(),
                        stack: None,
                    }),
                )),
            }
        })
    }
}

fn invoked(id: [u8; 16], outcome: Outcome) -> Invocation {
    Invocation {
        id: hex::encode(id),
        version: "00".repeat(32),
        outcome,
        logs: Vec::new(),
        logs_truncated: false,
        usage: Usage::default(),
        receipt: "cmVjZWlwdA==".into(),
    }
}

impl Courier for Outside {
    fn check(&self, url: &str, granted: &[String]) -> Result<(), String> {
        let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        let is_granted = host.is_some_and(|host| granted.iter().any(|granted| granted == host));
        if is_granted { Ok(()) } else { Err("the host is not granted".into()) }
    }

    fn tell<'a>(&'a self, telling: Telling<'a>) -> BoxFuture<'a, Result<u16, String>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.told.lock().unwrap().push((telling.notice.to_owned(), telling.body.to_vec()));
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
        })
    }
}

pub(crate) fn report_key() -> Arc<ReportKey> {
    Arc::new(ReportKey::of(&root(1)).unwrap())
}

pub(crate) fn start(store: &Store, outside: &Arc<Outside>, settings: Settings) -> Jobs {
    let clock = Arc::clone(outside);
    Jobs::start(JobsParts {
        store: store.clone(),
        now_ms: Box::new(move || clock.now_ms()),
        invocations: Arc::clone(outside) as Arc<dyn Invocations>,
        courier: Arc::clone(outside) as Arc<dyn Courier>,
        report_key: report_key(),
        settings,
    })
    .unwrap()
}

/// One life of an appliance.
pub(crate) struct Life {
    pub(crate) store: Store,
    pub(crate) jobs: Jobs,
}

impl Life {
    pub(crate) async fn begin(keeper: &Arc<Keeper>, outside: &Arc<Outside>) -> Self {
        // What a step before made the keeper refuse, it may refuse here.
        let store = loop {
            match Store::open(keeper.clone(), keys(1), r3e_store::Options::default()).await {
                Err(StoreError::Unavailable(_) | StoreError::Unconfirmed) => {}
                opened => break opened.unwrap(),
            }
        };
        let jobs = start(&store, outside, Settings::default());
        Self { store, jobs }
    }

    /// Waits until no job waits or is under way, and no webhook is to be told.
    pub(crate) async fn settled(&self) {
        eventually(|| {
            let counts = self.jobs.counts();
            counts.queued == 0 && counts.running == 0
        })
        .await;
    }

    pub(crate) async fn show(&self, tenant: TenantId, id: JobId) -> JobDetails {
        self.jobs.show(tenant, id).await.unwrap()
    }
}

/// Waits until it holds. A test that waits in vain fails.
pub(crate) async fn eventually(holds: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("waited in vain");
}

/// Retries without delay worth mentioning.
pub(crate) fn quick(attempts: u32) -> RetryPolicy {
    RetryPolicy { attempts, first_delay_ms: 10, max_delay_ms: 10, ..RetryPolicy::default() }
}

/// A job whose function does as the script says: each script is an event of its own.
pub(crate) fn scripted(script: &[&str]) -> NewJob {
    NewJob { policy: quick(3), ..NewJob::new("f", serde_json::to_vec(script).unwrap()) }
}
