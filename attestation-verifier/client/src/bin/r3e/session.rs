//! From settings to a channel: what every command that talks to the appliance begins with.

use std::sync::Arc;

use r3e_attestation::{TrustAnchor, UnsafeTestRoot, parse_reference_values};
use r3e_client::{
    AttestedChannel, ClientError, Connector, Credential, OperatorChannel, Policy, SequenceFiles,
    SignedInTenant, TenantChannel,
};
use r3e_proto::api::status::Status;
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::{configuration_digest, pcr_extended_once};

use crate::error::CliError;
use crate::limits::MAX_POLICY_FILE_BYTES;
use crate::output::{note, printable, spinner};
use crate::profile::read_limited;
use crate::settings::{Set, Settings};

/// An attested channel.
pub(crate) async fn attest(settings: &Settings) -> Result<AttestedChannel, CliError> {
    let connector = connector(settings)?;
    let _spinner = spinner("verifying the appliance's attestation");
    Ok(connector.connect().await?)
}

/// A channel of the tenant's, by whatever credential there is.
pub(crate) async fn tenant(settings: &Settings) -> Result<TenantChannel, CliError> {
    // Before connecting: a missing key needs no connection to be found out.
    let credential = settings.credential()?;
    let channel = attest(settings).await?;
    Ok(match &credential {
        Credential::Key(key) => channel.sign_in_tenant(key).await?.into_tenant(),
        Credential::ApiKey(key) => channel.with_api_key(key).await?,
    })
}

/// A channel on which the tenant is signed in with its own key.
pub(crate) async fn signed_in(settings: &Settings) -> Result<SignedInTenant, CliError> {
    let key = settings.signing_key()?;
    Ok(attest(settings).await?.sign_in_tenant(&key).await?)
}

/// A channel on which the operator is signed in.
pub(crate) async fn operator(settings: &Settings) -> Result<OperatorChannel, CliError> {
    let key = settings.operator_key()?;
    Ok(attest(settings).await?.sign_in_operator(&key).await?)
}

/// After a change: what `checked` says of the appliance's state. The change is done, so a broken connection is no failure
/// of the command's; a rolled-back state is.
pub(crate) fn remembered(checked: Result<Status, ClientError>) -> Result<(), CliError> {
    match checked {
        Ok(_) => Ok(()),
        Err(error @ (ClientError::RolledBack { .. } | ClientError::Sequence(_))) => Err(error.into()),
        Err(error) => {
            let error = CliError::from(error).chain();
            note(&format!("r3e: done, but the state after it was not remembered: {}", printable(&error)));
            Ok(())
        }
    }
}

fn connector(settings: &Settings) -> Result<Connector, CliError> {
    let address = settings
        .address
        .as_ref()
        .ok_or_else(|| settings.missing("address", "--address HOST:PORT", "R3E_ADDRESS", "address"))?;
    let connector = Connector::new(address.value.parse()?, policy(settings)?)?
        .with_sequences(Arc::new(SequenceFiles::new(settings.folders.state.join("sequences"))));
    Ok(if settings.accept_rolled_back { connector.accepting_rolled_back_state() } else { connector })
}

fn policy(settings: &Settings) -> Result<Policy, CliError> {
    let mut builder = Policy::builder()
        .max_age_ms(settings.max_age.value.saturating_mul(1000))
        .clock_skew_ms(settings.clock_skew.value.saturating_mul(1000));
    if let Some(Set { value: path, .. }) = &settings.reference_values {
        let json = read_limited(path, MAX_POLICY_FILE_BYTES).map_err(|source| CliError::Io {
            what: format!("the reference values {}", path.display()),
            source,
        })?;
        builder = builder.accept_releases(parse_reference_values(json.as_bytes())?);
    }
    if let Some(Set { value: path, .. }) = &settings.pin_configuration {
        let bytes = read_limited(path, MAX_POLICY_FILE_BYTES).map_err(|source| CliError::Io {
            what: format!("the configuration {}", path.display()),
            source,
        })?;
        let measured = pcr_extended_once(&configuration_digest(bytes.as_bytes()));
        builder = builder.require_pcr(CONFIGURATION_PCR, measured)?;
    }
    if let Some(Set { value: path, source }) = &settings.test_root {
        let pem = read_limited(path, MAX_POLICY_FILE_BYTES)
            .map_err(|source| CliError::Io { what: format!("the test root {}", path.display()), source })?;
        builder = builder.trust(TrustAnchor::UnsafeTest(UnsafeTestRoot::from_pem(&pem)?));
        note(&format!(
            "r3e: WARNING: trusting the test root {} ({source}) instead of AWS's. What it attests is no Nitro enclave: \
             whoever holds the root's key sees everything you send",
            path.display()
        ));
    }
    Ok(Policy::new(builder)?)
}
