//! The published reference values, read strictly: what clients accept, so what the operator should start.
//!
//! The file is the one that verifiers take. Here it only saves an operator from starting what every client would
//! refuse; nobody's security rests on it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits::MAX_REFERENCE_VALUES_BYTES;

/// The highest PCR that a document can hold.
const MAX_PCR_INDEX: u8 = 31;
/// SHA-384 in hex.
const PCR_DIGITS: usize = 96;
/// The registers that an image determines. Of the others, 3 and 4 are the machine's, 16 and 17 the configuration's.
const OF_THE_IMAGE: [u8; 4] = [0, 1, 2, 8];
/// The registers that each release must name.
const NEEDED: [u8; 3] = [0, 1, 2];

/// One release: its name and its PCRs in lower-case hex.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    name: String,
    pcrs: Pcrs,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    releases: Vec<Release>,
}

/// PCRs by index, each once.
#[derive(Debug)]
struct Pcrs(BTreeMap<u8, String>);

/// Reads a file of reference values; an error says what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Vec<Release>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_REFERENCE_VALUES_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_REFERENCE_VALUES_BYTES {
        return Err(format!("it has more than {MAX_REFERENCE_VALUES_BYTES} bytes"));
    }
    let Published { releases } = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if releases.is_empty() {
        return Err("it names no release".into());
    }
    for Release { name, pcrs } in &releases {
        if let Some(index) = NEEDED.iter().find(|index| !pcrs.0.contains_key(index)) {
            return Err(format!("the release {name:?} has no PCR{index}"));
        }
    }
    Ok(releases)
}

/// The release that an image with these PCRs is; else, how it differs from each.
pub(super) fn find(releases: &[Release], image: &BTreeMap<u8, String>) -> Result<String, Vec<String>> {
    let mut differences = Vec::new();
    for Release { name, pcrs } in releases {
        let differing: Vec<_> = OF_THE_IMAGE
            .iter()
            .filter(|index| pcrs.0.get(index).is_some_and(|published| image.get(index) != Some(published)))
            .map(|index| format!("PCR{index}"))
            .collect();
        if differing.is_empty() {
            return Ok(name.clone());
        }
        differences.push(format!("{name:?} by {}", differing.join(", ")));
    }
    Err(differences)
}

impl<'de> Deserialize<'de> for Pcrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PcrsVisitor)
    }
}

struct PcrsVisitor;

impl<'de> Visitor<'de> for PcrsVisitor {
    type Value = Pcrs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from PCR index to 96 hex digits")
    }

    // By hand, since a map of serde's lets the last of two equal keys win.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Pcrs, A::Error> {
        let mut pcrs = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<String, String>()? {
            let index = key.parse::<u8>().ok().filter(|index| *index <= MAX_PCR_INDEX);
            // "01" and "+1" parse, too.
            let index = index.filter(|index| index.to_string() == key);
            let index =
                index.ok_or_else(|| A::Error::custom(format_args!("{key:?} is no index of a PCR")))?;
            if value.len() != PCR_DIGITS || !value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(A::Error::custom(format_args!("PCR{index} is not {PCR_DIGITS} hex digits")));
            }
            if pcrs.insert(index, value.to_ascii_lowercase()).is_some() {
                return Err(A::Error::custom(format_args!("PCR{index} stands twice")));
            }
        }
        Ok(Pcrs(pcrs))
    }
}

/// Bytes as lower-case hex.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digit: &str) -> String {
        digit.repeat(PCR_DIGITS)
    }

    fn text(pcrs: &str) -> String {
        format!("{{\"releases\":[{{\"name\":\"1.0\",\"pcrs\":{{{pcrs}}}}}]}}")
    }

    fn full(more: &str) -> String {
        text(&format!("\"0\":\"{0}\",\"1\":\"{0}\",\"2\":\"{0}\"{more}", hex("a")))
    }

    fn reading(text: &str) -> Result<Vec<Release>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    #[test]
    fn an_image_is_found_by_the_registers_that_are_its_own() {
        let image: BTreeMap<u8, String> = NEEDED.map(|index| (index, hex("a"))).into();
        let other = format!(",\"16\":\"{}\"", hex("9"));
        assert_eq!(find(&reading(&full(&other)).unwrap(), &image).unwrap(), "1.0");
        assert_eq!(
            find(
                &reading(
                    &full("")
                        .to_uppercase()
                        .replace("RELEASES", "releases")
                        .replace("NAME", "name")
                        .replace("PCRS", "pcrs")
                )
                .unwrap(),
                &image
            )
            .unwrap(),
            "1.0"
        );
        let signed = format!(",\"8\":\"{}\"", hex("9"));
        let differences = find(&reading(&full(&signed)).unwrap(), &image).unwrap_err();
        assert_eq!(differences, ["\"1.0\" by PCR8"]);
        let mut changed = image;
        changed.insert(2, hex("b"));
        assert_eq!(find(&reading(&full("")).unwrap(), &changed).unwrap_err(), ["\"1.0\" by PCR2"]);
    }

    #[test]
    fn other_files_are_refused() {
        let again = format!(",\"0\":\"{}\"", hex("b"));
        let odd = format!(",\"01\":\"{}\"", hex("b"));
        let far = format!(",\"32\":\"{}\"", hex("b"));
        for (wrong, word) in [
            (String::new(), "EOF"),
            ("{}".into(), "releases"),
            ("{\"releases\":[]}".into(), "no release"),
            ("{\"releases\":[],\"more\":1}".into(), "more"),
            (text(&format!("\"0\":\"{}\"", hex("a"))), "no PCR1"),
            (full(&again), "twice"),
            (full(&odd), "no index"),
            (full(&far), "no index"),
            (full(",\"8\":\"abc\""), "hex digits"),
            (full(&format!(",\"8\":\"{}\"", hex("g"))), "hex digits"),
            (" ".repeat(usize::try_from(MAX_REFERENCE_VALUES_BYTES).unwrap() + 1), "more than"),
        ] {
            let reason = reading(&wrong).unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
    }
}
