//! Versions of a function that are kept, the aliases that point at them, and how a caller says which one is meant.

use serde::{Deserialize, Serialize};

use super::functions::Function;
use super::is_name;
use super::secrets::Actor;

/// The alias that a function's bare name stands for. It is set by the first deployment, and goes with the function alone.
pub const PROD: &str = "prod";
/// The least digits of a version that name it.
pub const MIN_PREFIX_DIGITS: usize = 6;
/// A stickiness key: a user's or a session's name.
pub const MAX_STICKY_KEY_BYTES: usize = 256;
/// The header of an invocation that has the stickiness key.
pub const STICKY_KEY_HEADER: &str = "r3e-sticky-key";

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionVersion {
    /// What it is.
    #[serde(flatten)]
    pub function: Function,
    /// The aliases that name it, by itself or as a part of a split.
    pub aliases: Vec<String>,
}

/// What an alias points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The version, SHA-256 in hex.
    pub version: String,
    /// The version that a part of the events go to instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
}

/// The smaller part of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The version, SHA-256 in hex.
    pub version: String,
    /// Of a hundred events, so many go to it: 1 to 99.
    pub percent: u8,
}

/// An alias, with its latest moves, oldest first; the last one made it what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// What it points at.
    #[serde(flatten)]
    pub target: Target,
    /// Rises with every move, and is never the same again, also where the alias was removed and set anew.
    pub revision: u64,
    /// Its latest moves.
    pub moves: Vec<Move>,
}

/// One move of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The alias's revision from then on.
    pub revision: u64,
    /// What it has pointed at since.
    pub target: Target,
    /// What moved it.
    pub cause: Cause,
    /// When, by the appliance's clock.
    pub at_ms: u64,
    /// Who.
    pub by: Actor,
    /// The revision whose target a rollback restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
}

/// What moved an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A deployment.
    Deploy,
    /// Somebody set it.
    Set,
    /// A rollback.
    Rollback,
}

/// Points an alias at a version, or at two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAlias {
    /// The version, or its first digits: at least six, as many as no other kept version begins with.
    pub version: String,
    /// A version, named in the same way, that a part of the events go to instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Only if this is the alias's revision now; 0: only if there is no such alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
}

/// Points an alias at what it pointed at before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RollbackAlias {
    /// Only if this is the alias's revision now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
}

/// What a deployment does beside keeping the version: the query of `PUT /v1/functions/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Promotion {
    /// Whether an alias is moved to the version; true where it is absent. A function's first deployment sets [`PROD`]
    /// whatever this says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promote: Option<bool>,
    /// The alias that is moved; [`PROD`] where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Only if this is the alias's revision now; 0: only if there is no such alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
}

/// Which version of which function is meant: `NAME` (its alias [`PROD`]), `NAME@ALIAS` or `NAME@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    function: String,
    at: At,
}

/// What stands behind the `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// An alias.
    Alias(String),
    /// The first digits of a version, or all of them.
    Version(String),
}

impl Reference {
    /// Reads `NAME`, `NAME@ALIAS` or `NAME@VERSION`; none for what is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (function, at) = match text.split_once('@') {
            None => (text, At::Alias(PROD.to_owned())),
            Some((function, at)) if is_version_prefix(at) => (function, At::Version(at.to_owned())),
            Some((function, at)) if is_alias_name(at) => (function, At::Alias(at.to_owned())),
            Some(_) => return None,
        };
        is_name(function).then(|| Self { function: function.to_owned(), at })
    }

    /// The function's name.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The version that is meant, or the alias that says which.
    pub fn at(&self) -> &At {
        &self.at
    }
}

/// Whether a text stands for versions: 6 to 64 lower-case hex digits.
pub fn is_version_prefix(text: &str) -> bool {
    (MIN_PREFIX_DIGITS..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text may name an alias: a name that is no version's beginning, so that what stands behind an `@` has one
/// meaning.
pub fn is_alias_name(text: &str) -> bool {
    is_name(text) && !is_version_prefix(text)
}

/// Whether a text may be a stickiness key: 1 to 256 bytes of visible ASCII.
pub fn is_sticky_key(text: &str) -> bool {
    (1..=MAX_STICKY_KEY_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_one_meaning() {
        let parsed = |text: &str| Reference::parse(text).map(|reference| (reference.function, reference.at));
        let alias = |name: &str, alias: &str| Some((name.to_owned(), At::Alias(alias.to_owned())));
        let version = |name: &str, digits: &str| Some((name.to_owned(), At::Version(digits.to_owned())));
        assert_eq!(parsed("price"), alias("price", "prod"));
        assert_eq!(parsed("price@prod"), alias("price", "prod"));
        assert_eq!(parsed("price@staging.2"), alias("price", "staging.2"));
        assert_eq!(parsed("abcdef@abcdef"), version("abcdef", "abcdef"));
        assert_eq!(parsed(&format!("f@{}", "0".repeat(64))), version("f", &"0".repeat(64)));
        // Five digits are a name, as are digits of another case.
        assert_eq!(parsed("f@abcde"), alias("f", "abcde"));
        assert_eq!(parsed("f@ABCDEF"), alias("f", "ABCDEF"));
        let long = format!("f@{}", "0".repeat(65));
        for wrong in
            ["", "@", "f@", "@prod", "f@prod@x", "f@a/b", "a/b@prod", "f@-x", "f@é", "f @prod", long.as_str()]
        {
            assert_eq!(Reference::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_stickiness_key_fits_a_header() {
        assert!(is_sticky_key("user-42") && is_sticky_key(&"x".repeat(256)));
        for wrong in ["", "a b", "é", "a\n", "\u{7f}", &"x".repeat(257)] {
            assert!(!is_sticky_key(wrong), "{wrong:?}");
        }
    }
}
