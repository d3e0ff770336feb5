//! Verifiable randomness: ECVRF-P256-SHA256-TAI of RFC 9381. Of a message, whoever holds the key gives 32 bytes that nobody can foretell and
//! a proof that there are no others; anybody verifies them with the public key.
//!
//! The group's arithmetic is that of `p256`, and the nonce that of RFC 6979, so that what is here are the RFC's steps, each named by
//! its section. The message is not secret: how long it takes to encode it to the curve depends on it. On the key, nothing does.
//!
//! It knows nothing of whose key it is, and of what a message says.

#![forbid(unsafe_code)]

mod range;

use p256::elliptic_curve::Curve as _;
use p256::elliptic_curve::PrimeField as _;
use p256::elliptic_curve::sec1::{FromSec1Point as _, ToSec1Point as _};
use p256::{AffinePoint, NistP256, ProjectivePoint, Scalar, Sec1Point};
use rfc6979::KGenerator;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Section 5.5: the suite ECVRF-P256-SHA256-TAI.
const SUITE: u8 = 0x01;
/// Section 5.4.1.1: what separates hashing to the curve.
const ENCODE: u8 = 0x01;
/// Section 5.4.3: what separates the challenge.
const CHALLENGE: u8 = 0x02;
/// Section 5.2: what separates the output.
const OUTPUT: u8 = 0x03;
/// What ends each of the three.
const END: u8 = 0x00;
/// SEC 1: before a coordinate of a point whose other one is even.
const EVEN: u8 = 0x02;
/// The same where it is odd.
const ODD: u8 = 0x03;

/// The length of a point, compressed.
const POINT_BYTES: usize = 33;
/// Section 5.5: the length of a challenge, half of a scalar's.
const CHALLENGE_BYTES: usize = 16;
/// The length of a scalar.
const SCALAR_BYTES: usize = 32;
/// The length of a public key.
pub const PUBLIC_KEY_BYTES: usize = POINT_BYTES;
/// The length of a proof: a point, a challenge, a scalar.
pub const PROOF_BYTES: usize = POINT_BYTES + CHALLENGE_BYTES + SCALAR_BYTES;
/// The length of an output.
pub const OUTPUT_BYTES: usize = 32;

/// Why something about a VRF is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VrfError {
    /// Zero, or the group's order or more.
    #[error("it is no secret key of P-256")]
    SecretKey,
    /// Not a compressed point of the curve.
    #[error("it is no public key of P-256")]
    PublicKey,
    /// Not of a proof's form.
    #[error("it is no proof: a point, 16 bytes and a scalar, {PROOF_BYTES} bytes in all")]
    Proof,
    /// Of another message, or by another key.
    #[error("the proof does not hold for this message and key")]
    Invalid,
    /// None of 256 tries gave a point: that happens to one message in 2^256.
    #[error("the message cannot be encoded to the curve")]
    Encoding,
}

/// A secret key. It is wiped when it is dropped.
pub struct SecretKey {
    secret: p256::SecretKey,
    public: PublicKey,
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    point: AffinePoint,
    bytes: [u8; PUBLIC_KEY_BYTES],
}

/// A proof, in the RFC's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub [u8; PROOF_BYTES]);

/// What is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output(pub [u8; OUTPUT_BYTES]);

impl SecretKey {
    /// The key of these bytes, a number in big-endian order.
    ///
    /// # Errors
    /// [`VrfError::SecretKey`].
    pub fn from_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, VrfError> {
        let secret = p256::SecretKey::from_slice(bytes).map_err(|_| VrfError::SecretKey)?;
        let point = *secret.public_key().as_affine();
        let bytes = point_to_string(&point.into()).map_err(|_| VrfError::SecretKey)?;
        Ok(Self { secret, public: PublicKey { point, bytes } })
    }

    /// Its public key.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Section 5.1: the proof for a message, always the same, and its output.
    ///
    /// # Errors
    /// [`VrfError::Encoding`].
    pub fn prove(&self, message: &[u8]) -> Result<(Proof, Output), VrfError> {
        let (hashed, hashed_bytes) = encode_to_curve(&self.public.bytes, message)?;
        let secret = Zeroizing::new(*self.secret.to_nonzero_scalar());
        let gamma = hashed * *secret;
        let nonce = self.nonce(&hashed_bytes)?;
        let parts = [hashed, gamma, ProjectivePoint::GENERATOR * *nonce, hashed * *nonce];
        let challenge = challenge(&self.public, &parts);
        let response = *nonce + scalar_of(challenge) * *secret;

        let gamma = point_to_string(&gamma)?;
        let mut proof = [0; PROOF_BYTES];
        proof[..POINT_BYTES].copy_from_slice(&gamma);
        proof[POINT_BYTES..][..CHALLENGE_BYTES].copy_from_slice(&challenge);
        proof[POINT_BYTES + CHALLENGE_BYTES..].copy_from_slice(&response.to_bytes());
        Ok((Proof(proof), output(&gamma)))
    }

    /// Section 5.4.2.1: RFC 6979 over the encoded message, so that no generator's fault can give the key away.
    fn nonce(&self, hashed: &[u8; POINT_BYTES]) -> Result<Zeroizing<Scalar>, VrfError> {
        let secret = Zeroizing::new(<[u8; SCALAR_BYTES]>::from(self.secret.to_bytes()));
        let mut bytes = Zeroizing::new([0; SCALAR_BYTES]);
        let digest = Sha256::digest(hashed);
        let mut generator =
            KGenerator::<Sha256, _>::new(secret.as_slice(), &digest, &[], NistP256::ORDER.as_ref());
        generator.fill_next_k(bytes.as_mut_slice());
        let nonce = Option::from(Scalar::from_repr((*bytes).into()));
        nonce.map(Zeroizing::new).ok_or(VrfError::Encoding)
    }
}

impl PublicKey {
    /// The key of these bytes, a compressed point (SEC 1). Every point of the curve but the identity, which has no such form, has the group's
    /// prime order: section 5.4.5 asks for no more.
    ///
    /// # Errors
    /// [`VrfError::PublicKey`].
    pub fn from_bytes(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Result<Self, VrfError> {
        let point = string_to_point(bytes).ok_or(VrfError::PublicKey)?;
        Ok(Self { point, bytes: *bytes })
    }

    /// The compressed point.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.bytes
    }

    /// Section 5.3: what the key's holder must have got for a message, if the proof is for it.
    ///
    /// # Errors
    /// [`VrfError`].
    pub fn verify(&self, message: &[u8], proof: &Proof) -> Result<Output, VrfError> {
        let (gamma, rest) = proof.0.split_first_chunk::<POINT_BYTES>().ok_or(VrfError::Proof)?;
        let (claimed, response) = rest.split_first_chunk::<CHALLENGE_BYTES>().ok_or(VrfError::Proof)?;
        let response: [u8; SCALAR_BYTES] = response.try_into().map_err(|_| VrfError::Proof)?;
        // One of the group's order or more would be a second proof of the same (section 5.4.4, step 8).
        let response: Scalar = Option::from(Scalar::from_repr(response.into())).ok_or(VrfError::Proof)?;
        let point = ProjectivePoint::from(string_to_point(gamma).ok_or(VrfError::Proof)?);
        let (hashed, _) = encode_to_curve(&self.bytes, message)?;
        let scalar = scalar_of(*claimed);
        let of_key = ProjectivePoint::GENERATOR * response - ProjectivePoint::from(self.point) * scalar;
        let of_message = hashed * response - point * scalar;
        if challenge(self, &[hashed, point, of_key, of_message]) != *claimed {
            return Err(VrfError::Invalid);
        }
        Ok(output(gamma))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Section 5.4.1.1: tried and incremented until a point has the hash for its coordinate. The salt is the public key (section 5.5).
fn encode_to_curve(
    salt: &[u8; POINT_BYTES],
    message: &[u8],
) -> Result<(ProjectivePoint, [u8; POINT_BYTES]), VrfError> {
    for counter in 0..=u8::MAX {
        let hash = Sha256::new().chain_update([SUITE, ENCODE]).chain_update(salt).chain_update(message);
        let hash = hash.chain_update([counter, END]).finalize();
        let mut bytes = [EVEN; POINT_BYTES];
        bytes[1..].copy_from_slice(&hash);
        if let Some(point) = string_to_point(&bytes) {
            // The cofactor is 1.
            return Ok((point.into(), bytes));
        }
    }
    Err(VrfError::Encoding)
}

/// Section 5.4.3, over the key and the other four points.
fn challenge(key: &PublicKey, points: &[ProjectivePoint; 4]) -> [u8; CHALLENGE_BYTES] {
    let mut hash = Sha256::new().chain_update([SUITE, CHALLENGE]).chain_update(key.bytes);
    for point in points {
        // The identity, which a hostile proof can lead to, is one byte.
        hash.update(point.to_affine().to_sec1_point(true).as_bytes());
    }
    let mut challenge = [0; CHALLENGE_BYTES];
    challenge.iter_mut().zip(hash.chain_update([END]).finalize()).for_each(|(to, from)| *to = from);
    challenge
}

/// Section 5.2.
fn output(gamma: &[u8; POINT_BYTES]) -> Output {
    let hash = Sha256::new().chain_update([SUITE, OUTPUT]).chain_update(gamma).chain_update([END]);
    Output(hash.finalize().into())
}

/// A challenge as a scalar: it is far below the group's order.
fn scalar_of(challenge: [u8; CHALLENGE_BYTES]) -> Scalar {
    Scalar::from(u128::from_be_bytes(challenge))
}

fn point_to_string(point: &ProjectivePoint) -> Result<[u8; POINT_BYTES], VrfError> {
    let encoded = point.to_affine().to_sec1_point(true);
    // The identity alone has another length.
    encoded.as_bytes().try_into().map_err(|_| VrfError::Encoding)
}

/// A point has one form here: the library would read a third form of 33 bytes, and a proof in it would have another output.
fn string_to_point(bytes: &[u8; POINT_BYTES]) -> Option<AffinePoint> {
    if ![EVEN, ODD].contains(&bytes[0]) {
        return None;
    }
    let encoded = Sec1Point::from_bytes(bytes).ok()?;
    Option::from(AffinePoint::from_sec1_point(&encoded))
}

#[cfg(test)]
mod tests;
