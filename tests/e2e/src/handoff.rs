//! A release and the people who sign it, and two places where one appliance succeeds another.

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use r3e_client::SigningKey;
use r3e_fake_nsm::measured;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::channel::binding::{configuration_digest, pcr_extended_once};
use r3e_proto::release::{Change, ImagePcrs, Measured, Release, SignedRelease, approval_message};

use crate::EnclavePlace;
use crate::programs::program;

/// How many of the [`Releasers`] it takes.
pub const THRESHOLD: usize = 2;
/// The unlock policy of the `test` provider.
const TEST_POLICY: &[u8] = b"r3e/1/unlock/test";

/// Three people who release images, two of whom it takes.
pub struct Releasers(Vec<Ed25519KeyPair>);

impl Default for Releasers {
    fn default() -> Self {
        Self((0..3).map(|_| Ed25519KeyPair::generate().expect("a key")).collect())
    }
}

impl Releasers {
    /// The configuration's table that lets them.
    pub fn table(&self) -> String {
        let keys: Vec<_> = self.0.iter().map(|key| format!("\"{}\"", public(key))).collect();
        format!("[handoff]\nthreshold = {THRESHOLD}\nkeys = [{}]\n", keys.join(", "))
    }

    /// A release with the signatures of these of them.
    pub fn sign(&self, release: &Release, by: &[usize]) -> Vec<u8> {
        let mut signed = SignedRelease::unsigned(release);
        for key in by.iter().map(|place| &self.0[*place]) {
            let signature = key.sign(&approval_message(signed.manifest()));
            let signature = signature.as_ref().try_into().expect("64 bytes");
            signed.add(public(key), signature).expect("one signature a key");
        }
        signed.encode()
    }

    /// A release with as many signatures as it takes.
    pub fn approve(&self, release: &Release) -> Vec<u8> {
        self.sign(release, &[0, 2])
    }
}

fn public(key: &Ed25519KeyPair) -> PublicKey {
    PublicKey(key.public_key().as_ref().try_into().expect("32 bytes"))
}

/// A release, to be changed before it is signed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The version.
    pub version: &'static str,
    /// The successor's image.
    pub image: ImagePcrs,
    /// The images that it succeeds.
    pub predecessors: Vec<ImagePcrs>,
    /// The least sequence.
    pub minimum_sequence: u64,
    /// Changes that it lets be made.
    pub changes: Vec<Change>,
    /// The one appliance that it is for.
    pub appliance: Option<[u8; 32]>,
}

impl Draft {
    /// What succeeds `predecessor` and is `image`, of the version that every enclave here is.
    pub fn new(predecessor: ImagePcrs, image: ImagePcrs) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            image,
            predecessors: vec![predecessor],
            minimum_sequence: 1,
            changes: vec![],
            appliance: None,
        }
    }

    /// The release.
    pub fn release(&self) -> Release {
        let Self { version, image, predecessors, minimum_sequence, changes, appliance } = self.clone();
        let version = version.parse().expect("a version");
        let release =
            Release::new(version, image, minimum_sequence, predecessors, changes).expect("a release");
        match appliance {
            Some(identity) => release.for_appliance(identity),
            None => release,
        }
    }
}

/// A configuration that the `test` provider unlocks.
pub fn configuration(operator: &SigningKey, tables: &str) -> String {
    format!(
        "[operator]\npublic_key = \"{}\"\n[unlock]\nprovider = \"test\"\n[functions]\nmax_runners = 4\n{tables}",
        operator.public_key()
    )
}

/// What an enclave measures under `configuration` and the `test` provider.
pub fn measures(configuration: &str) -> Measured {
    let once = |bytes: &[u8]| pcr_extended_once(&configuration_digest(bytes));
    Measured { configuration: once(configuration.as_bytes()), unlock: once(TEST_POLICY) }
}

/// PCR0 to 2 of `enclave-under-test` with this runner: an image is its programs.
pub fn image(runner: &Path) -> ImagePcrs {
    let read = |path: &Path| std::fs::read(path).expect("a program");
    let (enclave, runner) = (read(&program("enclave-under-test")), read(runner));
    [
        measured(&[enclave.as_slice(), &runner].concat()),
        measured(b"a local process has no kernel of its own"),
        measured(&enclave),
    ]
}

/// The runner of the release before.
pub fn old_runner() -> PathBuf {
    program("r3e-runner")
}

/// The runner of another release: the same program with a byte more, so that it is another image.
pub fn other_runner(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::copy(old_runner(), &path).expect("a copy of the runner");
    let mut bytes = std::fs::read(&path).expect("the copy");
    bytes.extend(name.as_bytes());
    std::fs::write(&path, bytes).expect("the copy");
    path
}

/// Gives the enclave at `to` the root that the one at `from` attests under, as two enclaves of one hypervisor have.
pub fn share_test_root(from: &EnclavePlace, to: &EnclavePlace) {
    const IDENTITY: &str = "test-root-identity.pem";
    std::fs::create_dir_all(to.state()).expect("a folder");
    std::fs::copy(from.state().join(IDENTITY), to.state().join(IDENTITY)).expect("the test root");
}
