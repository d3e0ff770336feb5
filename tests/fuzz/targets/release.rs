//! Signed releases, and releases alone. Each has one encoding and keeps every rule once it is read, and none is taken with fewer
//! keys than the policy wants, whatever the signatures are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::limits::MAX_MANIFEST_BYTES;
use r3e_proto::release::{
    HandoffPolicy, MAX_CHANGES, MAX_PREDECESSORS, MAX_RELEASE_BYTES, MAX_RELEASE_SIGNATURES,
    MAX_VERSION_BYTES, Release, SignedRelease, Version,
};

fuzz_target!(|data: &[u8]| {
    if let Ok(signed) = SignedRelease::decode(data) {
        assert!(data.len() <= MAX_MANIFEST_BYTES && signed.signatures().len() <= MAX_RELEASE_SIGNATURES);
        assert_eq!(signed.encode(), data, "one file, one encoding");
        assert!(signed.read_unverified().is_ok(), "a file holds a release");
        release(signed.manifest());
        approval(&signed);
    }
    release(data);
    version(data);
});

fn release(data: &[u8]) {
    let Ok(release) = Release::decode(data) else { return };
    assert!(data.len() <= MAX_RELEASE_BYTES);
    assert_eq!(release.encode(), data, "one release, one encoding");
    let (images, changes) = (release.predecessors(), release.changes());
    assert!((1..=MAX_PREDECESSORS).contains(&images.len()) && changes.len() <= MAX_CHANGES);
    assert!(images.iter().chain([release.pcrs()]).flatten().all(|pcr| *pcr != [0; 48]));
    assert!(images.iter().all(|image| release.succeeds(image)));
    assert!(
        changes.iter().all(|one| release.leads(&one.from, &one.to) && !release.leads(&one.to, &one.from))
    );
    assert!(release.appliance().is_none_or(|identity| release.is_for(identity)));
    version(release.version().to_string().as_bytes());
}

/// Takes every signature for a good one: then the distinct keys alone decide.
fn approval(signed: &SignedRelease) {
    let mut keys: Vec<PublicKey> = signed.signatures().iter().map(|(key, _)| *key).collect();
    keys.sort_by_key(|key| key.0);
    keys.dedup();
    let distinct = keys.len();
    for threshold in 1..=16 {
        let Ok(policy) = HandoffPolicy::new(threshold, keys.clone()) else { continue };
        assert!(signed.verify(&policy, |_, _, _| true).is_ok(), "{distinct} keys approve");
        assert!(signed.verify(&policy, |_, _, _| false).is_err(), "none of the signatures holds");
        let but_one = signed.verify(&policy, |key, _, _| *key != keys[0]);
        assert_eq!(but_one.is_ok(), distinct > usize::from(threshold), "one key fewer");
    }
}

fn version(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(version) = text.parse::<Version>() else { return };
    assert!(text.len() <= MAX_VERSION_BYTES);
    assert_eq!(version.to_string(), text, "one version, one text");
    assert!(version.cmp(&version).is_eq());
}
