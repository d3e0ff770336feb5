//! A function's or a secret's name, as a path holds it.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use r3e_proto::api::is_name;
use r3e_proto::api::versions::Reference;

use super::Shared;
use super::error::ApiError;

/// A function's name, and what of it is meant: an alias, the digits of a version, or an invocation.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) part: String,
}

/// Which version of which function is meant.
pub(super) struct Meant(pub(super) Reference);

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

impl FromRequestParts<Shared> for Part {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        match Path::<(String, String)>::from_request_parts(parts, appliance).await {
            Ok(Path((name, part))) if is_name(&name) && is_name(&part) => Ok(Self { name, part }),
            _ => Err(ApiError::bad_request(
                "the path holds two names: each has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`",
            )),
        }
    }
}

impl FromRequestParts<Shared> for Meant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, appliance).await;
        let reference = path.ok().and_then(|Path(text)| Reference::parse(&text));
        reference.map(Self).ok_or_else(|| {
            ApiError::bad_request(
                "a function is named by NAME, NAME@ALIAS or NAME@VERSION, of at least six digits of the version",
            )
        })
    }
}
