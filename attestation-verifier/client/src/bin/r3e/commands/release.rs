//! `r3e release`: what a running appliance may be replaced by, and who says so. Nothing here connects to anything.

mod file;
mod measured;
mod new;
mod shown;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use r3e_client::{SigningKey, approve_release, verify_release};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::release::{HandoffPolicy, ReleaseError};

use self::shown::Shown;
use super::keygen::{Keygen, Owner};
use crate::confirm::confirm;
use crate::error::CliError;
use crate::output::{Printer, note};
use crate::settings::Settings;

const NEW_HELP: &str = "\
Examples:
  r3e release new 1.5.0 --image r3e-1.5.0.reference-values.json \\
      --predecessor r3e-1.4.0.reference-values.json --minimum-sequence 18233 --out release.cbor

  # To another configuration: from the one that runs, to the one that is to run, and not back
  r3e release new 1.5.0 --image r3e-1.5.0.reference-values.json --predecessor r3e-1.4.0.reference-values.json \\
      --from-configuration enclave.toml --to-configuration enclave-new.toml --appliance 5f7c…e1 --out release.cbor

PCR17 of a configuration with `aws-kms` is not computed here: take it from an appliance that runs it, with
--from-attested or --to-attested (`r3e enclave attest --json > attested.json`), or say it with --from-pcr17, --to-pcr17.";

const SIGN_HELP: &str = "\
Shows the release and asks. Compare the approval digest with what the other holders see, on another way, and the PCRs
with those of an image that you built or checked yourself (docs/verify-an-image.md): this signature, with those of enough
others, gives whatever runs in that image everything that the appliance keeps.

Example:
  r3e release sign release.cbor --release-key alice-release.pem";

const VERIFY_HELP: &str = "\
Judges as an appliance with this [handoff] does. Both must approve: the configuration that runs, and the one that is to run.

Exit code: 0 if enough keys approve, and the image is the one of --image, where that is given; 1 if not.

Examples:
  r3e release verify release.cbor --handoff enclave.toml --image r3e-1.5.0.reference-values.json
  r3e release verify release.cbor --threshold 2 --key 19bf44…66e1 --key d75a98…511a --key 3d4017…660c";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a release key; its public half goes into the appliance's measured configuration
    #[command(after_help = "Example:\n  r3e release keygen --out alice-release.pem")]
    Keygen(Keygen),
    /// Write down a release: which image may succeed which, not signed yet
    #[command(after_help = NEW_HELP)]
    New(Box<new::New>),
    /// Approve a release with a release key; adds the signature to the file
    #[command(after_help = SIGN_HELP)]
    Sign(Sign),
    /// Show a release and who signed it; says nothing of whether they may
    #[command(after_help = "Example:\n  r3e release show release.cbor --json")]
    Show {
        /// The file
        file: PathBuf,
    },
    /// Whether enough keys approve a release
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The file; the signature is added to it
    file: PathBuf,
    /// The key to sign with, a file of `r3e release keygen`
    #[arg(long, value_name = "PEM")]
    release_key: PathBuf,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The file
    file: PathBuf,
    /// The configuration whose handoff table judges
    #[arg(long, value_name = "FILE", required_unless_present = "keys")]
    handoff: Option<PathBuf>,
    /// How many of the keys it takes
    #[arg(long, value_name = "K", conflicts_with = "handoff", requires = "keys")]
    threshold: Option<u8>,
    /// A key that counts, 64 hex digits; repeat for several
    #[arg(long = "key", value_name = "KEY", conflicts_with = "handoff", requires = "threshold")]
    keys: Vec<PublicKey>,
    /// The image that the release must be of: reference values with one release
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
}

pub(crate) fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Keygen(keygen) => {
            keygen.run(Owner::Releaser, &settings.folders.config.join("release.pem"), printer)
        }
        Command::New(new) => new.run(printer),
        Command::Sign(sign) => sign.run(printer),
        Command::Show { file } => {
            let signed = file::read(&file)?;
            printer.result(&Shown::new(&signed)?, Shown::human)
        }
        Command::Verify(verify) => verify.run(printer),
    }
}

impl Sign {
    fn run(&self, printer: Printer) -> Result<(), CliError> {
        let mut signed = file::read(&self.file)?;
        let key = SigningKey::read(&self.release_key)?;
        note(&Shown::new(&signed)?.human());
        confirm("Shall appliances hand everything that they keep to this image?", self.yes)?;
        approve_release(&mut signed, &key)?;
        file::replace(&self.file, &signed)?;
        printer.result(&Shown::new(&signed)?, |shown| {
            format!("signed with {}; signatures: {}", key.public_key(), shown.signatures())
        })
    }
}

impl Verify {
    fn run(&self, printer: Printer) -> Result<(), CliError> {
        let signed = file::read(&self.file)?;
        let policy = self.policy()?;
        let release = match verify_release(&signed, &policy) {
            Ok(release) => release,
            Err(error @ ReleaseError::NotApproved { .. }) => {
                note(&Shown::new(&signed)?.judged(&signed, &policy).human());
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(image) = &self.image {
            let (name, pcrs) = file::image(image)?;
            if *release.pcrs() != pcrs {
                return Err(CliError::OtherImage { name });
            }
        }
        printer.result(&Shown::new(&signed)?.judged(&signed, &policy), Shown::human)
    }

    fn policy(&self) -> Result<HandoffPolicy, CliError> {
        match &self.handoff {
            Some(path) => measured::handoff(path),
            None => Ok(HandoffPolicy::new(self.threshold.unwrap_or_default(), self.keys.clone())
                .map_err(ReleaseError::from)?),
        }
    }
}
