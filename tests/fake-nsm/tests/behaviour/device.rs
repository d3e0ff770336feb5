//! The fake's registers, limits, entropy, speed and stored root behave as the hardware's, or as said.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use r3e_attester::{Digest, ErrorCode, NsmDriver, Request, Response};
use r3e_fake_nsm::{FIXED_PCRS, FakeNsm, FakeNsmConfig, FakeNsmError, MAX_PCRS, Names, TestRoot, measured};
use sha2::{Digest as _, Sha384};

fn nsm() -> FakeNsm {
    FakeNsm::under(TestRoot::generate(Names::test()).unwrap(), FakeNsmConfig::default()).unwrap()
}

fn describe(nsm: &FakeNsm, index: u16) -> (bool, Vec<u8>) {
    match nsm.process(Request::DescribePCR { index }) {
        Response::DescribePCR { lock, data } => (lock, data),
        other => panic!("{other:?}"),
    }
}

fn extend(nsm: &FakeNsm, index: u16, data: &[u8]) -> Response {
    nsm.process(Request::ExtendPCR { index, data: data.to_vec() })
}

macro_rules! assert_refused {
    ($response:expr, $code:ident) => {
        let response = $response;
        assert!(matches!(response, Response::Error(ErrorCode::$code)), "{response:?}");
    };
}

#[test]
fn sixteen_registers_are_locked_at_boot_and_sixteen_are_free() {
    let nsm = nsm();
    let config = FakeNsmConfig::default();
    for (index, expected) in (0..FIXED_PCRS).zip(config.pcrs) {
        assert_eq!(describe(&nsm, index), (true, expected.to_vec()));
        assert_refused!(extend(&nsm, index, b"x"), ReadOnlyIndex);
        assert_refused!(nsm.process(Request::LockPCR { index }), ReadOnlyIndex);
        assert_eq!(describe(&nsm, index), (true, expected.to_vec()));
    }
    for index in FIXED_PCRS..MAX_PCRS {
        assert_eq!(describe(&nsm, index), (false, vec![0; 48]));
    }
    assert_refused!(nsm.process(Request::DescribePCR { index: MAX_PCRS }), InvalidIndex);
    assert_refused!(extend(&nsm, MAX_PCRS, b"x"), InvalidIndex);
    assert_refused!(nsm.process(Request::LockPCR { index: u16::MAX }), InvalidIndex);
}

#[test]
fn extension_chains_hashes_until_the_lock() {
    let nsm = nsm();
    let mut expected = vec![0; 48];
    for data in [&b"first"[..], b"second", b""] {
        expected = Sha384::new().chain_update(&expected).chain_update(data).finalize().to_vec();
        let response = extend(&nsm, 16, data);
        assert!(matches!(&response, Response::ExtendPCR { data } if *data == expected), "{response:?}");
    }
    assert_eq!(describe(&nsm, 16), (false, expected.clone()));
    assert!(matches!(nsm.process(Request::LockPCR { index: 16 }), Response::LockPCR));
    assert_refused!(extend(&nsm, 16, b"third"), ReadOnlyIndex);
    assert_refused!(nsm.process(Request::LockPCR { index: 16 }), ReadOnlyIndex);
    assert_eq!(describe(&nsm, 16), (true, expected));
    assert_eq!(describe(&nsm, 17), (false, vec![0; 48]), "the neighbour is untouched");
}

#[test]
fn an_image_is_measured_by_extending_zero_by_its_hash() {
    let nsm = nsm();
    extend(&nsm, 20, &Sha384::digest(b"content"));
    assert_eq!(describe(&nsm, 20).1, measured(b"content"));
}

#[test]
fn ranges_lock_from_zero_and_may_overlap() {
    let nsm = nsm();
    for range in [0, 18, 18, 17] {
        assert!(matches!(nsm.process(Request::LockPCRs { range }), Response::LockPCRs), "{range}");
    }
    assert!(describe(&nsm, 17).0 && !describe(&nsm, 18).0);
    assert_refused!(nsm.process(Request::LockPCRs { range: MAX_PCRS + 1 }), InvalidIndex);
    assert!(!describe(&nsm, 18).0, "a refused range locks nothing");
    assert!(matches!(nsm.process(Request::LockPCRs { range: MAX_PCRS }), Response::LockPCRs));
    assert!((0..MAX_PCRS).all(|index| describe(&nsm, index).0));
}

#[test]
fn the_description_follows_the_locks() {
    let nsm = nsm();
    nsm.process(Request::LockPCR { index: 20 });
    let Response::DescribeNSM { module_id, max_pcrs, locked_pcrs, digest, .. } =
        nsm.process(Request::DescribeNSM)
    else {
        panic!("another response");
    };
    assert_eq!((module_id, max_pcrs, digest), (FakeNsmConfig::default().module_id, 32, Digest::SHA384));
    assert_eq!(locked_pcrs, (0..16).chain([20]).collect::<BTreeSet<_>>());
}

#[test]
fn fields_have_the_hardwares_limits() {
    let nsm = nsm();
    let attest = |user_data: usize, nonce: usize, public_key: usize| {
        let [user_data, nonce, public_key] =
            [user_data, nonce, public_key].map(|size| Some(vec![1; size].into()));
        nsm.process(Request::Attestation { user_data, nonce, public_key })
    };
    assert!(matches!(attest(512, 512, 1024), Response::Attestation { .. }));
    assert_refused!(attest(513, 512, 1024), InputTooLarge);
    assert_refused!(attest(512, 513, 1024), InputTooLarge);
    assert_refused!(attest(512, 512, 1025), InputTooLarge);
    assert_refused!(extend(&nsm, 16, &[0; 5000]), InputTooLarge);
    assert_eq!(describe(&nsm, 16).1, vec![0; 48]);
}

#[test]
fn entropy_comes_in_blocks_that_differ() {
    let nsm = nsm();
    let draw = || match nsm.process(Request::GetRandom) {
        Response::GetRandom { random } => random,
        other => panic!("{other:?}"),
    };
    let blocks: BTreeSet<_> = (0..50).map(|_| draw()).collect();
    assert_eq!(blocks.len(), 50);
    assert!(blocks.iter().all(|block| block.len() == 256));
}

#[test]
fn latency_is_serial() {
    let config = FakeNsmConfig { call_latency: Duration::from_millis(10), ..FakeNsmConfig::default() };
    let nsm = Arc::new(FakeNsm::under(TestRoot::generate(Names::test()).unwrap(), config).unwrap());
    let started = Instant::now();
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let nsm = Arc::clone(&nsm);
            thread::spawn(move || nsm.process(Request::GetRandom))
        })
        .collect();
    for call in calls {
        call.join().unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(60));
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn the_root_is_made_once_and_kept_private() {
    let folder = tempfile::tempdir().unwrap();
    let state_dir = folder.path().join("deep/state");
    let first = FakeNsm::open(&state_dir, FakeNsmConfig::default()).unwrap();
    assert_eq!(mode(&state_dir.join("test-root-identity.pem")), 0o600);
    assert_eq!(mode(&state_dir), 0o700);
    let public = std::fs::read_to_string(state_dir.join("test-root.pem")).unwrap();
    assert_eq!(public, first.root().pem());
    assert!(!public.contains("PRIVATE"));

    let second = FakeNsm::open(&state_dir, FakeNsmConfig::default()).unwrap();
    assert_eq!(first.root().der(), second.root().der());
    assert_eq!(std::fs::read_to_string(state_dir.join("test-root.pem")).unwrap(), public);
    let leaf = |nsm: &FakeNsm| nsm.document_spec(None, None, None).unwrap().certificate;
    assert_ne!(leaf(&first), leaf(&second), "each start has its own leaf");

    let names: BTreeSet<_> = std::fs::read_dir(&state_dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, BTreeSet::from(["test-root-identity.pem".to_owned(), "test-root.pem".to_owned()]));
}

#[test]
fn many_first_starts_at_once_agree_on_one_root() {
    let folder = tempfile::tempdir().unwrap();
    let state_dir = folder.path().join("state");
    let roots: BTreeSet<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| TestRoot::load_or_create(&state_dir).unwrap().der().to_vec()))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(roots.len(), 1);
}

#[test]
fn a_damaged_root_is_an_error_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let identity = folder.path().join("test-root-identity.pem");
    std::fs::write(&identity, "no key here").unwrap();
    let error = FakeNsm::open(folder.path(), FakeNsmConfig::default()).unwrap_err();
    assert!(matches!(error, FakeNsmError::StoredRoot { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&identity).unwrap(), "no key here");
}
