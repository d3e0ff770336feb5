//! A version and its precedence: Semantic Versioning 2.0.0, without build metadata, which has no precedence, so that two
//! versions that differ are never of the same age.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::MAX_VERSION_BYTES;

/// A version: `MAJOR.MINOR.PATCH` or `MAJOR.MINOR.PATCH-PRERELEASE`. Its order is the precedence of Semantic Versioning, section 11.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: [u64; 3],
    stage: Stage,
}

/// A pre-release comes before its release (Semantic Versioning, section 11.3); the order of the variants says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Pre(Vec<Identifier>),
    Release,
}

/// Numbers come before texts (Semantic Versioning, section 11.4.3); the order of the variants says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

/// What a text is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "not a version: it takes MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH-PRERELEASE as in Semantic Versioning 2.0.0, without \
     build metadata (+…), at most {MAX_VERSION_BYTES} bytes"
)]
pub struct VersionError;

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_VERSION_BYTES {
            return Err(VersionError);
        }
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (text, None),
        };
        let numbers = core.split('.').map(number).collect::<Option<Vec<_>>>().ok_or(VersionError)?;
        let numbers = numbers.try_into().map_err(|_| VersionError)?;
        let stage = match pre {
            None => Stage::Release,
            Some(pre) => {
                Stage::Pre(pre.split('.').map(identifier).collect::<Option<_>>().ok_or(VersionError)?)
            }
        };
        Ok(Self { numbers, stage })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        let Stage::Pre(identifiers) = &self.stage else { return Ok(()) };
        for (place, identifier) in identifiers.iter().enumerate() {
            f.write_str(if place == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Text(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

/// A numeric identifier: digits, no leading zero, at most 2^64 - 1.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero { text.parse().ok() } else { None }
}

/// One identifier of a pre-release: a number where it has digits alone, else letters, digits and dashes.
fn identifier(text: &str) -> Option<Identifier> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text).map(Identifier::Number);
    }
    let known = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    known.then(|| Identifier::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_is_the_standards() {
        // SemVer sections 11.2 and 11.4.4, from the lowest up, and the borders of numbers.
        let ordered = [
            "0.0.0",
            "0.9.9",
            "1.0.0-0",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0--",
            "1.0.0-1a",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1-a",
            "1.9.0",
            "1.10.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "18446744073709551615.0.0",
        ];
        let versions: Vec<Version> = ordered.iter().map(|text| text.parse().unwrap()).collect();
        for (place, version) in versions.iter().enumerate() {
            assert_eq!(version.to_string(), ordered[place]);
            for (other_place, other) in versions.iter().enumerate() {
                assert_eq!(version.cmp(other), place.cmp(&other_place), "{version} and {other}");
            }
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let long = format!("1.0.0-{}", "a".repeat(MAX_VERSION_BYTES - 6));
        assert!(long.parse::<Version>().is_ok());
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.02.3",
            "1.2.03",
            "v1.2.3",
            "1.2.x",
            "-1.2.3",
            "+1.2.3",
            "1.2.3 ",
            " 1.2.3",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3-01",
            "1.2.3-a_b",
            "1.2.3+build",
            "1.2.3-a+build",
            "1.2.3-ä",
            "18446744073709551616.0.0",
            "1.2.3-18446744073709551616",
            "1..3",
            "١.2.3",
            &format!("{long}a"),
        ] {
            assert_eq!(text.parse::<Version>(), Err(VersionError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_version_has_one_text(text in "[0-9]{1,3}(\\.[0-9]{1,3}){2}(-[0-9a-z.-]{1,12})?") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
