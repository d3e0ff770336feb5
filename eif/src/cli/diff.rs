//! `r3e-eif diff`: what differs between two images, file by file.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use r3e_eif_format::{Image, Measurements};
use serde::Serialize;

use super::{Failure, Output, to_json};
use crate::difference::{Change, Difference, differences};
use crate::file;
use crate::reference_values::Pcrs;

/// Compare two images file by file: why their PCRs differ
///
/// Two images without a difference are the same bytes. A difference names the PCRs that it moves; one that moves none is
/// in a part that nothing measures, so a document cannot tell the two images apart by it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    r3e-eif diff published.eif my-build.eif\n  \
    r3e-eif diff published.eif my-build.eif --json | jq '.differences[] | select(.pcrs != [])'")]
pub(super) struct Diff {
    /// One image
    #[arg(value_name = "A.eif")]
    a: PathBuf,
    /// The other image
    #[arg(value_name = "B.eif")]
    b: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    same: bool,
    same_measurements: bool,
    a: Option<Pcrs>,
    b: Option<Pcrs>,
    differences: &'a [Difference],
}

impl Diff {
    pub(super) fn run(&self) -> Result<Output, Failure> {
        let read = |path| file::read_image(path).map_err(Failure::Unusable);
        let (a, b) = (read(&self.a)?, read(&self.b)?);
        let decode = |bytes, path: &PathBuf| {
            Image::decode(bytes).map_err(|error| {
                Failure::Refused(anyhow::Error::new(error).context(path.display().to_string()))
            })
        };
        let (image_a, image_b) = (decode(&a, &self.a)?, decode(&b, &self.b)?);
        let found = differences(&image_a, &image_b);
        // An invalid signature is one of the differences, and leaves nothing that could be called measured.
        let (measured_a, measured_b) = (image_a.measure().ok(), image_b.measure().ok());
        let same_measurements = measured_a.is_some() && measured_a == measured_b;
        let same = a == b;
        let text = if self.json {
            let pcrs = |measured: Option<Measurements>| measured.as_ref().map(Pcrs::from);
            let (a, b) = (pcrs(measured_a), pcrs(measured_b));
            to_json(&Report { same, same_measurements, a, b, differences: &found })
        } else {
            human(same, same_measurements, &found)
        };
        Ok(if same { Output::done(text) } else { Output::refused(text) })
    }
}

fn human(same: bool, same_measurements: bool, found: &[Difference]) -> String {
    if same {
        return "The images are the same, byte for byte.\n".to_owned();
    }
    let is_unmeasured = found.iter().all(|difference| difference.pcrs.is_empty());
    let mut text = String::from(match (same_measurements, is_unmeasured) {
        (true, true) => "The measurements agree. What differs is measured by nothing:\n",
        (true, false) => {
            "The measurements agree, and yet measured content differs: bytes were moved from one section to the \
             next, which the registers do not see:\n"
        }
        (false, _) => "The images differ:\n",
    });
    for difference in found {
        let mark = match difference.change {
            Change::Added => '+',
            Change::Removed => '-',
            Change::Changed => '~',
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "  {mark} {}: {}", difference.what, difference.detail);
        if let Some(at) = difference.from_byte {
            let _ = write!(text, ", from byte {at} on");
        }
        let _ = writeln!(text, "  [{}]", registers(difference.pcrs));
    }
    text
}

/// `PCR0, PCR1`; `not measured`, for none.
pub(super) fn registers(pcrs: &[u8]) -> String {
    if pcrs.is_empty() {
        return "not measured".to_owned();
    }
    pcrs.iter().map(|index| format!("PCR{index}")).collect::<Vec<_>>().join(", ")
}
