//! The file of reference values. What is accepted must make a policy that pins an image.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use r3e_attestation::{AppraisalPolicy, MAX_PCR_INDEX, parse_reference_values};

fuzz_target!(|data: &[u8]| {
    let Ok(releases) = parse_reference_values(data) else { return };
    assert!((1..=256).contains(&releases.len()));
    let names: BTreeSet<&str> = releases.iter().map(|release| release.name()).collect();
    assert_eq!(names.len(), releases.len(), "each name once");
    for release in &releases {
        assert!((1..=128).contains(&release.name().len()));
        assert!(!release.name().chars().any(char::is_control), "a name is safe to print");
        assert!((0..=2).all(|index| release.pcrs().contains_key(&index)), "it pins the image");
        assert!(release.pcrs().keys().all(|index| *index <= MAX_PCR_INDEX));
    }
    // The file is JSON, and each of its releases is in the result: nothing was dropped unseen.
    let read: serde_json::Value = serde_json::from_slice(data).expect("it is JSON");
    assert_eq!(read["releases"].as_array().map(Vec::len), Some(releases.len()));
    for (release, json) in releases.iter().zip(read["releases"].as_array().into_iter().flatten()) {
        assert_eq!(json["name"].as_str(), Some(release.name()));
        assert_eq!(json["pcrs"].as_object().map(serde_json::Map::len), Some(release.pcrs().len()));
    }
    AppraisalPolicy::builder().accept_releases(releases).build().expect("it makes a policy");
});
