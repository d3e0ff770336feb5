//! `getCustomData`: asks an endpoint as `fetch` does, and has what it answered signed.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_egress::Response;
use r3e_oracle::json::{Json, JsonError};
use r3e_oracle::venue::{PickError, ValuePath};
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::limits::{
    MAX_OBSERVED_BODY_BYTES, MAX_OBSERVED_TARGETS, MAX_OBSERVED_URL_BYTES, MAX_OBSERVED_VALUE_BYTES,
};
use r3e_proto::observation::{Observation, is_whole, request_hash};
use r3e_runner_api::{HostError, HostErrorCode, HostReply, HostValue};
use sha2::{Digest as _, Sha256};

use crate::fetches::{Fetch, Fetches};
use crate::host::failed;
use crate::limits::MAX_OBSERVATIONS;
use crate::sources::{Internet, Notary};
use crate::values::refused;

/// Headers that ask for a part of an answer, which some servers give as if it were the whole (RFC 9110, section 14; RFC 3229).
const PARTIAL: [&str; 4] = ["range", "if-range", "a-im", "content-range"];

/// What a function asks for.
pub(crate) struct Ask {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) path: Option<String>,
    pub(crate) targets: Vec<String>,
}

/// What the appliance was answered. Nothing but a response that it fetched makes one, so that whoever signs it signs no caller's words.
#[derive(Debug)]
pub struct Seen(Observation);

impl Seen {
    /// The same, of this time, in Unix seconds.
    pub fn at(&self, observed_at_s: u64) -> Observation {
        Observation { observed_at_s, ..self.0.clone() }
    }
}

/// What asks endpoints for one invocation.
pub(crate) struct Observing<'a> {
    pub(crate) internet: &'a dyn Internet,
    pub(crate) notary: &'a dyn Notary,
    pub(crate) fetches: &'a Fetches,
    pub(crate) tenant: TenantId,
    pub(crate) function: &'a str,
    /// How many the invocation had.
    pub(crate) observed: &'a AtomicU32,
}

impl Observing<'_> {
    /// Asks, and tells the function with the signatures.
    pub(crate) async fn data(&self, ask: Ask) -> HostReply {
        Ok(HostValue::OracleData { data: told(&self.observe(ask).await?)? })
    }

    /// Asks, picks the value and has it signed; with the body.
    pub(crate) async fn observe(&self, ask: Ask) -> Result<SignedObservation, HostError> {
        let targets = targets(&ask.targets)?;
        let way = ask.path.as_deref().map(value_path).transpose()?;
        let Ask { url, headers, path, .. } = ask;
        let is_part =
            |(name, _): &(String, String)| PARTIAL.iter().any(|part| name.eq_ignore_ascii_case(part));
        if headers.iter().any(is_part) {
            let message = "no part of an answer is signed, so no header asks for one";
            return Err(refused(HostErrorCode::Invalid, message));
        }
        // Around a value, blanks are none of it (RFC 9110, section 5.5): one request has one hash.
        let trimmed = |(name, value): (String, String)| (name, value.trim_matches([' ', '\t']).to_owned());
        let headers = headers.into_iter().map(trimmed).collect();
        let fetch = Fetch { url, method: "GET".to_owned(), headers, body_base64: None };
        let prepared = self.fetches.prepare(fetch)?;
        let request = &prepared.request;
        let url = request.url();
        if url.len() > MAX_OBSERVED_URL_BYTES {
            let message = format!("the URL has more than {MAX_OBSERVED_URL_BYTES} bytes");
            return Err(refused(HostErrorCode::TooLarge, message));
        }
        if self.observed.fetch_add(1, Ordering::Relaxed) >= MAX_OBSERVATIONS {
            let message = format!("an invocation has at most {MAX_OBSERVATIONS} answers signed");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let asked = request_hash(request.method(), &url, request.headers());
        let response = self.fetches.exchange(self.internet, prepared, MAX_OBSERVED_BODY_BYTES).await?;
        if !is_whole(response.status) || response.headers.contains_key("content-range") {
            let message = format!(
                "the server answered {}; no redirect is followed, and no part of an answer is signed",
                response.status
            );
            return Err(refused(HostErrorCode::Unavailable, message));
        }
        let value = way.map(|way| value(&way, &response.body)).transpose()?.unwrap_or_default();
        let seen = Seen(Observation {
            function: self.function.to_owned(),
            url,
            path: path.unwrap_or_default(),
            value,
            status: response.status,
            observed_at_s: 0,
            certificate: Hash32(response.peer_certificate),
            response_hash: Hash32(Sha256::digest(&response.body).into()),
            request_hash: asked,
        });
        let signed = self.notary.sign(self.tenant, &seen, &targets).map_err(|error| failed(&error))?;
        Ok(with_body(signed, &response))
    }
}

/// What a function is told of it: the file that a verifier takes, but for the document.
pub(crate) fn told(signed: &SignedObservation) -> Result<String, HostError> {
    serde_json::to_string(signed)
        .map_err(|_| refused(HostErrorCode::Internal, "the appliance could not write the answer down"))
}

/// The contracts that texts name.
pub(crate) fn targets(texts: &[String]) -> Result<Vec<Target>, HostError> {
    if texts.len() > MAX_OBSERVED_TARGETS {
        let message = format!("an answer is signed for at most {MAX_OBSERVED_TARGETS} targets");
        return Err(refused(HostErrorCode::Invalid, message));
    }
    let target = |text: &String| text.parse::<Target>();
    let targets = texts.iter().map(target).collect::<Result<_, _>>();
    targets.map_err(|error| refused(HostErrorCode::Invalid, error.to_string()))
}

fn value_path(text: &str) -> Result<ValuePath, HostError> {
    let message = "a path is names and indices, as in data.rates[0].value, of at most 128 bytes";
    ValuePath::read(text).ok_or_else(|| refused(HostErrorCode::Invalid, message))
}

/// What the way leads to in a body.
fn value(way: &ValuePath, body: &[u8]) -> Result<String, HostError> {
    let answer = Json::read(body, MAX_OBSERVED_BODY_BYTES).map_err(|error| unread(error.into()))?;
    let value = way.pick(&answer).map_err(unread)?;
    if value.len() > MAX_OBSERVED_VALUE_BYTES {
        let message = format!("what stands there has more than {MAX_OBSERVED_VALUE_BYTES} bytes");
        return Err(refused(HostErrorCode::TooLarge, message));
    }
    Ok(value.into_owned())
}

pub(crate) fn unread(error: PickError) -> HostError {
    let code = match error {
        PickError::Json(JsonError::TooLong { .. } | JsonError::TooDeep | JsonError::TooMany) => {
            HostErrorCode::TooLarge
        }
        PickError::Nothing | PickError::Kind => HostErrorCode::NotFound,
        _ => HostErrorCode::Unavailable,
    };
    refused(code, error.to_string())
}

fn with_body(signed: SignedObservation, response: &Response) -> SignedObservation {
    match str::from_utf8(&response.body) {
        Ok(text) => SignedObservation { body: Some(text.to_owned()), ..signed },
        Err(_) => SignedObservation { body_base64: Some(BASE64.encode(&response.body)), ..signed },
    }
}
