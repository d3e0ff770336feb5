//! What two appliances say to each other when one succeeds the other, inside the attested channel that the successor
//! opened to its predecessor.
//!
//! | request on the session | body → answer |
//! |---|---|
//! | `POST /v1/handoff` | [`Request`] → [`Grant`], both `application/cbor` |
//! | `POST /v1/handoff/done` | – → 204 |
//!
//! The session attests the predecessor. The successor attests itself by the document in its request, whose statement is
//! [`crate::channel::statement::Statement::Successor`] over [`successor_binding`]: fresh to both ends by the session that
//! it names, and good for no other session and no other purpose.

use r3e_cbor::{MapReader, decode_canonical};
use zeroize::Zeroizing;

use crate::channel::binding::{Digest, digest_fields};
use crate::channel::statement::SUCCESSOR_DOMAIN;
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_MANIFEST_BYTES};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// The most bytes of a [`Request`]: a manifest, a document, a digest, and their framing.
pub const MAX_REQUEST_BYTES: usize = MAX_MANIFEST_BYTES + MAX_DOCUMENT_BYTES + 128;
/// The most bytes of a [`Grant`]: three values of 32 bytes, a number, and their framing.
pub const MAX_GRANT_BYTES: usize = 128;

/// The codes of refusals, each for one rule. They answer 403, or 409 where it is a matter of time.
pub mod codes {
    /// The predecessor's configuration has no `[handoff]` table: it hands over to nobody.
    pub const HANDOFF_NOT_ALLOWED: &str = "handoff_not_allowed";
    /// Too few keys of the table signed the release.
    pub const RELEASE_NOT_APPROVED: &str = "release_not_approved";
    /// The successor's document does not hold: its root, a signature, a time, or debug mode.
    pub const SUCCESSOR_NOT_ATTESTED: &str = "successor_not_attested";
    /// The successor is not the image of the release.
    pub const SUCCESSOR_NOT_RELEASED: &str = "successor_not_released";
    /// The successor's document was not made for this session.
    pub const SUCCESSOR_UNBOUND: &str = "successor_unbound";
    /// The release is older than the predecessor.
    pub const DOWNGRADE: &str = "downgrade";
    /// The two measured different configurations or unlock policies, and the release does not lead from the predecessor's to
    /// the successor's.
    pub const CONFIGURATION_NOT_RELEASED: &str = "configuration_not_released";
    /// The release is for another appliance.
    pub const APPLIANCE_NOT_RELEASED: &str = "appliance_not_released";
    /// The release says another version than the successor's own: the successor refuses by itself.
    pub const VERSION_NOT_RELEASED: &str = "version_not_released";
    /// The predecessor's state is behind what the release asks for: it was rolled back.
    pub const SEQUENCE_TOO_LOW: &str = "sequence_too_low";
    /// The release does not name the predecessor's image.
    pub const NOT_A_PREDECESSOR: &str = "not_a_predecessor";
    /// 409: a handoff is under way already.
    pub const HANDOFF_UNDER_WAY: &str = "handoff_under_way";
    /// 409, to `done`: nothing was handed over on this session, or it was taken back.
    pub const HANDOFF_NOT_OPEN: &str = "handoff_not_open";
}

/// What the successor asks with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The signed release, [`crate::release::SignedRelease`], as bytes.
    pub manifest: Vec<u8>,
    /// The successor's attestation document.
    pub document: Vec<u8>,
    /// SHA-384 of the successor's configuration; PCR16 of its document measures it.
    pub configuration: Digest,
}

/// What the predecessor gives: all that it takes to be the appliance.
pub struct Grant {
    /// The root secret.
    pub root: Box<Zeroizing<[u8; 32]>>,
    /// Its commitment, by which the successor knows that it arrived whole.
    pub identity: [u8; 32],
    /// The sequence of the sealed state's last commit. There is none after it.
    pub sequence: u64,
    /// SHA-256 of that commit's sealed head.
    pub head: [u8; 32],
}

/// What a successor's document says: SHA-384 over the domain, the binding of its session with the predecessor, and its
/// configuration's digest, each behind its length.
pub fn successor_binding(session: &Digest, configuration: &Digest) -> Digest {
    digest_fields(&[SUCCESSOR_DOMAIN.as_bytes(), session, configuration])
}

impl Request {
    /// The request as a body.
    pub fn encode(&self) -> Vec<u8> {
        map([
            (1, bytes(self.manifest.as_slice())),
            (2, bytes(self.document.as_slice())),
            (3, bytes(self.configuration)),
        ])
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or over a limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut fields =
            MapReader::new("handoff request", decode_canonical(body, &limits(MAX_REQUEST_BYTES, 8))?)?;
        let request = Self {
            manifest: fields.required(1)?,
            document: fields.required(2)?,
            configuration: fields.required(3)?,
        };
        fields.finish()?;
        within("manifest", request.manifest.len(), MAX_MANIFEST_BYTES)?;
        within("document", request.document.len(), MAX_DOCUMENT_BYTES)?;
        Ok(request)
    }
}

/// Where the root secret lies in an encoded grant: behind the map's head, the key 1 and the head of a string of 32 bytes.
const ROOT_AT: std::ops::Range<usize> = 4..36;

impl Grant {
    /// The grant as a body. The root secret is laid into it last, so that no copy of it is left behind in this code.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(map([
            (1, bytes([0; 32])),
            (2, bytes(self.identity)),
            (3, some(self.sequence)),
            (4, bytes(self.head)),
        ]));
        if let Some(place) = body.get_mut(ROOT_AT) {
            place.copy_from_slice(self.root.as_slice());
        }
        body
    }

    /// Reads a body. The root secret is taken out of it first.
    ///
    /// # Errors
    /// [`WireError`]: not of the form.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        within("grant", body.len(), MAX_GRANT_BYTES)?;
        let mut root = Box::new(Zeroizing::new([0; 32]));
        let (Some(before), Some(secret), Some(after)) =
            (body.get(..ROOT_AT.start), body.get(ROOT_AT), body.get(ROOT_AT.end..))
        else {
            return Err(WireError::Invalid { what: "grant", why: "it is too short" });
        };
        root.copy_from_slice(secret);
        let rest = [before, &[0; 32], after].concat();
        let mut fields = MapReader::new("grant", decode_canonical(&rest, &limits(MAX_GRANT_BYTES, 12))?)?;
        let blank: [u8; 32] = fields.required(1)?;
        let (identity, sequence, head) = (fields.required(2)?, fields.required(3)?, fields.required(4)?);
        fields.finish()?;
        // In the one encoding there is, key 1 stands where the root secret was taken from.
        if blank != [0; 32] {
            return Err(WireError::Invalid { what: "grant", why: "it is not deterministic" });
        }
        Ok(Self { root, identity, sequence, head })
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Grant").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(sequence: u64) -> Grant {
        Grant { root: Box::new(Zeroizing::new([1; 32])), identity: [2; 32], sequence, head: [4; 32] }
    }

    #[test]
    fn requests_come_back_as_they_were() {
        let request = Request { manifest: vec![1; 40], document: vec![2; 50], configuration: [3; 48] };
        let encoded = request.encode();
        assert_eq!(Request::decode(&encoded), Ok(request.clone()));
        for cut in 0..encoded.len() {
            assert!(Request::decode(&encoded[..cut]).is_err(), "cut at {cut}");
        }
        let largest = Request {
            manifest: vec![1; MAX_MANIFEST_BYTES],
            document: vec![2; MAX_DOCUMENT_BYTES],
            ..request.clone()
        };
        assert_eq!(Request::decode(&largest.encode()), Ok(largest));
        let long = Request { document: vec![2; MAX_DOCUMENT_BYTES + 1], ..request.clone() };
        assert!(Request::decode(&long.encode()).is_err());
        let long = Request { manifest: vec![2; MAX_MANIFEST_BYTES + 1], ..request };
        assert!(Request::decode(&long.encode()).is_err());
    }

    #[test]
    fn grants_come_back_as_they_were_and_show_nothing() {
        for sequence in [0, 23, 24, 65_536, u64::MAX] {
            let encoded = grant(sequence).encode();
            assert!(encoded.len() <= MAX_GRANT_BYTES);
            let decoded = Grant::decode(&encoded).unwrap();
            assert_eq!((**decoded.root, decoded.identity), ([1; 32], [2; 32]));
            assert_eq!((decoded.sequence, decoded.head), (sequence, [4; 32]));
            // What a reader of the whole message, without this one's care, finds.
            let value = decode_canonical(&encoded, &limits(MAX_GRANT_BYTES, 12)).unwrap();
            let mut fields = MapReader::new("grant", value).unwrap();
            assert_eq!(fields.required::<[u8; 32]>(1).unwrap(), [1; 32]);
            for cut in 0..encoded.len() {
                assert!(Grant::decode(&encoded[..cut]).is_err(), "cut at {cut}");
            }
        }
        let shown = format!("{:?}", grant(7));
        assert!(shown.contains('7') && !shown.contains("1, 1"), "{shown}");
    }

    #[test]
    fn a_grant_of_another_form_is_refused() {
        for body in [
            map([(1, bytes([1; 31])), (2, bytes([2; 32])), (3, some(4u64)), (4, bytes([4; 32]))]),
            map([(1, bytes([1; 33])), (2, bytes([2; 32])), (3, some(4u64)), (4, bytes([4; 32]))]),
            map([(1, bytes([1; 32])), (2, bytes([2; 32])), (3, some(4u64))]),
            map([(0, bytes([1; 32])), (1, bytes([2; 32])), (2, bytes([2; 32])), (3, some(4u64))]),
            map([
                (1, bytes([1; 32])),
                (2, bytes([2; 32])),
                (3, some(4u64)),
                (4, bytes([4; 32])),
                (5, some(1u64)),
            ]),
        ] {
            assert!(Grant::decode(&body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_binding_names_its_session_and_its_configuration() {
        let binding = successor_binding(&[1; 48], &[2; 48]);
        assert_ne!(binding, successor_binding(&[2; 48], &[1; 48]));
        assert_ne!(binding, successor_binding(&[1; 48], &[3; 48]));
        assert_ne!(binding, digest_fields(&[&[1; 48], &[2; 48]]), "the domain counts");
    }
}
