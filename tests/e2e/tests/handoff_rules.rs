//! Whoever asks a running appliance for its root secret, and is not its released successor: each rule by an attacker who
//! keeps all the others, with documents that a genuine hypervisor could have signed. Here the test itself is the successor.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use http::Method;
use r3e_client::{Connector, SigningKey};
use r3e_e2e::handoff::{Draft, Releasers, configuration, image, measures, old_runner};
use r3e_e2e::hostile_parent::HostileParent;
use r3e_e2e::process::{Process, tail};
use r3e_e2e::raw::{Answer, Http, RawSession};
use r3e_e2e::tenant::secret;
use r3e_e2e::{EnclavePlace, Tenant};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig};
use r3e_proto::channel::binding::{Digest, configuration_digest};
use r3e_proto::channel::statement::Statement;
use r3e_proto::handoff::{Grant, Request, successor_binding};
use r3e_proto::release::{Change, ImagePcrs, Measured};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);
/// The released successor's image.
const NEXT: ImagePcrs = [[0x20; 48], [0x21; 48], [0x22; 48]];

struct Scene {
    releasers: Releasers,
    draft: Draft,
    configuration: String,
    place: EnclavePlace,
    parent: HostileParent,
    operator: SigningKey,
    _enclave: Process,
    _folder: TempDir,
}

/// A successor's request, to be changed before it is sent.
struct Play {
    manifest: Vec<u8>,
    image: ImagePcrs,
    measured: Measured,
    configuration: Digest,
    statement: Statement,
    /// The device under which its document is signed.
    device: FakeNsm,
    /// What the document's time is behind.
    age_ms: u64,
}

impl Scene {
    async fn new(tables: impl FnOnce(&Releasers) -> String) -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
        let place = EnclavePlace::new(folder.path());
        let (releasers, operator) = (Releasers::default(), SigningKey::generate().unwrap());
        let configuration = configuration(&operator, &tables(&releasers));
        let parent = HostileParent::start(&place, &configuration).await;
        let enclave = place.start_with(["--handoff-patience-ms", "10000"]);
        let draft = Draft::new(image(&old_runner()), NEXT);
        let scene = Self {
            releasers,
            draft,
            configuration,
            place,
            parent,
            operator,
            _enclave: enclave,
            _folder: folder,
        };
        let deadline = Instant::now() + LIMIT;
        while Http::attested(&scene.parent.address()).await.is_err() {
            assert!(Instant::now() < deadline, "it does not serve");
            sleep(POLL).await;
        }
        scene
    }

    async fn released() -> Self {
        Self::new(Releasers::table).await
    }

    fn device(&self) -> FakeNsm {
        FakeNsm::open(&self.place.state(), FakeNsmConfig::default()).unwrap()
    }

    async fn session(&self) -> RawSession {
        RawSession::open(&self.parent.address(), &[9; 32]).await.unwrap()
    }

    /// What the released successor asks with on the session of this binding.
    fn good(&self, session: &Digest) -> Play {
        let configuration = configuration_digest(self.configuration.as_bytes());
        Play {
            manifest: self.releasers.approve(&self.draft.release()),
            image: NEXT,
            measured: measures(&self.configuration),
            configuration,
            statement: Statement::Successor { binding: successor_binding(session, &configuration) },
            device: self.device(),
            age_ms: 0,
        }
    }

    /// The same under another configuration, which it measured.
    fn under(&self, session: &Digest, text: &str) -> Play {
        let configuration = configuration_digest(text.as_bytes());
        let statement = Statement::Successor { binding: successor_binding(session, &configuration) };
        Play { configuration, measured: measures(text), statement, ..self.good(session) }
    }

    /// What the appliance answers a successor under this configuration, by a release that lets these changes be made.
    async fn asked_under(&self, text: &str, changes: Vec<Change>) -> Answer {
        let session = self.session().await;
        let manifest = self.draft(|draft| draft.changes = changes);
        let request = Play { manifest, ..self.under(&session.binding, text) }.request();
        session.into_http().await.send(Method::POST, "/v1/handoff", &[], request).await.unwrap()
    }

    /// Asks on a session of its own with what `change` makes of the released successor's request.
    async fn ask(&self, change: impl FnOnce(&mut Play)) -> Answer {
        let session = self.session().await;
        let mut play = self.good(&session.binding);
        change(&mut play);
        let request = play.request();
        session.into_http().await.send(Method::POST, "/v1/handoff", &[], request).await.unwrap()
    }

    async fn refuses(&self, case: &str, code: &str, change: impl FnOnce(&mut Play)) {
        let answer = self.ask(change).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, code), "{case}");
    }

    fn draft(&self, change: impl FnOnce(&mut Draft)) -> Vec<u8> {
        let mut draft = self.draft.clone();
        change(&mut draft);
        self.releasers.approve(&draft.release())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of enclave.log ---\n{}", tail(&self.place.log()));
        }
    }
}

impl Play {
    fn request(&self) -> Vec<u8> {
        let statement = self.statement.encode();
        let mut spec = self.device.document_spec(Some(&statement), None, None).unwrap();
        spec.timestamp_ms -= self.age_ms;
        let pcrs = (0..).zip(self.image);
        let pcrs = pcrs.chain([(16, self.measured.configuration), (17, self.measured.unlock)]);
        spec.pcrs.retain(|(index, _)| !matches!(index, 0..=2 | 16 | 17));
        spec.pcrs.extend(pcrs.map(|(index, value)| (index, value.to_vec())));
        spec.pcrs.sort();
        let document = self.device.sign_document(&spec).unwrap();
        Request { manifest: self.manifest.clone(), document, configuration: self.configuration }.encode()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_is_kept() {
    let scene = Scene::released().await;
    let release = scene.draft.release();
    let other = r3e_e2e::handoff::configuration(&SigningKey::generate().unwrap(), &scene.releasers.table());
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = FakeNsm::open(folder.path(), FakeNsmConfig::default()).unwrap();
    let sequence = 1_000_000;

    let code = "release_not_approved";
    scene.refuses("nobody signed", code, |it| it.manifest = scene.releasers.sign(&release, &[])).await;
    scene.refuses("one of two signed", code, |it| it.manifest = scene.releasers.sign(&release, &[1])).await;
    scene.refuses("others signed", code, |it| it.manifest = Releasers::default().approve(&release)).await;
    scene
        .refuses("another release under the signatures of one", code, |it| {
            let at = it.manifest.windows(48).position(|bytes| bytes == NEXT[0]).unwrap();
            it.manifest[at] ^= 1;
        })
        .await;
    scene.refuses("no release", code, |it| it.manifest = vec![0; 8]).await;

    let stranger = scene.draft(|draft| draft.predecessors = vec![[[7; 48], [8; 48], [9; 48]]]);
    scene.refuses("not its predecessor", "not_a_predecessor", |it| it.manifest = stranger).await;
    let older = scene.draft(|draft| draft.version = "0.0.9");
    scene.refuses("an older one", "downgrade", |it| it.manifest = older).await;
    let elsewhere_for = scene.draft(|draft| draft.appliance = Some([7; 32]));
    scene.refuses("another appliance's", "appliance_not_released", |it| it.manifest = elsewhere_for).await;
    let later = scene.draft(|draft| draft.minimum_sequence = sequence);
    scene.refuses("a state of before", "sequence_too_low", |it| it.manifest = later).await;

    let code = "successor_not_attested";
    scene.refuses("another root", code, |it| it.device = elsewhere).await;
    scene.refuses("a debug image", code, |it| it.image = [[0; 48]; 3]).await;
    scene.refuses("an old document", code, |it| it.age_ms = 10 * 60_000).await;

    let code = "successor_not_released";
    for index in 0..3 {
        scene.refuses("another image", code, |it| it.image[index][47] ^= 1).await;
    }
    scene.refuses("its own image", code, |it| it.image = image(&old_runner())).await;

    let code = "successor_unbound";
    let another = scene.session().await.binding;
    let replayed = scene.good(&another).statement;
    scene.refuses("a document for another session", code, |it| it.statement = replayed).await;
    let statement = Statement::Sessions { root: another, size: 1 };
    scene.refuses("a document for another purpose", code, |it| it.statement = statement).await;
    scene
        .refuses("a configuration that it did not measure", code, |it| {
            it.configuration = configuration_digest(other.as_bytes());
        })
        .await;

    let code = "configuration_not_released";
    scene.refuses("another unlock policy", code, |it| it.measured.unlock = [3; 48]).await;
    let own = measures(&scene.configuration);
    let somewhere = |byte| Measured { configuration: [byte; 48], unlock: [byte; 48] };
    let (theirs, third, fourth) = (measures(&other), somewhere(3), somewhere(4));
    let change = |from, to| Change { from, to };
    for (case, changes) in [
        ("another operator's configuration", vec![]),
        ("the way back", vec![change(theirs, own)]),
        (
            "another appliance's way there, and our way elsewhere",
            vec![change(own, third), change(fourth, theirs)],
        ),
        ("the new policy alone", vec![change(own, Measured { unlock: third.unlock, ..own })]),
    ] {
        let answer = scene.asked_under(&other, changes).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, code), "{case}");
    }

    // After all of it the appliance is as it was, and the released successor gets its root secret.
    let tenant = tenant(&scene).await;
    tenant.channel().await.set_secret("A", secret("value")).await.unwrap();
    assert_eq!(scene.ask(|_| {}).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_table_nobody_is_handed_anything() {
    let scene = Scene::new(|_| String::new()).await;
    scene.refuses("approved by somebody", "handoff_not_allowed", |_| {}).await;
    for (body, status) in [(vec![], 400), (vec![0xff; 100], 400), (vec![0; 64 * 1024], 413)] {
        let mut http = scene.session().await.into_http().await;
        let answer = http.send(Method::POST, "/v1/handoff", &[], body).await.unwrap();
        assert_eq!(answer.status, status);
    }
    // Outside a session there is no such thing.
    let mut public = Http::public(&scene.parent.address()).await.unwrap();
    let answer = public.send(Method::POST, "/v1/handoff", &[], vec![0; 8]).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (421, "not_attested"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_granted_once_and_done_is_said_by_whom_it_was_granted() {
    let scene = Scene::released().await;
    let tenant = tenant(&scene).await;
    tenant.channel().await.set_secret("A", secret("value")).await.unwrap();
    let identity = tenant.connect().await.status().await.unwrap().identity;

    let session = scene.session().await;
    let request = scene.good(&session.binding).request();
    let mut http = session.into_http().await;
    let mut other = scene.session().await.into_http().await;
    let done = async |http: &mut Http| http.send(Method::POST, "/v1/handoff/done", &[], "").await.unwrap();
    assert_eq!(done(&mut http).await.code(), "handoff_not_open", "nothing was granted yet");

    let answer = http.send(Method::POST, "/v1/handoff", &[], request.clone()).await.unwrap();
    assert_eq!(answer.status, 200);
    let grant = Grant::decode(&answer.body).unwrap();
    assert_eq!(hex::encode(grant.identity), identity);
    let status = tenant.connect().await.status().await.unwrap();
    assert_eq!(status.sequence, grant.sequence, "nothing is committed any more");

    let code = |error| match error {
        r3e_client::ClientError::Api { status: 503, code, .. } => code,
        error => panic!("{error}"),
    };
    let refused = tenant.channel().await.set_secret("B", secret("value")).await.unwrap_err();
    assert_eq!(code(refused), "handing_over");
    assert_eq!(tenant.channel().await.secrets().await.unwrap().len(), 1, "reads go on");
    let again = http.send(Method::POST, "/v1/handoff", &[], request).await.unwrap();
    assert_eq!((again.status, again.code().as_str()), (409, "handoff_under_way"));
    assert_eq!(done(&mut other).await.code(), "handoff_not_open", "not on another's session");

    // Nothing is heard of it for too long: the appliance goes on, and the grant is worth nothing.
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = tenant.channel().await.set_secret("B", secret("value")).await {
        assert_eq!(code(error), "handing_over");
        assert!(Instant::now() < deadline, "it does not go on");
        sleep(POLL).await;
    }
    assert_eq!(done(&mut http).await.code(), "handoff_not_open", "it was taken back");
    assert!(tenant.connect().await.status().await.unwrap().sequence > grant.sequence + 1);
}

async fn tenant(scene: &Scene) -> Tenant {
    let address = scene.parent.address().parse().unwrap();
    let connector = Connector::new(address, scene.place.policy()).unwrap();
    Tenant::admitted_over(connector, &scene.operator, "alice").await
}
