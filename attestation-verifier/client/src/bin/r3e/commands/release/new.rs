//! `r3e release new`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use r3e_proto::channel::binding::Digest;
use r3e_proto::release::{Change, IDENTITY_BYTES, Measured, Release, ReleaseError, SignedRelease, Version};

use super::file;
use super::measured::{digest, identity, of_attested, of_configuration};
use super::shown::Shown;
use crate::error::CliError;
use crate::output::Printer;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("from").args(["from_configuration", "from_attested"]).multiple(true))]
pub(crate) struct New {
    /// The version of the successor, as in 1.5.0: the image's own, or it refuses [default: the name of the image in --image]
    #[arg(value_name = "VERSION")]
    release_version: Option<Version>,
    /// The successor: reference values with one image, as `r3e-eif` writes them
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// What it may succeed: every image of these reference values; repeat for several files
    #[arg(long = "predecessor", value_name = "FILE", required = true)]
    predecessors: Vec<PathBuf>,
    /// The lowest sequence number of the state with which the predecessor may hand over: that of a recent `r3e enclave
    /// status`, so that a predecessor that was started from an old copy of the state cannot
    #[arg(long, value_name = "N", default_value_t = 0)]
    minimum_sequence: u64,
    /// The one appliance that it is for, by the identity that `r3e enclave status` shows [default: any with these keys]
    #[arg(long, value_name = "IDENTITY", value_parser = identity)]
    appliance: Option<[u8; IDENTITY_BYTES]>,
    /// Where the configuration changes: the one that runs; repeat where several lead to the new one
    #[arg(long, value_name = "FILE", requires = "to")]
    from_configuration: Vec<PathBuf>,
    /// The same, as an appliance that runs it attested it: a file of `r3e enclave attest --json`; repeat for each
    #[arg(long, value_name = "FILE", requires = "to")]
    from_attested: Vec<PathBuf>,
    /// PCR17 under those of --from-configuration whose provider's is not computed here, 96 hex digits
    #[arg(long, value_name = "PCR17", value_parser = digest, requires = "from_configuration")]
    from_pcr17: Option<Digest>,
    /// Where the configuration changes: the one that is to run
    #[arg(long, value_name = "FILE", group = "to", requires = "from")]
    to_configuration: Option<PathBuf>,
    /// The same, as an appliance that runs it attested it
    #[arg(long, value_name = "FILE", group = "to", requires = "from")]
    to_attested: Option<PathBuf>,
    /// PCR17 under --to-configuration, where it is not computed here
    #[arg(long, value_name = "PCR17", value_parser = digest, requires = "to_configuration")]
    to_pcr17: Option<Digest>,
    /// The file to write; never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl New {
    pub(super) fn run(&self, printer: Printer) -> Result<(), CliError> {
        let (name, pcrs) = file::image(&self.image)?;
        let version = match &self.release_version {
            Some(version) => version.clone(),
            None => name.parse().map_err(|_| {
                CliError::Usage(format!("the image's name {name:?} is no version: say VERSION, as in 1.5.0"))
            })?,
        };
        let mut predecessors = Vec::new();
        for path in &self.predecessors {
            predecessors.extend(file::images(path)?.into_iter().map(|(_, pcrs)| pcrs));
        }
        let release = Release::new(version, pcrs, self.minimum_sequence, predecessors, self.changes()?)
            .map_err(ReleaseError::from)?;
        let release = match self.appliance {
            Some(identity) => release.for_appliance(identity),
            None => release,
        };
        let signed = SignedRelease::unsigned(&release);
        file::write_new(&self.out, &signed)?;
        printer.result(&Shown::new(&signed)?, |shown| {
            let out = self.out.display();
            format!(
                "{}\nwrote {out}; the holders of the release keys sign it:\n  r3e release sign {out} --release-key FILE",
                shown.human()
            )
        })
    }

    /// From each that may run to the one that is to run.
    fn changes(&self) -> Result<Vec<Change>, CliError> {
        let to = match (&self.to_configuration, &self.to_attested) {
            (Some(path), _) => of_configuration(path, self.to_pcr17.as_ref())?,
            (None, Some(path)) => of_attested(path)?,
            (None, None) => return Ok(Vec::new()),
        };
        let computed =
            self.from_configuration.iter().map(|path| of_configuration(path, self.from_pcr17.as_ref()));
        let attested = self.from_attested.iter().map(|path| of_attested(path));
        let change = |from: Result<Measured, CliError>| Ok(Change { from: from?, to });
        computed.chain(attested).map(change).collect()
    }
}
