//! `CiphertextForRecipient`, byte for byte in the form of the real service: CMS `EnvelopedData` in BER, the outer elements of
//! indefinite length, the content in segments of 1,000 bytes.

use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};

use crate::accounts::random;
use crate::fault::Fault;
use crate::refusal::Refusal;

const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const RSAES_OAEP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07];
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA_1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
const SEGMENT_BYTES: usize = 1_000;

/// Encrypts `plaintext` to the RSA key in `spki`, as `fault` says where there is one.
pub(crate) fn seal(spki: &[u8], plaintext: &[u8], fault: Option<Fault>) -> Result<Vec<u8>, Refusal> {
    let refused =
        |_| Refusal::new("ValidationException", "The public key in the attestation document is no RSA key.");
    let recipient = match fault {
        Some(Fault::OtherRecipient) => {
            PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("an RSA key").public_key()
        }
        _ => PublicEncryptingKey::from_der(spki).map_err(refused)?,
    };
    let spki = recipient.as_der().expect("a public key");
    let identifier = digest(&SHA256, spki.as_ref());
    let (oaep, hash) = match fault {
        Some(Fault::OtherHash) => (&OAEP_SHA1_MGF1SHA1, SHA_1),
        _ => (&OAEP_SHA256_MGF1SHA256, SHA_256),
    };
    let (key, cipher) = match fault {
        Some(Fault::OtherCipher) => (random::<16>().to_vec(), AES_128_CBC),
        _ => (random::<32>().to_vec(), AES_256_CBC),
    };
    let public = OaepPublicEncryptingKey::new(recipient).expect("a key for OAEP");
    let mut encrypted_key = vec![0; public.ciphertext_size()];
    public.encrypt(oaep, &key, &mut encrypted_key, None).expect("an encrypted key");
    let iv = random::<16>();
    let content = cbc(&key, iv, &padded(plaintext, fault));

    let algorithm =
        |oid: &[u8], parameters: &[u8]| der(0x30, &[der(0x06, oid), parameters.to_vec()].concat());
    let hash = algorithm(hash, &[0x05, 0x00]);
    let oaep = [der(0xa0, &hash), der(0xa1, &algorithm(MGF1, &hash))].concat();
    let recipient = [
        vec![0x02, 1, 2],
        der(0x80, identifier.as_ref()),
        algorithm(RSAES_OAEP, &der(0x30, &oaep)),
        der(0x04, &encrypted_key),
    ];
    let recipients = der(0x31, &der(0x30, &recipient.concat()));
    let content_head = [der(0x06, DATA), algorithm(cipher, &der(0x04, &iv))].concat();
    let version = [0x02, 1, 2].as_slice();
    let mut bytes = if fault == Some(Fault::Der) {
        let content = der(0x30, &[content_head, der(0x80, &content)].concat());
        let data = der(0x30, &[version, &recipients, &content].concat());
        der(0x30, &[der(0x06, ENVELOPED_DATA), der(0xa0, &data)].concat())
    } else {
        let segments: Vec<u8> =
            content.chunks(SEGMENT_BYTES).flat_map(|segment| der(0x04, segment)).collect();
        let content = indefinite(0x30, &[content_head, indefinite(0xa0, &segments)].concat());
        let data = indefinite(0x30, &[version, &recipients, &content].concat());
        indefinite(0x30, &[der(0x06, ENVELOPED_DATA), indefinite(0xa0, &data)].concat())
    };
    match fault {
        Some(Fault::Truncated) => bytes.truncate(bytes.len() - 3),
        Some(Fault::Oversized) => bytes.resize(16 * 1024, 0),
        _ => {}
    }
    Ok(bytes)
}

fn padded(plaintext: &[u8], fault: Option<Fault>) -> Vec<u8> {
    let short = plaintext.get(..16).unwrap_or_default();
    let plaintext = if fault == Some(Fault::ShortKey) { short } else { plaintext };
    let count = 16 - plaintext.len() % 16;
    let mut padded = plaintext.to_vec();
    padded.resize(plaintext.len() + count, u8::try_from(count).expect("at most 16"));
    if fault == Some(Fault::Padding)
        && let Some(first) = padded.get_mut(plaintext.len())
    {
        *first ^= 1;
    }
    padded
}

fn cbc(key: &[u8], iv: [u8; 16], padded: &[u8]) -> Vec<u8> {
    let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
    let key = UnboundCipherKey::new(algorithm, key).expect("a key of its length");
    let mut content = padded.to_vec();
    let from = EncryptionContext::Iv128(FixedLength::from(iv));
    // Where to begin is in the structure already.
    let _begin: DecryptionContext = EncryptingKey::cbc(key)
        .expect("a mode of AES")
        .less_safe_encrypt(&mut content, from)
        .expect("whole blocks");
    content
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let bytes = length.to_be_bytes();
    let head = match length {
        0..=0x7f => vec![bytes[7]],
        0x80..=0xff => vec![0x81, bytes[7]],
        _ => vec![0x82, bytes[6], bytes[7]],
    };
    [&[tag], head.as_slice(), content].concat()
}

fn indefinite(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}
