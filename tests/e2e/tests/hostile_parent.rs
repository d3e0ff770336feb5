//! A parent that lies about what it keeps and moves: the enclave finds out, or its client does; nobody is fooled.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]
#![expect(clippy::items_after_statements, reason = "a type's alias stands beside its only use")]

use std::time::Duration;

use r3e_client::{Connector, SigningKey};
use r3e_e2e::hostile_parent::{Flip, HostileParent, Kept, Sent};
use r3e_e2e::process::{Process, tail, whole};
use r3e_e2e::raw::Http;
use r3e_e2e::tenant::{code, granted, javascript, output, secret};
use r3e_e2e::venue::Venue;
use r3e_e2e::{EnclavePlace, Tenant};
use r3e_proto::host::blob::{BlobName, Operation, Outcome, Response};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(1);

/// An enclave whose parent is the test.
struct Scene {
    enclave: Option<Process>,
    parent: HostileParent,
    operator: SigningKey,
    place: EnclavePlace,
    _folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with_extra_roots("").await
    }

    async fn with_extra_roots(pem: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
        let place = EnclavePlace::new(folder.path());
        let operator = SigningKey::generate().unwrap();
        let configuration = format!(
            "[operator]\npublic_key = \"{}\"\n[unlock]\nprovider = \"test\"\n[egress]\nextra_roots = \"\"\"\n{pem}\"\"\"\n",
            operator.public_key()
        );
        let parent = HostileParent::start(&place, &configuration).await;
        let mut scene = Self { enclave: None, parent, operator, place, _folder: folder };
        scene.boot().await;
        scene
    }

    /// Starts the enclave anew, and waits until it serves.
    async fn boot(&mut self) {
        self.end();
        self.enclave = Some(self.place.start());
        let deadline = Instant::now() + LIMIT;
        while self.health().await.is_none() {
            assert!(self.enclave.as_mut().unwrap().ended().is_none(), "the enclave ended");
            assert!(Instant::now() < deadline, "the enclave does not serve");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the enclave anew, and sees it end with these words.
    async fn boot_fails(&mut self, case: &str, words: &str) {
        self.end();
        let before = whole(&self.place.log()).len();
        let mut enclave = self.place.start();
        let status = enclave.wait(LIMIT).await;
        let said = whole(&self.place.log())[before..].to_owned();
        assert!(!status.success() && said.contains(words), "{case}: {status}, not {words:?}:\n{said}");
    }

    fn end(&mut self) {
        if let Some(enclave) = self.enclave.take() {
            enclave.kill();
        }
    }

    /// What the public health route says.
    async fn health(&self) -> Option<String> {
        let answer = Http::public(&self.parent.address()).await.ok()?.get("/v1/health").await.ok()?;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        Some(body["status"].as_str()?.to_owned())
    }

    fn connector(&self) -> Connector {
        Connector::new(self.parent.address().parse().unwrap(), self.place.policy()).unwrap()
    }

    async fn tenant(&self) -> Tenant {
        Tenant::admitted_over(self.connector(), &self.operator, "alice").await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of enclave.log ---\n{}", tail(&self.place.log()));
        }
    }
}

/// State with a history: some records were written twice, one was deleted. Gives what was kept before that.
async fn history(scene: &Scene, tenant: &Tenant) -> Kept {
    let mut channel = tenant.channel().await;
    for name in ["A", "B", "C", "GONE"] {
        channel.set_secret(name, secret("first")).await.unwrap();
    }
    let before = scene.parent.kept().clone();
    channel.set_secret("A", secret("second")).await.unwrap();
    channel.set_secret("D", secret("new")).await.unwrap();
    channel.delete_secret("GONE").await.unwrap();
    before
}

/// Whether the store keeps this for itself: such names end in a number, which is small.
fn is_note(name: &BlobName) -> bool {
    name[24..28] == [0; 4]
}

fn names(kept: &Kept, belongs: impl Fn(&BlobName, &Vec<u8>) -> bool) -> Vec<BlobName> {
    let found: Vec<_> =
        kept.records.iter().filter(|(name, blob)| belongs(name, blob)).map(|(name, _)| *name).collect();
    assert!(!found.is_empty(), "the history has no such record");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_store_is_booted_from() {
    let mut scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let before = history(&scene, &tenant).await;
    scene.boot().await;
    scene.end();
    let now = scene.parent.kept().clone();

    let note = names(&now, |name, _| is_note(name))[0];
    type Change<'a> = Box<dyn Fn(&mut Kept) + 'a>;
    let cases: Vec<(&str, Change<'_>, &str)> = vec![
        (
            "a bit of a commit's notes",
            Box::new(|kept| *kept.records.get_mut(&note).unwrap().last_mut().unwrap() ^= 1),
            "the note of a commit was changed",
        ),
        (
            "a commit's notes missing",
            Box::new(|kept| drop(kept.records.remove(&note))),
            "the note of a commit is missing",
        ),
        (
            "a record in the place of notes",
            Box::new(|kept| {
                let record = kept.records.iter().find(|(name, _)| !is_note(name)).unwrap().1.clone();
                kept.records.insert(note, record);
            }),
            "the note of a commit was changed",
        ),
        ("an older head", Box::new(|kept| kept.head.clone_from(&before.head)), "the head is an older one"),
        ("no head", Box::new(|kept| kept.head = None), "the head is missing"),
        (
            "a forged head",
            Box::new(|kept| kept.head = Some(vec![0x5a; now.head.as_ref().unwrap().len()])),
            "not of this appliance",
        ),
        (
            "a head cut short",
            Box::new(|kept| {
                kept.head.as_mut().unwrap().pop();
            }),
            "not of this appliance",
        ),
        (
            "a bit of the head",
            Box::new(|kept| *kept.head.as_mut().unwrap().last_mut().unwrap() ^= 1),
            "not of this appliance",
        ),
        ("nothing but the head", Box::new(|kept| kept.records.clear()), "the note of a commit is missing"),
    ];
    for (case, change, words) in cases {
        let mut changed = now.clone();
        change(&mut changed);
        assert_ne!(changed, now, "{case} changes nothing");
        *scene.parent.kept() = changed;
        scene.boot_fails(case, words).await;
    }
    *scene.parent.kept() = now;
    scene.boot().await;
    assert_eq!(tenant.channel().await.secrets().await.unwrap().len(), 4);
}

/// A boot reads no value: a record that was changed is found when it is read, whatever else was read before.
#[tokio::test(flavor = "multi_thread")]
async fn no_changed_record_is_served() {
    let mut scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let before = history(&scene, &tenant).await;
    scene.boot().await;
    scene.end();
    let now = scene.parent.kept().clone();
    // A secret, or its tenant's log of them, of which names do not say which is which; and another record.
    let record = names(&now, |name, blob| before.records.get(name).is_some_and(|old| old != blob))[0];
    let other = names(&now, |name, _| *name != record && !is_note(name))[0];

    type Change<'a> = Box<dyn Fn(&mut Kept) + 'a>;
    let cases: Vec<(&str, Change<'_>, &str)> = vec![
        (
            "cut short",
            Box::new(|kept| {
                kept.records.get_mut(&record).unwrap().pop();
            }),
            "a record was changed",
        ),
        (
            "cut to nothing",
            Box::new(|kept| kept.records.get_mut(&record).unwrap().clear()),
            "a record was changed",
        ),
        (
            "a bit of it",
            Box::new(|kept| *kept.records.get_mut(&record).unwrap().last_mut().unwrap() ^= 1),
            "a record was changed",
        ),
        (
            "another in its place",
            Box::new(|kept| drop(kept.records.insert(record, now.records[&other].clone()))),
            "under another record's name",
        ),
        (
            "an older one in its place",
            Box::new(|kept| drop(kept.records.insert(record, before.records[&record].clone()))),
            "older version of itself",
        ),
        ("missing", Box::new(|kept| drop(kept.records.remove(&record))), "a record is missing"),
    ];
    for (case, change, words) in cases {
        let mut changed = now.clone();
        change(&mut changed);
        assert_ne!(changed, now, "{case} changes nothing");
        *scene.parent.kept() = changed;
        let said = whole(&scene.place.log()).len();
        scene.boot().await;
        let refused = match tenant.connect().await.sign_in_tenant(tenant.key()).await {
            Ok(signed_in) => {
                let mut channel = signed_in.into_tenant();
                match channel.secrets().await {
                    // Then the record is one of the log.
                    Ok(_) => channel.secret_audit(None, 0).await.unwrap_err(),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        assert_eq!(refused.code(), "store_tampered", "{case}: {refused}");
        assert_eq!(scene.health().await.as_deref(), Some("store_tampered"), "{case}");
        let said = whole(&scene.place.log())[said..].to_owned();
        assert!(said.contains(words), "{case}, not {words:?}:\n{said}");
        scene.end();
    }
    // What was deleted and is back, or was never there, is not part of the state.
    let mut more = now.clone();
    for (name, blob) in &before.records {
        more.records.entry(*name).or_insert_with(|| blob.clone());
    }
    more.records.insert([0x5a; 32], now.records[&record].clone());
    assert!(more.records.len() > now.records.len() + 1, "nothing was deleted");
    *scene.parent.kept() = more;
    scene.boot().await;
    assert_eq!(tenant.channel().await.secrets().await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_false_listing_is_booted_from() {
    let mut scene = Scene::new().await;
    let tenant = scene.tenant().await;
    history(&scene, &tenant).await;

    type Change = fn(&mut Vec<(BlobName, Vec<u8>)>, &mut bool);
    let cases: [(&str, Change, &str); 4] = [
        ("reordered", |records, _| records.reverse(), "not in order"),
        ("duplicated", |records, _| records.insert(1, records[0].clone()), "not in order"),
        (
            "without an end",
            |records, more| {
                records.clear();
                *more = true;
            },
            "not in order",
        ),
        (
            "ended early",
            |records, more| {
                records.truncate(1);
                *more = false;
            },
            "the note of a commit is missing",
        ),
    ];
    for (case, change, words) in cases {
        scene.parent.lie(move |_, mut answer, _| {
            if let Outcome::List { records, more } = &mut answer.outcome {
                change(records, more);
            }
            Sent::Frames(vec![answer])
        });
        scene.boot_fails(case, words).await;
    }
    scene.parent.be_honest();
    scene.boot().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_older_state_is_seen_by_who_saw_a_later_one() {
    let mut scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let mut channel = tenant.channel().await;
    channel.deploy("f", &javascript("export default () => 1;")).await.unwrap();
    let before = scene.parent.kept().clone();
    for value in 0..5 {
        channel.set_secret("S", secret(&value.to_string())).await.unwrap();
    }
    // The receipt's sequence number is what this client remembers.
    let later = channel.invoke("f", "null").await.unwrap().receipt().sequence;
    scene.end();
    *scene.parent.kept() = before;
    // Every record and the head are genuine and fit each other: the enclave has no way to know.
    scene.boot().await;
    let refused = tenant.connect().await.sign_in_tenant(tenant.key()).await.unwrap_err();
    assert_eq!(refused.code(), "rolled_back", "{refused}");
    let now = scene.connector().connect().await.unwrap().status().await.unwrap().sequence;
    assert!(now < later, "{now} is no rollback from {later}");
    // A client that never saw the later state has nothing to compare.
    scene.connector().connect().await.unwrap().sign_in_tenant(tenant.key()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_record_ends_the_store_until_a_boot() {
    let mut scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let before = history(&scene, &tenant).await;
    let now = scene.parent.kept().clone();
    let other = now.records.values().next().unwrap().clone();

    type Change = Box<dyn Fn(BlobName, Vec<u8>) -> Option<Vec<u8>> + Send>;
    let cases: Vec<(&str, Change)> = vec![
        ("older", Box::new(move |name, honest| Some(before.records.get(&name).cloned().unwrap_or(honest)))),
        ("another", Box::new(move |_, _| Some(other.clone()))),
        ("none", Box::new(|_, _| None)),
        ("cut", Box::new(|_, honest| Some(honest[..honest.len() / 2].to_vec()))),
        ("empty", Box::new(|_, _| Some(Vec::new()))),
    ];
    for (case, change) in cases {
        // Nothing is cached after a boot.
        scene.boot().await;
        let mut channel = tenant.channel().await;
        scene.parent.lie(move |request, mut answer, _| {
            if let (Operation::Read { name }, Outcome::Read(Some(honest))) =
                (&request.operation, &answer.outcome)
            {
                answer.outcome = Outcome::Read(change(*name, honest.clone()));
            }
            Sent::Frames(vec![answer])
        });
        let refused = channel.secrets().await.unwrap_err();
        assert_eq!(refused.code(), "store_tampered", "{case}: {refused}");
        scene.parent.be_honest();
        // Honesty comes too late: what else was false, nobody knows.
        assert_eq!(channel.secrets().await.unwrap_err().code(), "store_tampered", "{case}");
        assert_eq!(scene.health().await.as_deref(), Some("store_tampered"), "{case}");
    }
    scene.boot().await;
    assert_eq!(scene.health().await.as_deref(), Some("ok"));
    assert_eq!(tenant.channel().await.secrets().await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_only_promised_is_found_out() {
    let scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let mut channel = tenant.channel().await;
    let before = scene.parent.kept().clone();
    scene.parent.lie(move |request, answer, kept| {
        if matches!(request.operation, Operation::Commit(_)) {
            kept.clone_from(&before);
        }
        Sent::Frames(vec![answer])
    });
    // To the enclave this looks as it should.
    channel.set_secret("A", secret("lost")).await.unwrap();
    let refused = channel.set_secret("B", secret("refused")).await.unwrap_err();
    assert_eq!(refused.code(), "store_tampered", "{refused}");
    assert_eq!(scene.health().await.as_deref(), Some("store_tampered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_frames_cost_a_retry_and_no_data() {
    let mut scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let mut expected = vec!["BASE".to_owned()];
    tenant.channel().await.set_secret("BASE", secret("1")).await.unwrap();

    type Break = fn(Response) -> Sent;
    let cases: [(&str, Break); 7] = [
        ("a frame cut short", |_| Sent::BytesAndEnd(vec![0, 0, 1, 0, 0xa2])),
        ("half a length", |_| Sent::BytesAndEnd(vec![0, 0])),
        ("an endless frame", |_| Sent::BytesAndEnd(vec![0xff; 64])),
        ("an empty frame", |_| Sent::BytesAndEnd(vec![0; 4])),
        ("no message", |_| Sent::BytesAndEnd(vec![0, 0, 0, 3, 1, 2, 3])),
        ("another question's answer", |answer| Sent::Frames(vec![Response { id: answer.id + 7, ..answer }])),
        ("the answer twice", |answer| Sent::Frames(vec![answer.clone(), answer])),
    ];
    for (case, break_answer) in cases {
        scene.boot().await;
        let mut channel = tenant.channel().await;
        let mut broken = 0;
        let (tell, told) = std::sync::mpsc::channel();
        scene.parent.lie(move |_, answer, _| {
            broken += 1;
            if broken > 2 {
                return Sent::Frames(vec![answer]);
            }
            tell.send(()).unwrap();
            break_answer(answer)
        });
        // A write is settled by what stands, whatever became of its answer.
        let name = format!("S{}", expected.len());
        channel.set_secret(&name, secret(case)).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        expected.push(name);
        assert!(told.try_recv().is_ok(), "{case}: nothing was broken");
        scene.parent.be_honest();
        let listed = eventually(&tenant, case).await;
        let mut sorted = expected.clone();
        sorted.sort();
        assert_eq!(listed, sorted, "{case}");
        assert_eq!(scene.health().await.as_deref(), Some("ok"), "{case}");
    }
}

/// The names of the tenant's secrets, once the store is reached again.
async fn eventually(tenant: &Tenant, case: &str) -> Vec<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match tenant.channel().await.secrets().await {
            Ok(secrets) => return secrets.into_iter().map(|secret| secret.name).collect(),
            Err(error) => {
                assert_eq!(error.code(), "store_unavailable", "{case}: {error}");
                assert!(Instant::now() < deadline, "{case}: the store does not come back");
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_in_another_order_reach_their_questions() {
    let mut scene = Scene::new().await;
    let [one, other] = [scene.tenant().await, scene.tenant().await];
    for (tenant, name) in [(&one, "ONE"), (&other, "OTHER")] {
        tenant.channel().await.set_secret(name, secret(name)).await.unwrap();
    }
    scene.boot().await;
    let (mut first, mut second) = (one.channel().await, other.channel().await);
    let mut held: Option<Response> = None;
    let (tell, told) = std::sync::mpsc::channel();
    scene.parent.lie(move |request, answer, _| match (&request.operation, held.take()) {
        (Operation::Read { .. }, None) => {
            held = Some(answer);
            Sent::Frames(Vec::new())
        }
        (_, Some(earlier)) => {
            tell.send(()).unwrap();
            Sent::Frames(vec![answer, earlier])
        }
        (_, None) => Sent::Frames(vec![answer]),
    });
    let (first, second) = tokio::join!(first.secrets(), second.secrets());
    assert_eq!(first.unwrap()[0].name, "ONE");
    assert_eq!(second.unwrap()[0].name, "OTHER");
    assert!(told.try_recv().is_ok(), "nothing was reordered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_ends_its_own_session_alone() {
    let scene = Scene::new().await;
    let tenant = scene.tenant().await;
    let mut bystander = tenant.channel().await;
    // In the hello, its key share, the server's answer, the certificate, the evidence, and the requests after it.
    for (to_enclave, offsets) in [(true, [60, 700, 1_700, 2_000]), (false, [60, 700, 2_500, 6_500])] {
        for offset in offsets {
            scene.parent.flip(Flip { connection: 0, to_enclave, offset });
            let cut = async {
                let mut channel = scene.connector().connect().await?;
                for _ in 0..12 {
                    channel.status().await?;
                }
                Ok::<_, r3e_client::ClientError>(())
            };
            let outcome = cut.await;
            assert!(
                outcome.is_err(),
                "byte {offset} to the {} was not missed",
                if to_enclave { "enclave" } else { "client" }
            );
            bystander.check_state().await.unwrap();
            scene.connector().connect().await.unwrap().status().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diverted_fetch_gives_the_impostor_nothing() {
    let genuine = Venue::local("venue.example", "key").await;
    let impostor = Venue::local("venue.example", "key").await;
    let scene = Scene::with_extra_roots(genuine.authority()).await;
    let tenant = scene.tenant().await;
    let mut channel = tenant.channel().await;
    tenant.set_secret_for("KEY", "key", "ask").await;
    let source = "export default async () => {
        const headers = { 'x-api-key': await r3e.secrets.get('KEY') };
        try { return (await fetch('https://venue.example/v1/ticker?pair=A', { headers })).status; }
        catch (error) { return error.code; }
    };";
    channel.deploy("ask", &granted(javascript(source), &["KEY"], &["venue.example"])).await.unwrap();

    scene.parent.divert_egress(impostor.address());
    let invocation = channel.invoke("ask", "null").await.unwrap();
    assert_eq!((code(&invocation).as_str(), output(&invocation)), ("ok", "unavailable".into()));
    assert_eq!(impostor.seen(), [], "an impostor was given a request");

    scene.parent.divert_egress(genuine.address());
    assert_eq!(output(&channel.invoke("ask", "null").await.unwrap()), 200);
    assert_eq!(genuine.seen()[0].api_key.as_deref(), Some("key"));
}
