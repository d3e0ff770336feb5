//! An appliance that a quorum unlocks: the members' tools, a restart, and everything that a parent or a member could try.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use r3e_client::{ClientError, Connector, MemberKey};
use r3e_e2e::command::{Done, Home, argument};
use r3e_e2e::hostile_parent::{HostileParent, Sent};
use r3e_e2e::member::{Person, policy, tables};
use r3e_e2e::process::{Process, tail};
use r3e_e2e::raw::{Answer, Http, RawSession};
use r3e_e2e::tenant::{granted, javascript, output};
use r3e_e2e::{Appliance, EnclavePlace, Options, Tenant, Trust};
use r3e_proto::channel::binding::Digest;
use r3e_proto::host::blob::{Operation, Outcome, Response};
use r3e_proto::unlock::message::share_digest;
use r3e_proto::unlock::setup::{AttestedSetup, SealedShare, Setup};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(1);

fn people() -> [Person; 3] {
    ["alice", "bob", "carol"].map(Person::new)
}

/// An appliance of the product's own programs, whose quorum is two of three.
struct Town {
    appliance: Appliance,
    people: [Person; 3],
}

impl Town {
    async fn new() -> Self {
        let people = people();
        let unlock_tables = tables(2, &people);
        let appliance =
            Appliance::start(Options { unlock: "quorum", unlock_tables, ..Options::default() }).await;
        Self { appliance, people }
    }

    fn home(&self, who: usize) -> (Home, PathBuf) {
        let home = Home::new(&self.appliance, self.people[who].name());
        let file = home.path("member.pem");
        if !file.exists() {
            self.people[who].write_key_file(&file);
        }
        (home, file)
    }

    /// Runs `r3e operator` as a member.
    fn operator(&self, who: usize, arguments: &[&str]) -> Done {
        let (home, file) = self.home(who);
        let more = ["--json", "--member-key-file", argument(&file)];
        home.r3e(&[&["operator"], arguments, &more].concat())
    }

    async fn restart_locked(&mut self) {
        self.appliance.restart().await;
        assert_eq!(self.appliance.health().await.as_deref(), Some("locked"));
    }
}

fn approved(status: &Value) -> Vec<&str> {
    let members = status["members"].as_array().unwrap();
    members.iter().filter(|one| one["approved"] == true).map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_unlock_it_and_what_it_kept_is_there() {
    let mut town = Town::new().await;
    assert_eq!(town.appliance.health().await.as_deref(), Some("locked"));
    let (alice, bob, carol) = (0, 1, 2);

    // Locked: what is served, and what is not.
    let (home, _) = town.home(alice);
    let attested = home.r3e(&["enclave", "attest", "--json"]).ok().json();
    assert_eq!(attested["report_key"], Value::Null);
    home.r3e(&["enclave", "status", "--json"]).exits(1).fails_with("locked");
    for (method, path) in [
        (Method::GET, "/v1/report-key"),
        (Method::POST, "/v1/sign-in"),
        (Method::GET, "/v1/secrets"),
        (Method::POST, "/v1/functions/f/invocations"),
        (Method::GET, "/v1/nonsense"),
    ] {
        let mut http = Http::attested(&town.appliance.address()).await.unwrap();
        let answer = http.send(method, path, &[], "{}").await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (423, "locked"), "{path}");
        assert!(String::from_utf8_lossy(&answer.body).contains("r3e operator init"), "what to do next");
    }
    let mut public = Http::public(&town.appliance.address()).await.unwrap();
    let answer = public.get("/v1/unlock").await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (421, "not_attested"));
    let status = town.operator(bob, &["status"]).ok().json();
    assert_eq!((&status["state"], &status["threshold"]), (&json!("no_setup"), &json!(2)));
    assert_eq!(status["setup"], Value::Null);
    town.operator(bob, &["approve", "--yes"]).exits(1).fails_with("nothing_to_approve");
    // It asks before it acts, and there is nobody to answer.
    town.operator(alice, &["init"]).exits(2).fails_with("usage");

    let made = town.operator(alice, &["init", "--yes"]).ok().json();
    let identity = made["setup"]["identity"].as_str().unwrap().to_owned();
    town.appliance.serving().await;
    let status = town.appliance.connect().await.status().await.unwrap();
    assert_eq!((status.unlock.as_str(), status.identity.as_str()), ("quorum", identity.as_str()));
    town.operator(alice, &["init", "--yes"]).exits(1).fails_with("setup_remembered");
    town.operator(alice, &["init", "--yes", "--new-appliance"]).exits(1).fails_with("unlocked");

    let tenant = Tenant::admitted(&town.appliance, "dapp").await;
    tenant.set_secret_for("TOKEN", "kept", "teller").await;
    let source = "export default async () => await r3e.secrets.get('TOKEN');";
    let mut channel = tenant.channel().await;
    channel.deploy("teller", &granted(javascript(source), &["TOKEN"], &[])).await.unwrap();
    let key = *channel.report_key().public_key();

    for pair in [[bob, carol], [carol, alice]] {
        town.restart_locked().await;
        let status = town.operator(pair[0], &["status"]).ok().json();
        assert_eq!(status["state"], "waiting");
        assert_eq!(status["own_share_of"], town.people[pair[0]].name());
        assert_eq!(status["setup"]["identity"], identity.as_str());
        assert!(status["setup"]["made_by_release"].as_str().unwrap().contains("enclave-under-test"));
        let first = town.operator(pair[0], &["approve", "--yes"]).ok().json();
        assert_eq!(
            (&first["state"], approved(&first)),
            (&json!("waiting"), vec![town.people[pair[0]].name()])
        );
        let twice = town.operator(pair[0], &["approve", "--yes"]).exits(1);
        twice.fails_with("unlock_duplicate");
        let second = town.operator(pair[1], &["approve", "--yes"]).ok().json();
        assert!(["opening", "unlocked"].contains(&second["state"].as_str().unwrap()), "{second}");
        town.appliance.serving().await;
        let mut channel = tenant.channel().await;
        assert_eq!(*channel.report_key().public_key(), key);
        assert_eq!(output(&channel.invoke("teller", "null").await.unwrap()), json!("kept"));
        let status = town.operator(bob, &["status"]).ok().json();
        assert_eq!((&status["state"], &status["setup"]["identity"]), (&json!("unlocked"), &json!(identity)));
    }

    // Who approved before a restart has not approved after it; a stranger's key is nobody's.
    town.restart_locked().await;
    town.operator(bob, &["approve", "--yes"]).ok();
    town.appliance.kill_enclave();
    town.appliance.start_enclave();
    town.appliance.ready().await;
    assert_eq!(approved(&town.operator(bob, &["status"]).ok().json()), [""; 0]);
    let (home, _) = town.home(bob);
    let stranger = home.path("stranger.pem");
    MemberKey::generate().unwrap().write_new(&stranger).unwrap();
    home.r3e(&["operator", "approve", "--yes", "--json", "--member-key-file", argument(&stranger)])
        .exits(2)
        .fails_with("not_a_member");

    // Other members in the configuration: the setup is not theirs, and says so.
    town.appliance.stop().await;
    let others = ["alice", "bob", "carol"].map(Person::new);
    town.appliance.set_unlock_tables(tables(2, &others));
    town.appliance.start_parent();
    town.appliance.start_enclave();
    town.appliance.ready().await;
    let channel = &mut town.appliance.connect().await;
    let unlocking = channel.unlocking(None).await.unwrap();
    assert!(
        unlocking.setup().is_none() && unlocking.detail().contains("other members"),
        "{}",
        unlocking.detail()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_keys_come_from_the_tool() {
    let folder = tempfile::tempdir().unwrap();
    let place = EnclavePlace::new(folder.path());
    let home = Home::at(folder.path(), "alice", "127.0.0.1:1", &r3e_e2e::enclave::Place::trust(&place));
    let made = home.r3e(&["operator", "keygen", "--member", "alice", "--out", "alice.pem"]).ok();
    let key = MemberKey::read(&home.path("alice.pem")).unwrap();
    for word in ["[[unlock.quorum.member]]", "name = \"alice\"", &key.signing_key().to_string()] {
        assert!(made.out.contains(word), "{word}: {}", made.out);
    }
    assert!(made.out.contains(&hex::encode(key.encryption_key())));
    let file = std::fs::read_to_string(home.path("alice.pem")).unwrap();
    for secret in file.lines().filter(|line| !line.starts_with('-')) {
        assert!(!made.out.contains(secret) && !made.err.contains(secret), "a private key was printed");
    }
    home.r3e(&["operator", "keygen", "--member", "alice", "--out", "alice.pem"]).exits(2);
    home.r3e(&["operator", "keygen", "--member", "a b", "--out", "other.pem"]).exits(2);
}

/// An enclave whose parent is the test.
struct Scene {
    enclave: Option<Process>,
    parent: HostileParent,
    people: [Person; 3],
    place: EnclavePlace,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::of(people()).await
    }

    async fn of(people: [Person; 3]) -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
        let place = EnclavePlace::new(folder.path());
        let configuration = format!(
            "[operator]\npublic_key = \"{}\"\n[unlock]\nprovider = \"quorum\"\n{}",
            "07".repeat(32),
            tables(2, &people)
        );
        let parent = HostileParent::start(&place, &configuration).await;
        let mut scene = Self { enclave: None, parent, people, place, folder };
        scene.boot().await;
        scene
    }

    /// One whose root secret was made, and that was started again.
    async fn initialised() -> Self {
        let mut scene = Self::new().await;
        scene.init().await;
        scene.boot().await;
        scene
    }

    /// Starts the enclave anew, and waits until it answers.
    async fn boot(&mut self) {
        self.end();
        self.enclave = Some(self.place.start());
        self.answers().await;
    }

    async fn answers(&mut self) {
        let deadline = Instant::now() + LIMIT;
        while self.health().await.is_none() {
            assert!(self.enclave.as_mut().unwrap().ended().is_none(), "the enclave ended");
            assert!(Instant::now() < deadline, "the enclave does not answer");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn end(&mut self) {
        if let Some(enclave) = self.enclave.take() {
            enclave.kill();
        }
    }

    async fn health(&self) -> Option<String> {
        let answer = Http::public(&self.parent.address()).await.ok()?.get("/v1/health").await.ok()?;
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        Some(body["status"].as_str()?.to_owned())
    }

    async fn state(&self) -> String {
        let unlock = self.unlock().await;
        unlock["state"].as_str().unwrap().to_owned()
    }

    /// What the enclave says of its unlocking, to anyone.
    async fn unlock(&self) -> Value {
        let mut http = Http::attested(&self.parent.address()).await.unwrap();
        serde_json::from_slice(&http.get("/v1/unlock").await.unwrap().body).unwrap()
    }

    async fn approved(&self) -> Vec<String> {
        serde_json::from_value(self.unlock().await["approved"].clone()).unwrap()
    }

    fn connector(&self) -> Connector {
        Connector::new(self.parent.address().parse().unwrap(), self.place.policy()).unwrap()
    }

    /// A session with its binding, and HTTP on it.
    async fn session(&self) -> (Digest, Http) {
        let session = RawSession::open(&self.parent.address(), &[7; 32]).await.unwrap();
        (session.binding, session.into_http().await)
    }

    async fn init(&self) {
        let (binding, mut http) = self.session().await;
        let request = self.people[0].init(&binding, &policy(2, &self.people));
        let answer = post(&mut http, "init", &request).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let deadline = Instant::now() + LIMIT;
        while self.health().await.as_deref() != Some("ok") {
            assert!(Instant::now() < deadline, "it does not serve");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn attested(&self) -> AttestedSetup {
        AttestedSetup::decode(self.parent.kept().slot.as_ref().unwrap()).unwrap()
    }

    fn setup(&self) -> Setup {
        Setup::decode(&self.attested().setup).unwrap()
    }

    fn put(&self, slot: Option<Vec<u8>>) {
        self.parent.kept().slot = slot;
    }

    /// A new session, and on it an approval that is right but for what `change` makes of it.
    async fn approve(&self, who: usize, setup: &Setup, change: impl FnOnce(&mut Value)) -> Answer {
        let (binding, mut http) = self.session().await;
        let person = &self.people[who];
        let mut approval = person.approval(&binding, setup, &person.share(setup));
        change(&mut approval);
        post(&mut http, "shares", &approval).await
    }

    /// What a member's client makes of the setup that is offered to it.
    async fn refusal(&self) -> String {
        let mut channel = self.connector().connect().await.unwrap();
        channel.unlocking(None).await.map_or_else(|error| chain(&error), |_| "accepted".to_owned())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of enclave.log ---\n{}", tail(&self.place.log()));
        }
    }
}

async fn post(http: &mut Http, what: &str, body: &Value) -> Answer {
    let path = format!("/v1/unlock/{what}");
    http.send(Method::POST, &path, &[("content-type", "application/json")], body.to_string()).await.unwrap()
}

fn chain(error: &ClientError) -> String {
    let mut text = format!("{}: {error}", error.code());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

/// An approval, made for the session of a binding.
type Make<'a> = Box<dyn Fn(&Digest) -> Value + 'a>;

/// A root that the parent knows, in shares for the members' public keys: everything a parent can make by itself.
fn parents_own(genuine: &Setup) -> (Setup, [u8; 32]) {
    let (id, share) = ([8; 16], [6; 32]);
    let sealed = |index| SealedShare {
        digest: share_digest(&id, index, &share),
        encapsulated: [9; 32],
        ciphertext: [1; 48],
    };
    let shares = (1..=3).map(sealed).collect();
    (Setup { id, commitment: [5; 32], shares, ..genuine.clone() }, share)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_no_enclave_made_convinces_no_member_and_unlocks_nothing() {
    let mut scene = Scene::initialised().await;
    let (genuine, attested) = (scene.setup(), scene.attested());
    let (forged, share) = parents_own(&genuine);
    // Any document that an enclave gives to whoever asks.
    let session = RawSession::open(&scene.parent.address(), &[3; 32]).await.unwrap();
    let of_a_session = session.evidence.document.clone();
    // A setup of other enclaves' under another root, for the same members.
    let mut twin = Scene::of(std::mem::replace(&mut scene.people, people())).await;
    twin.init().await;
    let twins = twin.attested();
    scene.people = std::mem::replace(&mut twin.people, people());
    drop(twin);

    let mut changed_document = attested.document.clone();
    let last = changed_document.len() - 1;
    changed_document[last] ^= 1;
    let slot = |setup: &[u8], document: &[u8]| {
        Some(AttestedSetup { setup: setup.to_vec(), document: document.to_vec() }.encode())
    };
    for (case, slot, words) in [
        ("beside the genuine document", slot(&forged.encode(), &attested.document), "no enclave made it so"),
        ("beside a session's document", slot(&forged.encode(), &of_a_session), "no enclave made it so"),
        ("beside no document", slot(&forged.encode(), b""), "its document was refused"),
        ("beside a changed document", slot(&genuine.encode(), &changed_document), "its document was refused"),
        ("under another root", slot(&twins.setup, &twins.document), "its document was refused"),
    ] {
        scene.put(slot);
        scene.boot().await;
        assert_eq!(scene.state().await, "waiting", "{case}: the enclave cannot tell, and need not");
        let refused = scene.refusal().await;
        assert!(refused.starts_with("unlock_setup: ") && refused.contains(words), "{case}: {refused}");
        // And the tool sends nothing.
        let home = Home::at(
            scene.folder.path(),
            "bob",
            &scene.parent.address(),
            &r3e_e2e::enclave::Place::trust(&scene.place),
        );
        let file = home.path("member.pem");
        if !file.exists() {
            scene.people[1].write_key_file(&file);
        }
        let approve = ["operator", "approve", "--yes", "--json", "--member-key-file", argument(&file)];
        home.r3e(&approve).exits(1).fails_with("unlock_setup");
        assert_eq!(scene.approved().await, [""; 0], "{case}");
    }

    // The parent posts the shares itself: it can sign with any key but a member's.
    scene.put(slot(&forged.encode(), &attested.document));
    scene.boot().await;
    for name in ["alice", "bob", "carol"] {
        let (binding, mut http) = scene.session().await;
        let approval = Person::new(name).approval(&binding, &forged, &share);
        assert_eq!(code(&post(&mut http, "shares", &approval).await), (401, "unlock_signature".into()));
    }
    assert_eq!((scene.approved().await, scene.health().await.as_deref()), (vec![], Some("locked")));

    scene.put(Some(attested.encode()));
    scene.boot().await;
    assert_eq!(scene.refusal().await, "accepted");
    for who in [0, 1] {
        assert_eq!(scene.approve(who, &genuine, |_| {}).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_approval_is_named_and_counts_for_nothing() {
    let scene = Scene::initialised().await;
    let setup = scene.setup();
    let [alice, bob, _] = &scene.people;
    let (alices, bobs) = (alice.share(&setup), bob.share(&setup));
    let older = Setup { id: [1; 16], ..setup.clone() };
    let other_people = people();
    let foreign = Setup { policy: policy(2, &other_people), ..setup.clone() };
    let mallory = Person::new("mallory");

    let (first, _) = scene.session().await;
    let (binding, _) = scene.session().await;
    assert_ne!(first, binding);
    let cases: [(&str, Make<'_>, (u16, &str)); 8] = [
        (
            "another session's",
            Box::new(|_| alice.approval(&first, &setup, &alices)),
            (401, "unlock_signature"),
        ),
        ("zeros", Box::new(|on| alice.approval(on, &setup, &[0; 32])), (422, "unlock_wrong_share")),
        ("another member's", Box::new(|on| alice.approval(on, &setup, &bobs)), (422, "unlock_wrong_share")),
        ("an older setup's", Box::new(|on| alice.approval(on, &older, &alices)), (409, "unlock_stale")),
        (
            "another appliance's",
            Box::new(|on| other_people[0].approval(on, &foreign, &alices)),
            (403, "unlock_foreign"),
        ),
        ("a stranger's", Box::new(|on| mallory.approval(on, &setup, &alices)), (403, "unlock_foreign")),
        (
            "signed for another share",
            Box::new(|on| {
                let mut approval = alice.approval(on, &setup, &alices);
                approval["share"] = json!(hex::encode(bobs));
                approval
            }),
            (401, "unlock_signature"),
        ),
        (
            "no hex",
            Box::new(|on| {
                let mut approval = alice.approval(on, &setup, &alices);
                approval["share"] = json!("zz");
                approval
            }),
            (400, "bad_request"),
        ),
    ];
    for (case, make, (status, expected)) in &cases {
        let (binding, mut http) = scene.session().await;
        let answer = post(&mut http, "shares", &make(&binding)).await;
        assert_eq!(code(&answer), (*status, (*expected).to_owned()), "{case}");
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!said.contains(&hex::encode(alices)) && !said.contains(&hex::encode(bobs)), "{case}: {said}");
    }
    assert_eq!(scene.approved().await, [""; 0]);

    // Guesses cost a handshake.
    let (binding, mut http) = scene.session().await;
    for attempt in 0..10 {
        let answer = post(&mut http, "shares", &mallory.approval(&binding, &setup, &alices)).await;
        let expected = if attempt < 8 { "unlock_foreign" } else { "unauthenticated" };
        assert_eq!(answer.code(), expected, "{attempt}");
    }
    let right = post(&mut http, "shares", &alice.approval(&binding, &setup, &alices)).await;
    assert_eq!(right.code(), "unauthenticated");

    let taken = scene.approve(0, &setup, |_| {}).await;
    assert_eq!(taken.status, 200);
    assert_eq!(code(&scene.approve(0, &setup, |_| {}).await), (409, "unlock_duplicate".into()));
    let said: Value = serde_json::from_slice(&taken.body).unwrap();
    assert_eq!((&said["state"], &said["approved"]), (&json!("waiting"), &json!(["alice"])));
    assert_eq!(scene.health().await.as_deref(), Some("locked"));
    // What stands in the log and in the parent's hands: no share.
    let log = std::fs::read_to_string(scene.place.log()).unwrap();
    assert!(!log.contains(&hex::encode(alices)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_for_one_enclave_is_worth_nothing_to_another() {
    let mut scene = Scene::initialised().await;
    let setup = scene.setup();
    let (binding, mut http) = scene.session().await;
    let alice = &scene.people[0];
    let approval = alice.approval(&binding, &setup, &alice.share(&setup));
    assert_eq!(post(&mut http, "shares", &approval).await.status, 200);
    // The parent kept what it carried, and starts the enclave again.
    scene.boot().await;
    let (_, mut http) = scene.session().await;
    assert_eq!(code(&post(&mut http, "shares", &approval).await), (401, "unlock_signature".into()));
    assert_eq!(scene.approved().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_a_member_begins_an_appliance_and_none_over_another() {
    let scene = Scene::new().await;
    let quorum = policy(2, &scene.people);
    let (first, _) = scene.session().await;
    let (binding, mut http) = scene.session().await;
    for (request, expected) in [
        (Person::new("alice").init(&binding, &quorum), (401, "unlock_signature")),
        (Person::new("mallory").init(&binding, &quorum), (403, "unlock_foreign")),
        (scene.people[0].init(&first, &quorum), (401, "unlock_signature")),
        (scene.people[0].init(&binding, &policy(3, &scene.people)), (401, "unlock_signature")),
    ] {
        let (status, expected) = expected;
        assert_eq!(code(&post(&mut http, "init", &request).await), (status, expected.to_owned()));
    }
    assert_eq!(scene.parent.kept().slot, None);
    let no_setup =
        Setup { id: [1; 16], policy: quorum.clone(), commitment: [0; 32], made_at_ms: 0, shares: Vec::new() };
    let approval = scene.people[0].approval(&binding, &no_setup, &[1; 32]);
    assert_eq!(code(&post(&mut http, "shares", &approval).await), (409, "unlock_no_setup".into()));

    scene.init().await;
    let mut scene = scene;
    scene.boot().await;
    let stands = scene.parent.kept().slot.clone();
    let (binding, mut http) = scene.session().await;
    let again = post(&mut http, "init", &scene.people[1].init(&binding, &quorum)).await;
    assert_eq!(code(&again), (409, "unlock_setup_stands".into()));
    assert_eq!(scene.parent.kept().slot, stands);
    // Nor over what cannot be read.
    scene.put(Some(b"anything".to_vec()));
    scene.boot().await;
    assert_eq!(scene.state().await, "setup_unusable");
    let (binding, mut http) = scene.session().await;
    let again = post(&mut http, "init", &scene.people[1].init(&binding, &quorum)).await;
    assert_eq!(code(&again), (409, "unlock_setup_stands".into()));
}

/// What a member has approved it remembers: the parent may drop it, or put back an older one, and is found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_is_dropped_or_older_is_noticed() {
    let mut scene = Scene::new().await;
    let homes = [0, 1].map(|who| {
        let person = &scene.people[who];
        let trust = r3e_e2e::enclave::Place::trust(&scene.place);
        let home = Home::at(scene.folder.path(), person.name(), &scene.parent.address(), &trust);
        person.write_key_file(&home.path("member.pem"));
        home
    });
    let operator = |who: usize, arguments: &[&str]| {
        let file = homes[who].path("member.pem");
        homes[who]
            .r3e(&[&["operator"], arguments, &["--json", "--member-key-file", argument(&file)]].concat())
    };
    operator(0, &["init", "--yes"]).ok();
    let old = scene.parent.kept().clone();
    let old_digest = hex::encode(scene.setup().digest());
    scene.boot().await;
    operator(1, &["approve", "--yes"]).ok();

    // Dropped: nothing to approve, and nothing is begun in its place without a word.
    *scene.parent.kept() = r3e_e2e::hostile_parent::Kept::default();
    scene.boot().await;
    operator(1, &["approve", "--yes"]).exits(1).fails_with("nothing_to_approve");
    operator(0, &["init", "--yes"]).exits(1).fails_with("setup_remembered");
    assert_eq!(scene.parent.kept().slot, None);

    // Another appliance, on purpose; then the old one is put back.
    operator(0, &["init", "--yes", "--new-appliance"]).ok();
    let new_digest = hex::encode(scene.setup().digest());
    scene.boot().await;
    let refused = operator(1, &["approve", "--yes"]).exits(1);
    refused.fails_with("other_setup");
    assert!(refused.err.contains(&new_digest) && refused.err.contains(&old_digest), "{}", refused.err);
    let status = operator(1, &["status"]).ok().json();
    assert_eq!(status["setup"]["remembered"], old_digest.as_str());
    assert_eq!(scene.approved().await, [""; 0], "nothing was sent");
    operator(1, &["approve", "--yes", "--accept-setup", &old_digest]).exits(1).fails_with("other_setup");
    operator(1, &["approve", "--yes", "--accept-setup", &new_digest]).ok();
    *scene.parent.kept() = old;
    scene.boot().await;
    operator(1, &["approve", "--yes"]).exits(1).fails_with("other_setup");
    operator(0, &["approve", "--yes"]).exits(1).fails_with("other_setup");
    assert_eq!(scene.approved().await, [""; 0]);
}

/// The enclave is killed while its parent writes the setup: either nothing is there and it is made anew, or the setup
/// stands and its members open it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_setup_is_made_it_is_there_or_it_is_not() {
    for kept_it in [false, true] {
        let mut scene = Scene::new().await;
        scene.parent.lie(move |request, honest, kept| {
            if matches!(request.operation, Operation::SlotWrite { .. }) {
                if !kept_it {
                    kept.slot = None;
                }
                return Sent::Frames(Vec::new());
            }
            Sent::Frames(vec![honest])
        });
        let (binding, mut http) = scene.session().await;
        let request = scene.people[0].init(&binding, &policy(2, &scene.people));
        let waiting = tokio::spawn(async move { post_quietly(&mut http, &request).await });
        let deadline = Instant::now() + LIMIT;
        if kept_it {
            while scene.parent.kept().slot.is_none() {
                assert!(Instant::now() < deadline, "nothing was written");
                sleep(Duration::from_millis(5)).await;
            }
        } else {
            sleep(Duration::from_millis(300)).await;
        }
        assert_eq!(scene.health().await.as_deref(), Some("locked"), "nothing is released before it is kept");
        scene.parent.be_honest();
        scene.boot().await;
        assert!(!waiting.await.unwrap(), "nobody was told that it was made");
        if kept_it {
            assert_eq!(scene.refusal().await, "accepted");
            let setup = scene.setup();
            for who in [1, 2] {
                assert_eq!(scene.approve(who, &setup, |_| {}).await.status, 200);
            }
        } else {
            assert_eq!(scene.state().await, "no_setup");
            scene.init().await;
            scene.boot().await;
            let setup = scene.setup();
            for who in [0, 2] {
                assert_eq!(scene.approve(who, &setup, |_| {}).await.status, 200);
            }
        }
        let deadline = Instant::now() + LIMIT;
        while scene.health().await.as_deref() != Some("ok") {
            assert!(Instant::now() < deadline, "it does not serve");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Whether the setup was made, as far as the one who asked knows.
async fn post_quietly(http: &mut Http, body: &Value) -> bool {
    let sent = http.send(Method::POST, "/v1/unlock/init", &[], body.to_string()).await;
    sent.is_ok_and(|answer| answer.status == 201)
}

/// The setup in the answer is the one that the parent keeps, byte for byte.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_is_kept() {
    let scene = Scene::initialised().await;
    let shown = scene.unlock().await["setup"].as_str().unwrap().to_owned();
    assert_eq!(STANDARD.decode(shown).unwrap(), *scene.parent.kept().slot.as_ref().unwrap());
}

/// An image that is no longer accepted made the setup when it was. Who approved the setup then goes on under a new image
/// without accepting the old one again; who sees it first must name the old one, for setups alone; and a session with the
/// old one is refused whatever is remembered.
#[tokio::test(flavor = "multi_thread")]
async fn a_setup_outlives_the_release_that_made_it_and_no_session_does() {
    let mut scene = Scene::initialised().await;
    let old_list = scene.folder.path().join("old.json");
    std::fs::copy(scene.place.reference_values_file(), &old_list).unwrap();
    let new_list = scene.folder.path().join("new.json");
    let runner = scene.folder.path().join("runner");
    let mut program = std::fs::read(r3e_e2e::programs::program("r3e-runner")).unwrap();
    program.push(0);
    std::fs::write(&runner, program).unwrap();
    std::fs::set_permissions(&runner, std::fs::Permissions::from_mode(0o755)).unwrap();

    let root = scene.place.test_root_file();
    let homes = [1, 2].map(|who| {
        let trust = Trust { reference_values_file: new_list.clone(), test_root_file: root.clone() };
        let home = Home::at(scene.folder.path(), scene.people[who].name(), &scene.parent.address(), &trust);
        scene.people[who].write_key_file(&home.path("member.pem"));
        home
    });
    let operator = |home: &Home, arguments: &[&str]| {
        let file = home.path("member.pem");
        home.r3e(&[&["operator"], arguments, &["--json", "--member-key-file", argument(&file)]].concat())
    };
    let [bob, carol] = &homes;

    // The old image runs, is accepted, and bob approves its setup.
    std::fs::copy(&old_list, &new_list).unwrap();
    operator(bob, &["approve", "--yes"]).ok();

    // The new image runs; the old one is on no list of sessions any more.
    scene.end();
    scene.enclave = Some(scene.place.start_with_runner(&runner));
    scene.answers().await;
    std::fs::copy(scene.place.reference_values_file(), &new_list).unwrap();
    assert_ne!(std::fs::read(&old_list).unwrap(), std::fs::read(&new_list).unwrap());
    let any = ["--any-configuration"];
    let with_list = [any[0], "--setup-reference-values", argument(&old_list)];
    let known = operator(bob, &["status"]).ok().json();
    assert_eq!(
        (&known["setup"]["maker_accepted"], &known["setup"]["made_by_release"]),
        (&json!(false), &Value::Null)
    );
    operator(carol, &["approve", "--yes"]).exits(1).fails_with("unlock_setup");
    operator(bob, &["approve", "--yes"]).ok();
    let named = operator(carol, &[&["status"], &with_list[..]].concat()).ok().json();
    assert_eq!(named["setup"]["maker_accepted"], true);
    assert_eq!(scene.approved().await, ["bob"]);

    // The parent starts the old image again: nobody speaks with it, whatever is remembered and named for setups.
    scene.boot().await;
    for home in &homes {
        for more in [&any[..], &with_list[..]] {
            operator(home, &[&["approve", "--yes"], more].concat()).exits(1).fails_with("pcr_mismatch");
        }
    }
    assert_eq!(scene.approved().await, [""; 0]);

    // Another setup beside a remembered one is not taken for it.
    let (genuine, attested) = (scene.setup(), scene.attested());
    let forged = parents_own(&genuine).0.encode();
    scene.put(Some(AttestedSetup { setup: forged, document: attested.document.clone() }.encode()));
    scene.end();
    scene.enclave = Some(scene.place.start_with_runner(&runner));
    scene.answers().await;
    operator(bob, &["approve", "--yes"]).exits(1).fails_with("unlock_setup");

    scene.put(Some(attested.encode()));
    scene.end();
    scene.enclave = Some(scene.place.start_with_runner(&runner));
    scene.answers().await;
    operator(bob, &["approve", "--yes"]).ok();
    operator(carol, &[&["approve", "--yes"], &with_list[1..]].concat()).ok();
    let deadline = Instant::now() + LIMIT;
    while scene.health().await.as_deref() != Some("ok") {
        assert!(Instant::now() < deadline, "it does not serve");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The members have approved, and then the parent does not answer for the sealed state, once or for a while: nobody has to
/// come again. What it changes while it is asked is found out, and ends the enclave.
#[tokio::test(flavor = "multi_thread")]
async fn approvals_outlast_a_parent_that_drops_an_answer_and_no_other_lie() {
    let failed = |id| Response { id, outcome: Outcome::Failed("no disk".to_owned()) };
    for dropped in [1, 4] {
        let mut scene = Scene::initialised().await;
        let setup = scene.setup();
        let (left, asked) = (Arc::new(AtomicUsize::new(dropped)), Arc::new(AtomicUsize::new(0)));
        let (to_drop, heads) = (Arc::clone(&left), Arc::clone(&asked));
        scene.parent.lie(move |request, honest, _| {
            if !matches!(request.operation, Operation::Head) {
                return Sent::Frames(vec![honest]);
            }
            heads.fetch_add(1, Ordering::SeqCst);
            match to_drop.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
                // The connection ends, or the parent says that its store failed.
                Ok(left) if left % 2 == 0 => Sent::BytesAndEnd(Vec::new()),
                Ok(_) => Sent::Frames(vec![failed(request.id)]),
                Err(_) => Sent::Frames(vec![honest]),
            }
        });
        for who in [0, 2] {
            assert_eq!(scene.approve(who, &setup, |_| {}).await.status, 200);
        }
        let deadline = Instant::now() + LIMIT;
        loop {
            match scene.health().await.as_deref() {
                Some("ok") => break,
                Some("opening") | None => {}
                other => panic!("while it is opened, health says {other:?}"),
            }
            assert!(scene.enclave.as_mut().unwrap().ended().is_none(), "the approvals were thrown away");
            assert!(Instant::now() < deadline, "it does not serve");
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(left.load(Ordering::SeqCst), 0);
        assert!(asked.load(Ordering::SeqCst) > dropped);
        assert!(scene.place.logged("the sealed state is not open yet; trying again"));
    }

    // As long as nothing comes, it says so, and is asked again.
    let mut scene = Scene::initialised().await;
    let setup = scene.setup();
    let heads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heads);
    scene.parent.lie(move |request, honest, _| match request.operation {
        Operation::Head => {
            counted.fetch_add(1, Ordering::SeqCst);
            Sent::Frames(vec![failed(request.id)])
        }
        _ => Sent::Frames(vec![honest]),
    });
    for who in [0, 1] {
        assert_eq!(scene.approve(who, &setup, |_| {}).await.status, 200);
    }
    let deadline = Instant::now() + LIMIT;
    while heads.load(Ordering::SeqCst) < 3 {
        assert!(Instant::now() < deadline, "it does not ask again");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((scene.health().await.as_deref(), scene.state().await.as_str()), (Some("opening"), "opening"));
    // A lie is no missing answer.
    scene.parent.lie(|_, mut honest, _| {
        if let Outcome::Head(Some(head)) = &mut honest.outcome {
            *head.last_mut().unwrap() ^= 1;
        }
        Sent::Frames(vec![honest])
    });
    let status = scene.enclave.as_mut().unwrap().wait(LIMIT).await;
    assert!(!status.success() && scene.place.logged("the head is not of this appliance"), "{status}");
}
