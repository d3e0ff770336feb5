//! Secrets: set, versioned and granted by their tenant, read by the functions they were granted to, and by nobody else.
//! No shape here has room for a value.

use serde::{Deserialize, Serialize};

use super::is_name;

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The current version: the one that functions are given. It rises by one with every change of the value, a rollback
    /// too.
    pub version: u64,
    /// The current value's length.
    pub value_bytes: u64,
    /// When the current version was set, by the appliance's clock.
    pub updated_at_ms: u64,
    /// When the current version ends; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
    /// Whether it has ended: no function is given it, and its value is deleted.
    pub expired: bool,
    /// The functions that may read it. Nobody else may, so where there are none, none may.
    pub grants: Vec<Grant>,
}

/// That one function may read one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The function's name.
    pub function: String,
    /// The one version that may, SHA-256 in hex. Where it is absent, whatever is deployed under the name may: then whoever
    /// may deploy it can have the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was granted, by the appliance's clock.
    pub granted_at_ms: u64,
}

/// Whom a grant is for: a function's name, or the name, `@` and the one version that is meant. It holds nothing else, so that it
/// can stand in a path as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grantee {
    function: String,
    version: Option<String>,
}

impl Grantee {
    /// Reads `FUNCTION` or `FUNCTION@VERSION`; none for what names no function and version.
    pub fn parse(text: &str) -> Option<Self> {
        let (function, version) = match text.split_once('@') {
            Some((function, version)) => (function, Some(version)),
            None => (text, None),
        };
        let is_version =
            |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let holds = is_name(function) && version.is_none_or(is_version);
        holds.then(|| Self { function: function.to_owned(), version: version.map(str::to_owned) })
    }

    /// The function's name.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The one version that is meant, SHA-256 in lower-case hex; none where every version is.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl std::fmt::Display for Grantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.function),
            None => f.write_str(&self.function),
        }
    }
}

/// A secret with its versions, oldest first; the last one is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretDetails {
    /// The secret.
    #[serde(flatten)]
    pub secret: Secret,
    /// Its versions, as many as are kept.
    pub versions: Vec<SecretVersion>,
}

/// One version of a secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// Its number.
    pub version: u64,
    /// What can be done with it.
    pub state: VersionState,
    /// The value's length.
    pub value_bytes: u64,
    /// When it was set, by the appliance's clock.
    pub set_at_ms: u64,
    /// Who set it.
    pub set_by: Actor,
    /// The version whose value it has, where a rollback made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<u64>,
    /// When it ends: from then on it is given to nobody and cannot be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
    /// Until when it is kept for a rollback, where a time was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroy_at_ms: Option<u64>,
}

/// What can be done with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// Functions are given it.
    Current,
    /// A rollback can restore it.
    Kept,
    /// Its time is over.
    Expired,
    /// Its value was deleted.
    Destroyed,
}

/// Restores the value of an earlier version, as a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The version whose value is to be current again.
    pub to: u64,
    /// Only if this is the current version now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
}

/// Who did something with a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// The tenant, signed in with its own key.
    Tenant {},
    /// One of the tenant's API keys.
    ApiKey {
        /// The key's id.
        id: String,
    },
    /// A function, in one invocation.
    Function {
        /// Its name.
        name: String,
        /// Its version, SHA-256 in hex.
        version: String,
        /// The invocation, 32 hex digits: as in the answer and the receipt.
        invocation: String,
    },
    /// The appliance, because a time had come.
    Appliance {},
}

/// What was done with a secret, or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A function asked for the value.
    Read,
    /// A function was about to run in a process that was given the value in an earlier invocation.
    Held,
    /// A version was set.
    Set,
    /// An earlier version was restored, as a new one.
    Rollback,
    /// Functions were granted it.
    Grant,
    /// Functions were no longer granted it.
    Revoke,
    /// It was deleted, with all its versions.
    Delete,
    /// A version's value was deleted, because its time had come.
    Destroy,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done. Of a read: the value was given.
    Done,
    /// Refused: the function does not name the secret in its manifest.
    Undeclared,
    /// Refused: the secret is not granted to that function, or not to that version of it.
    NotGranted,
    /// Refused: the current version's time is over.
    Expired,
    /// There is no such secret.
    Absent,
}

/// One entry of a tenant's audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number in the tenant's log: from 1, without a gap.
    pub number: u64,
    /// When, by the appliance's clock.
    pub at_ms: u64,
    /// What.
    pub action: Action,
    /// The secret's name.
    pub secret: String,
    /// The secret's version that it is about; absent where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// What came of it.
    pub outcome: Outcome,
    /// Who.
    pub by: Actor,
    /// The functions that a grant or a revocation names, as `FUNCTION` or `FUNCTION@VERSION`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
}

/// What is kept of a tenant's audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLog {
    /// Entries of reads that are kept at the least, of the latest; older ones are dropped.
    pub kept: u64,
    /// The same of all other entries: reads drive out none of these.
    pub kept_changes: u64,
    /// Entries that were dropped so far. A number that is missing, up to the latest, is of one of them.
    pub dropped: u64,
    /// The entries that were asked for, oldest first.
    pub entries: Vec<AuditEntry>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grantee_is_a_name_or_a_name_and_a_version() {
        let version = "ab".repeat(32);
        let pinned = Grantee::parse(&format!("price@{version}")).unwrap();
        assert_eq!((pinned.function(), pinned.version()), ("price", Some(version.as_str())));
        assert_eq!(pinned.to_string(), format!("price@{version}"));
        assert_eq!(Grantee::parse("price").unwrap().version(), None);
        for wrong in
            ["", "@", "a/b", "price@", "price@00", &format!("price@{}", "AB".repeat(32)), "a,b", "-a"]
        {
            assert_eq!(Grantee::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn actors_have_one_form_each() {
        let text = |actor: &Actor| serde_json::to_string(actor).unwrap();
        assert_eq!(text(&Actor::Tenant {}), r#"{"kind":"tenant"}"#);
        assert_eq!(text(&Actor::ApiKey { id: "00".into() }), r#"{"kind":"api_key","id":"00"}"#);
        assert!(serde_json::from_str::<Actor>(r#"{"kind":"operator"}"#).is_err());
    }
}
