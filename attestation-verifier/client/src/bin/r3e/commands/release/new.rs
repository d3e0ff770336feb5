//! `r3e release new`.

use std::path::PathBuf;

use clap::Args;
use r3e_proto::channel::binding::Digest;
use r3e_proto::release::{Measured, Release, ReleaseError, SignedRelease, Version};

use super::file;
use super::measured::{digest, of_attested, of_configuration};
use super::shown::Shown;
use crate::error::CliError;
use crate::output::Printer;

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The version of the successor, as in 1.5.0 [default: the name of the image in --image]
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
    /// Where the configuration changes: each configuration that is run before or after; repeat for each
    #[arg(long = "configuration", value_name = "FILE")]
    configurations: Vec<PathBuf>,
    /// The same, as an appliance that runs it attested it: a file of `r3e enclave attest --json`; repeat for each
    #[arg(long, value_name = "FILE")]
    attested: Vec<PathBuf>,
    /// PCR17 under those of --configuration whose provider's is not computed here, 96 hex digits
    #[arg(long, value_name = "PCR17", value_parser = digest, requires = "configurations")]
    pcr17: Option<Digest>,
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
        let release = Release::new(version, pcrs, self.minimum_sequence, predecessors, self.measured()?)
            .map_err(ReleaseError::from)?;
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

    fn measured(&self) -> Result<Vec<Measured>, CliError> {
        let computed = self.configurations.iter().map(|path| of_configuration(path, self.pcr17.as_ref()));
        computed.chain(self.attested.iter().map(|path| of_attested(path))).collect()
    }
}
