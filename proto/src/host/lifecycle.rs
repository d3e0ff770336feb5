//! The lifecycle protocol: at boot the enclave asks whether it succeeds another appliance, and when it serves, it says so.
//!
//! The parent's answer decides nothing but whom the enclave talks to next: a predecessor that is named wrongly ends in a
//! refused handshake, and one that is kept silent about in an ordinary boot, which the unlock provider stands for.

use r3e_cbor::{MapReader, decode_canonical};

use crate::limits::{MAX_FAILURE_TEXT_BYTES, MAX_MANIFEST_BYTES, MAX_RESTORE_ORDER_BYTES};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// The most bytes that either message of this protocol has: a signed manifest and its framing.
pub const MAX_MESSAGE_BYTES: usize = MAX_MANIFEST_BYTES + 64;

/// What the enclave says: one frame on a connection of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Asked once in each boot, when what is measured is locked: is there an appliance that I am to succeed?
    Predecessor,
    /// I serve: clients may be led to me.
    Serving,
    /// Is there an order to restore an older state? Asked where the configuration says whose signatures make one.
    RestoreOrder,
    /// I do not succeed it, and end. The text says why, with the predecessor's own code and words where it was that
    /// refused: an enclave has no console that its operator could read instead. Nothing secret stands in it.
    Failed(String),
}

/// What the parent answers: one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To `Predecessor`: none. An ordinary boot. To `RestoreOrder`: none.
    None,
    /// To `RestoreOrder`: the signed order, `crate::restore`; at most [`MAX_RESTORE_ORDER_BYTES`].
    RestoreOrder(Vec<u8>),
    /// To `Predecessor`: one, and every byte after this frame is its, as on a connection to its `CHANNEL_PORT`.
    Offered {
        /// The signed release manifest that approves of the succession, `crate::release`; at most
        /// [`MAX_MANIFEST_BYTES`].
        manifest: Vec<u8>,
    },
    /// To `Serving` and to `Failed`.
    Noted,
}

impl Request {
    /// The message as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Predecessor => map([(1, some(PREDECESSOR))]),
            Self::Serving => map([(1, some(SERVING))]),
            Self::RestoreOrder => map([(1, some(RESTORE_ORDER))]),
            Self::Failed(why) => {
                let end = why.floor_char_boundary(MAX_FAILURE_TEXT_BYTES);
                map([(1, some(FAILED)), (2, some(&why[..end]))])
            }
        }
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut fields =
            MapReader::new("lifecycle request", decode_canonical(body, &limits(MAX_MESSAGE_BYTES, 8))?)?;
        let request = match fields.required(1)? {
            PREDECESSOR => Self::Predecessor,
            SERVING => Self::Serving,
            RESTORE_ORDER => Self::RestoreOrder,
            FAILED => {
                let why: String = fields.required(2)?;
                within("failure text", why.len(), MAX_FAILURE_TEXT_BYTES)?;
                Self::Failed(why)
            }
            value => return Err(WireError::Unknown { what: "lifecycle request", value }),
        };
        fields.finish()?;
        Ok(request)
    }
}

impl Reply {
    /// The message as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::None => map([(1, some(NONE))]),
            Self::Offered { manifest } => map([(1, some(OFFERED)), (2, bytes(manifest.as_slice()))]),
            Self::Noted => map([(1, some(NOTED))]),
            Self::RestoreOrder(order) => map([(1, some(ORDERED)), (2, bytes(order.as_slice()))]),
        }
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or a manifest over its limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut fields =
            MapReader::new("lifecycle reply", decode_canonical(body, &limits(MAX_MESSAGE_BYTES, 8))?)?;
        let reply = match fields.required(1)? {
            NONE => Self::None,
            OFFERED => {
                let manifest: Vec<u8> = fields.required(2)?;
                within("manifest", manifest.len(), MAX_MANIFEST_BYTES)?;
                Self::Offered { manifest }
            }
            NOTED => Self::Noted,
            ORDERED => {
                let order: Vec<u8> = fields.required(2)?;
                within("restore order", order.len(), MAX_RESTORE_ORDER_BYTES)?;
                Self::RestoreOrder(order)
            }
            value => return Err(WireError::Unknown { what: "lifecycle reply", value }),
        };
        fields.finish()?;
        Ok(reply)
    }
}

const PREDECESSOR: u64 = 0;
const SERVING: u64 = 1;
const FAILED: u64 = 2;
const RESTORE_ORDER: u64 = 3;

const NONE: u64 = 0;
const OFFERED: u64 = 1;
const NOTED: u64 = 2;
const ORDERED: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_were() {
        for request in [
            Request::Predecessor,
            Request::Serving,
            Request::RestoreOrder,
            Request::Failed("downgrade: older".to_owned()),
        ] {
            let encoded = request.encode();
            assert_eq!(Request::decode(&encoded), Ok(request));
            for cut in 0..encoded.len() {
                assert!(Request::decode(&encoded[..cut]).is_err(), "cut at {cut}");
            }
        }
        let ordered = Reply::RestoreOrder(vec![7; MAX_RESTORE_ORDER_BYTES]);
        for reply in [Reply::None, Reply::Offered { manifest: vec![7; 100] }, Reply::Noted, ordered] {
            let encoded = reply.encode();
            assert_eq!(Reply::decode(&encoded), Ok(reply));
            for cut in 0..encoded.len() {
                assert!(Reply::decode(&encoded[..cut]).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn the_largest_manifest_fits_a_frame_and_a_larger_one_is_refused() {
        let offered = |length| Reply::Offered { manifest: vec![7; length] }.encode();
        assert!(offered(MAX_MANIFEST_BYTES).len() <= MAX_MESSAGE_BYTES);
        assert!(Reply::decode(&offered(MAX_MANIFEST_BYTES)).is_ok());
        assert!(Reply::decode(&offered(MAX_MANIFEST_BYTES + 1)).is_err());
    }

    #[test]
    fn what_is_not_known_or_does_not_belong_is_refused() {
        for body in [
            map([(1, some(4u64))]),
            map([(1, some(ORDERED))]),
            map([(1, some(ORDERED)), (2, bytes(vec![7; MAX_RESTORE_ORDER_BYTES + 1]))]),
            map([(1, some(NONE)), (2, bytes([1]))]),
            map([(1, some(OFFERED))]),
            map([(1, some(NOTED)), (3, some(1u64))]),
        ] {
            assert!(Reply::decode(&body).is_err(), "{body:?}");
        }
        assert!(Request::decode(&map([(1, some(2u64))])).is_err());
        assert!(Request::decode(&map([(1, some(4u64))])).is_err());
        let long = "é".repeat(MAX_FAILURE_TEXT_BYTES);
        assert!(Request::decode(&map([(1, some(FAILED)), (2, some(long.as_str()))])).is_err());
        assert!(Request::decode(&Request::Failed(long).encode()).is_ok(), "cut at a character");
        assert!(Request::decode(&map([(1, some(PREDECESSOR)), (2, some(0u64))])).is_err());
    }
}
