//! The file format of reference values, shared by every tool that appraises. Knows nothing of policies.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use crate::{
    Pcr, PolicyError, ReferenceValues,
    limits::{MAX_REFERENCE_FILE_BYTES, MAX_RELEASES},
    reference::MAX_PCR_INDEX,
};

/// Reads a file of reference values:
///
/// ```json
/// {
///   "releases": [
///     { "name": "1.4.0", "pcrs": { "0": "<96 hex digits>", "1": "…", "2": "…", "8": "…" } }
///   ]
/// }
/// ```
///
/// At least one release, each with a name of its own and PCR0, 1 and 2; further PCRs by choice, from 3 to 31. A
/// document is accepted if it has all PCRs of one of the releases. Unknown fields and repeated keys are
/// refused, so that a misspelt `pcrs` cannot widen a policy.
///
/// # Errors
/// [`PolicyError::ReferenceFile`], if it has not that format, or is longer than 1 MiB;
/// [`PolicyError::ReleaseName`], if a name cannot be used or is used twice;
/// [`PolicyError::TooManyReleases`], above 256.
pub fn parse_reference_values(json: &[u8]) -> Result<Vec<ReferenceValues>, PolicyError> {
    let refused = |what: String| PolicyError::ReferenceFile { what };
    if json.len() > MAX_REFERENCE_FILE_BYTES {
        return Err(refused("longer than 1 MiB".to_owned()));
    }
    let file: File = serde_json::from_slice(json).map_err(|error| refused(error.to_string()))?;
    if file.releases.is_empty() {
        return Err(refused("it holds no release".to_owned()));
    }
    if file.releases.len() > MAX_RELEASES {
        return Err(PolicyError::TooManyReleases { max: MAX_RELEASES });
    }
    let mut parsed: Vec<ReferenceValues> = Vec::with_capacity(file.releases.len());
    for Release { name, pcrs: Pcrs(pcrs) } in file.releases {
        let (Some(pcr0), Some(pcr1), Some(pcr2)) = (pcrs.get(&0), pcrs.get(&1), pcrs.get(&2)) else {
            return Err(refused(format!("the release {name:?} lacks PCR0, PCR1 or PCR2")));
        };
        if parsed.iter().any(|release| release.name() == name) {
            return Err(PolicyError::ReleaseName);
        }
        let release = ReferenceValues::new(&name, *pcr0, *pcr1, *pcr2)?;
        parsed.push(pcrs.iter().try_fold(release, |release, (index, pcr)| release.with_pcr(*index, *pcr))?);
    }
    Ok(parsed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    releases: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    name: String,
    pcrs: Pcrs,
}

/// PCRs by index, without repetition (a plain map would let the last one win).
struct Pcrs(BTreeMap<u8, Pcr>);

impl<'de> Deserialize<'de> for Pcrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PcrsVisitor)
    }
}

struct PcrsVisitor;

impl<'de> Visitor<'de> for PcrsVisitor {
    type Value = Pcrs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from PCR index to 96 hex digits")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pcrs, A::Error> {
        let mut pcrs = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            // Only the plain decimal form, so that "1" and "01" cannot both stand.
            let index = (0..=MAX_PCR_INDEX).find(|index| index.to_string() == key);
            let index =
                index.ok_or_else(|| A::Error::custom(format_args!("{key:?} is no PCR index (0 to 31)")))?;
            let mut pcr: Pcr = [0; 48];
            hex::decode_to_slice(&value, &mut pcr)
                .map_err(|_| A::Error::custom(format_args!("PCR{index} must be 96 hex digits")))?;
            if pcrs.insert(index, pcr).is_some() {
                return Err(A::Error::custom(format_args!("PCR{index} stands twice in one release")));
            }
        }
        Ok(Pcrs(pcrs))
    }
}
