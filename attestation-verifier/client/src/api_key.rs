//! A tenant's API key, as the client holds it.

use std::fmt;

use r3e_proto::api::identity::{API_KEY_PREFIX, TenantId};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::http::ApiKeyHeader;

/// An API key. Its `Debug` shows the key's public id alone.
#[derive(Clone)]
pub struct ApiKey {
    text: Zeroizing<String>,
    header: ApiKeyHeader,
    tenant: Option<TenantId>,
}

/// A text that is no API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an API key: one is r3e_, 16 hex digits, _ and 64 hex digits")]
pub struct ApiKeyError;

const ID_DIGITS: usize = 16;
const SECRET_DIGITS: usize = 64;

impl ApiKey {
    /// Reads `r3e_<id>_<secret>`.
    ///
    /// # Errors
    /// [`ApiKeyError`]: not of that form.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, ApiKeyError> {
        let rest = text.strip_prefix(API_KEY_PREFIX).ok_or(ApiKeyError)?;
        let (id, secret) = rest.split_once('_').ok_or(ApiKeyError)?;
        let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if id.len() != ID_DIGITS || secret.len() != SECRET_DIGITS || !hex(id) || !hex(secret) {
            return Err(ApiKeyError);
        }
        let header = ApiKeyHeader::bearer(&text).ok_or(ApiKeyError)?;
        Ok(Self { text, header, tenant: None })
    }

    /// Says whose key it is, so that receipts of another tenant are refused.
    #[must_use]
    pub fn of_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Whose key it is, where that is known.
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// The key's id, which is no secret.
    pub fn id(&self) -> &str {
        let end = API_KEY_PREFIX.len() + ID_DIGITS;
        self.text.get(API_KEY_PREFIX.len()..end).unwrap_or_default()
    }

    /// The whole key, to be kept in a private file.
    pub fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn header(&self) -> ApiKeyHeader {
        self.header.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id()).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ApiKey, ApiKeyError> {
        ApiKey::parse(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_key_is_read_and_its_debug_keeps_the_secret() {
        let secret = "5".repeat(64);
        let key = parse(&format!("r3e_0123456789abcdef_{secret}")).unwrap();
        assert_eq!(key.id(), "0123456789abcdef");
        assert_eq!(key.expose(), format!("r3e_0123456789abcdef_{secret}"));
        let shown = format!("{key:?} {:?}", key.header.0);
        assert!(shown.contains("0123456789abcdef") && !shown.contains("555"), "{shown}");
    }

    #[test]
    fn other_texts_are_no_keys() {
        let (id, secret) = ("0123456789abcdef", "5".repeat(64));
        for text in [
            String::new(),
            format!("r3f_{id}_{secret}"),
            format!("r3e_{id}{secret}"),
            format!("r3e_{id}_{secret}5"),
            format!("r3e_{id}5_{secret}"),
            format!("r3e_{id}_{}", "G".repeat(64)),
            format!("r3e_{id}_{secret}\n"),
        ] {
            assert_eq!(parse(&text).unwrap_err(), ApiKeyError, "{text:?}");
        }
    }
}
