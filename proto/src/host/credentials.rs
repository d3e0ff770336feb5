//! The credentials protocol: the enclave asks for the AWS credentials of the parent's instance role, to sign requests
//! that it sends itself.
//!
//! They are the parent's to begin with, so nothing about them is trusted or secret towards it. What they allow without
//! an attestation document is for the key's policy to say: nothing.

use std::fmt;

use r3e_cbor::{MapReader, decode_canonical};
use zeroize::Zeroizing;

use crate::limits::{
    MAX_ACCESS_KEY_ID_BYTES, MAX_FAILURE_TEXT_BYTES, MAX_SECRET_ACCESS_KEY_BYTES, MAX_SESSION_TOKEN_BYTES,
};
use crate::wire::{WireError, limits, map, some, within};

/// The most bytes that either message of this protocol has.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// The service that requests are to be signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// AWS Key Management Service.
    Kms,
}

/// What the enclave asks: one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What for. The parent has one role for all; it may refuse a service.
    pub service: Service,
}

/// What the parent answers: one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Credentials.
    Credentials(AwsCredentials),
    /// There are none now. The text is the parent's, for the log.
    Failed(String),
}

/// Temporary credentials of an IAM role.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsCredentials {
    /// Names the credentials; sent with each request.
    pub access_key_id: String,
    /// Signs; never sent.
    pub secret_access_key: Zeroizing<String>,
    /// Sent with each request. Long-lived credentials have none.
    pub session_token: Option<Zeroizing<String>>,
    /// Until when they hold, in Unix milliseconds, as the parent says.
    pub expires_at_ms: u64,
}

impl Request {
    /// The message as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        let Service::Kms = self.service;
        map([(1, some(KMS))])
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or for a service that is not known.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let body = decode_canonical(body, &limits(MAX_MESSAGE_BYTES, 4))?;
        let mut fields = MapReader::new("credentials request", body)?;
        let service: String = fields.required(1)?;
        fields.finish()?;
        match service.as_str() {
            KMS => Ok(Self { service: Service::Kms }),
            _ => Err(WireError::Invalid { what: "service", why: "there are no credentials for it" }),
        }
    }
}

impl Reply {
    /// The message as a frame's body.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Credentials(credentials) => map([
                (1, some(GRANTED)),
                (2, some(credentials.access_key_id.as_str())),
                (3, some(credentials.secret_access_key.as_str())),
                (4, credentials.session_token.as_ref().and_then(|token| some(token.as_str()))),
                (5, some(credentials.expires_at_ms)),
            ]),
            Self::Failed(text) => {
                let end = text.floor_char_boundary(MAX_FAILURE_TEXT_BYTES);
                map([(1, some(FAILED)), (2, some(&text[..end]))])
            }
        })
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, over a limit, or credentials that could not stand in a header of HTTP.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let body = decode_canonical(body, &limits(MAX_MESSAGE_BYTES, 12))?;
        let mut fields = MapReader::new("credentials reply", body)?;
        let reply = match fields.required(1)? {
            GRANTED => {
                let access_key_id = fields.required(2)?;
                let secret_access_key = Zeroizing::new(fields.required(3)?);
                let session_token = fields.optional::<String>(4)?.map(Zeroizing::new);
                let expires_at_ms = fields.required(5)?;
                let credentials =
                    AwsCredentials { access_key_id, secret_access_key, session_token, expires_at_ms };
                credentials.check()?;
                Self::Credentials(credentials)
            }
            FAILED => {
                let text: String = fields.required(2)?;
                within("failure text", text.len(), MAX_FAILURE_TEXT_BYTES)?;
                Self::Failed(text)
            }
            value => return Err(WireError::Unknown { what: "credentials reply", value }),
        };
        fields.finish()?;
        Ok(reply)
    }
}

impl AwsCredentials {
    /// Whether each part has a length within its limit and nothing in it but visible ASCII: the identifier and the token
    /// become headers of HTTP, where a line feed would begin another one.
    ///
    /// # Errors
    /// [`WireError`]; it holds nothing of the credentials.
    pub fn check(&self) -> Result<(), WireError> {
        part("access key id", &self.access_key_id, MAX_ACCESS_KEY_ID_BYTES)?;
        // It stands between slashes in a signed header.
        if self.access_key_id.contains(['/', ',', '=']) {
            return Err(WireError::Invalid { what: "access key id", why: "it holds a separator" });
        }
        part("secret access key", &self.secret_access_key, MAX_SECRET_ACCESS_KEY_BYTES)?;
        match &self.session_token {
            Some(token) => part("session token", token, MAX_SESSION_TOKEN_BYTES),
            None => Ok(()),
        }
    }
}

fn part(what: &'static str, text: &str, max: usize) -> Result<(), WireError> {
    within(what, text.len(), max)?;
    if text.is_empty() {
        return Err(WireError::Invalid { what, why: "it is empty" });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(WireError::Invalid { what, why: "it holds something other than visible ASCII" });
    }
    Ok(())
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AwsCredentials")
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

const KMS: &str = "kms";
const GRANTED: u64 = 0;
const FAILED: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> AwsCredentials {
        AwsCredentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: Zeroizing::new("wJalrXUtnFEMI/K7MDENG".to_owned()),
            session_token: Some(Zeroizing::new("AQoDYXdzEPT//////////wEX==".to_owned())),
            expires_at_ms: 1_800_000_000_000,
        }
    }

    #[test]
    fn messages_come_back_as_they_were() {
        let request = Request { service: Service::Kms };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
        let lasting = AwsCredentials { session_token: None, ..credentials() };
        for reply in [
            Reply::Credentials(credentials()),
            Reply::Credentials(lasting),
            Reply::Failed("no role is attached".to_owned()),
        ] {
            let encoded = reply.encode();
            assert!(encoded.len() <= MAX_MESSAGE_BYTES);
            assert_eq!(Reply::decode(&encoded), Ok(reply));
            for cut in 0..encoded.len() {
                assert!(Reply::decode(&encoded[..cut]).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn the_largest_credentials_fit_a_frame() {
        let largest = AwsCredentials {
            access_key_id: "A".repeat(MAX_ACCESS_KEY_ID_BYTES),
            secret_access_key: Zeroizing::new("s".repeat(MAX_SECRET_ACCESS_KEY_BYTES)),
            session_token: Some(Zeroizing::new("t".repeat(MAX_SESSION_TOKEN_BYTES))),
            expires_at_ms: u64::MAX,
        };
        let encoded = Reply::Credentials(largest.clone()).encode();
        assert!(encoded.len() <= MAX_MESSAGE_BYTES);
        assert_eq!(Reply::decode(&encoded), Ok(Reply::Credentials(largest)));
        let text = "é".repeat(MAX_FAILURE_TEXT_BYTES);
        assert!(Reply::decode(&Reply::Failed(text).encode()).is_ok(), "cut at a character");
    }

    #[test]
    fn what_could_become_another_header_is_refused() {
        let with = |id: &str, secret: &str, token: &str| AwsCredentials {
            access_key_id: id.to_owned(),
            secret_access_key: Zeroizing::new(secret.to_owned()),
            session_token: Some(Zeroizing::new(token.to_owned())),
            expires_at_ms: 1,
        };
        let long = "t".repeat(MAX_SESSION_TOKEN_BYTES + 1);
        for wrong in [
            with("", "s", "t"),
            with("A", "", "t"),
            with("A", "s", ""),
            with("A/b", "s", "t"),
            with("A,b", "s", "t"),
            with("A", "s", "t\r\nx-amz-target: other"),
            with("A B", "s", "t"),
            with("A", "\u{e9}", "t"),
            with("A", "s", &long),
        ] {
            assert!(Reply::decode(&Reply::Credentials(wrong).encode()).is_err());
        }
        assert!(Request::decode(&map([(1, some("s3"))])).is_err());
        assert!(Reply::decode(&map([(1, some(7_u64))])).is_err());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", Reply::Credentials(credentials()));
        for part in ["ASIA", "wJalr", "AQoD"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}
