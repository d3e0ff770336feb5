//! `r3e-eif reference-values`: the file that verifiers compare an enclave with.

use std::path::PathBuf;

use clap::Args;
use r3e_eif_format::Image;

use super::{Failure, Output};
use crate::{file, reference_values};

/// Write the reference values of an image: its PCRs under a name, as r3e-verify and r3e read them
///
/// The values are computed from the image's bytes, as by measure. Whoever relies on the file relies on whoever ran this
/// on an image that they built or checked.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    r3e-eif reference-values r3e.eif --name 1.4.0 --out reference-values.json\n  \
    r3e-verify document evidence.bin --reference-values reference-values.json")]
pub(super) struct ReferenceValues {
    /// The image
    #[arg(value_name = "FILE.eif")]
    file: PathBuf,
    /// The name of the release, shown where an enclave is accepted
    #[arg(long, value_name = "NAME", value_parser = reference_values::parse_name)]
    name: String,
    /// Where to write it; the output, where there is none
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
}

impl ReferenceValues {
    pub(super) fn run(&self) -> Result<Output, Failure> {
        let bytes = file::read_image(&self.file).map_err(Failure::Unusable)?;
        let image = Image::decode(&bytes).map_err(Failure::refused)?;
        let measurements = image.measure().map_err(Failure::refused)?;
        let json = reference_values::render(&self.name, &measurements);
        match &self.out {
            Some(out) => {
                file::write_whole(out, json.as_bytes()).map_err(Failure::Unusable)?;
                Ok(Output::done(String::new()))
            }
            None => Ok(Output::done(json)),
        }
    }
}
