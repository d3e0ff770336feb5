//! A chain of three certificates whose private keys are the numbers 1, 2 and 3, so that a fuzz target can sign
//! what it made of its input and get past the signature checks, with the same keys in every process.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use r3e_attestation::{TrustAnchor, UnixTime, UnsafeTestRoot};

use crate::der::{element, sequence};

/// A time within every certificate's validity: 2025-01-01T00:00:00Z.
pub const AT: UnixTime = UnixTime::from_secs(1_735_689_600);

/// Who a certificate belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Issues itself and the intermediate.
    Root,
    /// Issues the leaf.
    Intermediate,
    /// Signs documents.
    Leaf,
}

/// The multiples of P-384's base point by 1, 2 and 3 (SEC 2 section 2.5.1 has the point), as X and Y.
const POINTS: [&str; 3] = [
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
     3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
    "08d999057ba3d2d969260045c55b97f089025959a6f434d651d207d19fb96e9e4fe0e86ebe0e64f85b96a9c75295df61\
     8e80f1fa5b1b3cedb7bfe8dffd6dba74b275d875bc6cc43e904e505f256ab4255ffd43e94d39e22d61501e700a940e80",
    "077a41d4606ffa1464793c7e5fdc7d98cb9d3910202dcd06bea4f240d3566da6b408bbae5026580d02d7e5c70500c831\
     c995f7ca0b0c42837d0bbe9602a9fc998520b41c85115aa5f7684c0edc111eacc24abd6be4b5d298b65f28600a2f1df1",
];

/// ecdsa-with-SHA384 (RFC 5758 section 3.2).
const ES384: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

/// id-ecPublicKey with secp384r1 (RFC 5480 section 2.1.1).
const P384: [u8; 18] = [
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22,
];

impl Holder {
    /// The DER of the holder's name.
    pub fn name(self) -> Vec<u8> {
        let common_name: &[u8] = match self {
            Self::Root => b"fuzz root",
            Self::Intermediate => b"fuzz intermediate",
            Self::Leaf => b"fuzz leaf",
        };
        let attribute = sequence(&[&[0x06, 0x03, 0x55, 0x04, 0x03], &element(0x0c, &[common_name])]);
        sequence(&[&element(0x31, &[&attribute])])
    }

    /// The DER of the holder's public key.
    pub fn public_key_info(self) -> Vec<u8> {
        sequence(&[&P384, &element(0x03, &[&[0], &self.point()])])
    }

    /// Who issued the holder's certificate.
    pub fn issuer(self) -> Self {
        match self {
            Self::Root | Self::Intermediate => Self::Root,
            Self::Leaf => Self::Intermediate,
        }
    }

    /// What of the holder's certificate is signed.
    pub fn tbs(self) -> Vec<u8> {
        let (basic_constraints, key_usage): (&[u8], &[u8]) = match self {
            Self::Leaf => (&[0x30, 0x00], &[0x03, 0x02, 0x07, 0x80]),
            // CA; keyCertSign.
            _ => (&[0x30, 0x03, 0x01, 0x01, 0xff], &[0x03, 0x02, 0x02, 0x04]),
        };
        let extension = |number: u8, value: &[u8]| {
            let critical = [0x01, 0x01, 0xff];
            sequence(&[&[0x06, 0x03, 0x55, 0x1d, number], &critical, &element(0x04, &[value])])
        };
        let extensions = sequence(&[&extension(0x13, basic_constraints), &extension(0x0f, key_usage)]);
        let validity = sequence(&[&element(0x17, &[b"200101000000Z"]), &element(0x17, &[b"491231235959Z"])]);
        sequence(&[
            &[0xa0, 0x03, 0x02, 0x01, 0x02],
            &[0x02, 0x01, 0x01],
            &ES384,
            &self.issuer().name(),
            &validity,
            &self.name(),
            &self.public_key_info(),
            &element(0xa3, &[&extensions]),
        ])
    }

    /// The holder's certificate.
    pub fn certificate(self) -> Vec<u8> {
        self.issuer().certify(&self.tbs())
    }

    /// A certificate of whatever bytes, signed by the holder.
    pub fn certify(self, tbs: &[u8]) -> Vec<u8> {
        let signature = self.sign(&ECDSA_P384_SHA384_ASN1_SIGNING, tbs);
        sequence(&[tbs, &ES384, &element(0x03, &[&[0], &signature])])
    }

    /// ES384 over `message` in COSE's form: r, then s (RFC 9053 section 2.1).
    pub fn sign_cose(self, message: &[u8]) -> Vec<u8> {
        self.sign(&ECDSA_P384_SHA384_FIXED_SIGNING, message)
    }

    fn sign(self, algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
        let mut scalar = [0; 48];
        scalar[47] = self as u8 + 1;
        let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &scalar, &self.point())
            .expect("the points are the multiples of the base point");
        key.sign(&SystemRandom::new(), message).expect("the system has randomness").as_ref().to_vec()
    }

    /// The public key, an uncompressed point (SEC 1 section 2.3.3).
    fn point(self) -> Vec<u8> {
        let digits = POINTS[self as usize].as_bytes();
        let mut point = vec![4];
        point.extend(digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hex digits")
        }));
        point
    }
}

/// The certificates of root, intermediate and leaf.
pub static CHAIN: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| [Holder::Root, Holder::Intermediate, Holder::Leaf].map(Holder::certificate));

/// The root, as a policy trusts it.
pub static ROOT: LazyLock<TrustAnchor> = LazyLock::new(|| {
    TrustAnchor::UnsafeTest(UnsafeTestRoot::from_der(&CHAIN[0]).expect("a root of the right form"))
});
