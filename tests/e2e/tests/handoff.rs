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
use r3e_e2e::raw::{Http, RawSession};
use r3e_e2e::tenant::secret;
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
        match self.tenant.channel().await.set_secret(name, secret("value")).await {
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
    assert!(after.unlock_adopted && after.sequence > before.sequence);
    assert_eq!(scene.tenant_at_b().await, ["A"]);

    // Whoever still talks to the predecessor is sent away, inside a session and outside.
    assert!(session.set_secret("B", secret("late")).await.is_err());
    let mut public = Http::public(&scene.a.parent.address()).await.unwrap();
    let answer = public.get("/v1/health").await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (503, "superseded"));
    assert_eq!(answer.headers["connection"], "close");
    assert!(public.get("/v1/health").await.is_err(), "the connection is closed");
    let mut attested = Http::attested(&scene.a.parent.address()).await.unwrap();
    for path in ["/v1/status", "/v1/secrets", "/v1/handoff", "/nothing"] {
        let Ok(answer) = attested.get(path).await else { continue };
        assert_eq!((answer.status, answer.code().as_str()), (503, "superseded"), "{path}");
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
    let mut scene = Scene::new(Duration::from_secs(2)).await;
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
    assert!(after.unlock_adopted);

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
    assert!(!scene.b.status().await.unlock_adopted);
    assert_eq!(scene.tenant_at_b().await, ["A"]);
}
