//! Request bodies: whole, bounded in length and in time, and all of them together bounded in memory ([`super::bodies`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use r3e_proto::api::codes;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroizing;

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

/// A body of at most `MAX` bytes that holds something secret: it is wiped when it is dropped. Frames are copied into it as they
/// come; what TLS and HTTP keep of them in their own buffers is theirs.
pub(crate) struct SecretBody<const MAX: usize> {
    /// The bytes.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Their place among all bodies, given up with them.
    pub(crate) place: Place,
}

/// A JSON body of at most `MAX` bytes that holds something secret, of exactly the expected form. Its bytes are wiped once they
/// are read.
pub(crate) struct SecretJson<T, const MAX: usize> {
    /// What the body says.
    pub(crate) value: T,
    /// Its place among all bodies, given up with it.
    pub(crate) place: Place,
}

impl<F: Front, const MAX: usize> FromRequest<Arc<F>> for SecretBody<MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, appliance: &Arc<F>) -> Result<Self, ApiError> {
        let (most_bytes, place) = admit(&request, appliance.as_ref(), MAX)?;
        let body = Limited::new(request.into_body(), MAX);
        let bytes = in_time(MAX, into_one_buffer(body, most_bytes)).await?;
        Ok(Self { bytes, place })
    }
}

impl<T: DeserializeOwned + Send, F: Front, const MAX: usize> FromRequest<Arc<F>> for SecretJson<T, MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, appliance: &Arc<F>) -> Result<Self, ApiError> {
        let SecretBody { bytes, place } = SecretBody::<MAX>::from_request(request, appliance).await?;
        // Where reading ended, and not what stood there.
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = format!("the body is not the JSON it should be, at line {line}, column {column}");
            ApiError::bad_request(message)
        })?;
        Ok(Self { value, place })
    }
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

async fn collect(request: Request, front: &impl Front, max_bytes: usize) -> Result<(Bytes, Place), ApiError> {
    let (_, place) = admit(&request, front, max_bytes)?;
    let collected = in_time(max_bytes, Limited::new(request.into_body(), max_bytes).collect()).await?;
    Ok((collected.to_bytes(), place))
}

/// A body's place, which it takes before it is read, by its announced length or else by the most it may have, so that clients
/// which send slowly, or many at once, cannot fill the memory. With it, for how many bytes it is.
fn admit(request: &Request, front: &impl Front, max_bytes: usize) -> Result<(usize, Place), ApiError> {
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
    Ok((bytes, place))
}

/// All of a body in one buffer, which has room for `most_bytes` from the start and is never moved: a copy left behind would not
/// be wiped.
async fn into_one_buffer(
    mut body: Limited<Body>,
    most_bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(most_bytes));
    while let Some(frame) = body.frame().await.transpose()? {
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > bytes.capacity() - bytes.len() {
            return Err("it is longer than it was announced".into());
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

/// What reading a body gives, within its time.
async fn in_time<T>(
    max_bytes: usize,
    reading: impl Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>>,
) -> Result<T, ApiError> {
    match timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(max_bytes)),
        Ok(Err(error)) => Err(ApiError::bad_request(format!("the body broke off: {error}"))),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            codes::BAD_REQUEST,
            format!("the body took longer than {} s", BODY_TIMEOUT.as_secs()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::Frame;

    use super::*;

    struct Pieces(VecDeque<&'static [u8]>);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(Bytes::from_static(piece)))))
        }
    }

    /// A body that comes in these pieces.
    fn body(pieces: &[&'static [u8]]) -> Limited<Body> {
        Limited::new(Body::new(Pieces(pieces.iter().copied().collect())), 8)
    }

    #[tokio::test]
    async fn a_secret_body_never_leaves_the_buffer_that_it_came_into() {
        for pieces in [&[b"12345678".as_slice()][..], &[b"1", b"234", b"", b"5678"]] {
            let bytes = into_one_buffer(body(pieces), 8).await.unwrap();
            assert_eq!((bytes.as_slice(), bytes.capacity()), (b"12345678".as_slice(), 8));
        }
    }

    #[tokio::test]
    async fn more_than_was_announced_or_may_be_is_refused_before_it_is_copied() {
        let longer = into_one_buffer(body(&[b"123", b"4567"]), 6).await.unwrap_err();
        assert!(!longer.is::<LengthLimitError>(), "{longer}");
        let over = into_one_buffer(body(&[b"12345678", b"9"]), 8).await.unwrap_err();
        assert!(over.is::<LengthLimitError>(), "{over}");
    }
}
