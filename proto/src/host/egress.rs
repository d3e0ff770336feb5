//! The egress protocol: the enclave names a host and a port, the parent resolves it, connects and then moves bytes.
//!
//! TLS ends inside the enclave, so the parent learns the name and the sizes, and a wrong address costs a failed
//! handshake. The parent refuses addresses that are not public: that guards the parent's own network from
//! tenants' functions, and is no promise of the enclave's.

use r3e_cbor::{MapReader, decode_canonical};

use crate::limits::{MAX_FAILURE_TEXT_BYTES, MAX_HOST_NAME_BYTES};
use crate::wire::{WireError, limits, map, some, within};

/// The most bytes that either message of this protocol has.
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// Where the enclave wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// A DNS name, never an address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// Whether the parent connected; after `Connected`, every byte is the peer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It did.
    Connected,
    /// It did not.
    Refused {
        /// Why.
        code: RefusalCode,
        /// The parent's words, for the log.
        message: String,
    },
}

/// Why the parent did not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// The parent's own rules exclude the host or the port.
    NotAllowed,
    /// The name has no address.
    NoSuchHost,
    /// The name has no public address.
    NotPublic,
    /// No address answered.
    Unreachable,
    /// No address answered in time.
    TimedOut,
    /// Too many connections are open.
    Busy,
}

impl Connect {
    /// The message as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        map([(1, some(self.host.as_str())), (2, some(self.port))])
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or over a limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut fields = MapReader::new("connect", decode_canonical(body, &limits(MAX_MESSAGE_BYTES, 8))?)?;
        let connect = Self { host: fields.required(1)?, port: fields.required(2)? };
        fields.finish()?;
        within("host", connect.host.len(), MAX_HOST_NAME_BYTES)?;
        Ok(connect)
    }
}

impl Reply {
    /// The message as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Connected => map([(1, some(0u64))]),
            Self::Refused { code, message } => {
                let end = message.floor_char_boundary(MAX_FAILURE_TEXT_BYTES);
                map([(1, some(code.number())), (2, some(&message[..end]))])
            }
        }
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or over a limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut fields = MapReader::new("reply", decode_canonical(body, &limits(MAX_MESSAGE_BYTES, 8))?)?;
        let reply = match fields.required(1)? {
            0 => Self::Connected,
            number => {
                let code = RefusalCode::from_number(number)?;
                let message: String = fields.required(2)?;
                within("message", message.len(), MAX_FAILURE_TEXT_BYTES)?;
                Self::Refused { code, message }
            }
        };
        fields.finish()?;
        Ok(reply)
    }
}

/// The numbers of [`RefusalCode`] on the wire.
const REFUSALS: [(u64, RefusalCode); 6] = [
    (1, RefusalCode::NotAllowed),
    (2, RefusalCode::NoSuchHost),
    (3, RefusalCode::NotPublic),
    (4, RefusalCode::Unreachable),
    (5, RefusalCode::TimedOut),
    (6, RefusalCode::Busy),
];

impl RefusalCode {
    fn number(self) -> u64 {
        REFUSALS.iter().find(|(_, code)| *code == self).map_or(0, |(number, _)| *number)
    }

    fn from_number(value: u64) -> Result<Self, WireError> {
        let known = REFUSALS.iter().find(|(number, _)| *number == value);
        known.map(|(_, code)| *code).ok_or(WireError::Unknown { what: "refusal", value })
    }
}
