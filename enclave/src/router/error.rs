//! Errors as answers: a status, a stable code, and words for a person.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use r3e_proto::api::{ErrorBody, ErrorDetail, codes};
use r3e_store::StoreError;

use crate::service::ServiceError;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
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
            ServiceError::TooMany { .. } => (StatusCode::CONFLICT, codes::TOO_LARGE),
            ServiceError::Denied { code, .. } => (StatusCode::FORBIDDEN, *code),
            ServiceError::InvalidFunction(_) => (StatusCode::UNPROCESSABLE_ENTITY, codes::INVALID_FUNCTION),
            ServiceError::Busy(_) => (StatusCode::TOO_MANY_REQUESTS, codes::BUSY),
            ServiceError::Store(error) => store_status(error),
            ServiceError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL),
        };
        if status.is_server_error() {
            tracing::error!(code, %error, "a request failed");
        }
        Self { status, code, message }
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
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
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
