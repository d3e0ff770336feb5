//! The `aws-kms` provider against a KMS in memory, which does as it is told: every boot, every answer, every retry.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod service;

use std::error::Error as _;
use std::sync::Arc;

use r3e_keys::kms::{CmsError, KmsError, KmsPolicy, SealedRoot, SlotError};
use r3e_keys::{BoxError, Entropy, KeyError, RootSecret, UnlockProvider as _};
use r3e_proto::channel::binding::configuration_digest;
use r3e_proto::channel::statement::Statement;
use service::{Answer, KEY, World};

/// Each byte differs from the one before.
struct Counting(std::sync::Mutex<u8>);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        let mut next = self.0.lock().unwrap();
        for byte in out {
            *next = next.wrapping_add(1);
            *byte = *next;
        }
        Ok(())
    }
}

struct Dead;

impl Entropy for Dead {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        out.fill(0);
        Ok(())
    }
}

type Expected = fn(&KmsError) -> bool;

fn policy(appliance: &str) -> KmsPolicy {
    KmsPolicy::new::<&[u8]>(KEY, appliance, None, &[]).unwrap()
}

async fn boot(world: &Arc<World>) -> Result<RootSecret, KeyError> {
    World::provider(world, policy("alpha")).unlock(&Counting(std::sync::Mutex::new(0))).await
}

/// The provider's own reason.
async fn refused(world: &Arc<World>) -> KmsError {
    let error = boot(world).await.unwrap_err();
    let KeyError::Locked { provider, source } = error else { panic!("{error:?}") };
    assert_eq!(provider, "aws-kms");
    let shown = format!("{source} {source:?}");
    assert!(!shown.contains(service::SECRET) && !shown.contains(service::TOKEN), "{shown}");
    *source.downcast().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_root_of_the_first_boot_is_that_of_the_next() {
    let world = World::new();
    let first = boot(&world).await.unwrap();
    assert_eq!(world.operations(), ["GenerateDataKey"]);
    let slot = world.slot().unwrap();
    for _ in 0..2 {
        let again = boot(&world).await.unwrap();
        assert_eq!(again.commitment().unwrap(), first.commitment().unwrap());
    }
    assert_eq!(world.operations(), ["GenerateDataKey", "Decrypt", "Decrypt"]);
    assert_eq!(world.slot().unwrap(), slot, "a later boot writes nothing");
}

#[tokio::test(start_paused = true)]
async fn what_is_attested_and_sent_is_of_this_policy() {
    let world = World::new();
    boot(&world).await.unwrap();
    let statement = Statement::KmsRecipient { policy: configuration_digest(&policy("alpha").bytes()) };
    assert_eq!(world.user_data(), [statement.encode()]);
    let sent = world.sent();
    let header = |name: &str| {
        let found = sent[0].headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!((sent[0].host.as_str(), sent[0].port), ("kms.eu-central-1.amazonaws.com", 443));
    assert_eq!(header("x-amz-target"), "TrentService.GenerateDataKey");
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(header("x-amz-date"), "20270115T080000Z", "of the device's clock");
    assert!(header("authorization").contains("/20270115/eu-central-1/kms/aws4_request"));
    assert!(
        header("authorization")
            .contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target")
    );
    assert_eq!(World::provider(&world, policy("alpha")).policy_bytes(), policy("alpha").bytes());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_used_that_is_not_kept() {
    let world = World::new();
    world.conflict();
    assert!(matches!(refused(&world).await, KmsError::SlotConflict));
    let world = World::new();
    world.lose_writes();
    assert!(matches!(refused(&world).await, KmsError::SlotAccess(_)));
    let world = World::new();
    let dead = World::provider(&world, policy("alpha")).unlock(&Dead).await;
    assert!(matches!(dead, Err(KeyError::DeadEntropy)));
    assert_eq!(world.slot(), None);
}

#[tokio::test(start_paused = true)]
async fn each_wrong_answer_is_named_and_not_asked_again() {
    let cases: [(Answer, Expected); 9] = [
        (Answer::OtherKeyId, |error| matches!(error, KmsError::AnswerKey { .. })),
        (Answer::Plaintext, |error| matches!(error, KmsError::Plaintext { .. })),
        (Answer::OtherRecipient, |error| matches!(error, KmsError::Cms(CmsError::Sealed))),
        (Answer::Garbage, |error| matches!(error, KmsError::Cms(_))),
        (Answer::Status(307), |error| matches!(error, KmsError::Status { status: 307, .. })),
        (Answer::Refusal(400, "AccessDeniedException"), |error| {
            matches!(error, KmsError::AccessDenied { .. })
        }),
        (Answer::Refusal(400, "DisabledException"), |error| matches!(error, KmsError::KeyUnusable { .. })),
        (Answer::Refusal(400, "UnrecognizedClientException"), |error| {
            matches!(error, KmsError::CredentialsRefused { .. })
        }),
        (Answer::NotTrusted, |error| matches!(error, KmsError::NotTrusted { .. })),
    ];
    for later in [false, true] {
        for (answer, expected) in cases {
            let world = World::new();
            if later {
                boot(&world).await.unwrap();
            }
            let (slot, before) = (world.slot(), world.sent().len());
            world.answer_with(answer, u32::MAX);
            let error = refused(&world).await;
            assert!(expected(&error), "{answer:?}: {error:?}");
            assert_eq!(world.sent().len(), before + 1, "{answer:?}");
            assert_eq!(world.slot(), slot, "{answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_waited_for_and_not_for_ever() {
    let passing = [
        Answer::Refusal(400, "ThrottlingException"),
        Answer::Refusal(500, "KMSInternalException"),
        Answer::Refusal(400, "ExpiredTokenException"),
        Answer::Status(503),
        Answer::Nothing,
    ];
    for answer in passing {
        let world = World::new();
        world.answer_with(answer, 5);
        boot(&world).await.unwrap();
        assert_eq!(world.sent().len(), 6, "{answer:?}");

        let world = World::new();
        world.answer_with(answer, u32::MAX);
        let error = refused(&world).await;
        assert_eq!(world.sent().len(), 6, "{answer:?}: {error:?}");
    }
    let world = World::new();
    world.credentials_fail(3);
    boot(&world).await.unwrap();
    world.credentials_fail(u32::MAX);
    assert!(matches!(refused(&world).await, KmsError::NoCredentials(_)));
    let world = World::new();
    world.credentials_expired();
    assert!(matches!(refused(&world).await, KmsError::CredentialsExpired));
    assert_eq!(world.sent().len(), 0, "nothing is signed with them");
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_is_not_this_appliances_is_named() {
    let world = World::new();
    boot(&world).await.unwrap();
    let slot = world.slot().unwrap();

    let beta = World::provider(&world, policy("beta")).unlock(&Counting(std::sync::Mutex::new(0))).await;
    let reason = beta.unwrap_err();
    assert!(reason.source().unwrap().to_string().contains("slot"), "{reason:?}");
    assert_eq!(world.sent().len(), 1, "KMS is not asked for another appliance's");

    let last = slot.len() - 1;
    for (at, expected) in [(last, "Seal"), (slot.len() - 80, "Commitment or seal"), (1, "domain")] {
        let mut changed = slot.clone();
        changed[at] ^= 1;
        world.put_slot(&changed);
        let error = refused(&world).await;
        assert!(matches!(error, KmsError::Slot(_)), "{expected}: {error:?}");
    }
    // The ciphertext stands right after the digest of the context; KMS finds the change.
    let decoded = SealedRoot::decode(&slot).unwrap();
    let ciphertext = world.ciphertext();
    let at = slot.windows(ciphertext.len()).position(|window| window == ciphertext).unwrap();
    let mut changed = slot.clone();
    changed[at + 40] ^= 1;
    assert_ne!(SealedRoot::decode(&changed).unwrap(), decoded);
    world.put_slot(&changed);
    assert!(matches!(refused(&world).await, KmsError::Ciphertext));

    world.put_slot(b"");
    assert!(matches!(refused(&world).await, KmsError::Slot(SlotError::Malformed(_))));
    world.put_slot(&slot);
    boot(&world).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_old_slot_with_another_data_key_does_not_open() {
    let world = World::new();
    boot(&world).await.unwrap();
    world.answer_with(Answer::OtherDataKey, u32::MAX);
    assert!(matches!(refused(&world).await, KmsError::Slot(SlotError::Seal)));
}

fn handed_over() -> RootSecret {
    RootSecret::fill_with(|bytes| Counting(std::sync::Mutex::new(100)).fill(bytes)).unwrap()
}

async fn adopt(world: &Arc<World>, root: &RootSecret) -> Result<(), KeyError> {
    World::provider(world, policy("alpha")).adopt(root, &Counting(std::sync::Mutex::new(0))).await
}

/// The provider's own reason, and the slot as it was.
async fn not_adopted(world: &Arc<World>) -> KmsError {
    let stood = world.slot();
    let error = adopt(world, &handed_over()).await.unwrap_err();
    let KeyError::NotAdopted { provider, source } = error else { panic!("{error:?}") };
    assert_eq!((provider, world.slot()), ("aws-kms", stood));
    *source.downcast().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_root_that_was_handed_over_comes_back_from_kms() {
    let root = handed_over();
    for stood in [None, Some(b"a quorum's setup".as_slice())] {
        let world = World::new();
        if let Some(stood) = stood {
            world.put_slot(stood);
        }
        adopt(&world, &root).await.unwrap();
        assert_eq!(
            world.operations(),
            ["GenerateDataKey", "Decrypt"],
            "KMS must give the key back before it counts"
        );
        let back = boot(&world).await.unwrap();
        assert_eq!(back.commitment().unwrap(), root.commitment().unwrap());
    }
    // Over the slot of another root of this very appliance's key and context, and twice.
    let world = World::new();
    boot(&world).await.unwrap();
    for _ in 0..2 {
        adopt(&world, &root).await.unwrap();
        assert_eq!(boot(&world).await.unwrap().commitment().unwrap(), root.commitment().unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn what_kms_does_not_give_back_is_not_kept() {
    let world = World::new();
    boot(&world).await.unwrap();
    world.answer_with(Answer::Refusal(400, "AccessDeniedException"), 1);
    assert!(matches!(not_adopted(&world).await, KmsError::AccessDenied { .. }));
    // The key's policy lets this image seal, and not open.
    world.deny_decrypt();
    let denied = not_adopted(&world).await;
    assert!(
        matches!(denied, KmsError::AccessDenied { operation: r3e_keys::kms::Operation::Decrypt, .. }),
        "{denied:?}"
    );

    let world = World::new();
    world.conflict();
    assert!(matches!(not_adopted(&world).await, KmsError::SlotConflict));
    let world = World::new();
    world.lose_writes();
    assert!(matches!(not_adopted(&world).await, KmsError::SlotAccess(_)));
    let world = World::new();
    world.credentials_expired();
    assert!(matches!(not_adopted(&world).await, KmsError::CredentialsExpired));
}
