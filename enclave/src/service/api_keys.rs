//! API keys: minted by a tenant that signed in with its own key, shown once, kept as a hash.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use r3e_attester::TrustedClock;
use r3e_proto::api::identity::{API_KEY_PREFIX, ApiKey, CreateKey, CreatedKey, TenantId};
use r3e_store::{Namespace, Store, StoreError, Write};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::ServiceError;
use super::json::{decode, encode};
use super::tenants::checked_label;
use crate::limits::MAX_API_KEYS;

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// The API keys of all tenants.
pub(crate) struct ApiKeys {
    store: Store,
    clock: TrustedClock,
    /// By key id, whoever owns it: a request names a key, not a tenant.
    namespace: Namespace,
    /// Held from the count to the commit, so that two at once cannot both take the last place.
    minting: Mutex<()>,
}

/// Whose key it is, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyGrant {
    pub(crate) tenant: TenantId,
    /// Its description, with its scopes.
    pub(crate) key: ApiKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    tenant: TenantId,
    /// SHA-256 of the secret, hex. The secret has 256 bits, so a slow hash would protect nothing more.
    secret_sha256: String,
    key: ApiKey,
}

impl ApiKeys {
    pub(crate) fn new(store: Store, clock: TrustedClock) -> Result<Self, StoreError> {
        Ok(Self { store, clock, namespace: Namespace::of_appliance("api-keys")?, minting: Mutex::new(()) })
    }

    /// Mints a key for `tenant`.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a bad name or no scope; [`ServiceError::TooMany`].
    pub(crate) async fn create(
        &self,
        tenant: TenantId,
        request: CreateKey,
    ) -> Result<CreatedKey, ServiceError> {
        checked_label(&request.name)?;
        let mut scopes = request.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(ServiceError::Invalid(
                "a key needs at least one scope: invoke, deploy, secrets or wallets".into(),
            ));
        }
        let _minting = self.minting.lock().await;
        if self.index(tenant)?.len() >= MAX_API_KEYS {
            return Err(ServiceError::TooMany { what: "API keys", max: MAX_API_KEYS });
        }
        let mut id = [0; ID_BYTES];
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        let failed = |_| ServiceError::Internal("the random generator failed".into());
        rand::fill(&mut id).map_err(failed)?;
        rand::fill(secret.as_mut_slice()).map_err(failed)?;
        let id = hex::encode(id);
        let key = ApiKey { id: id.clone(), name: request.name, scopes, created_at_ms: self.clock.now_ms() };
        let stored = StoredKey { tenant, secret_sha256: hash(secret.as_slice()), key: key.clone() };
        // The index makes a tenant's keys listable without reading every other tenant's; both or neither is written.
        let writes = vec![
            Write::put(&self.namespace, &id, encode(&stored)?).if_absent(),
            Write::put(&index_namespace(tenant)?, &id, Vec::new()),
        ];
        self.store.batch(writes).await?;
        let text = Zeroizing::new(hex::encode(secret.as_slice()));
        Ok(CreatedKey { key, secret: format!("{API_KEY_PREFIX}{id}_{}", text.as_str()) })
    }

    /// The keys of `tenant`, by id.
    pub(crate) async fn list(&self, tenant: TenantId) -> Result<Vec<ApiKey>, ServiceError> {
        let mut keys = Vec::new();
        for id in self.index(tenant)? {
            if let Some(record) = self.store.get(&self.namespace, &id).await? {
                keys.push(decode::<StoredKey>(record.value.as_bytes())?.key);
            }
        }
        Ok(keys)
    }

    /// Revokes a key of `tenant`'s, at once.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]: it has no such key.
    pub(crate) async fn revoke(&self, tenant: TenantId, id: &str) -> Result<(), ServiceError> {
        if !self.index(tenant)?.iter().any(|own| own == id) {
            return Err(ServiceError::NotFound { kind: "API key", name: id.to_owned() });
        }
        let writes = vec![Write::delete(&self.namespace, id), Write::delete(&index_namespace(tenant)?, id)];
        self.store.batch(writes).await?;
        Ok(())
    }

    /// What the key with this text may do; none if there is no such key.
    pub(crate) async fn authenticate(&self, text: &str) -> Result<Option<KeyGrant>, ServiceError> {
        let Some((id, secret)) = parse(text) else { return Ok(None) };
        let Some(record) = self.store.get(&self.namespace, id).await? else { return Ok(None) };
        let stored: StoredKey = decode(record.value.as_bytes())?;
        let same =
            verify_slices_are_equal(hash(secret.as_slice()).as_bytes(), stored.secret_sha256.as_bytes());
        Ok(same.is_ok().then_some(KeyGrant { tenant: stored.tenant, key: stored.key }))
    }

    fn index(&self, tenant: TenantId) -> Result<Vec<String>, ServiceError> {
        let listed = self.store.scan(&index_namespace(tenant)?, "", None, MAX_API_KEYS)?;
        Ok(listed.into_iter().map(|entry| entry.key).collect())
    }
}

fn index_namespace(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("api-key-index", &tenant.to_string())
}

fn hash(secret: &[u8]) -> String {
    hex::encode(digest(&SHA256, secret))
}

/// The id and the secret in `r3e_<16 hex digits>_<64 hex digits>`.
fn parse(text: &str) -> Option<(&str, Zeroizing<[u8; SECRET_BYTES]>)> {
    let (id, secret_hex) = text.strip_prefix(API_KEY_PREFIX)?.split_once('_')?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    hex::decode_to_slice(secret_hex, secret.as_mut_slice()).ok()?;
    (id.len() == 2 * ID_BYTES && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_of_a_key_parses() {
        let secret = "ab".repeat(SECRET_BYTES);
        let good = format!("r3e_0123456789abcdef_{secret}");
        assert!(parse(&good).is_some_and(|(id, bytes)| id == "0123456789abcdef" && *bytes == [0xab; 32]));
        for wrong in [
            String::new(),
            "r3e_".into(),
            good.replace("r3e_", "sk_"),
            good.replace("0123456789abcdef", "../../etc/passwd"),
            good.replace("0123456789abcdef", "0123"),
            format!("{good}00"),
            good[..good.len() - 1].to_owned(),
            good.replace("ab", "zz"),
        ] {
            assert!(parse(&wrong).is_none(), "{wrong}");
        }
    }
}
