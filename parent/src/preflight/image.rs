//! What an image is, from its bytes: whole or not, and which PCRs it has. Nothing that the image says of itself counts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use r3e_eif_format::Image;
use r3e_eif_format::limits::MAX_IMAGE_BYTES;
use serde::Serialize;

use super::problem::Problem;
use super::reference_values::{self, Hex};

/// An image, measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageReport {
    /// Its size.
    pub bytes: u64,
    /// Its PCRs in hex, by index: 0, 1, 2, and 8 where it is signed.
    pub pcrs: BTreeMap<u8, String>,
    /// The published release that it is, where reference values were given and name it.
    pub release: Option<String>,
}

/// Reads and measures the image at `path`, and looks for it in the published values.
pub(super) fn look(path: &Path, reference_values: Option<&Path>) -> (Option<ImageReport>, Vec<Problem>) {
    let mut problems = Vec::new();
    let report = match measure(path) {
        Ok(report) => Some(report),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let Some(values) = reference_values else {
        problems.push(Problem::NoReferenceValues);
        return (report, problems);
    };
    let releases = match reference_values::read(values) {
        Ok(releases) => releases,
        Err(reason) => {
            problems.push(Problem::ReferenceValues { path: values.into(), reason });
            return (report, problems);
        }
    };
    let Some(mut report) = report else { return (None, problems) };
    match reference_values::find(&releases, &report.pcrs) {
        Ok(release) => report.release = Some(release),
        Err(differences) => {
            problems.push(Problem::NotPublished { image: path.into(), values: values.into(), differences });
        }
    }
    (Some(report), problems)
}

fn measure(path: &Path) -> Result<ImageReport, Problem> {
    let unreadable =
        |reason: std::io::Error| Problem::ImageUnreadable { path: path.into(), reason: reason.to_string() };
    let refused = |reason: String| Problem::ImageRefused { path: path.into(), reason };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_IMAGE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let image = Image::decode(&bytes).map_err(|error| refused(error.to_string()))?;
    let measurements = image.measure().map_err(|error| refused(error.to_string()))?;
    let pcrs = measurements.iter().map(|(index, pcr)| (index, Hex(&pcr).to_string())).collect();
    Ok(ImageReport { bytes: bytes.len() as u64, pcrs, release: None })
}
