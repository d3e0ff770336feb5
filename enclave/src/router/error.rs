//! Errors as answers: a status, a stable code, and words for a person.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use r3e_proto::api::{ErrorBody, ErrorDetail, codes};
use r3e_store::StoreError;

use crate::limits::MAX_RETRY_AFTER;
use crate::service::ServiceError;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// After how many seconds the request may be sent again, where that is known better than by its status.
    retry_after_s: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, codes::BAD_REQUEST, message)
    }

    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, codes::UNAUTHENTICATED, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, codes::FORBIDDEN, message)
    }

    pub(crate) fn too_large(max_bytes: usize) -> Self {
        let message = format!("the body is over the limit of {max_bytes} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_LARGE, message)
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let message = match &error {
            // Its cause is the operator's business, and may name what a tenant must not know.
            ServiceError::Internal(_) => {
                "a fault of the appliance's; the operator's log has the cause".to_owned()
            }
            error => error.to_string(),
        };
        let (status, code) = match &error {
            ServiceError::Invalid(_) => (StatusCode::BAD_REQUEST, codes::BAD_REQUEST),
            ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, codes::NOT_FOUND),
            ServiceError::Conflict(_) => (StatusCode::CONFLICT, codes::CONFLICT),
            ServiceError::TooMany { .. } | ServiceError::NoRoom(_) => {
                (StatusCode::CONFLICT, codes::TOO_LARGE)
            }
            ServiceError::Denied { code, .. } => (StatusCode::FORBIDDEN, *code),
            ServiceError::Unsupported(_) => (StatusCode::NOT_IMPLEMENTED, codes::UNSUPPORTED),
            ServiceError::InvalidFunction(_) => (StatusCode::UNPROCESSABLE_ENTITY, codes::INVALID_FUNCTION),
            ServiceError::Busy(_) | ServiceError::Overloaded { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, codes::BUSY)
            }
            ServiceError::Payment { code, .. } => (StatusCode::PAYMENT_REQUIRED, *code),
            ServiceError::OverQuota { .. } => (StatusCode::TOO_MANY_REQUESTS, codes::QUOTA_EXCEEDED),
            ServiceError::Store(error) => store_status(error),
            ServiceError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL),
        };
        if status.is_server_error() {
            tracing::error!(code, %error, "a request failed");
        }
        let retry_after_s = match &error {
            ServiceError::Overloaded { expected_wait, .. } => Some(whole_seconds(*expected_wait)),
            ServiceError::OverQuota { retry_after_s, .. } => Some(*retry_after_s),
            _ => None,
        };
        Self { status, code, message, retry_after_s }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ServiceError::Store(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = ErrorDetail { code: self.code.to_owned(), message: self.message };
        let mut response = (self.status, Json(ErrorBody { error: detail })).into_response();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = HeaderValue::from(self.retry_after_s.unwrap_or(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// A wait as `Retry-After` says it (RFC 9110 section 10.2.3): whole seconds, at least one, and no more than a client should sleep
/// on an estimate.
fn whole_seconds(wait: Duration) -> u64 {
    let up = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(up).clamp(1, MAX_RETRY_AFTER.as_secs())
}

/// 404 for a path that is no route.
pub(super) async fn no_such_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, codes::NOT_FOUND, "no such route; GET /v1/openapi.json lists them")
}

/// 405 for a route's wrong method.
pub(super) async fn no_such_method() -> ApiError {
    let message = "this route does not take that method; GET /v1/openapi.json lists them";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, codes::BAD_REQUEST, message)
}

/// 421 for whatever is not public, asked outside the attested channel.
pub(super) async fn not_attested() -> ApiError {
    let message = "this is served inside the attested channel only (ALPN r3e/1): use the r3e client";
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, codes::NOT_ATTESTED, message)
}

/// What a store's error means to a client: what it asked is at fault, the parent is away for a while, or the parent
/// cannot be trusted with state any more.
fn store_status(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::Busy => (StatusCode::TOO_MANY_REQUESTS, codes::BUSY),
        StoreError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_LARGE),
        StoreError::Name { .. } => (StatusCode::BAD_REQUEST, codes::BAD_REQUEST),
        StoreError::Full { .. } => (StatusCode::INSUFFICIENT_STORAGE, codes::TOO_LARGE),
        StoreError::Conflict { .. } | StoreError::Rotating { .. } => (StatusCode::CONFLICT, codes::CONFLICT),
        StoreError::Unavailable(_)
        | StoreError::Unconfirmed
        | StoreError::Unwitnessed { .. }
        | StoreError::Stale { .. }
        | StoreError::Closed => (StatusCode::SERVICE_UNAVAILABLE, codes::STORE_UNAVAILABLE),
        StoreError::Frozen => (StatusCode::SERVICE_UNAVAILABLE, codes::HANDING_OVER),
        StoreError::Tampered(_) => (StatusCode::SERVICE_UNAVAILABLE, codes::STORE_TAMPERED),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(error: ServiceError) -> Option<String> {
        let response = ApiError::from(error).into_response();
        response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn who_is_turned_away_is_told_for_how_long_by_the_queue() {
        let overloaded = |ms| {
            let expected_wait = Duration::from_millis(ms);
            retry_after(ServiceError::Overloaded { message: "full".into(), expected_wait })
        };
        for (ms, seconds) in [
            (0, "1"),
            (1, "1"),
            (1_000, "1"),
            (1_001, "2"),
            (12_500, "13"),
            (3_600_000, "60"),
            (u64::MAX, "60"),
        ] {
            assert_eq!(overloaded(ms).as_deref(), Some(seconds), "{ms} ms");
        }
        assert_eq!(retry_after(ServiceError::Busy("no number is known".into())).as_deref(), Some("1"));
        assert_eq!(retry_after(ServiceError::Conflict("sending it again does not help".into())), None);
    }
}
