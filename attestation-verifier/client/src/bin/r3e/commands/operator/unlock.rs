//! `r3e operator init`, `approve` and `status`: what a quorum's member does with its appliance.

use clap::Args;
use r3e_client::{Address, Unlocking, VerifiedSetup};
use r3e_proto::channel::binding::Digest;

use super::shown::{Shown, Stand};
use crate::confirm::{UNASKED, confirm};
use crate::error::CliError;
use crate::output::{Printer, note};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// This is to be another appliance than the one that is remembered for the address
    #[arg(long)]
    new_appliance: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Approve the setup with this digest, and remember it for the address in place of the one approved before
    #[arg(long, value_name = "DIGEST")]
    accept_setup: Option<String>,
}

pub(crate) async fn init(options: &Init, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let key = settings.member_key()?;
    let mut channel = session::attest(settings).await?;
    let address = address(settings)?;
    let pins = settings.known_setups();
    let remembered = pins.find(&address)?;
    let unlocking = channel.unlocking(remembered.as_ref()).await?;
    let member = unlocking.member(&key)?.to_owned();
    // A parent that says it keeps nothing could have dropped what it kept.
    if let Some(pinned) = remembered.filter(|_| !options.new_appliance) {
        return Err(CliError::SetupRemembered {
            address: address.to_string(),
            digest: hex::encode(pinned),
            file: pins.path().display().to_string(),
        });
    }
    let shown = Shown::new(&address, &channel, &unlocking, Stand::Unknown);
    show_and_confirm(
        &shown,
        options.yes,
        printer,
        &format!("Have this appliance make a new root secret, as {member}?"),
    )?;
    let made = channel.init_quorum(&unlocking, &key).await?;
    if let Some(setup) = made.setup() {
        pins.replace(&address, setup.digest())?;
    }
    let shown = Shown::new(&address, &channel, &made, Stand::Remembered);
    printer.result(&shown, |shown| {
        format!("a root secret was made, and its setup is remembered\n\n{}", shown.human())
    })
}

pub(crate) async fn approve(
    options: &Approve,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let key = settings.member_key()?;
    let accepted = options.accept_setup.as_deref().map(digest).transpose()?;
    let mut channel = session::attest(settings).await?;
    let address = address(settings)?;
    let remembered = settings.known_setups().find(&address)?;
    let unlocking = channel.unlocking(remembered.as_ref()).await?;
    unlocking.member(&key)?;
    let Some(setup) = unlocking.setup() else {
        return Err(CliError::NothingToApprove { detail: unlocking.detail().to_owned() });
    };
    let stand = stand(remembered, setup);
    match (stand, accepted) {
        (_, Some(accepted)) if accepted != *setup.digest() => {
            return Err(other_setup(settings, &address, &accepted, setup.digest()));
        }
        (Stand::Other(pinned), None) => return Err(other_setup(settings, &address, &pinned, setup.digest())),
        _ => {}
    }
    let opened = setup.open(&key)?;
    show_and_confirm(
        &Shown::new(&address, &channel, &unlocking, stand),
        options.yes,
        printer,
        "Send your share to this appliance?",
    )?;
    remember(settings, &address, setup.digest(), accepted.is_some())?;
    let after = channel.approve(&opened).await?;
    let shown = Shown::new(&address, &channel, &after, Stand::Remembered);
    printer.result(&shown, |shown| format!("approved\n\n{}", shown.human()))
}

pub(crate) async fn status(settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut channel = session::attest(settings).await?;
    let address = address(settings)?;
    let remembered = settings.known_setups().find(&address)?;
    let unlocking = channel.unlocking(remembered.as_ref()).await?;
    let stand = match unlocking.setup() {
        Some(setup) => stand(remembered, setup),
        None => Stand::Unknown,
    };
    let shown = Shown::new(&address, &channel, &unlocking, stand);
    let shown = match own_share(settings, &unlocking)? {
        Some(member) => shown.with_own_share(member),
        None => shown,
    };
    printer.result(&shown, Shown::human)
}

/// The member whose key is at hand, where one is, and its share opens.
fn own_share(settings: &Settings, unlocking: &Unlocking) -> Result<Option<String>, CliError> {
    let Some(key) = settings.member_key_if_any()? else { return Ok(None) };
    let Ok(member) = unlocking.member(&key).map(str::to_owned) else {
        note("r3e: the member key at hand is of nobody in this quorum");
        return Ok(None);
    };
    let Some(setup) = unlocking.setup() else { return Ok(None) };
    setup.open(&key)?;
    Ok(Some(member))
}

/// How a setup stands to the one remembered.
fn stand(remembered: Option<Digest>, setup: &VerifiedSetup) -> Stand {
    match remembered {
        None => Stand::Unknown,
        Some(pinned) if pinned == *setup.digest() => Stand::Remembered,
        Some(pinned) => Stand::Other(pinned),
    }
}

/// Before the share leaves: what is approved is what is remembered.
fn remember(settings: &Settings, address: &Address, digest: &Digest, replace: bool) -> Result<(), CliError> {
    let pins = settings.known_setups();
    if replace {
        return pins.replace(address, digest);
    }
    let first = pins.remember_first(address, digest)?;
    if first == *digest { Ok(()) } else { Err(other_setup(settings, address, &first, digest)) }
}

fn other_setup(settings: &Settings, address: &Address, known: &Digest, found: &Digest) -> CliError {
    CliError::OtherSetup {
        address: address.to_string(),
        known: hex::encode(known),
        found: hex::encode(found),
        file: settings.known_setups().path().display().to_string(),
    }
}

/// Shows what is about to be done to what, and asks.
fn show_and_confirm(shown: &Shown<'_>, yes: bool, printer: Printer, question: &str) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if printer.is_json() {
        return Err(CliError::Usage(UNASKED.to_owned()));
    }
    note(&shown.human());
    confirm(question, yes)
}

fn address(settings: &Settings) -> Result<Address, CliError> {
    let set = settings.address.as_ref();
    let set =
        set.ok_or_else(|| settings.missing("address", "--address HOST:PORT", "R3E_ADDRESS", "address"))?;
    Ok(set.value.parse()?)
}

fn digest(digits: &str) -> Result<Digest, CliError> {
    let mut digest = [0; 48];
    hex::decode_to_slice(digits, &mut digest).map_err(|_| {
        CliError::Usage("--accept-setup takes the digest of a setup, 96 hex digits".to_owned())
    })?;
    Ok(digest)
}
