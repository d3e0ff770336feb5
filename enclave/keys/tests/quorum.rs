//! The quorum against a parent and members that lie: each is refused for its own reason, and nothing is released.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use r3e_keys::quorum::{Approve, Init, Quorum, QuorumError, SetupProblem, Stage, View};
use r3e_keys::{
    BoxError, Clock, Documents, Entropy, KeyError, RootSecret, Slot, SlotFuture, SlotWritten, UnlockProvider,
};
use r3e_proto::channel::binding::{Digest, configuration_digest};
use r3e_proto::channel::statement::Statement;
use r3e_proto::unlock::message::{approve_message, init_message, seal_aad, seal_info, share_digest};
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use r3e_proto::unlock::setup::{AttestedSetup, SealedShare, Setup};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const SESSION: Digest = [1; 48];
const NOW_MS: u64 = 1_763_000_000_000;

struct Random;

impl Entropy for Random {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        aws_lc_rs::rand::fill(out).map_err(|_| "no randomness".into())
    }
}

struct Constant;

impl Entropy for Constant {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        out.fill(7);
        Ok(())
    }
}

/// A parent's slot, whose answers may get lost.
#[derive(Default)]
struct Kept {
    value: Mutex<Option<Vec<u8>>>,
    loses_answers: AtomicBool,
    loses_writes: AtomicBool,
}

impl Slot for Kept {
    fn read(&self) -> SlotFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.value.lock().unwrap().clone()) })
    }

    fn write<'a>(&'a self, expected: Option<[u8; 32]>, value: &'a [u8]) -> SlotFuture<'a, SlotWritten> {
        Box::pin(async move {
            if self.loses_writes.load(Ordering::Relaxed) {
                return Err("the parent went away".into());
            }
            let mut stands = self.value.lock().unwrap();
            if expected != stands.as_deref().map(|stands| Sha256::digest(stands).into()) {
                return Ok(SlotWritten::Conflict);
            }
            *stands = Some(value.to_vec());
            if self.loses_answers.load(Ordering::Relaxed) {
                Err("no answer".into())
            } else {
                Ok(SlotWritten::Written)
            }
        })
    }
}

/// The device's time.
struct Now;

impl Clock for Now {
    fn unix_ms(&self) -> u64 {
        NOW_MS
    }
}

/// Read just before somebody else writes.
struct Raced(Arc<Kept>);

impl Slot for Raced {
    fn read(&self) -> SlotFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(Some(b"what stood a moment ago".to_vec())) })
    }

    fn write<'a>(&'a self, expected: Option<[u8; 32]>, value: &'a [u8]) -> SlotFuture<'a, SlotWritten> {
        self.0.write(expected, value)
    }
}

/// A device whose documents are their user data.
struct Echo;

impl Documents for Echo {
    fn attest<'a>(
        &'a self,
        _: Option<&'a [u8]>,
        user_data: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>> {
        Box::pin(async { Ok(user_data.to_vec()) })
    }
}

struct Broken;

impl Documents for Broken {
    fn attest<'a>(
        &'a self,
        _: Option<&'a [u8]>,
        _: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>> {
        Box::pin(async { Err("the device went away".into()) })
    }
}

struct Person {
    name: &'static str,
    signing: Ed25519KeyPair,
    public: [u8; 32],
    private: Vec<u8>,
}

impl Person {
    fn new(name: &'static str) -> Self {
        let (public, private) = SUITE.generate_key_pair().unwrap();
        Self {
            name,
            signing: Ed25519KeyPair::generate().unwrap(),
            public: public.0.try_into().unwrap(),
            private: private.secret_bytes().to_vec(),
        }
    }

    fn member(&self) -> Member {
        Member {
            name: self.name.into(),
            signing_key: self.signing.public_key().as_ref().try_into().unwrap(),
            encryption_key: self.public,
        }
    }

    fn sign(&self, message: &Digest) -> [u8; 64] {
        self.signing.sign(message).as_ref().try_into().unwrap()
    }

    /// Opens this person's share of a setup.
    fn share(&self, setup: &Setup) -> Zeroizing<[u8; 32]> {
        let (index, _) = setup.policy.member(self.name).unwrap();
        let sealed = setup.share(index).unwrap();
        let opened = SUITE.open(
            &EncapsulatedSecret(sealed.encapsulated.to_vec()),
            &seal_info(&setup.id, self.name, index),
            seal_aad(&setup.commitment),
            &sealed.ciphertext,
            &HpkePrivateKey::from(self.private.clone()),
        );
        Zeroizing::new(opened.unwrap().try_into().unwrap())
    }
}

/// Three people, two of whom are enough, and their parent.
struct Scene {
    people: [Person; 3],
    kept: Arc<Kept>,
    quorum: Arc<Quorum>,
}

fn policy(people: &[Person; 3]) -> QuorumPolicy {
    QuorumPolicy::new(2, people.iter().map(Person::member).collect()).unwrap()
}

impl Scene {
    async fn new() -> Self {
        Self::of(["alice", "bob", "carol"].map(Person::new), Arc::default()).await
    }

    async fn of(people: [Person; 3], kept: Arc<Kept>) -> Self {
        let quorum = booted(policy(&people), &kept).await;
        Self { people, kept, quorum }
    }

    /// Another boot of an enclave over the same slot.
    async fn reboot(self) -> Self {
        Self::of(self.people, self.kept).await
    }

    async fn init(&self) -> Result<View, QuorumError> {
        let alice = &self.people[0];
        let signature = alice.sign(&init_message(&SESSION, &policy(&self.people).digest()));
        let request = Init { member: alice.name, signature: &signature };
        self.quorum.init(request, &SESSION, &Random).await
    }

    /// A new appliance, and its root's commitment.
    async fn initialised() -> (Self, [u8; 32]) {
        let scene = Self::new().await;
        scene.init().await.unwrap();
        let root = unlocked(&scene.quorum).unwrap();
        (scene.reboot().await, root.commitment().unwrap())
    }

    fn attested(&self) -> AttestedSetup {
        AttestedSetup::decode(self.kept.value.lock().unwrap().as_ref().unwrap()).unwrap()
    }

    fn setup(&self) -> Setup {
        Setup::decode(&self.attested().setup).unwrap()
    }

    fn approve(&self, who: usize) -> Result<View, QuorumError> {
        let setup = self.setup();
        let share = self.people[who].share(&setup);
        self.approve_with(&self.people[who], &setup, share, &SESSION)
    }

    /// An approval signed for the session `signed_for`, sent on [`SESSION`].
    fn approve_with(
        &self,
        who: &Person,
        setup: &Setup,
        share: Zeroizing<[u8; 32]>,
        signed_for: &Digest,
    ) -> Result<View, QuorumError> {
        let index = setup.policy.member(who.name).map_or(1, |(index, _)| index);
        let digest = share_digest(&setup.id, index, &share);
        let signature = who.sign(&approve_message(signed_for, &setup.digest(), &digest));
        let approval = Approve {
            member: who.name,
            policy: &setup.policy.digest(),
            setup: &setup.id,
            share,
            signature: &signature,
        };
        self.quorum.approve(approval, &SESSION)
    }
}

/// A quorum that has read its slot, as one that boots does at once.
async fn booted(policy: QuorumPolicy, kept: &Arc<Kept>) -> Arc<Quorum> {
    let slot: Arc<dyn Slot> = Arc::clone(kept) as _;
    let quorum = Arc::new(Quorum::new(policy, slot, Arc::new(Echo), Arc::new(Now)));
    assert!(matches!(quorum.view().stage, Stage::Reading));
    assert!(unlocked(&quorum).is_none());
    tokio::task::yield_now().await;
    quorum
}

/// The root secret, if it was released.
fn unlocked(quorum: &Quorum) -> Option<RootSecret> {
    use std::task::{Context, Poll, Waker};
    let mut unlocking = quorum.unlock(&Random);
    match unlocking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(root) => Some(root.unwrap()),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_root_is_made_at_a_members_word_and_comes_back_with_two_of_three() {
    let scene = Scene::new().await;
    assert!(matches!(scene.quorum.view().stage, Stage::NoSetup));
    let view = scene.init().await.unwrap();
    assert!(matches!(view.stage, Stage::Released));
    assert_eq!(view.setup, *scene.kept.value.lock().unwrap());
    let commitment = unlocked(&scene.quorum).unwrap().commitment().unwrap();
    let setup = scene.setup();
    assert_eq!((setup.commitment, setup.made_at_ms), (commitment, NOW_MS));
    let statement = Statement::UnlockSetup { setup: setup.digest() };
    assert_eq!(Statement::decode(&scene.attested().document), Ok(statement));

    let mut scene = scene;
    for pair in [[0, 1], [1, 2], [2, 0]] {
        scene = scene.reboot().await;
        let first = scene.approve(pair[0]).unwrap();
        assert!(matches!(first.stage, Stage::Waiting));
        assert_eq!(first.approved, [scene.people[pair[0]].name]);
        assert!(unlocked(&scene.quorum).is_none(), "one share is not enough");
        let second = scene.approve(pair[1]).unwrap();
        assert!(matches!(second.stage, Stage::Released));
        let root = unlocked(&scene.quorum).unwrap();
        assert_eq!(root.commitment().unwrap(), commitment);
        assert!(unlocked(&scene.quorum).is_none(), "it is released once");
        assert!(matches!(scene.approve(1), Err(QuorumError::Unlocked)));
        assert!(matches!(scene.init().await, Err(QuorumError::Unlocked)));
    }
}

#[tokio::test]
async fn every_setup_is_another_root() {
    let (one, first) = Scene::initialised().await;
    let (other, second) = Scene::initialised().await;
    assert_ne!(first, second);
    assert_ne!(one.setup().id, other.setup().id);
}

#[tokio::test]
async fn nobody_but_a_member_on_this_session_starts_an_appliance() {
    let scene = Scene::new().await;
    let digest = policy(&scene.people).digest();
    let (alice, mallory) = (&scene.people[0], Person::new("mallory"));
    for (name, signature) in [
        ("alice", mallory.sign(&init_message(&SESSION, &digest))),
        ("alice", alice.sign(&init_message(&[2; 48], &digest))),
        ("alice", alice.sign(&init_message(&SESSION, &[2; 48]))),
        ("alice", alice.sign(&approve_message(&SESSION, &digest, &digest))),
        ("bob", alice.sign(&init_message(&SESSION, &digest))),
        ("alice", [0; 64]),
    ] {
        let refused =
            scene.quorum.init(Init { member: name, signature: &signature }, &SESSION, &Random).await;
        assert!(matches!(refused, Err(QuorumError::Signature)), "{name}");
    }
    let signature = mallory.sign(&init_message(&SESSION, &digest));
    let request = Init { member: "mallory", signature: &signature };
    assert!(matches!(scene.quorum.init(request, &SESSION, &Random).await, Err(QuorumError::Foreign(_))));
    assert_eq!(*scene.kept.value.lock().unwrap(), None);
    assert!(unlocked(&scene.quorum).is_none());
}

#[tokio::test]
async fn no_setup_is_made_over_another() {
    let (scene, _) = Scene::initialised().await;
    let stands = scene.kept.value.lock().unwrap().clone();
    assert!(matches!(scene.init().await, Err(QuorumError::SetupStands)));
    assert_eq!(*scene.kept.value.lock().unwrap(), stands);

    // The parent said that nothing stands, and then has something: what is there now is what members approve.
    let lied = Scene::new().await;
    *lied.kept.value.lock().unwrap() = Some(b"anything".to_vec());
    assert!(matches!(lied.init().await, Err(QuorumError::SetupStands)));
    assert!(matches!(lied.quorum.view().stage, Stage::Unusable(SetupProblem::Malformed(_))));
    assert!(unlocked(&lied.quorum).is_none());
}

#[tokio::test]
async fn a_lost_answer_to_the_write_is_settled_by_a_read() {
    let scene = Scene::new().await;
    scene.kept.loses_writes.store(true, Ordering::Relaxed);
    assert!(matches!(scene.init().await, Err(QuorumError::Slot(_))));
    assert!(unlocked(&scene.quorum).is_none(), "nothing is released that was not kept");
    scene.kept.loses_writes.store(false, Ordering::Relaxed);
    scene.kept.loses_answers.store(true, Ordering::Relaxed);
    assert!(matches!(scene.init().await.unwrap().stage, Stage::Released));
    assert_eq!(unlocked(&scene.quorum).unwrap().commitment().unwrap(), scene.setup().commitment);
}

#[tokio::test]
async fn without_randomness_or_a_document_nothing_is_kept() {
    let people = ["alice", "bob", "carol"].map(Person::new);
    let kept: Arc<Kept> = Arc::default();
    let signature = people[0].sign(&init_message(&SESSION, &policy(&people).digest()));
    let request = Init { member: "alice", signature: &signature };

    let quorum = booted(policy(&people), &kept).await;
    let refused = quorum.init(request, &SESSION, &Constant).await;
    assert!(matches!(refused, Err(QuorumError::Key(KeyError::DeadEntropy))));

    let slot: Arc<dyn Slot> = Arc::clone(&kept) as _;
    let quorum = Quorum::new(policy(&people), slot, Arc::new(Broken), Arc::new(Now));
    assert!(matches!(quorum.init(request, &SESSION, &Random).await, Err(QuorumError::Reading)));
    assert!(unlocked(&quorum).is_none());
    let refused = quorum.init(request, &SESSION, &Random).await;
    assert!(matches!(refused, Err(QuorumError::Documents(_))));
    assert_eq!(*kept.value.lock().unwrap(), None);
}

/// The parent knows every public key. It makes a setup of a root that it knows, puts it into the slot, and posts shares of
/// its own: what it has not is a member's signature.
#[tokio::test]
async fn a_setup_of_the_parents_own_releases_nothing() {
    let (scene, _) = Scene::initialised().await;
    let genuine = scene.setup();
    let parents_share = Zeroizing::new([6; 32]);
    let forged = Setup {
        id: [8; 16],
        commitment: RootSecret::from_recovered(&Zeroizing::new([3; 32])).commitment().unwrap(),
        shares: (1..=3)
            .map(|index| SealedShare {
                digest: share_digest(&[8; 16], index, &parents_share),
                encapsulated: [1; 32],
                ciphertext: [1; 48],
            })
            .collect(),
        ..genuine.clone()
    };
    let slot = AttestedSetup { setup: forged.encode(), ..scene.attested() };
    *scene.kept.value.lock().unwrap() = Some(slot.encode());
    let scene = scene.reboot().await;
    assert!(matches!(scene.quorum.view().stage, Stage::Waiting), "the enclave cannot tell, and need not");

    let parent = Person::new("alice");
    let refused = scene.approve_with(&parent, &forged, parents_share.clone(), &SESSION);
    assert!(matches!(refused, Err(QuorumError::Signature)));
    // A member's signature for the genuine setup does not serve for the forged one.
    let alice = &scene.people[0];
    let digest = share_digest(&forged.id, 1, &parents_share);
    let signature = alice.sign(&approve_message(&SESSION, &genuine.digest(), &digest));
    let approval = Approve {
        member: "alice",
        policy: &forged.policy.digest(),
        setup: &forged.id,
        share: parents_share.clone(),
        signature: &signature,
    };
    assert!(matches!(scene.quorum.approve(approval, &SESSION), Err(QuorumError::Signature)));
    assert!(scene.quorum.view().approved.is_empty());

    // Were two members to sign for it unseen, the shares would still have to give the root that it commits to.
    for (who, share) in [(0, [6; 32]), (1, [6; 32])] {
        let outcome = scene.approve_with(&scene.people[who], &forged, Zeroizing::new(share), &SESSION);
        match who {
            0 => assert!(matches!(outcome.unwrap().stage, Stage::Waiting)),
            _ => assert!(matches!(outcome, Err(QuorumError::OtherRoot))),
        }
    }
    assert!(scene.quorum.view().approved.is_empty(), "every share was dropped");
    assert!(unlocked(&scene.quorum).is_none());
}

#[tokio::test]
async fn each_bad_approval_is_named_and_counts_for_nothing() {
    let (scene, commitment) = Scene::initialised().await;
    let setup = scene.setup();
    let [alice, bob, _] = &scene.people;
    let share = |person: &Person| person.share(&setup);

    let replayed = scene.approve_with(alice, &setup, share(alice), &[2; 48]);
    assert!(matches!(replayed, Err(QuorumError::Signature)), "signed for another session");
    let wrong = scene.approve_with(alice, &setup, Zeroizing::new([0; 32]), &SESSION);
    assert!(matches!(wrong, Err(QuorumError::WrongShare { member }) if member == "alice"));
    let anothers = scene.approve_with(alice, &setup, share(bob), &SESSION);
    assert!(matches!(anothers, Err(QuorumError::WrongShare { .. })), "bob's share in alice's place");
    let mut flipped = share(alice);
    flipped[31] ^= 1;
    assert!(matches!(
        scene.approve_with(alice, &setup, flipped, &SESSION),
        Err(QuorumError::WrongShare { .. })
    ));
    let stranger = scene.approve_with(&Person::new("mallory"), &setup, share(alice), &SESSION);
    assert!(matches!(stranger, Err(QuorumError::Foreign(_))));
    let older = Setup { id: [9; 16], ..setup.clone() };
    assert!(matches!(scene.approve_with(alice, &older, share(alice), &SESSION), Err(QuorumError::Stale)));
    let (other, _) = Scene::initialised().await;
    let foreign =
        scene.approve_with(&other.people[0], &other.setup(), other.people[0].share(&other.setup()), &SESSION);
    assert!(matches!(foreign, Err(QuorumError::Foreign(_))), "another appliance's");
    assert!(scene.quorum.view().approved.is_empty());

    scene.approve(0).unwrap();
    assert!(matches!(scene.approve(0), Err(QuorumError::Duplicate { member }) if member == "alice"));
    assert_eq!(scene.quorum.view().approved, ["alice"]);
    scene.approve(2).unwrap();
    assert_eq!(unlocked(&scene.quorum).unwrap().commitment().unwrap(), commitment);
}

#[tokio::test]
async fn an_approval_is_worth_nothing_to_another_enclave() {
    let (scene, _) = Scene::initialised().await;
    // Two enclaves over one slot have two sessions, whatever a member signs for.
    let twin = booted(policy(&scene.people), &scene.kept).await;
    let setup = scene.setup();
    let alice = &scene.people[0];
    let share = alice.share(&setup);
    let digest = share_digest(&setup.id, 1, &share);
    let signature = alice.sign(&approve_message(&SESSION, &setup.digest(), &digest));
    let approval = Approve {
        member: "alice",
        policy: &configuration_digest(&twin.policy_bytes()),
        setup: &setup.id,
        share,
        signature: &signature,
    };
    let twins_session = [5; 48];
    assert!(matches!(twin.approve(approval, &twins_session), Err(QuorumError::Signature)));
    assert!(scene.quorum.view().approved.is_empty() && twin.view().approved.is_empty());
}

#[tokio::test]
async fn what_the_parent_makes_of_the_slot_is_named() {
    let (scene, _) = Scene::initialised().await;
    let genuine = scene.setup();
    let stands = scene.kept.value.lock().unwrap().clone().unwrap();
    let document_from = stands.len() - scene.attested().document.len();
    let boot_with = async |value: Option<Vec<u8>>| {
        *scene.kept.value.lock().unwrap() = value;
        booted(policy(&scene.people), &scene.kept).await
    };
    // Alice has verified the genuine setup, and approves that one.
    let approve_genuine = |quorum: &Quorum| {
        let alice = &scene.people[0];
        let share = alice.share(&genuine);
        let digest = share_digest(&genuine.id, 1, &share);
        let signature = alice.sign(&approve_message(&SESSION, &genuine.digest(), &digest));
        let (policy, setup) = (&genuine.policy.digest(), &genuine.id);
        quorum.approve(Approve { member: "alice", policy, setup, share, signature: &signature }, &SESSION)
    };
    for at in (0..stands.len()).step_by(7) {
        let mut changed = stands.clone();
        changed[at] ^= 0x20;
        let quorum = boot_with(Some(changed)).await;
        let approved = approve_genuine(&quorum);
        match quorum.view().stage {
            Stage::Unusable(_) => assert!(matches!(approved, Err(QuorumError::Unusable(_))), "byte {at}"),
            // The document is the members' to appraise, and the setup is the genuine one.
            Stage::Waiting if at >= document_from => assert!(approved.is_ok(), "byte {at}"),
            // It can be read, its digest is another, and no signature for the genuine one fits it.
            Stage::Waiting => {
                let named = matches!(approved, Err(QuorumError::Signature | QuorumError::Stale));
                assert!(named, "byte {at}: {approved:?}");
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
    for cut in [0, 1, stands.len() / 2, stands.len() - 1] {
        let quorum = boot_with(Some(stands[..cut].to_vec())).await;
        assert!(matches!(quorum.view().stage, Stage::Unusable(SetupProblem::Malformed(_))), "cut at {cut}");
    }
    let quorum = boot_with(None).await;
    assert!(matches!(quorum.view().stage, Stage::NoSetup));
    assert!(matches!(approve_genuine(&quorum), Err(QuorumError::NoSetup)));

    boot_with(Some(stands)).await;
    let others = ["alice", "bob", "carol"].map(Person::new);
    let quorum = booted(policy(&others), &scene.kept).await;
    assert!(matches!(quorum.view().stage, Stage::Unusable(SetupProblem::OtherPolicy)));
    assert!(matches!(approve_genuine(&quorum), Err(QuorumError::Unusable(SetupProblem::OtherPolicy))));
}

/// Against an implementation in another language, written from the specification: its setup, whose shares it split and
/// sealed, is unlocked here with the approvals that it signed.
#[tokio::test]
async fn the_setup_of_a_second_implementation_unlocks() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/vectors/unlock.json");
    let case: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let bytes = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
    let setup = Setup::decode(&bytes(&case["setup"])).unwrap();
    let binding: Digest = bytes(&case["binding"]).try_into().unwrap();
    let kept = Arc::new(Kept::default());
    *kept.value.lock().unwrap() = Some(bytes(&case["attested_setup"]));
    let quorum = booted(setup.policy.clone(), &kept).await;
    for which in [0, 2] {
        let (member, expected) = (&case["members"][which], &case["shares"][which]);
        let person = Person {
            name: ["alice", "bob", "carol"][which],
            signing: Ed25519KeyPair::from_seed_unchecked(&bytes(&member["signing_seed"])).unwrap(),
            public: setup.policy.members()[which].encryption_key,
            private: bytes(&member["encryption_private"]),
        };
        assert_eq!(person.member(), setup.policy.members()[which]);
        let share = person.share(&setup);
        assert_eq!(share.as_slice(), bytes(&expected["share"]));
        let approval = Approve {
            member: person.name,
            policy: &setup.policy.digest(),
            setup: &setup.id,
            share,
            signature: &bytes(&expected["approve_signature"]).try_into().unwrap(),
        };
        quorum.approve(approval, &binding).unwrap();
    }
    let root = unlocked(&quorum).unwrap();
    let expected = RootSecret::from_recovered(&Zeroizing::new(bytes(&case["root"]).try_into().unwrap()));
    let path = r3e_keys::KeyPath::report();
    assert_eq!(root.derive(&path).unwrap(), expected.derive(&path).unwrap());
}

/// A root secret that is in use, as a predecessor hands it over.
fn handed_over() -> RootSecret {
    RootSecret::fill_with(|bytes| Random.fill(bytes)).unwrap()
}

/// Gives so many bytes, and then no more.
struct Ends(std::sync::atomic::AtomicUsize);

impl Entropy for Ends {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        let enough = |left: usize| left.checked_sub(out.len());
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).map_err(|_| "it ended")?;
        Random.fill(out)
    }
}

/// Nothing stood there, another provider's slot, another appliance's setup, or one for other members: each gives way to a
/// setup of this root that this quorum's members bring back.
#[tokio::test]
async fn a_root_that_was_handed_over_comes_back_by_this_quorum() {
    let (another, _) = Scene::initialised().await;
    let elsewhere = another.kept.value.lock().unwrap().clone();
    let other_root = {
        let (scene, _) = Scene::initialised().await;
        let kept = scene.kept.value.lock().unwrap().clone();
        (scene.people, kept)
    };
    let people = ["alice", "bob", "carol"].map(Person::new);
    for (people, stood) in
        [(people, None), (["dora", "emil", "fritz"].map(Person::new), elsewhere), other_root]
            .into_iter()
            .chain([(["a", "b", "c"].map(Person::new), Some(b"of another provider".to_vec()))])
    {
        let root = handed_over();
        let kept: Arc<Kept> = Arc::default();
        *kept.value.lock().unwrap() = stood;
        let slot: Arc<dyn Slot> = Arc::clone(&kept) as _;
        let quorum = Quorum::new(policy(&people), slot, Arc::new(Echo), Arc::new(Now));
        quorum.adopt(&root, &Random).await.unwrap();
        let view = quorum.view();
        assert!(matches!(view.stage, Stage::Released));
        assert_eq!((view.setup, view.approved.len()), (kept.value.lock().unwrap().clone(), 0));

        let scene = Scene::of(people, kept).await;
        let setup = scene.setup();
        assert_eq!((setup.commitment, setup.made_at_ms), (root.commitment().unwrap(), NOW_MS));
        let statement = Statement::UnlockSetup { setup: setup.digest() };
        assert_eq!(Statement::decode(&scene.attested().document), Ok(statement), "this enclave attests it");
        scene.approve(2).unwrap();
        scene.approve(0).unwrap();
        let back = unlocked(&scene.quorum).unwrap();
        assert_eq!(back.commitment().unwrap(), root.commitment().unwrap());
    }
}

#[tokio::test]
async fn a_setup_of_the_same_root_for_the_same_members_is_kept() {
    let (scene, commitment) = Scene::initialised().await;
    scene.approve(0).unwrap();
    scene.approve(1).unwrap();
    let root = unlocked(&scene.quorum).unwrap();
    let stood = scene.kept.value.lock().unwrap().clone();
    let scene = scene.reboot().await;
    // Not even a device or entropy is needed.
    scene.kept.loses_writes.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        scene.quorum.adopt(&root, &Ends(0.into())).await.unwrap();
        assert_eq!(*scene.kept.value.lock().unwrap(), stood);
        assert_eq!(scene.quorum.view().setup, stood);
    }
    assert_eq!(scene.setup().commitment, commitment);
}

/// What stands is known by its commitment and its policy, which are public. A parent that makes such a setup gains nothing but
/// that nobody can use it, as if it had lost the one that stood: no member takes it for the one that it remembers.
#[tokio::test]
async fn a_setup_with_the_same_commitment_is_kept_whatever_its_shares_are() {
    let (scene, commitment) = Scene::initialised().await;
    scene.approve(0).unwrap();
    scene.approve(1).unwrap();
    let root = unlocked(&scene.quorum).unwrap();
    let genuine = scene.setup();
    let shares = genuine.shares.iter().map(|share| SealedShare { digest: [7; 48], ..*share });
    let forged = Setup { shares: shares.collect(), ..genuine.clone() };
    assert_ne!(forged.digest(), genuine.digest(), "a member sees that it is another");
    let forged = AttestedSetup { setup: forged.encode(), document: b"nobody's".to_vec() }.encode();
    *scene.kept.value.lock().unwrap() = Some(forged.clone());
    let scene = scene.reboot().await;
    scene.quorum.adopt(&root, &Random).await.unwrap();
    assert_eq!(*scene.kept.value.lock().unwrap(), Some(forged));

    // At the next start nothing comes of it, and above all no other root. The members in another order are another quorum: by
    // a handoff to that one there is a good setup again.
    let scene = scene.reboot().await;
    assert!(matches!(scene.approve(0), Err(QuorumError::WrongShare { .. })));
    assert!(unlocked(&scene.quorum).is_none());
    let mut people = scene.people;
    people.reverse();
    let slot: Arc<dyn Slot> = Arc::clone(&scene.kept) as _;
    let quorum = Quorum::new(policy(&people), slot, Arc::new(Echo), Arc::new(Now));
    quorum.adopt(&root, &Random).await.unwrap();
    let scene = Scene::of(people, scene.kept).await;
    scene.approve(0).unwrap();
    scene.approve(2).unwrap();
    assert_eq!(unlocked(&scene.quorum).unwrap().commitment().unwrap(), commitment);
}

/// Another threshold alone is another policy, and the shares of before are of another polynomial.
#[tokio::test]
async fn another_threshold_is_another_setup() {
    let (scene, _) = Scene::initialised().await;
    scene.approve(0).unwrap();
    scene.approve(1).unwrap();
    let root = unlocked(&scene.quorum).unwrap();
    let before = scene.setup();
    let stricter = QuorumPolicy::new(3, scene.people.iter().map(Person::member).collect()).unwrap();
    let slot: Arc<dyn Slot> = Arc::clone(&scene.kept) as _;
    let quorum = Quorum::new(stricter.clone(), slot, Arc::new(Echo), Arc::new(Now));
    quorum.adopt(&root, &Random).await.unwrap();
    let after = scene.setup();
    assert_eq!((&after.policy, after.commitment), (&stricter, before.commitment));
    assert_ne!(after.id, before.id);
    for (old, new) in before.shares.iter().zip(&after.shares) {
        assert_ne!(old.digest, new.digest);
    }
}

/// With the root in use, whoever comes for the quorum comes too late: above all, nobody can have another root made, as long
/// as the slot is not written.
#[tokio::test]
async fn nobody_makes_or_approves_beside_a_root_in_use() {
    let people = ["alice", "bob", "carol"].map(Person::new);
    let scene = Scene::of(people, Arc::default()).await;
    scene.kept.loses_writes.store(true, Ordering::Relaxed);
    let root = handed_over();
    let failed = scene.quorum.adopt(&root, &Random).await.unwrap_err();
    assert!(matches!(failed, KeyError::NotAdopted { provider: "quorum", .. }), "{failed:?}");
    assert_eq!(*scene.kept.value.lock().unwrap(), None);
    assert!(matches!(scene.quorum.view(), View { stage: Stage::Released, setup: None, .. }));
    scene.kept.loses_writes.store(false, Ordering::Relaxed);
    assert!(matches!(scene.init().await, Err(QuorumError::Unlocked)));
    assert_eq!(*scene.kept.value.lock().unwrap(), None);

    // The answer alone was lost: it is found to stand. Then once more, and all is as it was.
    scene.kept.loses_answers.store(true, Ordering::Relaxed);
    scene.quorum.adopt(&root, &Random).await.unwrap();
    let stood = scene.kept.value.lock().unwrap().clone();
    scene.quorum.adopt(&root, &Random).await.unwrap();
    assert_eq!(*scene.kept.value.lock().unwrap(), stood);
    assert!(matches!(scene.approve(0), Err(QuorumError::Unlocked)));
}

#[tokio::test]
async fn what_fails_on_the_way_leaves_the_slot_as_it_was() {
    let (scene, _) = Scene::initialised().await;
    let stood = scene.kept.value.lock().unwrap().clone();
    let root = handed_over();
    let adopt = async |documents: Arc<dyn Documents>, entropy: &dyn Entropy| {
        let slot: Arc<dyn Slot> = Arc::clone(&scene.kept) as _;
        Quorum::new(policy(&scene.people), slot, documents, Arc::new(Now)).adopt(&root, entropy).await
    };
    let refused = adopt(Arc::new(Broken), &Random).await.unwrap_err();
    let KeyError::NotAdopted { source, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(source.downcast_ref(), Some(QuorumError::Documents(_))));
    let refused = adopt(Arc::new(Echo), &Ends(100.into())).await;
    assert!(matches!(refused, Err(KeyError::Entropy(_))));
    assert_eq!(*scene.kept.value.lock().unwrap(), stood);

    // Somebody writes between the read and the write.
    let raced = Arc::new(Raced(Arc::clone(&scene.kept)));
    let quorum = Quorum::new(policy(&scene.people), raced, Arc::new(Echo), Arc::new(Now));
    let refused = quorum.adopt(&root, &Random).await.unwrap_err();
    let KeyError::NotAdopted { source, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(source.downcast_ref(), Some(QuorumError::SlotConflict)));
    assert_eq!(*scene.kept.value.lock().unwrap(), stood);
}

#[tokio::test]
async fn the_largest_quorum_draws_what_the_limit_says() {
    let people: Vec<_> = (0..16).map(|_| Person::new("x")).collect();
    let members = people.iter().enumerate();
    let members = members.map(|(at, person)| Member { name: format!("m{at}"), ..person.member() });
    let policy = QuorumPolicy::new(16, members.collect()).unwrap();
    for (given, enough) in [
        (r3e_keys::limits::MAX_ADOPT_ENTROPY_BYTES, true),
        (r3e_keys::limits::MAX_ADOPT_ENTROPY_BYTES - 1, false),
    ] {
        let kept: Arc<Kept> = Arc::default();
        let quorum = Quorum::new(policy.clone(), kept, Arc::new(Echo), Arc::new(Now));
        assert_eq!(quorum.adopt(&handed_over(), &Ends(given.into())).await.is_ok(), enough, "{given}");
    }
}
