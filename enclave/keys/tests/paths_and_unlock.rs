//! Paths cannot be confused with each other, and a root secret never comes from a broken source of entropy.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU8, Ordering},
    task::{Context, Poll, Waker},
};

use r3e_keys::{BoxError, Entropy, Ephemeral, KeyError, KeyPath, RootSecret, UnlockProvider, limits};
use zeroize::Zeroizing;

/// Different bytes at every call, so that two boots differ.
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        for byte in out {
            *byte = self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

struct Constant;

impl Entropy for Constant {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        out.fill(0x5a);
        Ok(())
    }
}

/// Writes half of what was asked, then fails.
struct Broken;

impl Entropy for Broken {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        let half = out.len() / 2;
        out[..half].fill(1);
        Err("the device went away".into())
    }
}

fn unlock(entropy: &dyn Entropy) -> Result<RootSecret, KeyError> {
    // The provider is used as a trait object, as the enclave does.
    let provider: &dyn UnlockProvider = &Ephemeral;
    let mut future = provider.unlock(entropy);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("the ephemeral provider waits for nothing"),
    }
}

#[test]
fn every_boot_of_an_ephemeral_appliance_is_a_new_root() {
    let entropy = Counting(AtomicU8::new(0));
    let first = unlock(&entropy).unwrap().derive(&KeyPath::state()).unwrap();
    let second = unlock(&entropy).unwrap().derive(&KeyPath::state()).unwrap();
    assert_ne!(first, second);
}

#[test]
fn the_ephemeral_root_is_exactly_what_the_source_gave() {
    let unlocked = unlock(&Counting(AtomicU8::new(7))).unwrap();
    let same = RootSecret::from_recovered(&Zeroizing::new(std::array::from_fn(|index| {
        u8::try_from(index + 7).unwrap()
    })));
    assert_eq!(unlocked.derive(&KeyPath::report()).unwrap(), same.derive(&KeyPath::report()).unwrap());
}

#[test]
fn a_root_that_was_handed_over_is_not_kept_by_ephemeral() {
    let root = unlock(&Counting(AtomicU8::new(7))).unwrap();
    // It asks nobody for anything, so one poll is all it takes.
    let mut adopting = Ephemeral.adopt(&root, &Broken);
    let polled = adopting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(()))));
}

#[test]
fn what_is_revealed_is_the_root() {
    let root = unlock(&Counting(AtomicU8::new(7))).unwrap();
    let copy = RootSecret::from_recovered(&root.reveal());
    assert_eq!(copy.commitment().unwrap(), root.commitment().unwrap());
}

#[test]
fn a_constant_source_is_refused() {
    assert!(matches!(unlock(&Constant), Err(KeyError::DeadEntropy)));
}

#[test]
fn a_broken_source_is_refused_and_its_reason_kept() {
    let error = unlock(&Broken).unwrap_err();
    assert!(matches!(error, KeyError::Entropy(_)));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the device went away");
}

#[test]
fn the_root_secret_is_not_printed() {
    let root = RootSecret::from_recovered(&Zeroizing::new([0xab; 32]));
    assert_eq!(format!("{root:?}"), "RootSecret(..)");
}

#[test]
fn names_that_try_to_look_like_other_paths_stay_apart() {
    let hostile = [
        ("a", "b/0"),
        ("a/b", "0"),
        ("a%2Fb", "0"),
        ("a", "b"),
        ("A", "b"),
        ("0", "b"),
        ("%30", "b"),
        ("a", "0"),
        ("00", "b"),
        ("a\0", "b"),
        ("á", "b"),
        (".", ".."),
        ("..", "."),
    ];
    let mut seen = HashSet::new();
    for (tenant, chain) in hostile {
        for id in [[0; 32], [1; 32]] {
            let path = KeyPath::wallet(tenant, chain, &id).unwrap();
            assert_eq!(path.as_str().split('/').count(), 6, "{path}");
            assert!(seen.insert(path.as_str().to_owned()), "{path} came up twice");
        }
    }
}

#[test]
fn names_outside_the_limits_are_refused() {
    let longest = "n".repeat(limits::MAX_NAME_BYTES);
    assert!(KeyPath::wallet(&longest, &longest, &[0; 32]).is_ok());
    for bad in [String::new(), format!("{longest}n")] {
        assert!(matches!(KeyPath::wallet(&bad, "c", &[0; 32]), Err(KeyError::Name { .. })));
        assert!(matches!(KeyPath::wallet("t", &bad, &[0; 32]), Err(KeyError::Name { .. })));
    }
}
