//! Who asks, as types. Each is made from a request alone, and only where the right is there, so a handler that takes
//! one need not check, and cannot forget to.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use r3e_proto::api::identity::{ApiKey, Scope, TenantId, TenantState};

use super::Shared;
use super::bodies::Owner;
use super::error::ApiError;
use crate::service::KeyGrant;
use crate::session::{Principal, Session};

/// A tenant with the right `S`: signed in on this session, or by an API key that has the scope.
pub(crate) struct Tenant<S> {
    id: TenantId,
    /// The id of the API key that the request came with; none where the tenant itself signed in.
    api_key: Option<String>,
    /// What that key may do.
    scopes: Vec<Scope>,
    right: PhantomData<S>,
}

/// A right that an API key may carry.
pub(crate) trait Right {
    /// Its scope.
    const SCOPE: Scope;
}

/// To invoke functions and read their logs and the tenant's metrics.
pub(crate) enum Invoke {}
/// To deploy, list and delete functions.
pub(crate) enum Deploy {}
/// To set, list and delete secrets, and to read their log. No right that an API key may carry grants a secret to a function.
pub(crate) enum Secrets {}
/// To list and show wallets, and to ask for signatures where the wallet's policy lets API keys.
pub(crate) enum Wallets {}

/// To read usage, balance and ledger. No right that an API key may carry moves money.
pub(crate) enum Billing {}

impl Right for Invoke {
    const SCOPE: Scope = Scope::Invoke;
}
impl Right for Deploy {
    const SCOPE: Scope = Scope::Deploy;
}
impl Right for Secrets {
    const SCOPE: Scope = Scope::Secrets;
}
impl Right for Wallets {
    const SCOPE: Scope = Scope::Wallets;
}
impl Right for Billing {
    const SCOPE: Scope = Scope::Billing;
}

impl<S> Tenant<S> {
    /// Its id.
    pub(crate) fn id(&self) -> TenantId {
        self.id
    }

    /// The id of the API key that the request came with; none where the tenant itself signed in.
    pub(crate) fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// Whether the request may do what `scope` is for, too: as a tenant that signed in may, and an API key that carries it.
    ///
    /// # Errors
    /// `forbidden`, with what that scope is needed for.
    pub(crate) fn require(&self, scope: Scope, what_for: &str) -> Result<(), ApiError> {
        if self.api_key.is_none() || self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(ApiError::forbidden(format!("this API key lacks the scope {scope:?}, which {what_for} takes")))
    }
}

/// A tenant that signed in with its own key on this session: an API key never mints or revokes another.
pub(crate) struct SignedInTenant(TenantId);

impl SignedInTenant {
    /// Its id.
    pub(crate) fn id(&self) -> TenantId {
        self.0
    }
}

/// The operator, signed in on this session.
pub(crate) struct Operator(());

/// Whoever is known, whatever they may do: the operator, or an active tenant by either way.
pub(crate) enum Caller {
    /// Signed in on this session.
    Operator,
    /// Signed in on this session, or by an API key.
    Tenant {
        /// Its id.
        id: TenantId,
        /// The API key, where the request came with one.
        api_key: Option<ApiKey>,
    },
}

/// The session a request came on.
pub(crate) struct OnSession(pub(crate) Arc<Session>);

impl<S: Send + Sync> FromRequestParts<S> for OnSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let session = parts.extensions.get::<Arc<Session>>();
        session
            .map(|session| Self(Arc::clone(session)))
            .ok_or_else(|| ApiError::unauthenticated("no session"))
    }
}

impl<S: Right> FromRequestParts<Shared> for Tenant<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let OnSession(session) = OnSession::from_request_parts(parts, appliance).await?;
        let (id, api_key, scopes) = match bearer(parts)? {
            Some(key) => {
                let grant = by_api_key(&session, appliance, key, S::SCOPE).await?;
                (grant.tenant, Some(grant.key.id), grant.key.scopes)
            }
            None => (signed_in_tenant(&session)?, None, Vec::new()),
        };
        require_active(appliance, id).await?;
        // A body that comes with the request is the tenant's to answer for.
        parts.extensions.insert(Owner::Tenant(id));
        Ok(Self { id, api_key, scopes, right: PhantomData })
    }
}

impl FromRequestParts<Shared> for SignedInTenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let OnSession(session) = OnSession::from_request_parts(parts, appliance).await?;
        let id = signed_in_tenant(&session)?;
        require_active(appliance, id).await?;
        parts.extensions.insert(Owner::Tenant(id));
        Ok(Self(id))
    }
}

impl FromRequestParts<Shared> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let OnSession(session) = OnSession::from_request_parts(parts, appliance).await?;
        match session.principal() {
            Some(Principal::Operator) => Ok(Self(())),
            Some(Principal::Tenant(_)) => Err(ApiError::forbidden("this is the operator's to do")),
            None => Err(ApiError::unauthenticated("sign in with the operator's key first")),
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, appliance: &Shared) -> Result<Self, ApiError> {
        let OnSession(session) = OnSession::from_request_parts(parts, appliance).await?;
        let (id, api_key) = match (bearer(parts)?, session.principal()) {
            (Some(key), _) => {
                let grant = authenticate(&session, appliance, key).await?;
                (grant.tenant, Some(grant.key))
            }
            (None, Some(Principal::Operator)) => return Ok(Self::Operator),
            (None, _) => (signed_in_tenant(&session)?, None),
        };
        require_active(appliance, id).await?;
        Ok(Self::Tenant { id, api_key })
    }
}

fn bearer(parts: &Parts) -> Result<Option<&str>, ApiError> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    match (key, values.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(ApiError::unauthenticated("Authorization must be one `Bearer r3e_…`")),
    }
}

async fn by_api_key(
    session: &Session,
    appliance: &Shared,
    key: &str,
    scope: Scope,
) -> Result<KeyGrant, ApiError> {
    let grant = authenticate(session, appliance, key).await?;
    if grant.key.scopes.contains(&scope) {
        Ok(grant)
    } else {
        Err(ApiError::forbidden(format!("this API key lacks the scope {scope:?}")))
    }
}

/// Whose API key it is. Wrong ones are counted: guesses must cost a handshake.
async fn authenticate(session: &Session, appliance: &Shared, key: &str) -> Result<KeyGrant, ApiError> {
    if !session.may_try() {
        return Err(ApiError::unauthenticated("too many wrong keys on this session; open another"));
    }
    let Some(grant) = appliance.api_keys.authenticate(key).await? else {
        session.failed_sign_in();
        return Err(ApiError::unauthenticated("no such API key; `r3e login` mints one"));
    };
    Ok(grant)
}

fn signed_in_tenant(session: &Session) -> Result<TenantId, ApiError> {
    match session.principal() {
        Some(Principal::Tenant(id)) => Ok(id),
        Some(Principal::Operator) => Err(ApiError::forbidden("this is a tenant's to do, not the operator's")),
        None => Err(ApiError::unauthenticated("sign in with a tenant's key, or send an API key")),
    }
}

/// Suspension acts at once, also on sessions and API keys that stand.
async fn require_active(appliance: &Shared, id: TenantId) -> Result<(), ApiError> {
    match appliance.tenants.find(id).await? {
        Some(tenant) if tenant.state == TenantState::Active => Ok(()),
        Some(_) => Err(ApiError::forbidden("the operator suspended this tenant")),
        None => Err(ApiError::unauthenticated("the operator has not admitted this tenant")),
    }
}
