//! The Attester over the fake NSM: what the enclave does at boot, and under load.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::decoded::decode;
use ciborium::Value;
use r3e_attester::{Attester, AttesterConfig, AttesterError, NsmError, TrustedClock};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig, MapForm, Names, TestRoot};
use sha2::{Digest, Sha384};
use tokio::task::JoinSet;

fn nsm(config: FakeNsmConfig) -> Arc<FakeNsm> {
    Arc::new(FakeNsm::under(TestRoot::generate(Names::test()).unwrap(), config).unwrap())
}

fn attester(nsm: &Arc<FakeNsm>) -> Attester {
    Attester::start(Arc::clone(nsm), AttesterConfig::default()).unwrap()
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_boot_measures_its_configuration_and_cannot_take_it_back() {
    let nsm = nsm(FakeNsmConfig::default());
    let attester = attester(&nsm);
    let digest = Sha384::digest(b"configuration");
    let value = attester.extend_pcr(16, &digest).await.unwrap();
    assert_eq!(value[..], Sha384::new().chain_update([0; 48]).chain_update(digest).finalize()[..]);
    attester.lock_pcr(16).await.unwrap();

    for error in
        [attester.lock_pcr(16).await.unwrap_err(), attester.extend_pcr(16, &digest).await.unwrap_err()]
    {
        assert!(matches!(error, AttesterError::Nsm { source: NsmError::ReadOnlyIndex, .. }), "{error:?}");
    }
    let error = attester.pcr(32).await.unwrap_err();
    assert!(matches!(error, AttesterError::Nsm { source: NsmError::InvalidIndex, .. }), "{error:?}");

    let pcr = attester.pcr(16).await.unwrap();
    assert_eq!((pcr.locked, pcr.value), (true, value));
    let info = attester.describe().await.unwrap();
    assert_eq!(info.locked_pcrs, (0..17).collect::<BTreeSet<_>>());
    let document = attester.attest(None, None, None).await.unwrap();
    assert_eq!(decode(document.as_bytes()).pcrs()[16], (16, value.to_vec()));
    assert_eq!((attester.stats().calls, attester.stats().errors), (8, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_each_get_their_own_document() {
    let nsm = nsm(FakeNsmConfig::default());
    let config =
        AttesterConfig { queue_capacity: NonZeroUsize::new(256).unwrap(), ..AttesterConfig::default() };
    let attester = Attester::start(Arc::clone(&nsm), config).unwrap();
    let mut calls = JoinSet::new();
    for index in 0..200_u32 {
        let attester = attester.clone();
        calls.spawn(async move {
            let nonce = index.to_be_bytes();
            let document = attester.attest(Some(b"binding"), Some(&nonce), None).await.unwrap();
            let document = decode(document.as_bytes());
            assert_eq!(document.claim("nonce"), &Value::Bytes(nonce.to_vec()));
            assert!(document.is_signed_by_its_leaf());
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let stats = attester.stats();
    assert_eq!((stats.calls, stats.errors, stats.rejected, stats.queue_depth), (200, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_and_what_was_admitted_is_served() {
    let nsm = nsm(FakeNsmConfig { call_latency: Duration::from_millis(20), ..FakeNsmConfig::default() });
    let config =
        AttesterConfig { queue_capacity: NonZeroUsize::new(8).unwrap(), ..AttesterConfig::default() };
    let attester = Attester::start(Arc::clone(&nsm), config).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let attester = attester.clone();
        calls.spawn(async move { attester.random(32).await });
    }
    let (mut served, mut refused) = (0, 0);
    while let Some(call) = calls.join_next().await {
        match call.unwrap() {
            Ok(_) => served += 1,
            Err(AttesterError::Busy { capacity: 8 }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(served + refused, 100);
    assert!(served >= 8 && refused > 0, "{served} served, {refused} refused");
    let stats = attester.stats();
    assert_eq!((stats.calls, stats.rejected), (served, refused));
}

#[tokio::test]
async fn random_bytes_do_not_repeat() {
    let attester = attester(&nsm(FakeNsmConfig::default()));
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        assert!(seen.insert(attester.random(32).await.unwrap().to_vec()));
    }
    let long = attester.random(4096).await.unwrap();
    let blocks: BTreeSet<_> = long.chunks(32).collect();
    assert_eq!(blocks.len(), 128);
}

#[tokio::test]
async fn the_trusted_clock_shows_the_hypervisors_time_and_not_the_machines() {
    let day_ms = 86_400_000;
    for map_form in [MapForm::Definite, MapForm::Indefinite] {
        let config = FakeNsmConfig { clock_offset_ms: -day_ms, map_form, ..FakeNsmConfig::default() };
        let attester = attester(&nsm(config));
        let yesterday = |millis: u64| millis - day_ms.unsigned_abs();
        let before = yesterday(now_ms());
        let clock = TrustedClock::start(&attester.attest(None, None, None).await.unwrap()).unwrap();
        // The clock lags by no more than the call took, and the machine's clock may be stepped a little.
        let shown = clock.now_ms();
        assert!((before..=yesterday(now_ms()) + 1).contains(&shown), "{before} {shown}");

        let mut last = shown;
        for _ in 0..50 {
            clock.anchor(&attester.attest(None, None, None).await.unwrap()).unwrap();
            let now = clock.now_ms();
            assert!(now >= last);
            last = now;
        }
        assert!(last <= yesterday(now_ms()) + 1);
    }
}
