//! An upgrade while the appliance serves: the root secret and the state go to the successor, whatever the parent between
//! the two does, and of the two one goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use r3e_client::{Connector, Policy, SigningKey};
use r3e_e2e::handoff::{
    Draft, Releasers, configuration, image, measures, old_runner, other_runner, share_test_root,
};
use r3e_e2e::hostile_parent::{HostileParent, Offer, Sent};
use r3e_e2e::member::{Person, policy, tables};
use r3e_e2e::process::{Process, tail, whole};
use r3e_e2e::raw::{Answer, Http, RawSession};
use r3e_e2e::tenant::{code, granted, javascript, output, secret};
use r3e_e2e::{EnclavePlace, Tenant};
use r3e_proto::channel::binding::{configuration_digest, pcr_extended_once};
use r3e_proto::host::blob::{Operation, Outcome, Response};
use r3e_proto::host::lifecycle::Request;
use r3e_proto::release::{Change, Measured};
use r3e_proto::unlock::setup::{AttestedSetup, Setup};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
/// The patience of an appliance whose successor will not say that it serves: longer than what is tried meanwhile takes.
const LONG: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(20);

/// One enclave and its parent.
struct End {
    place: EnclavePlace,
    parent: HostileParent,
    enclave: Option<Process>,
}

impl End {
    fn start(&mut self, arguments: &[String]) {
        self.enclave = Some(self.place.start_with(arguments));
    }

    async fn health(&self) -> Option<String> {
        let answer = Http::public(&self.parent.address()).await.ok()?.get("/v1/health").await.ok()?;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        Some(body["status"].as_str().unwrap_or_else(|| body["error"]["code"].as_str().unwrap()).to_owned())
    }

    async fn until_health(&mut self, wanted: &str) {
        let deadline = Instant::now() + LIMIT;
        while self.health().await.as_deref() != Some(wanted) {
            assert!(self.enclave.as_mut().unwrap().ended().is_none(), "the enclave ended");
            assert!(Instant::now() < deadline, "never {wanted}");
            sleep(POLL).await;
        }
    }

    /// Waits until its unlock provider would bring it back.
    async fn until_adopted(&self) {
        let deadline = Instant::now() + LIMIT;
        while !self.status().await.unlock_adopted {
            assert!(Instant::now() < deadline, "never adopted");
            sleep(POLL).await;
        }
    }

    /// Waits until it logged this, and goes on.
    async fn until_logged(&mut self, text: &str) {
        let deadline = Instant::now() + LIMIT;
        while !self.place.logged(text) {
            assert!(self.enclave.as_mut().unwrap().ended().is_none(), "the enclave ended");
            assert!(Instant::now() < deadline, "never logged {text:?}");
            sleep(POLL).await;
        }
    }

    /// Sees it end with these words, in its log and to its parent.
    async fn fails(&mut self, words: &str) {
        let status = self.enclave.as_mut().unwrap().wait(LIMIT).await;
        let log = whole(&self.place.log());
        assert!(!status.success() && log.contains(words), "{status}, not {words:?}");
        let said = self.parent.said();
        assert!(matches!(said.last(), Some(Request::Failed(why)) if why.contains(words)), "{said:?}");
    }

    fn policy(&self) -> Policy {
        self.place.policy()
    }

    fn connector(&self) -> Connector {
        Connector::new(self.parent.address().parse().unwrap(), self.policy()).unwrap()
    }

    async fn status(&self) -> r3e_proto::api::status::Status {
        self.connector().connect().await.unwrap().status().await.unwrap()
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of {} ---\n{}", self.place.log().display(), tail(&self.place.log()));
        }
    }
}

/// A predecessor that serves a tenant with a secret, and a successor that is another image.
struct Scene {
    releasers: Releasers,
    draft: Draft,
    runner: PathBuf,
    cut: Arc<AtomicBool>,
    configuration: String,
    a: End,
    b: End,
    tenant: Tenant,
    _folder: TempDir,
}

impl Scene {
    async fn new(patience: Duration) -> Self {
        Self::with(patience, true).await
    }

    async fn with(patience: Duration, one_root: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
        let releasers = Releasers::default();
        let operator = SigningKey::generate().unwrap();
        let text = configuration(&operator, &releasers.table());
        let place = |name: &str| {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            EnclavePlace::new(&folder)
        };
        let (at_a, at_b) = (place("a"), place("b"));
        let parent = HostileParent::start(&at_a, &text).await;
        let beside = parent.start_beside(&at_b, &text).await;
        let mut a = End { place: at_a, parent, enclave: None };
        a.start(&["--handoff-patience-ms".to_owned(), patience.as_millis().to_string()]);
        a.until_health("ok").await;
        if one_root {
            share_test_root(&a.place, &at_b);
        }
        let b = End { place: at_b, parent: beside, enclave: None };
        let tenant = Tenant::admitted_over(a.connector(), &operator, "alice").await;
        tenant.channel().await.set_secret("A", secret("first")).await.unwrap();
        let runner = other_runner(folder.path(), "r3e-runner-next");
        let draft = Draft::new(image(&old_runner()), image(&runner));
        Self {
            releasers,
            draft,
            runner,
            cut: Arc::default(),
            configuration: text,
            a,
            b,
            tenant,
            _folder: folder,
        }
    }

    /// Has the successor run under another configuration, which these people unlock; the release leads to it.
    fn become_quorums(&mut self) -> [Person; 3] {
        let people = ["alice", "bob", "carol"].map(Person::new);
        let start = "[unlock]\nprovider = ";
        let (test, quorum) = (format!("{start}\"test\"\n"), format!("{start}\"quorum\"\n"));
        let other = self.configuration.replace(&test, &(quorum + &tables(2, &people)));
        self.b.parent.set_configuration(&other);
        let mine = Measured {
            unlock: pcr_extended_once(&configuration_digest(&policy(2, &people).encode())),
            ..measures(&other)
        };
        self.draft.changes = vec![Change { from: measures(&self.configuration), to: mine }];
        people
    }

    /// Starts the successor, with the predecessor offered under a release that is approved.
    fn upgrade(&mut self) {
        let manifest = self.releasers.approve(&self.draft.release());
        self.upgrade_by(manifest, &[]);
    }

    fn upgrade_by(&mut self, manifest: Vec<u8>, further: &[&str]) {
        let (predecessor, cut) = (self.a.place.clone(), Arc::clone(&self.cut));
        self.b.parent.offer(Offer { manifest, predecessor, cut });
        let mut arguments = vec!["--runner".to_owned(), self.runner.to_str().unwrap().to_owned()];
        arguments.extend(further.iter().map(|&further| further.to_owned()));
        self.b.start(&arguments);
    }

    /// Writes at the predecessor; the refusal's code.
    async fn write_at_a(&self, name: &str) -> Result<(), String> {
        let written = async {
            let channel = self.tenant.connector().connect().await?;
            let mut tenant = channel.sign_in_tenant(self.tenant.key()).await?.into_tenant();
            tenant.set_secret(name, secret("value")).await
        };
        match written.await {
            Ok(_) => Ok(()),
            Err(r3e_client::ClientError::Api { code, .. }) => Err(code),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether the successor serves what the tenant had.
    async fn tenant_at_b(&self) -> Vec<String> {
        let channel = self.b.connector().connect().await.unwrap();
        let mut tenant = channel.sign_in_tenant(self.tenant.key()).await.unwrap().into_tenant();
        let secrets = tenant.secrets().await.unwrap();
        secrets.into_iter().map(|secret| secret.name).collect()
    }

    /// The predecessor goes on, as if nothing had been tried.
    async fn a_goes_on(&mut self) {
        self.a.until_health("ok").await;
        let deadline = Instant::now() + LIMIT;
        while let Err(code) = self.write_at_a("ON").await {
            assert_eq!(code, "handing_over");
            assert!(Instant::now() < deadline, "it never goes on");
            sleep(POLL).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_takes_over_while_the_appliance_serves() {
    let mut scene = Scene::new(Duration::from_secs(30)).await;
    let before = scene.a.status().await;
    let mut session = scene.tenant.channel().await;
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;

    assert!(matches!(scene.b.parent.said().as_slice(), [Request::Serving]));
    let after = scene.b.status().await;
    assert_eq!(after.identity, before.identity, "the same appliance");
    assert!(after.sequence > before.sequence);
    scene.b.until_adopted().await;
    assert_eq!(scene.tenant_at_b().await, ["A"]);

    // Whoever still talks to the predecessor is sent away, inside a session and outside.
    assert!(session.set_secret("B", secret("late")).await.is_err());
    let mut public = Http::public(&scene.a.parent.address()).await.unwrap();
    let answer = public.get("/v1/health").await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (503, "superseded"));
    assert_eq!(answer.headers["connection"], "close");
    assert!(public.get("/v1/health").await.is_err(), "the connection is closed");
    // Each path on a connection of its own: the answer closes it.
    for path in ["/v1/status", "/v1/secrets", "/v1/handoff", "/v1/witness/last", "/nothing"] {
        let mut attested = Http::attested(&scene.a.parent.address()).await.unwrap();
        let answer = attested.get(path).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (503, "superseded"), "{path}");
        assert!(attested.get(path).await.is_err(), "the connection is closed");
    }

    // The provider has the root secret: the successor comes back alone.
    scene.a.enclave.take().unwrap().kill();
    scene.b.enclave.take().unwrap().kill();
    scene.b.parent.offer(None);
    scene.b.start(&["--runner".to_owned(), scene.runner.to_str().unwrap().to_owned()]);
    scene.b.until_health("ok").await;
    assert_eq!(scene.b.status().await.identity, before.identity);
    assert_eq!(scene.tenant_at_b().await, ["A"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_predecessor_that_is_not_told_finds_out_by_the_state() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    // From the first question for the state on, which comes after the grant, nothing reaches the predecessor any more.
    let cut = Arc::clone(&scene.cut);
    scene.b.parent.lie(move |_, honest, _| {
        cut.store(true, Ordering::SeqCst);
        Sent::Frames(vec![honest])
    });
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;
    assert!(scene.a.place.logged("the head was forked"), "by its own commit");
    assert_eq!(scene.tenant_at_b().await, ["A"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_that_dies_leaves_the_appliance_as_it_was() {
    let mut scene = Scene::new(LONG).await;
    // It has the root secret, and never learns what the state is.
    scene.b.parent.lie(|_, _, _| Sent::Frames(vec![]));
    scene.upgrade();
    scene.a.until_logged("the root secret was handed to a successor").await;
    assert_eq!(scene.write_at_a("B").await, Err("handing_over".to_owned()));
    let names = scene.tenant.channel().await.secrets().await.unwrap();
    assert_eq!(names.len(), 1, "reads go on");
    scene.b.enclave.take().unwrap().kill();
    scene.a_goes_on().await;

    // And the upgrade is tried again.
    scene.b.parent.be_honest();
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;
    assert_eq!(scene.tenant_at_b().await, ["A", "ON"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_knows_whose_the_state_is_nothing_is_told_of_it() {
    let mut scene = Scene::new(Duration::from_secs(3)).await;
    let mut session = scene.tenant.channel().await;
    let slow = "export default (ms) => new Promise((resolve) => setTimeout(() => resolve('done'), ms));";
    let mut deploy = javascript(slow);
    deploy.limits.timeout_ms = 60_000;
    session.deploy("slow", &deploy).await.unwrap();
    // Nothing reaches the predecessor after the grant, and its own commit is neither taken nor refused.
    let cut = Arc::clone(&scene.cut);
    scene.b.parent.lie(move |_, honest, _| {
        cut.store(true, Ordering::SeqCst);
        Sent::Frames(vec![honest])
    });
    let cut = Arc::clone(&scene.cut);
    scene.a.parent.lie(move |request, honest, _| {
        let kept_waiting = matches!(request.operation, Operation::Commit(_) | Operation::Head);
        let silent = kept_waiting && cut.load(Ordering::SeqCst);
        Sent::Frames(if silent { vec![] } else { vec![honest] })
    });
    // These are under way before the grant, and end when the patience has: before it is known whose the state is, and after.
    let mut other = scene.tenant.channel().await;
    let under_way = tokio::spawn(async move { session.invoke("slow", "16000").await });
    let longer = tokio::spawn(async move { other.invoke("slow", "42000").await });
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_logged("the root secret was handed to a successor").await;
    scene.a.until_logged("finding out whose the state is").await;

    let address = scene.a.parent.address();
    for round in 0..2 {
        let mut public = Http::public(&address).await.unwrap();
        for path in ["/v1/health", "/v1/openapi.json", "/nothing"] {
            assert_eq!(settling(&public.get(path).await.unwrap()), ("handing_over", true), "{path}");
        }
        let mut attested = Http::attested(&address).await.unwrap();
        let paths =
            ["/v1/status", "/v1/secrets", "/v1/functions", "/v1/configuration", "/v1/whoami", "/nothing"];
        for path in paths {
            assert_eq!(settling(&attested.get(path).await.unwrap()), ("handing_over", true), "{path}");
        }
        for path in ["/v1/sign-in", "/v1/witness/last", "/v1/functions/slow/invocations", "/v1/status"] {
            let answer = attested.send(Method::POST, path, &[], "{}").await.unwrap();
            assert_eq!(settling(&answer), ("handing_over", true), "{path}");
        }
        let answer = attested.send(Method::POST, "/v1/handoff/done", &[], "").await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (409, "handoff_not_open"), "not on this session");
        if round == 0 {
            sleep(Duration::from_secs(16)).await;
        }
    }
    assert!(!under_way.is_finished(), "what it read is not told either");

    // The parent comes to its senses.
    scene.a.parent.be_honest();
    scene.a.until_health("superseded").await;
    for late in [under_way, longer] {
        let late = late.await.unwrap().unwrap_err();
        let r3e_client::ClientError::Api { status: 503, code, .. } = &late else { panic!("{late}") };
        assert_eq!(code, "store_unavailable");
    }
    assert_eq!(scene.tenant_at_b().await, ["A"]);
}

/// The code of an answer that says to come again, and whether it does.
fn settling(answer: &Answer) -> (&'static str, bool) {
    let code = if answer.code() == "handing_over" { "handing_over" } else { "another" };
    (code, answer.status == 503 && answer.headers["retry-after"] == "1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_predecessor_that_is_shown_a_foreign_head_gives_way() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    // The successor stays silent, and the parent says that the predecessor's commit does not follow what stands.
    scene.b.parent.lie(|_, _, _| Sent::Frames(vec![]));
    let cut = Arc::clone(&scene.cut);
    scene.a.parent.lie(move |request, honest, _| {
        let outcome = match &request.operation {
            Operation::Commit(_) if cut.load(Ordering::SeqCst) => Outcome::Conflict,
            Operation::Head if cut.load(Ordering::SeqCst) => Outcome::Head(Some(vec![7; 200])),
            _ => honest.outcome,
        };
        Sent::Frames(vec![Response { id: request.id, outcome }])
    });
    scene.upgrade();
    scene.a.until_logged("the root secret was handed to a successor").await;
    scene.cut.store(true, Ordering::SeqCst);
    scene.a.until_health("superseded").await;
    assert!(scene.a.place.logged("the head is not of this appliance"), "it found that out itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_writes_while_the_state_is_handed_over_is_refused_and_known_to_be() {
    let mut scene = Scene::new(LONG).await;
    let careless = "export default async (value) => { if (value === null) return r3e.store.get('k'); \
        try { await r3e.store.set('k', value); } catch (e) { console.log(e.code); } return 'ended'; };";
    scene.tenant.channel().await.deploy("f", &javascript(careless)).await.unwrap();
    assert_eq!(code(&scene.tenant.channel().await.invoke("f", "1").await.unwrap()), "ok");
    let teller = granted(javascript("export default () => r3e.secrets.get('S');"), &["S"], &[]);
    scene.tenant.channel().await.deploy("teller", &teller).await.unwrap();
    scene.tenant.set_secret_for("S", "told", "teller").await;
    scene.b.parent.lie(|_, _, _| Sent::Frames(vec![]));
    scene.upgrade();
    scene.a.until_logged("the root secret was handed to a successor").await;

    let refused = scene.tenant.channel().await.invoke("f", "2").await.unwrap();
    assert_eq!(refused.logs()[0].text, "unavailable", "the function was told");
    assert_eq!((code(&refused).as_str(), refused.receipt().outcome.as_str()), ("ok", "ok"));
    // No secret is given that cannot be logged first.
    let told = match scene.tenant.channel().await.invoke("teller", "null").await {
        Ok(invocation) => code(&invocation),
        Err(error) => format!("{error:?}"),
    };
    assert_ne!(told, "ok");
    // Nobody is told as a witness what the successor may know better.
    let mut attested = Http::attested(&scene.a.parent.address()).await.unwrap();
    let ask = format!("{{\"key\":\"{0}\",\"nonce\":\"{0}\",\"signature\":\"{0}{0}\"}}", "07".repeat(32));
    let answer = attested.send(Method::POST, "/v1/witness/last", &[], ask.clone()).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (503, "handing_over"));

    scene.b.enclave.take().unwrap().kill();
    scene.a_goes_on().await;
    let kept = scene.tenant.channel().await.invoke("f", "null").await.unwrap();
    assert_eq!(output(&kept), serde_json::json!(1), "nothing was written");
    let answer = attested.send(Method::POST, "/v1/witness/last", &[], ask).await.unwrap();
    assert_ne!(answer.status, 503, "{}", answer.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_again_and_again_is_heard_no_more() {
    let mut scene = Scene::new(LONG).await;
    let address = scene.a.parent.address();
    let manifest = scene.releasers.approve(&scene.draft.release());
    // The release is public; the document is none.
    let asked =
        r3e_proto::handoff::Request { manifest, document: vec![7; 5_000], configuration: [7; 48] }.encode();
    for session in 0..4 {
        let mut http = Http::attested(&address).await.unwrap();
        for time in 0..10 {
            let answer = http.send(Method::POST, "/v1/handoff", &[], asked.clone()).await.unwrap();
            let expected = if time < 8 { (403, "successor_not_attested") } else { (401, "unauthenticated") };
            assert_eq!((answer.status, answer.code().as_str()), expected, "{session}: {time}");
        }
    }
    let log = whole(&scene.a.place.log());
    assert_eq!(log.matches("a successor was refused").count(), 16, "of 32");

    // The released successor is heard, and while it is, nobody's request is looked into.
    scene.b.parent.lie(|_, _, _| Sent::Frames(vec![]));
    scene.upgrade();
    scene.a.until_logged("the root secret was handed to a successor").await;
    let mut http = Http::attested(&address).await.unwrap();
    for _ in 0..10 {
        let answer = http.send(Method::POST, "/v1/handoff", &[], asked.clone()).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (409, "handoff_under_way"));
    }
    scene.b.enclave.take().unwrap().kill();
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_that_dies_with_its_first_commit_comes_back_by_its_provider() {
    let mut scene = Scene::new(LONG).await;
    let before = scene.a.status().await;
    // The provider releases the root secret to either image, as the same members of a quorum do.
    let kept = "test-root-secret";
    std::fs::copy(scene.a.place.state().join(kept), scene.b.place.state().join(kept)).unwrap();
    scene.write_at_a("B").await.unwrap();
    // The commit stands, and whoever made it never hears of it.
    let stands = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stands);
    scene.b.parent.lie(move |request, honest, _| {
        let is_commit = matches!(request.operation, Operation::Commit(_));
        if is_commit && honest.outcome == Outcome::Committed {
            seen.store(true, Ordering::SeqCst);
        }
        Sent::Frames(if is_commit { vec![] } else { vec![honest] })
    });
    scene.upgrade();
    let deadline = Instant::now() + LIMIT;
    while !stands.load(Ordering::SeqCst) {
        assert!(scene.b.enclave.as_mut().unwrap().ended().is_none() && Instant::now() < deadline);
        sleep(POLL).await;
    }
    scene.b.enclave.take().unwrap().kill();
    assert!(scene.b.parent.said().is_empty(), "it never served");
    assert_eq!(scene.write_at_a("C").await, Err("handing_over".to_owned()));
    scene.a.until_health("superseded").await;

    scene.b.parent.be_honest();
    scene.b.parent.offer(None);
    scene.b.start(&["--runner".to_owned(), scene.runner.to_str().unwrap().to_owned()]);
    scene.b.until_health("ok").await;
    let after = scene.b.status().await;
    assert_eq!(after.identity, before.identity);
    assert!(after.unlock_adopted, "it came from there");
    assert_eq!(scene.tenant_at_b().await, ["A", "B"], "all that was acknowledged, and no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_both_go_on_one_does() {
    let mut scene = Scene::new(Duration::from_millis(500)).await;
    // The successor is told nothing of the state until the predecessor has gone on.
    let log = scene.a.place.clone();
    scene.b.parent.lie(move |_, honest, _| {
        let goes_on = log.logged("the successor did not open the state");
        Sent::Frames(if goes_on { vec![honest] } else { vec![] })
    });
    scene.upgrade();
    scene.a.until_logged("the successor did not open the state").await;
    scene.b.fails("the state is not the one that was handed over").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_state_is_opened_by_a_successor() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    let older = scene.a.parent.kept().clone();
    scene.write_at_a("B").await.unwrap();
    // The parent shows the successor the state as it was before, whole.
    let mut older = Some(older);
    scene.b.parent.lie(move |request, honest, kept| {
        let mut shown = older.take().unwrap_or_else(|| kept.clone());
        let outcome = match &request.operation {
            Operation::Commit(_) | Operation::SlotWrite { .. } => honest.outcome,
            operation => shown.answer(operation),
        };
        older = Some(shown);
        Sent::Frames(vec![Response { id: request.id, outcome }])
    });
    scene.upgrade();
    scene.b.fails("the state is not the one that was handed over").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_not_approved_is_refused_by_the_successor_already() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    let release = scene.draft.release();
    let strangers = Releasers::default();
    for (case, manifest) in [
        ("nobody signed", scene.releasers.sign(&release, &[])),
        ("one signed", scene.releasers.sign(&release, &[1])),
        ("others signed", strangers.approve(&release)),
        ("no release", b"release".to_vec()),
    ] {
        let said = scene.b.parent.said().len();
        scene.upgrade_by(manifest, &[]);
        let status = scene.b.enclave.as_mut().unwrap().wait(LIMIT).await;
        let said = scene.b.parent.said().split_off(said);
        let refused =
            matches!(said.as_slice(), [Request::Failed(why)] if why.starts_with("release_not_approved"));
        assert!(!status.success() && refused, "{case}: {said:?}");
    }
    assert!(!scene.a.place.logged("successor"), "nothing was asked of the predecessor");
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_predecessors_refusal_reaches_the_successors_parent() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    scene.draft.minimum_sequence = 1_000_000;
    scene.upgrade();
    scene.b.fails("sequence_too_low: the predecessor refuses").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_says_another_version_than_its_image_is_refused_by_it() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    // To the predecessor it is a later one, and it would hand over.
    scene.draft.version = "99.0.0";
    scene.upgrade();
    scene.b.fails("version_not_released").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_for_another_appliance_is_refused_and_one_for_this_one_is_taken() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    let identity = scene.a.status().await.identity;
    scene.draft.appliance = Some([7; 32]);
    scene.upgrade();
    scene.b.fails("appliance_not_released: the predecessor refuses").await;
    scene.a_goes_on().await;

    scene.draft.appliance = Some(hex::decode(&identity).unwrap().try_into().unwrap());
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;
    assert_eq!(scene.b.status().await.identity, identity);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_the_release_does_not_ask() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    scene.runner = old_runner();
    scene.upgrade();
    scene.b.fails("successor_not_released").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debug_enclave_does_not_succeed() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    let manifest = scene.releasers.approve(&scene.draft.release());
    scene.upgrade_by(manifest, &["--debug-mode"]);
    scene.b.fails("successor_not_released").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_predecessor_of_another_root_is_nobody() {
    let mut scene = Scene::with(Duration::from_secs(2), false).await;
    scene.upgrade();
    scene.b.fails("the predecessor cannot be met").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_no_predecessor_is_nobody() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    // The parent's own image, whose root secret it could know; under a genuine root.
    scene.draft.predecessors = vec![[[7; 48], [8; 48], [9; 48]]];
    scene.upgrade();
    scene.b.fails("the predecessor cannot be met").await;
    scene.a_goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_predecessor_with_another_configuration_is_taken_where_the_release_leads_from_it() {
    let mut scene = Scene::new(Duration::from_secs(2)).await;
    let other = configuration(&SigningKey::generate().unwrap(), &scene.releasers.table());
    scene.b.parent.set_configuration(&other);
    scene.upgrade();
    scene.b.fails("configuration_not_released").await;
    scene.a_goes_on().await;

    // What leads back, or from elsewhere to there, does not lead there.
    let (old, new) = (measures(&scene.configuration), measures(&other));
    let elsewhere = Measured { unlock: [7; 48], ..old };
    for (from, to) in [(new, old), (elsewhere, new)] {
        scene.draft.changes = vec![Change { from, to }];
        scene.upgrade();
        scene.b.fails("configuration_not_released").await;
    }
    scene.a_goes_on().await;

    let before = scene.a.status().await;
    scene.draft.changes = vec![Change { from: old, to: new }];
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;
    assert_eq!(scene.b.status().await.identity, before.identity);
    assert_ne!(scene.b.status().await.configuration, before.configuration);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_with_a_quorum_of_its_own_is_unlocked_by_it_from_then_on() {
    let mut scene = Scene::new(Duration::from_secs(30)).await;
    let before = scene.a.status().await;
    let people = scene.become_quorums();
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;
    let after = scene.b.status().await;
    assert_eq!((after.identity, after.unlock.as_str()), (before.identity.clone(), "quorum"));
    scene.b.until_adopted().await;

    // It restarts by its members, whatever became of the predecessor.
    scene.a.enclave.take().unwrap().kill();
    scene.b.enclave.take().unwrap().kill();
    scene.b.parent.offer(None);
    scene.b.start(&["--runner".to_owned(), scene.runner.to_str().unwrap().to_owned()]);
    scene.b.until_health("locked").await;
    let address = scene.b.parent.address();
    for person in &people[..2] {
        let session = RawSession::open(&address, &[3; 32]).await.unwrap();
        let binding = session.binding;
        let mut http = session.into_http().await;
        let unlock: Value = serde_json::from_slice(&http.get("/v1/unlock").await.unwrap().body).unwrap();
        let slot = STANDARD.decode(unlock["setup"].as_str().unwrap()).unwrap();
        let setup = Setup::decode(&AttestedSetup::decode(&slot).unwrap().setup).unwrap();
        let approval = person.approval(&binding, &setup, &person.share(&setup)).to_string();
        let answer = http.send(Method::POST, "/v1/unlock/shares", &[], approval).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.code());
    }
    scene.b.until_health("ok").await;
    assert_eq!(scene.b.status().await.identity, before.identity);
    assert_eq!(scene.tenant_at_b().await, ["A"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_whose_provider_does_not_take_the_root_secret_serves_and_says_so() {
    let mut scene = Scene::new(Duration::from_secs(30)).await;
    scene.become_quorums();
    scene.b.parent.lie(|request, honest, kept| {
        let outcome = match &request.operation {
            Operation::SlotWrite { .. } => {
                kept.slot = None;
                Outcome::Failed("the disk is full".to_owned())
            }
            _ => honest.outcome,
        };
        Sent::Frames(vec![Response { id: request.id, outcome }])
    });
    scene.upgrade();
    scene.b.until_health("ok").await;
    scene.a.until_health("superseded").await;
    scene.b.until_logged("the unlock provider has not adopted the root secret").await;
    assert!(!scene.b.status().await.unlock_adopted);
    assert_eq!(scene.tenant_at_b().await, ["A"]);
}
