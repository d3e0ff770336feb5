//! `r3e-eif measure`: the PCRs of an image, from its bytes.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use r3e_eif_format::Image;
use serde::Serialize;

use super::{Failure, Output, to_json};
use crate::file::{self, sha256};
use crate::reference_values::Pcrs;

/// Compute an image's PCRs from its bytes
///
/// Trusts nothing in the file: the checksum, the layout and the signature are checked, and the values are those that
/// the hypervisor will report. PCR8 is there for a signed image, whose signature must be over this image and by the
/// key of its certificate.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  r3e-eif measure r3e.eif\n  r3e-eif measure r3e.eif --json | jq -r '.pcrs[\"0\"]'"
)]
pub(super) struct Measure {
    /// The image
    #[arg(value_name = "FILE.eif")]
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report {
    bytes: usize,
    sha256: String,
    pcrs: Pcrs,
}

impl Measure {
    pub(super) fn run(&self) -> Result<Output, Failure> {
        let bytes = file::read_image(&self.file).map_err(Failure::Unusable)?;
        let image = Image::decode(&bytes).map_err(Failure::refused)?;
        let measurements = image.measure().map_err(Failure::refused)?;
        if self.json {
            let pcrs = Pcrs::from(&measurements);
            return Ok(Output::done(to_json(&Report { bytes: bytes.len(), sha256: sha256(&bytes), pcrs })));
        }
        let mut text = String::new();
        for (index, pcr) in measurements.iter() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "PCR{index}  {}", hex::encode(pcr));
        }
        Ok(Output::done(text))
    }
}
