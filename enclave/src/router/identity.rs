//! Signing in, tenants, API keys.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use r3e_proto::api::identity::{
    AdmitTenant, ApiKey, CreateKey, CreatedKey, SignIn, SignInRole, SignedIn, Tenant, TenantId, TenantState,
    Whoami, sign_in_message,
};

use super::Shared;
use super::authority::{Caller, OnSession, Operator, SignedInTenant};
use super::body::JsonBody;
use super::error::ApiError;
use crate::limits::MAX_SIGN_IN_BODY_BYTES;
use crate::session::Principal;

/// `POST /v1/sign-in`
pub(super) async fn sign_in(
    State(appliance): State<Shared>,
    OnSession(session): OnSession,
    JsonBody { value: request, place: _place }: JsonBody<SignIn, MAX_SIGN_IN_BODY_BYTES>,
) -> Result<Json<SignedIn>, ApiError> {
    if !session.may_try() {
        return Err(ApiError::unauthenticated("too many wrong signatures on this session; open another"));
    }
    let refuse = |message: &str| {
        session.failed_sign_in();
        Err(ApiError::unauthenticated(message))
    };
    let mut signature = [0; 64];
    if hex::decode_to_slice(&request.signature, &mut signature).is_err() {
        return Err(ApiError::bad_request("signature takes 128 hex digits"));
    }
    let message = sign_in_message(request.role, session.binding(), &request.public_key);
    if UnparsedPublicKey::new(&ED25519, request.public_key.0).verify(&message, &signature).is_err() {
        return refuse("the signature is not this key's over this session's challenge");
    }
    match request.role {
        SignInRole::Operator => {
            if request.public_key != *appliance.configuration.operator() {
                return refuse("this is not the operator's key in the measured configuration");
            }
            session.sign_in(Principal::Operator);
            Ok(Json(SignedIn { role: SignInRole::Operator, tenant: None }))
        }
        SignInRole::Tenant => {
            let id = TenantId::of(&request.public_key);
            match appliance.tenants.find(id).await? {
                // The id is half a hash; the key itself decides.
                Some(tenant) if tenant.public_key == request.public_key => match tenant.state {
                    TenantState::Active => {
                        session.sign_in(Principal::Tenant(id));
                        Ok(Json(SignedIn { role: SignInRole::Tenant, tenant: Some(id) }))
                    }
                    TenantState::Suspended => Err(ApiError::forbidden("the operator suspended this tenant")),
                },
                _ => refuse(
                    "the operator has not admitted this key: send it your public key (`r3e tenants admit`)",
                ),
            }
        }
    }
}

/// `GET /v1/whoami`
pub(super) async fn whoami(caller: Caller) -> Json<Whoami> {
    Json(match caller {
        Caller::Operator => Whoami { role: SignInRole::Operator, tenant: None, api_key: None },
        Caller::Tenant { id, api_key } => Whoami { role: SignInRole::Tenant, tenant: Some(id), api_key },
    })
}

/// `POST /v1/tenants`
pub(super) async fn admit_tenant(
    State(appliance): State<Shared>,
    _: Operator,
    JsonBody { value: request, place: _place }: JsonBody<AdmitTenant>,
) -> Result<(StatusCode, Json<Tenant>), ApiError> {
    Ok((StatusCode::CREATED, Json(appliance.tenants.admit(request).await?)))
}

/// `GET /v1/tenants`
pub(super) async fn list_tenants(
    State(appliance): State<Shared>,
    _: Operator,
) -> Result<Json<Vec<Tenant>>, ApiError> {
    Ok(Json(appliance.tenants.list().await?))
}

/// `PUT /v1/tenants/{id}/state`
pub(super) async fn set_tenant_state(
    State(appliance): State<Shared>,
    _: Operator,
    Path(id): Path<String>,
    JsonBody { value: state, place: _place }: JsonBody<TenantState>,
) -> Result<Json<Tenant>, ApiError> {
    let id: TenantId = id.parse().map_err(|_| ApiError::bad_request("a tenant's id has 32 hex digits"))?;
    Ok(Json(appliance.tenants.set_state(id, state).await?))
}

/// `POST /v1/keys`
pub(super) async fn create_key(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    JsonBody { value: request, place: _place }: JsonBody<CreateKey>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    Ok((StatusCode::CREATED, Json(appliance.api_keys.create(tenant.id(), request).await?)))
}

/// `GET /v1/keys`
pub(super) async fn list_keys(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
) -> Result<Json<Vec<ApiKey>>, ApiError> {
    Ok(Json(appliance.api_keys.list(tenant.id()).await?))
}

/// `DELETE /v1/keys/{id}`
pub(super) async fn revoke_key(
    State(appliance): State<Shared>,
    tenant: SignedInTenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    appliance.api_keys.revoke(tenant.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
