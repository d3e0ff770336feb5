//! From settings to a channel: what every command that talks to the appliance begins with.

use std::path::Path;
use std::sync::Arc;

use r3e_attestation::{ReferenceValues, TrustAnchor, UnsafeTestRoot, parse_reference_values};
use r3e_client::{
    Address, AttestedChannel, ClientError, Connector, Credential, OperatorChannel, Policy, PolicyBuilder,
    PolicyError, SequenceFiles, SignedInTenant, TenantChannel,
};
use r3e_proto::api::status::Status;
use r3e_proto::channel::binding::Digest;

use crate::appliances::KnownAppliances;
use crate::error::CliError;
use crate::limits::MAX_POLICY_FILE_BYTES;
use crate::output::{note, printable, spinner};
use crate::profile::read_limited;
use crate::settings::{Set, Settings};

/// An attested channel.
pub(crate) async fn attest(settings: &Settings) -> Result<AttestedChannel, CliError> {
    let (connector, pin) = connector(settings)?;
    let connected = {
        let _spinner = spinner("verifying the appliance's attestation");
        connector.connect().await
    };
    let channel = match (connected, &pin) {
        (Err(ClientError::OtherConfiguration { pinned, found }), Pin::Known) => {
            return Err(changed(settings, connector.address(), &pinned, &found));
        }
        (connected, _) => connected?,
    };
    // Nothing but the nonce was sent so far.
    pin.remember(settings, connector.address(), channel.configuration_digest())?;
    Ok(channel)
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
        Err(
            error @ (ClientError::RolledBack { .. }
            | ClientError::OtherAppliance { .. }
            | ClientError::OtherIdentity { .. }
            | ClientError::Appliances(_)
            | ClientError::Sequence(_)),
        ) => Err(error.into()),
        Err(error) => {
            let error = CliError::from(error).chain();
            note(&format!("r3e: done, but the state after it was not remembered: {}", printable(&error)));
            Ok(())
        }
    }
}

/// How the configuration of the appliance is settled.
enum Pin {
    /// By what the user gave: nothing is remembered.
    Given,
    /// By the file of known configurations.
    Known,
    /// By the user, for this time and from now on.
    Accepted(Digest),
    /// By the first one that is seen there.
    FirstUse,
}

impl Pin {
    /// What holds for this run. The builder has the policy but for the configuration, and has it pinned after.
    fn settle(
        settings: &Settings,
        address: &Address,
        builder: PolicyBuilder,
    ) -> Result<(Self, PolicyBuilder), CliError> {
        if settings.any_configuration {
            note(&format!(
                "r3e: WARNING: accepting any configuration of {address} (option). An appliance of another operator passes \
                 for the one you mean"
            ));
            return Ok((Self::Given, builder.any_configuration()));
        }
        if let Some(digits) = &settings.accept_configuration {
            let mut digest = [0; 48];
            hex::decode_to_slice(digits, &mut digest).map_err(|_| {
                CliError::Usage(
                    "--accept-configuration takes the SHA-384 of a configuration, 96 hex digits".to_owned(),
                )
            })?;
            return Ok((Self::Accepted(digest), builder.pin_configuration(digest)));
        }
        if let Some(Set { value: path, .. }) = &settings.pin_configuration {
            let bytes = read_limited(path, MAX_POLICY_FILE_BYTES).map_err(|source| CliError::Io {
                what: format!("the configuration {}", path.display()),
                source,
            })?;
            return Ok((Self::Given, builder.pin_configuration_file(bytes.as_bytes())));
        }
        if builder.pins_configuration() {
            return Ok((Self::Given, builder));
        }
        Ok(match settings.known_configurations().find(address)? {
            Some(digest) => (Self::Known, builder.pin_configuration(digest)),
            // Compared, and remembered, before the channel is used for anything.
            None => (Self::FirstUse, builder.any_configuration()),
        })
    }

    /// After the attestation: remembers what is to be remembered, or refuses what another run has seen first.
    fn remember(&self, settings: &Settings, address: &Address, found: &Digest) -> Result<(), CliError> {
        let known = settings.known_configurations();
        match self {
            Self::Given | Self::Known => Ok(()),
            Self::Accepted(digest) => known.replace(address, digest),
            Self::FirstUse => {
                let first = known.remember_first(address, found)?;
                if first != *found {
                    return Err(changed(settings, address, &first, found));
                }
                note(&format!(
                    "r3e: first connection to {address}: its configuration {} is remembered in {}, and no other is accepted \
                     there. Compare it with what its operator published",
                    hex::encode(found),
                    known.path().display()
                ));
                Ok(())
            }
        }
    }
}

fn changed(settings: &Settings, address: &Address, old: &Digest, new: &Digest) -> CliError {
    CliError::ConfigurationChanged {
        address: address.to_string(),
        old: hex::encode(old),
        new: hex::encode(new),
        file: settings.known_configurations().path().display().to_string(),
    }
}

fn connector(settings: &Settings) -> Result<(Connector, Pin), CliError> {
    let address = settings
        .address
        .as_ref()
        .ok_or_else(|| settings.missing("address", "--address HOST:PORT", "R3E_ADDRESS", "address"))?;
    let address: Address = address.value.parse()?;
    let (pin, builder) = Pin::settle(settings, &address, policy(settings)?)?;
    let connector = Connector::new(address, Policy::new(builder)?)?
        .with_sequences(Arc::new(SequenceFiles::new(settings.folders.state.join("sequences"))))
        .with_appliances(Arc::new(KnownAppliances(settings.known_appliances())));
    let connector =
        if settings.accept_rolled_back { connector.accepting_rolled_back_state() } else { connector };
    Ok((connector, pin))
}

/// What the settings demand, but for the configuration.
fn policy(settings: &Settings) -> Result<PolicyBuilder, CliError> {
    let mut builder = Policy::builder()
        .max_age_ms(settings.max_age.value.saturating_mul(1000))
        .clock_skew_ms(settings.clock_skew.value.saturating_mul(1000));
    if let Some(digits) = &settings.accept_identity {
        let mut identity = [0; 32];
        hex::decode_to_slice(digits, &mut identity).map_err(|_| {
            CliError::Usage("--accept-identity takes an appliance's identity, 64 hex digits".to_owned())
        })?;
        builder = builder.pin_identity(identity);
    }
    if let Some(Set { value: path, .. }) = &settings.reference_values {
        builder = builder.accept_releases(releases(path)?);
    }
    if let Some(Set { value: path, .. }) = &settings.setup_reference_values {
        builder = builder.accept_setups_of(releases(path)?);
    }
    if let Some(Set { value: path, source }) = &settings.test_root {
        let pem = read_limited(path, MAX_POLICY_FILE_BYTES)
            .map_err(|source| CliError::Io { what: format!("the test root {}", path.display()), source })?;
        builder = builder
            .trust(TrustAnchor::UnsafeTest(UnsafeTestRoot::from_pem(&pem).map_err(PolicyError::from)?));
        note(&format!(
            "r3e: WARNING: trusting the test root {} ({source}) instead of AWS's. What it attests is no Nitro enclave: \
             whoever holds the root's key sees everything you send",
            path.display()
        ));
    }
    Ok(builder)
}

/// A file of reference values.
pub(crate) fn releases(path: &Path) -> Result<Vec<ReferenceValues>, CliError> {
    let json = read_limited(path, MAX_POLICY_FILE_BYTES).map_err(|source| CliError::Io {
        what: format!("the reference values {}", path.display()),
        source,
    })?;
    Ok(parse_reference_values(json.as_bytes()).map_err(PolicyError::from)?)
}
