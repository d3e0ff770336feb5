//! `/v1/hooks/{id}`: a trigger's public route. Whoever asks is known to nobody; what makes a request believed is the trigger's
//! to say.

use axum::Json;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use r3e_proto::api::codes;
use r3e_proto::api::functions::{Invocation, Outcome};
use r3e_proto::api::jobs::JobOutcome;
use r3e_proto::api::triggers::Fired;
use r3e_triggers::limits::MAX_BODY_BYTES;
use r3e_triggers::{Asked, Taken, TriggersError};

use super::Shared;
use super::bodies::Owner;
use super::body::Raw;
use super::error::ApiError;
use crate::service::ServiceError;

/// The id of a public route that there is, and that takes requests now.
pub(super) struct Hook(String);

impl FromRequestParts<Shared> for Hook {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, appliance).await;
        let Path(id) = path.map_err(|_| refusal(TriggersError::NoHook))?;
        let tenant = appliance.triggers.admit(&id).map_err(refusal)?;
        // Before the body is read: what strangers send takes no room from the tenant's own requests.
        parts.extensions.insert(Owner::Hooks(tenant));
        Ok(Self(id))
    }
}

/// `GET` and `POST /v1/hooks/{id}`
pub(super) async fn take(
    State(appliance): State<Shared>,
    Hook(id): Hook,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Raw { bytes: body, place: _place }: Raw<MAX_BODY_BYTES>,
) -> Result<Response, ApiError> {
    let text = |name: &str, value: &HeaderValue| {
        Some((name.to_owned(), std::str::from_utf8(value.as_bytes()).ok()?.to_owned()))
    };
    let asked = Asked {
        method: method.as_str().to_owned(),
        query: query.unwrap_or_default(),
        headers: headers.iter().filter_map(|(name, value)| text(name.as_str(), value)).collect(),
        body: body.to_vec(),
    };
    let Taken { fired, outcome } = appliance.triggers.hook(&id, asked).await.map_err(refusal)?;
    let code = match outcome {
        None => {
            // A stranger learns that it was taken, and nothing of what the tenant makes of it.
            let reason = fired.reason.map(|_| "not for this trigger".to_owned());
            let told = Fired { reason, failed: false, ..fired };
            return Ok((StatusCode::ACCEPTED, Json(told)).into_response());
        }
        Some(JobOutcome::Invocation(Invocation { outcome: Outcome::Output(result), .. })) => {
            return Ok(([(CONTENT_TYPE, "application/json")], result).into_response());
        }
        Some(
            JobOutcome::Invocation(Invocation { outcome: Outcome::Error(error), .. })
            | JobOutcome::NotRun(error),
        ) => error.code,
    };
    // What it threw is the tenant's to know.
    tracing::debug!(code, "the function of a hook failed");
    Err(ApiError::new(StatusCode::BAD_GATEWAY, codes::FUNCTION_FAILED, "the function gave no result"))
}

/// What a stranger is told of an error: no names of the tenant's.
fn refusal(error: TriggersError) -> ApiError {
    match error {
        TriggersError::NoHook | TriggersError::NotFound(_) => {
            ApiError::new(StatusCode::NOT_FOUND, codes::NOT_FOUND, "there is no such hook")
        }
        TriggersError::Refused => ApiError::unauthenticated("the request is not signed as it should be"),
        error @ (TriggersError::Invalid(_) | TriggersError::TooFast) => ServiceError::from(error).into(),
        TriggersError::Store(error) => error.into(),
        error => {
            tracing::info!(%error, "a hook's request was not taken");
            let message = "the hook takes nothing now; try again later";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, message)
        }
    }
}
