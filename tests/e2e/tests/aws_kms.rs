//! The `aws-kms` unlock provider with real processes: a KMS that checks signature, document and policy, a parent that
//! fetches credentials, an enclave that ends TLS itself; and each of them at its worst.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use r3e_e2e::Appliance;
use r3e_e2e::cloud::{Cloud, ROLE, refused};
use r3e_kms_emulator::{Fault, example_policy};
use r3e_proto::channel::statement::Statement;

const OTHER_ROLE: &str = "arn:aws:iam::444455556666:role/somebody-else";

async fn started(cloud: &Cloud, name: &str) -> Appliance {
    let mut appliance = cloud.appliance(name);
    appliance.start_parent();
    appliance.start_enclave();
    appliance.ready().await;
    appliance
}

/// What lives as long as the root secret.
async fn identity(appliance: &Appliance) -> [u8; 32] {
    *appliance.connect().await.report_key().await.unwrap().public_key()
}

fn operations(cloud: &Cloud) -> Vec<String> {
    cloud.kms.asked().into_iter().map(|asked| asked.operation).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_appliance_comes_back_the_same() {
    let mut cloud = Cloud::new("alpha").await;
    let mut appliance = started(&cloud, "alpha").await;
    let first = identity(&appliance).await;
    assert_eq!(operations(&cloud), ["GenerateDataKey"]);
    appliance.restart().await;
    assert_eq!(identity(&appliance).await, first);
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    assert_eq!(identity(&appliance).await, first);
    assert_eq!(operations(&cloud), ["GenerateDataKey", "Decrypt", "Decrypt"]);
    for asked in cloud.kms.asked() {
        assert_eq!((asked.role_arn.as_deref(), asked.refused), (Some(ROLE), None));
        let statement = Statement::decode(asked.user_data.as_deref().unwrap()).unwrap();
        assert!(matches!(statement, Statement::KmsRecipient { .. }), "{statement:?}");
    }

    // KMS keeps its keys, the parent its slot: an appliance at another place with the same data is the same one.
    appliance.stop().await;
    cloud.restart_kms().await;
    let mut moved = cloud.appliance("alpha");
    std::fs::rename(appliance.folder().join("data"), moved.folder().join("data")).unwrap();
    moved.start_parent();
    moved.start_enclave();
    moved.ready().await;
    assert_eq!(identity(&moved).await, first);
    assert_eq!(operations(&cloud), ["Decrypt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_policy_decides_which_image_and_until_when() {
    let cloud = Cloud::new("alpha").await;
    let other_image = example_policy(ROLE, "alpha", &[(0, "ab".repeat(48))]);
    cloud.kms.set_policy(&cloud.key, other_image.clone());
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();
    let said = refused(&mut appliance).await;
    assert!(said.contains("KMS denies GenerateDataKey") && said.contains("RecipientAttestation"), "{said}");

    cloud.kms.set_policy(&cloud.key, Cloud::policy("alpha"));
    appliance.start_enclave();
    appliance.ready().await;
    let first = identity(&appliance).await;

    // A policy that changes later closes the appliance; one that changes back opens it.
    appliance.kill_enclave();
    cloud.kms.set_policy(&cloud.key, other_image);
    let said = refused(&mut appliance).await;
    assert!(said.contains("KMS denies Decrypt"), "{said}");
    cloud.kms.set_policy(&cloud.key, Cloud::policy("alpha"));
    appliance.start_enclave();
    appliance.ready().await;
    assert_eq!(identity(&appliance).await, first);

    // What the configuration says is measured too, and a policy may pin it.
    appliance.kill_enclave();
    let pinned = example_policy(ROLE, "alpha", &[(16, "00".repeat(48))]);
    cloud.kms.set_policy(&cloud.key, pinned);
    assert!(refused(&mut appliance).await.contains("KMS denies Decrypt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_serves_its_own_appliance_alone() {
    let cloud = Cloud::new("*").await;
    let allow = |appliance: &str| cloud.kms.set_policy(&cloud.key, Cloud::policy(appliance));
    allow("alpha");
    let mut alpha = started(&cloud, "alpha").await;
    allow("beta");
    let mut beta = started(&cloud, "beta").await;
    assert_ne!(identity(&alpha).await, identity(&beta).await);
    alpha.stop().await;
    beta.stop().await;

    // The parent of beta gives it all that alpha's has kept.
    std::fs::remove_dir_all(beta.folder().join("data")).unwrap();
    std::fs::rename(alpha.folder().join("data"), beta.folder().join("data")).unwrap();
    beta.start_parent();
    let said = refused(&mut beta).await;
    assert!(said.contains("it is another appliance's"), "{said}");

    // It may call itself alpha: that is another measured policy, and KMS allows beta alone.
    beta.kill_parent();
    beta.set_unlock_tables(cloud.tables("alpha"));
    beta.start_parent();
    let said = refused(&mut beta).await;
    assert!(said.contains("KMS denies Decrypt"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_alone_are_worth_nothing_and_others_less() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();

    cloud.imds.plant(cloud.accounts.issue(OTHER_ROLE, Duration::from_hours(1)));
    let said = refused(&mut appliance).await;
    assert!(said.contains("KMS denies GenerateDataKey") && said.contains(OTHER_ROLE), "{said}");
    appliance.kill_parent();

    let mut stale = cloud.accounts.issue(ROLE, Duration::ZERO);
    cloud.imds.plant(stale.clone());
    appliance.start_parent();
    let said = refused(&mut appliance).await;
    assert!(said.contains("expired credentials"), "{said}");
    appliance.kill_parent();

    // The parent says that they hold; KMS knows better.
    stale.expires_at_ms = u64::MAX / 2_000_000;
    stale.access_key_id = "ASIANOBODY".to_owned();
    cloud.imds.plant(stale);
    appliance.start_parent();
    let said = refused(&mut appliance).await;
    assert!(said.contains("does not accept the parent's credentials"), "{said}");
    appliance.kill_parent();
    assert!(cloud.kms.asked().iter().all(|asked| asked.refused.is_some()));
    for secret in ["ASIANOBODY", "SecretAccessKey"] {
        assert!(!r3e_e2e::process::whole(&appliance.folder().join("parent.log")).contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_role_or_version_2_there_are_no_credentials() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();
    cloud.imds.set_role(None, Duration::ZERO);
    let said = refused(&mut appliance).await;
    assert!(said.contains("no role is attached"), "{said}");
    cloud.imds.set_role(Some(ROLE), Duration::from_hours(1));
    cloud.imds.only_version_1();
    let said = refused(&mut appliance).await;
    assert!(said.contains("version 1 is not used"), "{said}");
    assert_eq!((cloud.imds.served(), cloud.kms.asked().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_fetched_once_while_they_hold() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = started(&cloud, "alpha").await;
    for _ in 0..2 {
        appliance.kill_enclave();
        appliance.start_enclave();
        appliance.ready().await;
    }
    assert_eq!(cloud.imds.served(), 1);
    // Another parent whose credentials are near their end asks each time.
    appliance.stop().await;
    cloud.imds.set_role(Some(ROLE), Duration::from_mins(1));
    appliance.start_parent();
    for served in 2..4 {
        appliance.start_enclave();
        appliance.ready().await;
        assert_eq!(cloud.imds.served(), served);
        appliance.kill_enclave();
    }
    appliance.start_enclave();
    appliance.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_in_the_middle_of_tls_gets_nothing() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();
    cloud.kms.faults().always(Fault::OtherAuthority);
    let said = refused(&mut appliance).await;
    assert!(said.contains("did not prove that it is that host"), "{said}");
    assert_eq!(cloud.kms.asked().len(), 0, "not a byte of a request was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_wrong_answer_makes_a_root() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();
    for (fault, expected) in [
        (Fault::WrongKeyId, "not the pinned one"),
        (Fault::Plaintext, "holds the data key in plaintext"),
        (Fault::Truncated, "it ends within an element"),
        (Fault::Oversized, "more than"),
        (Fault::OtherCipher, "the content is by another algorithm than AES-256-CBC"),
        (Fault::OtherHash, "the content's key is by another algorithm than SHA-256"),
        (Fault::OtherRecipient, "it was not made for the key of this boot"),
        (Fault::Padding, "it was not made for the key of this boot"),
        (Fault::ShortKey, "it was not made for the key of this boot"),
        (Fault::Redirect, "redirects are not followed"),
    ] {
        cloud.kms.faults().always(fault);
        let said = refused(&mut appliance).await;
        assert!(said.contains(expected), "{fault:?}: {said}");
    }
    // DER is BER, too.
    cloud.kms.faults().always(Fault::Der);
    appliance.start_enclave();
    appliance.ready().await;
    let first = identity(&appliance).await;
    appliance.kill_enclave();

    // At a later boot another data key opens nothing, and nothing is made anew.
    cloud.kms.faults().always(Fault::OtherDataKey);
    let said = refused(&mut appliance).await;
    assert!(said.contains("its seal does not open"), "{said}");
    cloud.kms.faults().clear();
    appliance.start_enclave();
    appliance.ready().await;
    assert_eq!(identity(&appliance).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();
    for (boot, (fault, times)) in
        [(Fault::Throttled, 3), (Fault::Internal, 3), (Fault::NotJson, 2), (Fault::Silent, 1)]
            .into_iter()
            .enumerate()
    {
        cloud.kms.faults().set(fault, times);
        appliance.start_enclave();
        appliance.ready().await;
        let operation = if boot == 0 { "GenerateDataKey" } else { "Decrypt" };
        assert_eq!(operations(&cloud).last().map(String::as_str), Some(operation), "{fault:?}");
        appliance.kill_enclave();
    }
    cloud.kms.faults().always(Fault::Throttled);
    let said = refused(&mut appliance).await;
    assert!(said.contains("KMS throttled 6 attempts"), "{said}");
}
