//! Genuine documents that are not the right ones: too old, of another image, for another request.

use r3e_attestation::{ReferenceValues, UnixTime};
use r3e_cbor::Value;

use super::{
    Case,
    generator::{NOW_MS, Spec, bytes, int, pcr, text},
};

fn release(name: &str, pcr0: u8, pcr1: u8, pcr2: u8) -> ReferenceValues {
    ReferenceValues::new(name, [pcr0; 48], [pcr1; 48], [pcr2; 48]).unwrap()
}

fn make_debug(spec: &mut Spec) {
    (0..3).for_each(|index| spec.set_pcr(int(index), bytes(&[0; 48])));
}

pub(crate) const TIME: &[Case] = &[
    ("appraised a millisecond too early", "from_the_future", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS - 1);
    }),
    ("appraised a millisecond earlier than the skew allows", "from_the_future", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS - 5001);
        spec.policy = |policy| policy.clock_skew_ms(5000);
    }),
    ("a timestamp of 2^64 - 1", "from_the_future", |spec| {
        spec.set("timestamp", Value::Integer(u64::MAX.into()));
    }),
    ("a timestamp in seconds", "too_old", |spec| {
        spec.set("timestamp", Value::Integer((NOW_MS / 1000).into()));
        spec.policy = |policy| policy.max_age_ms(60_000);
    }),
    ("a millisecond too old", "too_old", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS + 60_001);
        spec.policy = |policy| policy.max_age_ms(60_000);
    }),
    ("older than the skew allows", "too_old", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS + 65_001);
        spec.policy = |policy| policy.max_age_ms(60_000).clock_skew_ms(5000);
    }),
    ("a timestamp of zero", "too_old", |spec| {
        spec.set("timestamp", int(0));
        spec.policy = |policy| policy.max_age_ms(60_000);
    }),
    ("replayed the day after", "expired", |spec| spec.at = UnixTime::from_millis(NOW_MS + 24 * 3_600_000)),
    ("replayed a second after the leaf", "expired", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS + 7_201_000);
    }),
    ("replayed after the leaf and the skew", "expired", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS + 7_206_000);
        spec.policy = |policy| policy.clock_skew_ms(5000);
    }),
    ("appraised before the leaf", "not_yet_valid", |spec| {
        spec.at = UnixTime::from_millis(NOW_MS - 3_600_001);
    }),
    ("appraised at the beginning of time", "not_yet_valid", |spec| spec.at = UnixTime::from_millis(0)),
    ("appraised at the end of time", "expired", |spec| spec.at = UnixTime::from_millis(u64::MAX)),
];

pub(crate) const POLICY: &[Case] = &[
    ("another PCR0", "pcr_mismatch", |spec| spec.set_pcr(int(0), bytes(&[0x77; 48]))),
    ("another PCR1", "pcr_mismatch", |spec| spec.set_pcr(int(1), bytes(&[0x77; 48]))),
    ("another PCR2", "pcr_mismatch", |spec| spec.set_pcr(int(2), bytes(&[0x77; 48]))),
    ("a PCR0 that differs in its last bit", "pcr_mismatch", |spec| {
        let mut value = pcr(0);
        value[47] ^= 1;
        spec.set_pcr(int(0), bytes(&value));
    }),
    ("no PCR0", "pcr_mismatch", |spec| {
        let pcrs = (1..16_u8).map(|index| (int(index.into()), bytes(&pcr(index)))).collect();
        spec.set("pcrs", Value::Map(pcrs));
    }),
    ("no PCR0, 1 and 2, as if to hide the debug mode", "debug", |spec| {
        spec.set("pcrs", Value::Map(vec![(int(3), bytes(&pcr(3)))]));
    }),
    ("PCRs of two releases mixed", "pcr_mismatch", |spec| {
        spec.releases = vec![release("a", 1, 9, 3), release("b", 9, 2, 9)];
    }),
    ("a release with another PCR8", "pcr_mismatch", |spec| {
        spec.releases = vec![release("signed", 1, 2, 3).with_pcr(8, [0x77; 48]).unwrap()];
    }),
    ("a required PCR that is absent", "pcr_mismatch", |spec| {
        spec.policy = |policy| policy.require_pcr(16, [1; 48]).unwrap();
    }),
    ("a required PCR of zeros that is absent", "pcr_mismatch", |spec| {
        spec.policy = |policy| policy.require_pcr(17, [0; 48]).unwrap();
    }),
    ("another instance", "pcr_mismatch", |spec| {
        spec.policy = |policy| policy.require_pcr(4, [0x77; 48]).unwrap();
    }),
    ("another role", "pcr_mismatch", |spec| {
        spec.policy = |policy| policy.require_pcr(3, [0x77; 48]).unwrap();
    }),
    ("a debug enclave", "debug", make_debug),
    ("a debug enclave, named by value but not allowed", "debug", |spec| {
        make_debug(spec);
        spec.releases = vec![release("debug", 0, 0, 0)];
    }),
    ("a debug enclave, allowed but not named by value", "pcr_mismatch", |spec| {
        make_debug(spec);
        spec.policy = |policy| policy.allow_debug();
    }),
    ("another nonce", "nonce", |spec| spec.policy = |policy| policy.expect_nonce(*b"b nonce")),
    ("a longer nonce", "nonce", |spec| spec.policy = |policy| policy.expect_nonce(*b"a nonce!")),
    ("the start of the nonce", "nonce", |spec| spec.policy = |policy| policy.expect_nonce(*b"a non")),
    ("no nonce", "nonce", |spec| {
        spec.remove("nonce");
        spec.policy = |policy| policy.expect_nonce(*b"a nonce");
    }),
    ("a null nonce", "nonce", |spec| {
        spec.set("nonce", Value::Null);
        spec.policy = |policy| policy.expect_nonce(Vec::new());
    }),
    ("other user data", "user_data", |spec| spec.policy = |policy| policy.expect_user_data(*b"User data")),
    ("no user data", "user_data", |spec| {
        spec.remove("user_data");
        spec.policy = |policy| policy.expect_user_data(*b"user data");
    }),
    ("the nonce where user data is expected", "user_data", |spec| {
        spec.policy = |policy| policy.expect_user_data(*b"a nonce");
    }),
    ("another public key", "public_key", |spec| {
        spec.policy = |policy| policy.expect_public_key(*b"another key");
    }),
    ("no public key", "public_key", |spec| {
        spec.set("public_key", Value::Null);
        spec.policy = |policy| policy.expect_public_key(*b"a public key");
    }),
    ("the right bindings of another image", "pcr_mismatch", |spec| {
        spec.set_pcr(int(0), bytes(&[0x77; 48]));
        spec.set("module_id", text("i-other"));
        spec.policy = |policy| policy.expect_nonce(*b"a nonce").expect_user_data(*b"user data");
    }),
];
