//! A function's or a secret's name, as a path holds it.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use r3e_proto::api::is_name;

use super::Shared;
use super::error::ApiError;

/// The one parameter of a path, once it is a name.
pub(super) struct Name(pub(super) String);

impl FromRequestParts<Shared> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, appliance).await {
            Ok(Path(name)) if is_name(&name) => Ok(Self(name)),
            _ => Err(ApiError::bad_request(
                "a name has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`",
            )),
        }
    }
}
