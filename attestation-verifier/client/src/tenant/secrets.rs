//! Secrets: what any channel of a tenant's may do with them, and what takes the tenant's own key.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use r3e_proto::api::secrets::{AuditLog, Grantee, Rollback, Secret, SecretDetails};
use zeroize::Zeroizing;

use super::{SignedInTenant, TenantChannel, path};
use crate::error::ClientError;
use crate::http::Body;
use crate::input;

/// How a version of a secret is set, beside its value. The default: it lives until it is replaced, earlier versions are kept as
/// long as there is room, and whatever version is current is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetSecret {
    /// After how long the version ends, by the appliance's clock: no function is given it from then on.
    pub expires_in_ms: Option<u64>,
    /// How long the earlier versions are kept for a rollback at the most; 0 deletes their values in the same commit.
    pub keep_previous_ms: Option<u64>,
    /// Only if this is the current version; 0 means that there must be no such secret yet. Otherwise the answer is `conflict`.
    pub if_version: Option<u64>,
}

impl TenantChannel {
    /// Every secret's name, current version and grants; no request reads a value.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn secrets(&mut self) -> Result<Vec<Secret>, ClientError> {
        self.get("the list of secrets", "/v1/secrets").await
    }

    /// One secret with its versions, without their values.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn secret(&mut self, name: &str) -> Result<SecretDetails, ClientError> {
        let path = secret_path(name, "")?;
        self.get("the secret", &path).await
    }

    /// Sets a secret's next version, or its first, which no function may read yet. The value is cleared here once it was sent;
    /// what TLS buffered of it is not.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_secret(&mut self, name: &str, value: Zeroizing<Vec<u8>>) -> Result<Secret, ClientError> {
        self.set_secret_with(name, value, &SetSecret::default()).await
    }

    /// The same, as `options` say.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where another version is current than was expected.
    pub async fn set_secret_with(
        &mut self,
        name: &str,
        value: Zeroizing<Vec<u8>>,
        options: &SetSecret,
    ) -> Result<Secret, ClientError> {
        self.put_secret(name, value, options, &[]).await
    }

    /// Makes the value of an earlier version current again, as a new version.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such version, `conflict` where it cannot be restored or another version is
    /// current than was expected.
    pub async fn rollback_secret(
        &mut self,
        name: &str,
        to: u64,
        if_version: Option<u64>,
    ) -> Result<Secret, ClientError> {
        let path = secret_path(name, "/rollback")?;
        self.request_json("the rollback", Method::POST, &path, &Rollback { to, if_version }).await
    }

    /// Deletes a secret with all its versions and grants.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn delete_secret(&mut self, name: &str) -> Result<(), ClientError> {
        let path = secret_path(name, "")?;
        self.send("the deletion", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// What was done with the tenant's secrets, and asked for: the entries numbered higher than `after`; of one secret, where
    /// one is named.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn secret_audit(&mut self, secret: Option<&str>, after: u64) -> Result<AuditLog, ClientError> {
        let mut path = format!("/v1/secret-audit?after={after}");
        if let Some(name) = secret {
            input::name("a secret's name", name)?;
            // Writing to a string does not fail.
            let _ = write!(path, "&secret={name}");
        }
        self.get("the audit log", &path).await
    }

    async fn put_secret(
        &mut self,
        name: &str,
        value: Zeroizing<Vec<u8>>,
        options: &SetSecret,
        grantees: &[Grantee],
    ) -> Result<Secret, ClientError> {
        let SetSecret { expires_in_ms, keep_previous_ms, if_version } = *options;
        let numbers = [
            ("expires_in_ms", expires_in_ms),
            ("keep_previous_ms", keep_previous_ms),
            ("if_version", if_version),
        ];
        let numbers = numbers.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        // What a grantee is made of needs no escaping in a query (RFC 3986 section 3.4).
        let granted: Vec<String> = grantees.iter().map(ToString::to_string).collect();
        let granted = (!granted.is_empty()).then(|| format!("for={}", granted.join(",")));
        let query = numbers.chain(granted).collect::<Vec<_>>().join("&");
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let path = secret_path(name, &query)?;
        let body = Body::Octets(Bytes::from_owner(value));
        self.request("the secret", Method::PUT, &path, body).await
    }
}

impl SignedInTenant {
    /// Sets a secret's next version, or its first, and grants the secret to these functions beside those that have it already, in
    /// one commit.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where another version is current than was expected.
    pub async fn set_secret_for(
        &mut self,
        name: &str,
        value: Zeroizing<Vec<u8>>,
        options: &SetSecret,
        grantees: &[Grantee],
    ) -> Result<Secret, ClientError> {
        self.0.put_secret(name, value, options, grantees).await
    }

    /// Grants a secret to a function, or to one version of it.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such secret.
    pub async fn grant_secret(&mut self, name: &str, grantee: &Grantee) -> Result<Secret, ClientError> {
        let path = secret_path(name, &format!("/grants/{grantee}"))?;
        self.0.request("the grant", Method::PUT, &path, Body::Empty).await
    }

    /// Takes a grant back, at once: of a function's name, all that it has; of one version, that one.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such secret or grant.
    pub async fn revoke_secret(&mut self, name: &str, grantee: &Grantee) -> Result<Secret, ClientError> {
        let path = secret_path(name, &format!("/grants/{grantee}"))?;
        self.0.request("the revocation", Method::DELETE, &path, Body::Empty).await
    }
}

fn secret_path(name: &str, after: &str) -> Result<String, ClientError> {
    path("/v1/secrets/", "a secret's name", name, after)
}
