//! An appliance is upgraded while tenants work: nobody waits long, nothing that was acknowledged is lost, and nothing is
//! done twice.
//!
//! Tenants count: each secret's version, and each function's counter, goes up by one with every write. So a lost write shows
//! as a number that comes again, and one that was done twice as a number that is left out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r3e_client::{ClientError, Connector, Credential, Invocation, Policy, Resend, SigningKey, TenantClient};
use r3e_e2e::handoff::{Draft, Releasers};
use r3e_e2e::process::Process;
use r3e_e2e::raw::Http;
use r3e_e2e::succession::{Successor, image_pcrs};
use r3e_e2e::tenant::{granted, javascript, output, secret};
use r3e_e2e::{Appliance, Options, Place as _, Tenant, Trust};
use r3e_proto::api::functions::Outcome;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// The longest that requests of one client may fail in a row, on a machine that has nothing else to do.
const LONGEST_OUTAGE: Duration = Duration::from_secs(2);
/// On a busy one, everything takes longer: as many times what the slowest request took that met no upgrade.
const OUTAGE_OF_SLOWEST: u32 = 10;
/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(5);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const COUNTERS: usize = 2;
const SECRETS: usize = 2;

/// Counts a value up, or tells it and a secret.
const LEDGER: &str = "export default async ({ count, get, secret }) => {
    if (count) { const value = (await r3e.store.get(count) ?? 0) + 1; await r3e.store.set(count, value); return value; }
    return { value: await r3e.store.get(get) ?? 0, secret: await r3e.secrets.get(secret) };
};";

/// What one client did.
#[derive(Debug, Default)]
struct Tally {
    /// The last number that was acknowledged.
    last: AtomicU64,
    /// Writes that were acknowledged.
    acknowledged: AtomicU64,
    /// Writes of which nobody knows whether they were done, since the last acknowledged one.
    open: AtomicU64,
    /// All of these.
    unknown: AtomicU64,
    /// When the request was first made that is under way.
    begun: Mutex<Option<Instant>>,
    /// Since when every try has failed.
    failing: Mutex<Option<Instant>>,
    /// The longest time from a first failure to the next success, in milliseconds.
    longest_ms: AtomicU64,
    /// The longest time from a request to its success where nothing failed between them, in milliseconds.
    slowest_ms: AtomicU64,
}

/// An appliance with work for its tenants, and a successor that waits for a parent.
struct Scene {
    appliance: Appliance,
    releasers: Releasers,
    successor: Successor,
    next: Process,
    tenant: Tenant,
    key_file: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let releasers = Releasers::default();
        let options = Options { unlock_tables: releasers.table(), ..Options::default() };
        let appliance = Appliance::start(options).await;
        let successor = Successor::beside(&appliance, "b");
        // It says which image it is, and waits.
        let next = successor.start();
        let written = || std::fs::read(successor.place().reference_values_file()).unwrap_or_default();
        while serde_json::from_slice::<Value>(&written()).is_err() {
            sleep(Duration::from_millis(10)).await;
        }
        let tenant =
            Tenant::admitted_over(both(&appliance, &successor), appliance.operator_key(), "alice").await;
        let key_file = appliance.folder().join("alice.pem");
        tenant.key().write_new(&key_file).unwrap();
        Self { appliance, releasers, successor, next, tenant, key_file }
    }

    fn client(&self) -> TenantClient {
        client(&self.tenant, &self.key_file)
    }

    /// A release to the successor that these of the releasers have signed.
    fn manifest(&self, by: &[usize]) -> PathBuf {
        let file = self.appliance.folder().join("release.cbor");
        let (from, to) = (image_pcrs(self.appliance.enclave_place()), image_pcrs(self.successor.place()));
        let draft = Draft { version: env!("CARGO_PKG_VERSION"), ..Draft::new(from, to) };
        std::fs::write(&file, self.releasers.sign(&draft.release(), by)).unwrap();
        file
    }
}

/// What accepts either release, before and after.
fn both(appliance: &Appliance, successor: &Successor) -> Connector {
    let trust = appliance.trust().policy_builder().accept_releases(successor.place().reference_values());
    let policy = Policy::new(trust.any_configuration()).unwrap();
    Connector::new(appliance.address().parse().unwrap(), policy).unwrap()
}

/// One upgrade at a time: the outage of one is not to be that of two.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn an_appliance_is_upgraded_under_load_and_nothing_is_lost() {
    let _alone = ALONE.lock().await;
    let mut it = Scene::new().await;
    let names: Vec<String> = (0..SECRETS).map(|number| format!("SECRET_{number}")).collect();
    let counters: Vec<String> = (0..COUNTERS).map(|number| format!("counter_{number}")).collect();
    let all_names: Vec<&str> = names.iter().map(String::as_str).collect();
    it.tenant.channel().await.deploy("ledger", &granted(javascript(LEDGER), &all_names, &[])).await.unwrap();
    for name in &names {
        it.tenant.set_secret_for(name, "0", "ledger").await;
    }

    let (stopping, stop) = watch::channel(false);
    let mut working = Vec::new();
    for name in &names {
        // The first version is there already.
        let tally = Arc::new(Tally { last: 1.into(), ..Tally::default() });
        let work = tokio::spawn(set_up(it.client(), name.clone(), Arc::clone(&tally), stop.clone()));
        working.push((name.clone(), tally, work));
    }
    for key in &counters {
        let tally = Arc::<Tally>::default();
        let work = tokio::spawn(count_up(it.client(), key.clone(), Arc::clone(&tally), stop.clone()));
        working.push((key.clone(), tally, work));
    }
    let reads = Arc::<Tally>::default();
    let work = tokio::spawn(read(it.client(), Arc::clone(&reads), stop.clone()));
    working.push(("reader".to_owned(), reads, work));
    all_go_on(&working, 5).await;

    let begun = Instant::now();
    let done = it.successor.upgrade(&it.appliance, &it.manifest(&[0, 2])).await.ok();
    println!("upgraded in {:.1} s\n{}", begun.elapsed().as_secs_f64(), done.out);
    all_go_on(&working, 10).await;
    stopping.send_replace(true);
    let number = |count: &AtomicU64| count.load(Ordering::SeqCst);
    let slowest_ms = working.iter().map(|(_, tally, _)| number(&tally.slowest_ms)).max().unwrap();
    let bound = LONGEST_OUTAGE.max(OUTAGE_OF_SLOWEST * Duration::from_millis(slowest_ms));
    for (name, tally, work) in working {
        work.await.unwrap();
        let longest = Duration::from_millis(number(&tally.longest_ms));
        println!(
            "{name}: {} acknowledged, {} unknown, failing for {longest:?} at most, {slowest_ms} ms a slow request",
            number(&tally.acknowledged),
            number(&tally.unknown)
        );
        assert!(longest <= bound, "{name} failed for {longest:?}, where {slowest_ms} ms is a slow request");
        if name != "reader" {
            let (last, open) = (number(&tally.last), number(&tally.open));
            let found = value_of(&mut it.client(), &name).await;
            assert!((last..=last + open).contains(&found), "{name} is {found}; acknowledged was {last}");
        }
    }

    // The successor it is, and the one before is no appliance any more.
    let place = it.successor.place();
    only(&it.appliance, &place.trust()).connect().await.expect("the evidence is the successor's");
    let refused = only(&it.appliance, &it.appliance.trust()).connect().await.map(drop).unwrap_err();
    assert_eq!(refused.code(), "pcr_mismatch", "{refused}");
    let deadline = Instant::now() + STOP_LIMIT;
    let sequence = loop {
        let status = it.tenant.connect().await.status().await.unwrap();
        if status.unlock_adopted {
            break status.sequence;
        }
        assert!(Instant::now() < deadline, "its provider never takes the root secret");
        sleep(Duration::from_millis(20)).await;
    };
    let place = place.clone();
    let old = it.appliance.went_over(place, it.next);
    old.stop(STOP_LIMIT).await;

    // It comes back by its own provider, with the old one gone for good.
    it.appliance.restart().await;
    let mut client = client(&it.tenant, &it.key_file);
    let before = value_of(&mut client, &counters[0]).await;
    let counted =
        client.channel().await.unwrap().invoke("ledger", json!({ "count": counters[0] }).to_string()).await;
    assert_eq!(output(&counted.unwrap()), json!(before + 1));
    let again = it.tenant.connect().await.status().await.unwrap();
    assert!(again.sequence > sequence, "{} > {sequence}", again.sequence);
    only(&it.appliance, &it.appliance.trust()).connect().await.expect("the evidence is the successor's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_too_few_have_signed_changes_nothing() {
    let _alone = ALONE.lock().await;
    let mut it = Scene::new().await;
    let mut channel = it.tenant.channel().await;
    channel.set_secret("KEPT", secret("1")).await.unwrap();
    let refused = it.successor.upgrade(&it.appliance, &it.manifest(&[1])).await.exits(1);
    assert!(refused.err.contains("release_not_approved"), "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("The enclave that served goes on"), "{}", refused.err);
    let status = it.next.wait(STOP_LIMIT).await;
    assert!(!status.success(), "the successor has nothing to serve");

    // The same channel goes on, to write and to read.
    assert_eq!(channel.set_secret("KEPT", secret("2")).await.unwrap().version, 2);
    let mut http = Http::public(&it.appliance.address()).await.unwrap();
    assert_eq!(http.get("/v1/health").await.unwrap().status, 200);
    only(&it.appliance, &it.appliance.trust()).connect().await.expect("the evidence is the first's");

    // And with one signature more, it goes over.
    it.next = it.successor.start();
    it.successor.upgrade(&it.appliance, &it.manifest(&[0, 2])).await.ok();
    assert_eq!(version_of(&mut it.client(), "KEPT", &Tally::default()).await, 2);
}

/// Accepts one release.
fn only(appliance: &Appliance, trust: &Trust) -> Connector {
    Connector::new(appliance.address().parse().unwrap(), trust.policy()).unwrap()
}

fn client(tenant: &Tenant, key_file: &Path) -> TenantClient {
    let key = SigningKey::read(key_file).unwrap();
    TenantClient::new(tenant.connector().clone(), Credential::Key(key))
}

/// Waits until each has so many successes more.
async fn all_go_on(working: &[(String, Arc<Tally>, JoinHandle<()>)], more: u64) {
    let now = |tally: &Tally| tally.acknowledged.load(Ordering::SeqCst);
    let wanted: Vec<u64> = working.iter().map(|(_, tally, _)| now(tally) + more).collect();
    let deadline = Instant::now() + Duration::from_mins(2);
    while working.iter().zip(&wanted).any(|((_, tally, _), wanted)| now(tally) < *wanted) {
        assert!(Instant::now() < deadline, "{working:?}");
        assert!(working.iter().all(|(.., work)| !work.is_finished()), "a client stopped: {working:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Sets a secret for ever: its version says how often that was done.
async fn set_up(mut client: TenantClient, name: String, tally: Arc<Tally>, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tally.begins();
        let set = set_once(&mut client, &name, &tally).await;
        tally.add(&name, set.map(Some));
        sleep(PAUSE).await;
    }
}

async fn set_once(client: &mut TenantClient, name: &str, tally: &Tally) -> Result<u64, ClientError> {
    let mut attempts = client.attempts(Resend::Never);
    loop {
        match attempts.channel().await?.set_secret(name, secret("x")).await {
            Ok(set) => return Ok(set.version),
            Err(error) => {
                tally.fails();
                attempts.failed(error).await?;
            }
        }
    }
}

/// Counts for ever, by a function.
async fn count_up(mut client: TenantClient, key: String, tally: Arc<Tally>, stop: watch::Receiver<bool>) {
    let event = json!({ "count": key });
    while !*stop.borrow() {
        tally.begins();
        // A function whose write was refused, or is not confirmed, has an error for an outcome.
        let counted = invoke(&mut client, Resend::Never, &event, &tally).await;
        let counted = counted.map(|invocation| match invocation.outcome() {
            Outcome::Output(_) => output(&invocation).as_u64(),
            Outcome::Error(_) => None,
        });
        tally.add(&key, counted);
        sleep(PAUSE).await;
    }
}

async fn invoke(
    client: &mut TenantClient,
    resend: Resend,
    event: &Value,
    tally: &Tally,
) -> Result<Invocation, ClientError> {
    let mut attempts = client.attempts(resend);
    loop {
        match attempts.channel().await?.invoke("ledger", event.to_string()).await {
            Ok(invocation) => return Ok(invocation),
            Err(error) => {
                tally.fails();
                attempts.failed(error).await?;
            }
        }
    }
}

async fn read(mut client: TenantClient, tally: Arc<Tally>, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tally.begins();
        assert!(version_of(&mut client, "SECRET_0", &tally).await > 0);
        tally.succeeds();
        sleep(PAUSE).await;
    }
}

async fn version_of(client: &mut TenantClient, name: &str, tally: &Tally) -> u64 {
    let mut attempts = client.attempts(Resend::Idempotent);
    loop {
        match attempts.channel().await.unwrap().secret(name).await {
            Ok(found) => return found.secret.version,
            Err(error) => {
                tally.fails();
                attempts.failed(error).await.unwrap();
            }
        }
    }
}

/// What a counter or the version of a secret is now.
async fn value_of(client: &mut TenantClient, name: &str) -> u64 {
    let tally = Tally::default();
    if name.starts_with("SECRET") {
        return version_of(client, name, &tally).await;
    }
    let event = json!({ "get": name, "secret": "SECRET_0" });
    let found = output(&invoke(client, Resend::Idempotent, &event, &tally).await.unwrap());
    assert_eq!(found["secret"], "x", "what a secret holds");
    found["value"].as_u64().unwrap()
}

impl Tally {
    /// A number that was acknowledged, or a write of which nobody knows.
    fn add(&self, name: &str, number: Result<Option<u64>, ClientError>) {
        match number {
            Ok(Some(number)) => {
                let open = self.open.swap(0, Ordering::SeqCst);
                let last = self.last.swap(number, Ordering::SeqCst);
                assert!(
                    (last + 1..=last + 1 + open).contains(&number),
                    "{name}: {number} after {last}, with {open} unknown between them"
                );
                self.succeeds();
            }
            Ok(None) => self.is_open(),
            Err(error) => {
                let wrong = ["rolled_back", "receipt", "store_tampered", "other_session", "pcr_mismatch"];
                assert!(!wrong.contains(&error.code()), "{name}: {error}");
                self.is_open();
            }
        }
    }

    fn is_open(&self) {
        self.fails();
        self.open.fetch_add(1, Ordering::SeqCst);
        self.unknown.fetch_add(1, Ordering::SeqCst);
    }

    fn begins(&self) {
        *self.begun.lock().unwrap() = Some(Instant::now());
    }

    fn fails(&self) {
        self.failing.lock().unwrap().get_or_insert_with(Instant::now);
    }

    fn succeeds(&self) {
        let ms_since = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap();
        let begun = self.begun.lock().unwrap().take();
        if let Some(since) = self.failing.lock().unwrap().take() {
            self.longest_ms.fetch_max(ms_since(since), Ordering::SeqCst);
        } else if let Some(since) = begun {
            self.slowest_ms.fetch_max(ms_since(since), Ordering::SeqCst);
        }
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}
