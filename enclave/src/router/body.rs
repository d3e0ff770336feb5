//! Request bodies: whole, bounded in length and in time.

use std::future::Future;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use r3e_proto::api::codes;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::Shared;
use super::error::ApiError;
use crate::limits::{BODY_TIMEOUT, MAX_JSON_BODY_BYTES};

/// A body of at most `MAX` bytes.
pub(crate) struct Raw<const MAX: usize>(pub(crate) Bytes);

/// A JSON body of at most `MAX` bytes, of exactly the expected form.
pub(crate) struct JsonBody<T, const MAX: usize = MAX_JSON_BODY_BYTES>(pub(crate) T);

impl<const MAX: usize> FromRequest<Shared> for Raw<MAX> {
    type Rejection = ApiError;

    fn from_request(request: Request, _: &Shared) -> impl Future<Output = Result<Self, ApiError>> + Send {
        let body = request.into_body();
        async { Ok(Self(collect(body, MAX).await?)) }
    }
}

impl<T: DeserializeOwned + Send, const MAX: usize> FromRequest<Shared> for JsonBody<T, MAX> {
    type Rejection = ApiError;

    fn from_request(request: Request, _: &Shared) -> impl Future<Output = Result<Self, ApiError>> + Send {
        let body = request.into_body();
        async {
            let bytes = collect(body, MAX).await?;
            let value = serde_json::from_slice(&bytes).map_err(|error| {
                ApiError::bad_request(format!("the body is not the JSON it should be: {error}"))
            })?;
            Ok(Self(value))
        }
    }
}

async fn collect(body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    match timeout(BODY_TIMEOUT, Limited::new(body, max_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(max_bytes)),
        Ok(Err(error)) => Err(ApiError::bad_request(format!("the body broke off: {error}"))),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            codes::BAD_REQUEST,
            format!("the body took longer than {} s", BODY_TIMEOUT.as_secs()),
        )),
    }
}
