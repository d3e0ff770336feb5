//! The PCRs of images in the form that verifiers read. Knows nothing of how they were measured.

use std::collections::BTreeMap;
use std::fmt;

use r3e_eif_format::Measurements;
use serde::Serialize;

/// Longer names are refused by verifiers, which show them in a line.
const MAX_NAME_BYTES: usize = 128;

/// PCRs by index, in hexadecimal.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Pcrs(BTreeMap<u8, String>);

impl From<&Measurements> for Pcrs {
    fn from(measurements: &Measurements) -> Self {
        Self(measurements.iter().map(|(index, pcr)| (index, hex::encode(pcr))).collect())
    }
}

/// A line for each.
impl fmt::Display for Pcrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(index, pcr)| writeln!(f, "PCR{index}  {pcr}"))
    }
}

/// A file of reference values with one release:
/// `{"releases":[{"name":"1.4.0","pcrs":{"0":"…","1":"…","2":"…","8":"…"}}]}`, PCR8 for a signed image alone.
pub(crate) fn render(name: &str, measurements: &Measurements) -> String {
    let file = File { releases: [Release { name, pcrs: Pcrs::from(measurements) }] };
    // Text alone: this cannot fail.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

/// The name of a release, if a verifier will take it.
pub(crate) fn parse_name(name: &str) -> Result<String, String> {
    if (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(format!("a name has 1 to {MAX_NAME_BYTES} bytes without control characters"))
    }
}

#[derive(Serialize)]
struct File<'a> {
    releases: [Release<'a>; 1],
}

#[derive(Serialize)]
struct Release<'a> {
    name: &'a str,
    pcrs: Pcrs,
}
