//! A client of EC2's instance metadata service, version 2: a token first, then the role's name, then its credentials.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use r3e_proto::host::credentials::AwsCredentials;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::endpoint::ImdsEndpoint;
use super::error::CredentialsError;
use crate::limits::{
    IMDS_TIMEOUT_MS, IMDS_TOKEN_SECONDS, MAX_IMDS_ANSWER_BYTES, MAX_IMDS_HEAD_BYTES, MAX_ROLE_NAME_BYTES,
};

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/iam/security-credentials/";
const TOKEN_TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

/// The metadata service.
#[derive(Debug)]
pub(super) struct Imds {
    endpoint: ImdsEndpoint,
}

struct Answer {
    status: StatusCode,
    body: Zeroizing<Vec<u8>>,
}

/// Members that are not needed are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    code: String,
    access_key_id: String,
    secret_access_key: Zeroized,
    token: Zeroized,
    expiration: String,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct Zeroized(Zeroizing<String>);

impl From<String> for Zeroized {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Imds {
    pub(super) fn new(endpoint: ImdsEndpoint) -> Self {
        Self { endpoint }
    }

    /// The credentials of the role that is attached to this instance.
    pub(super) async fn credentials(&self) -> Result<AwsCredentials, CredentialsError> {
        let limit = Duration::from_millis(IMDS_TIMEOUT_MS);
        timeout(limit, self.fetch()).await.map_err(|_| CredentialsError::TimedOut)?
    }

    async fn fetch(&self) -> Result<AwsCredentials, CredentialsError> {
        let seconds = IMDS_TOKEN_SECONDS.to_string();
        let token = self.send(Method::PUT, TOKEN_PATH, (TOKEN_TTL_HEADER, &seconds)).await?;
        if token.status != StatusCode::OK {
            return Err(CredentialsError::NoToken { status: token.status.as_u16() });
        }
        let token = text(&token.body).ok_or(CredentialsError::Form("the token is no header's value"))?;
        let header = (TOKEN_HEADER, token);
        let roles = self.send(Method::GET, ROLES_PATH, header).await?;
        let role = match roles.status {
            StatusCode::OK => role_name(&roles.body)?,
            StatusCode::NOT_FOUND => return Err(CredentialsError::NoRole),
            status => return Err(CredentialsError::Status { what: "the role", status: status.as_u16() }),
        };
        let answer = self.send(Method::GET, &format!("{ROLES_PATH}{role}"), header).await?;
        match answer.status {
            StatusCode::OK => read(&answer.body),
            status => {
                Err(CredentialsError::Status { what: "the role's credentials", status: status.as_u16() })
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        (name, value): (&str, &str),
    ) -> Result<Answer, CredentialsError> {
        let address = self.endpoint.address();
        let stream = TcpStream::connect(address).await.map_err(CredentialsError::Unreachable)?;
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(MAX_IMDS_HEAD_BYTES).handshake(TokioIo::new(stream)).await?;
        // Ends the connection when this function does.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", address.to_string())
            .header("connection", "close")
            .header(name, value)
            .body(Full::<Bytes>::default())
            .map_err(|_| CredentialsError::Form("a name in it cannot stand in a request"))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, MAX_IMDS_ANSWER_BYTES).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { CredentialsError::TooLong } else { cut_short(error) }
        })?;
        Ok(Answer { status: head.status, body: Zeroizing::new(body.to_bytes().to_vec()) })
    }
}

fn cut_short(error: Box<dyn std::error::Error + Send + Sync>) -> CredentialsError {
    match error.downcast::<hyper::Error>() {
        Ok(error) => CredentialsError::Http(*error),
        Err(_) => CredentialsError::Form("its body ended early"),
    }
}

/// Visible ASCII alone.
fn text(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim_end();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// The first role of the list; an instance has one. By IAM's rule for names, none has a character that means anything in
/// a path.
fn role_name(body: &[u8]) -> Result<&str, CredentialsError> {
    let list = std::str::from_utf8(body).map_err(|_| CredentialsError::Form("the role's name is no text"))?;
    let role = list.lines().next().unwrap_or_default().trim();
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    match role {
        "" => Err(CredentialsError::NoRole),
        role if role.len() <= MAX_ROLE_NAME_BYTES && role.bytes().all(named) => Ok(role),
        _ => Err(CredentialsError::Form("the role's name is not one of IAM's")),
    }
}

fn read(body: &[u8]) -> Result<AwsCredentials, CredentialsError> {
    let document: Document =
        serde_json::from_slice(body).map_err(|_| CredentialsError::Form("it is not the documented JSON"))?;
    if document.code != "Success" {
        return Err(CredentialsError::Form("its code is not Success"));
    }
    let expiration = OffsetDateTime::parse(&document.expiration, &Rfc3339)
        .map_err(|_| CredentialsError::Form("its expiration is no time"))?;
    let expires_at_ms = u64::try_from(expiration.unix_timestamp_nanos() / 1_000_000)
        .map_err(|_| CredentialsError::Form("its expiration is before 1970"))?;
    let credentials = AwsCredentials {
        access_key_id: document.access_key_id,
        secret_access_key: document.secret_access_key.0,
        session_token: Some(document.token.0),
        expires_at_ms,
    };
    credentials.check().map_err(|_| CredentialsError::Form("one of its parts is no part of credentials"))?;
    Ok(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
        "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "wJalr/XUt", "Token": "AQoD//EXAMPLE==",
        "Expiration": "2027-01-15T08:00:00Z"
    }"#;

    #[test]
    fn the_documented_json_is_read() {
        let credentials = read(GOOD.as_bytes()).unwrap();
        assert_eq!(credentials.access_key_id, "ASIAEXAMPLE");
        assert_eq!(credentials.session_token.as_deref().map(String::as_str), Some("AQoD//EXAMPLE=="));
        assert_eq!(credentials.expires_at_ms, 1_800_000_000_000);
    }

    #[test]
    fn anything_else_is_refused_without_being_repeated() {
        for (from, to) in [
            ("Success", "Failed"),
            ("\"Token\"", "\"token\""),
            ("2027-01-15T08:00:00Z", "soon"),
            ("2027-01-15T08:00:00Z", "1927-01-15T08:00:00Z"),
            ("AQoD", "AQ\\r\\nx: y"),
            ("ASIAEXAMPLE", ""),
            ("\"Code\"", "\"Code\": \"Success\", \"Code\""),
        ] {
            let error = read(GOOD.replace(from, to).as_bytes()).unwrap_err().to_string();
            assert!(!error.contains("AQoD") && !error.contains("wJalr"), "{error}");
        }
        assert!(read(b"").is_err());
    }

    #[test]
    fn a_roles_name_cannot_lead_elsewhere() {
        assert_eq!(role_name(b"r3e-parent_1+=,.@\n").unwrap(), "r3e-parent_1+=,.@");
        assert!(matches!(role_name(b""), Err(CredentialsError::NoRole)));
        for wrong in [&b"a/../b"[..], b"a b", b"a?x", b"a%2fb", b"\xff", &[b'a'; 65]] {
            assert!(matches!(role_name(wrong), Err(CredentialsError::Form(_))), "{wrong:?}");
        }
    }
}
