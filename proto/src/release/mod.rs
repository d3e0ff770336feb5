//! Releases: what the people who release an appliance's image sign, so that a running appliance hands its root secret to
//! the image's next version, and to nothing else.
//!
//! A [`Release`] says which image it is, whose successor, which configuration may become which, and, where it is meant for one
//! appliance, for which. A [`SignedRelease`] is its bytes
//! with signatures; a [`HandoffPolicy`] says whose signatures count, and how many it takes. This module knows nothing of
//! attestation documents and keeps no key: that an enclave *is* the image of a release, its evidence has to say.

mod manifest;
mod policy;
mod signed;
mod version;

pub use manifest::{Change, Measured, Release};
pub use policy::HandoffPolicy;
pub use signed::{Outcome, ReleaseError, SignedRelease, approval_message};
pub use version::{Version, VersionError};

use crate::channel::binding::Digest;

/// The domain of a release's bytes, their first element.
pub const RELEASE_DOMAIN: &str = "r3e/1/release";
/// The domain of a release with its signatures.
pub const SIGNED_RELEASE_DOMAIN: &str = "r3e/1/signed-release";
/// The domain of the message that approves a release.
pub const APPROVAL_DOMAIN: &str = "r3e/1/release-approval";

/// Images that a release may succeed: more than are run at a time, so that none of them is left without a way on.
pub const MAX_PREDECESSORS: usize = 16;
/// Changes of the configuration or of the unlock policy that a release lets be made.
pub const MAX_CHANGES: usize = 16;
/// Keys of a policy: people, of whom some come together for a release.
pub const MAX_RELEASE_KEYS: usize = 16;
/// Signatures of a signed release: one for each key.
pub const MAX_RELEASE_SIGNATURES: usize = MAX_RELEASE_KEYS;
/// A version's text.
pub const MAX_VERSION_BYTES: usize = 64;
/// An appliance's identity: the commitment of its root secret.
pub const IDENTITY_BYTES: usize = 32;
/// A release: 16 images of 151 bytes, 16 changes of 201 bytes, and some 300 bytes beside them.
pub const MAX_RELEASE_BYTES: usize = 6 * 1024;

/// The PCRs 0, 1 and 2 that the hypervisor measures of an image.
pub type ImagePcrs = [Digest; 3];
