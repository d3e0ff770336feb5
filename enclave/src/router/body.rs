//! Request bodies: whole, bounded in length and in time, and all of them together bounded in memory ([`super::bodies`]).

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use r3e_proto::api::codes;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::bodies::{Full, Owner, Place};
use super::error::ApiError;
use super::front::Front;
use crate::limits::{BODY_TIMEOUT, MAX_JSON_BODY_BYTES};

/// A body of at most `MAX` bytes.
pub(crate) struct Raw<const MAX: usize> {
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// Their place among all bodies, given up with them.
    pub(crate) place: Place,
}

/// A JSON body of at most `MAX` bytes, of exactly the expected form.
pub(crate) struct JsonBody<T, const MAX: usize = MAX_JSON_BODY_BYTES> {
    /// What the body says.
    pub(crate) value: T,
    /// Its place among all bodies, given up with it.
    pub(crate) place: Place,
}

impl<F: Front, const MAX: usize> FromRequest<Arc<F>> for Raw<MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, appliance: &Arc<F>) -> Result<Self, ApiError> {
        let (bytes, place) = collect(request, appliance.as_ref(), MAX).await?;
        Ok(Self { bytes, place })
    }
}

impl<T: DeserializeOwned + Send, F: Front, const MAX: usize> FromRequest<Arc<F>> for JsonBody<T, MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, appliance: &Arc<F>) -> Result<Self, ApiError> {
        let (bytes, place) = collect(request, appliance.as_ref(), MAX).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            ApiError::bad_request(format!("the body is not the JSON it should be: {error}"))
        })?;
        Ok(Self { value, place })
    }
}

/// Reads a body. It takes its place first, by its announced length or else by the most it may have, so that clients
/// which send slowly, or many at once, cannot fill the memory.
async fn collect(request: Request, front: &impl Front, max_bytes: usize) -> Result<(Bytes, Place), ApiError> {
    let announced = request.body().size_hint().exact().map(usize::try_from);
    let bytes = match announced {
        Some(Ok(bytes)) if bytes <= max_bytes => bytes,
        Some(_) => return Err(ApiError::too_large(max_bytes)),
        None => max_bytes,
    };
    let owner = request.extensions().get::<Owner>().copied().unwrap_or(Owner::Others);
    let place = front.bodies().take(owner, bytes).map_err(|full| {
        let message = match full {
            Full::Owner => {
                "as many bodies of this tenant's are being taken in as may be; try again in a second"
            }
            Full::Appliance => "the appliance is taking in as much as it can; try again in a second",
        };
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, codes::BUSY, message)
    })?;
    match timeout(BODY_TIMEOUT, Limited::new(request.into_body(), max_bytes).collect()).await {
        Ok(Ok(collected)) => Ok((collected.to_bytes(), place)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(max_bytes)),
        Ok(Err(error)) => Err(ApiError::bad_request(format!("the body broke off: {error}"))),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            codes::BAD_REQUEST,
            format!("the body took longer than {} s", BODY_TIMEOUT.as_secs()),
        )),
    }
}
