//! Public routes: who asks is checked, and what was asked becomes an event.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{JobId, JobOutcome};
use r3e_proto::api::triggers::{Auth, Fired, Hmac, Http, Respond, SentKey, Source};
use serde_json::{Map, Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::entry::Entry;
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::limits::{
    FIRST_RESULT_PAUSE, LAST_RESULT_PAUSE, MAX_BODY_BYTES, MAX_HEADER_VALUE_BYTES, MAX_QUERY_BYTES,
    RESULT_PATIENCE,
};
use crate::record::{Mark, TriggerId};
use crate::signature::{Believed, Signed, believe};
use crate::triggers::Inner;

/// What was asked of a public route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: String,
    /// What stands behind the `?`, undecoded; empty where nothing does.
    pub query: String,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Its job, if it has one.
    pub fired: Fired,
    /// How the job ended, where the trigger answers with that and it ended in time.
    pub outcome: Option<JobOutcome>,
}

impl Inner {
    /// Whose a public route is, before anything of the request's body is read.
    ///
    /// # Errors
    /// [`TriggersError::NoHook`], [`TriggersError::Paused`], [`TriggersError::TooFast`].
    pub(crate) fn admit(&self, id: &str) -> Result<TenantId, TriggersError> {
        let (entry, _) = self.hooked(id)?;
        if entry.may_try() { Ok(entry.address.tenant) } else { Err(TriggersError::TooFast) }
    }

    /// Takes a request that was admitted.
    ///
    /// # Errors
    /// Those of [`Self::admit`]; [`TriggersError::Refused`]; those of a job.
    pub(crate) async fn hook(&self, id: &str, asked: Asked) -> Result<Taken, TriggersError> {
        let (entry, http) = self.hooked(id)?;
        if asked.body.len() > MAX_BODY_BYTES || asked.query.len() > MAX_QUERY_BYTES {
            return Err(TriggersError::Invalid(format!(
                "at most {MAX_BODY_BYTES} bytes of body, and {MAX_QUERY_BYTES} of query"
            )));
        }
        let believed = self.believed(&entry, &http, &asked).await.inspect_err(|_| {
            entry.passed.refused.fetch_add(1, Ordering::Relaxed);
        })?;
        if !entry.may_fire() {
            return Err(TriggersError::TooFast);
        }
        self.may_evaluate(entry.address.tenant, 1)?;
        // Another trigger's messages are other ones.
        let key = believed.message.map(|message| format!("{}/{message}", String::from(entry.id)));
        let event = event(&entry, &http, &asked)?;
        let fired = self.fire(&entry, Happening { event, mark: Mark::Nothing, key, hops: 0 }).await?;
        let outcome = match (http.respond, fired.job) {
            (Respond::Result, Some(job)) => self.outcome(entry.address.tenant, job).await,
            _ => None,
        };
        Ok(Taken { fired, outcome })
    }

    /// How a job ended, where it does so soon.
    async fn outcome(&self, tenant: TenantId, job: JobId) -> Option<JobOutcome> {
        let deadline = Instant::now() + RESULT_PATIENCE;
        let mut pause = FIRST_RESULT_PAUSE;
        loop {
            sleep(pause).await;
            match self.jobs.show(tenant, job).await {
                Ok(shown) if shown.job.state.is_final() => return shown.outcome,
                Ok(_) if Instant::now() < deadline => pause = (pause * 2).min(LAST_RESULT_PAUSE),
                // It is queued; nobody knows more now.
                Ok(_) | Err(_) => return None,
            }
        }
    }

    fn hooked(&self, id: &str) -> Result<(Arc<Entry>, Http), TriggersError> {
        let entry = TriggerId::parse(id).and_then(|id| self.board().by_id(id));
        let entry = entry.ok_or(TriggersError::NoHook)?;
        let shape = entry.shape();
        let Source::Http(http) = &shape.record.definition.source else { return Err(TriggersError::NoHook) };
        if shape.record.paused { Err(TriggersError::Paused) } else { Ok((entry, http.clone())) }
    }

    async fn believed(&self, entry: &Entry, http: &Http, asked: &Asked) -> Result<Believed, TriggersError> {
        let request = Signed { headers: &asked.headers, body: &asked.body };
        let name = match &http.auth {
            Auth::None => None,
            Auth::Hmac(Hmac { secret, .. }) | Auth::ApiKey(SentKey { secret, .. }) => Some(secret),
        };
        let secret = match name {
            None => None,
            Some(name) => {
                let function = &entry.shape().record.definition.function;
                let found = self.outside.secret(entry.address.tenant, function, name).await;
                let found = found.map_err(TriggersError::Unavailable)?;
                // Not told to who asks: it is the tenant's to know.
                Some(found.ok_or(TriggersError::Refused)?)
            }
        };
        let value = secret.as_ref().map_or(&b""[..], |secret| secret.as_bytes());
        believe(&http.auth, value, request, self.now_ms()).map_err(|why| {
            tracing::debug!(%why, "a request to a hook is refused");
            TriggersError::Refused
        })
    }
}

/// The event of a request: what the trigger lets through of it.
fn event(entry: &Entry, http: &Http, asked: &Asked) -> Result<String, TriggersError> {
    let mut headers = Map::new();
    for (name, value) in &asked.headers {
        if http.headers.contains(name) && value.len() <= MAX_HEADER_VALUE_BYTES {
            // Of one that stands twice, the first.
            headers.entry(name.clone()).or_insert_with(|| value.as_str().into());
        }
    }
    let is_json = asked.headers.iter().any(|(name, value)| name == "content-type" && is_json(value));
    let text = std::str::from_utf8(&asked.body);
    let (encoding, body) = match text {
        Ok("") => ("none", "null".to_owned()),
        Ok(text) if is_json => {
            r3e_runner_api::json::check(text)
                .map_err(|error| TriggersError::Invalid(format!("the body is {error}")))?;
            // As it came: numbers stay what they were written as.
            ("json", text.to_owned())
        }
        Ok(text) => ("text", Json::from(text).to_string()),
        Err(_) => ("base64", Json::from(BASE64.encode(&asked.body)).to_string()),
    };
    let rest = json!({
        "trigger": entry.address.name,
        "kind": "http",
        "method": asked.method,
        "query": asked.query,
        "headers": headers,
        "encoding": encoding,
    });
    let mut event = rest.to_string();
    event.pop();
    Ok(format!("{event},\"body\":{body}}}"))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
