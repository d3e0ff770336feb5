//! What is known of one secret beside its values, and the rules by which it changes. It knows nothing of the store: a change
//! says which values come and go, and who carries it out sees to it that all of it happens or nothing.

use r3e_proto::api::secrets::{Actor, Grant, Grantee, Secret, SecretDetails, SecretVersion, VersionState};
use serde::{Deserialize, Serialize};

use crate::limits::{MAX_SECRET_GRANTS, MAX_SECRET_VERSIONS};
use crate::service::ServiceError;

/// A secret, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// By rising number, without a gap; never empty. The last one is current.
    versions: Vec<Version>,
    grants: Vec<Grant>,
}

/// A version, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    number: u64,
    value_bytes: u64,
    set_at_ms: u64,
    set_by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restored_from: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destroy_at_ms: Option<u64>,
    /// Whether the value was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    destroyed: bool,
}

/// How the next version comes to be.
pub(super) struct Next {
    pub(super) value_bytes: u64,
    pub(super) by: Actor,
    pub(super) now_ms: u64,
    pub(super) expires_at_ms: Option<u64>,
    /// How long the earlier versions are kept from now on at the most; as long as there is room where it is absent.
    pub(super) keep_previous_ms: Option<u64>,
}

/// A secret after a change, with what else must happen in the same commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The secret, as it will be.
    pub(super) record: Record,
    /// The version whose value is written, where one is.
    pub(super) added: Option<u64>,
    /// Versions whose values are deleted.
    pub(super) removed: Vec<u64>,
    /// Times at which a version's value must go, each with the version.
    pub(super) deadlines: Vec<(u64, u64)>,
    /// Such times that have lost their meaning.
    pub(super) settled: Vec<(u64, u64)>,
}

/// What a function that asks for the current version gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// The value of this version.
    Given(u64),
    /// Nothing: it is not granted this secret.
    NotGranted(u64),
    /// Nothing: this version's time is over.
    Expired(u64),
}

impl Version {
    fn state(&self, current: u64, now_ms: u64) -> VersionState {
        let is_over = |at: Option<u64>| at.is_some_and(|at| at <= now_ms);
        if is_over(self.expires_at_ms) {
            VersionState::Expired
        } else if self.destroyed || is_over(self.destroy_at_ms) {
            VersionState::Destroyed
        } else if self.number == current {
            VersionState::Current
        } else {
            VersionState::Kept
        }
    }

    /// The times at which its value must go.
    fn deadlines(&self) -> impl Iterator<Item = (u64, u64)> {
        [self.expires_at_ms, self.destroy_at_ms].into_iter().flatten().map(|at| (at, self.number))
    }
}

impl Record {
    /// A secret's first version.
    pub(super) fn first(next: &Next) -> Change {
        Self { versions: Vec::new(), grants: Vec::new() }.with(next, None)
    }

    /// The secret with one more version, which is current from then on.
    pub(super) fn next(self, next: &Next) -> Change {
        self.with(next, None)
    }

    /// The secret with the value of an earlier version as one more version. It ends when that one would have.
    pub(super) fn restored(self, to: u64, by: Actor, now_ms: u64) -> Result<Change, ServiceError> {
        let current = self.current();
        let Some(version) = self.versions.iter().find(|version| version.number == to) else {
            return Err(ServiceError::NotFound { kind: "version", name: to.to_string() });
        };
        let conflict = |why: &str| Err(ServiceError::Conflict(format!("version {to} {why}")));
        match version.state(current, now_ms) {
            VersionState::Kept => {}
            VersionState::Current => return conflict("is the current one"),
            VersionState::Expired => return conflict("has expired; set the secret anew"),
            VersionState::Destroyed => return conflict("was destroyed, and cannot be restored"),
        }
        let next = Next {
            value_bytes: version.value_bytes,
            by,
            now_ms,
            expires_at_ms: version.expires_at_ms,
            keep_previous_ms: None,
        };
        Ok(self.with(&next, Some(to)))
    }

    fn with(mut self, next: &Next, restored_from: Option<u64>) -> Change {
        let number = self.versions.last().map_or(1, |version| version.number + 1);
        let (mut removed, mut deadlines, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(keep_ms) = next.keep_previous_ms {
            let until_ms = next.now_ms.saturating_add(keep_ms);
            for version in self.versions.iter_mut().filter(|version| !version.destroyed) {
                if keep_ms == 0 {
                    settled.extend(version.deadlines());
                    removed.push(version.number);
                    version.destroyed = true;
                } else if version.destroy_at_ms.is_none_or(|at| at > until_ms) {
                    settled.extend(version.destroy_at_ms.map(|at| (at, version.number)));
                    deadlines.push((until_ms, version.number));
                    version.destroy_at_ms = Some(until_ms);
                }
            }
        }
        self.versions.push(Version {
            number,
            value_bytes: next.value_bytes,
            set_at_ms: next.now_ms,
            set_by: next.by.clone(),
            restored_from,
            expires_at_ms: next.expires_at_ms,
            destroy_at_ms: None,
            destroyed: false,
        });
        deadlines.extend(next.expires_at_ms.map(|at| (at, number)));
        while self.versions.len() > MAX_SECRET_VERSIONS {
            let oldest = self.versions.remove(0);
            deadlines.retain(|(_, version)| *version != oldest.number);
            settled.extend(oldest.deadlines());
            if !oldest.destroyed {
                removed.push(oldest.number);
            }
        }
        Change { record: self, added: Some(number), removed, deadlines, settled }
    }

    /// The secret without the values whose time is over; none if there are none.
    pub(super) fn swept(mut self, now_ms: u64) -> Option<Change> {
        let current = self.current();
        let (mut removed, mut settled) = (Vec::new(), Vec::new());
        for version in self.versions.iter_mut().filter(|version| !version.destroyed) {
            if matches!(version.state(current, now_ms), VersionState::Expired | VersionState::Destroyed) {
                removed.push(version.number);
                settled.extend(version.deadlines());
                version.destroyed = true;
            }
        }
        let change = Change { record: self, added: None, removed, deadlines: Vec::new(), settled };
        (!change.removed.is_empty()).then_some(change)
    }

    /// All that must go when the secret does: its values, and their deadlines.
    pub(super) fn everything(&self) -> (Vec<u64>, Vec<(u64, u64)>) {
        let values = self.versions.iter().filter(|version| !version.destroyed);
        (
            values.map(|version| version.number).collect(),
            self.versions.iter().flat_map(Version::deadlines).collect(),
        )
    }

    /// Grants it to more functions. One that has it already keeps it as it is.
    ///
    /// # Errors
    /// [`ServiceError::TooMany`].
    pub(super) fn grant(&mut self, grantees: &[Grantee], now_ms: u64) -> Result<(), ServiceError> {
        for grantee in grantees {
            let (function, version) = (grantee.function(), grantee.version());
            let stands = |grant: &Grant| grant.function == function && grant.version.as_deref() == version;
            if !self.grants.iter().any(stands) {
                let (function, version) = (function.to_owned(), version.map(str::to_owned));
                self.grants.push(Grant { function, version, granted_at_ms: now_ms });
            }
        }
        if self.grants.len() > MAX_SECRET_GRANTS {
            return Err(ServiceError::TooMany { what: "grants of one secret", max: MAX_SECRET_GRANTS });
        }
        self.grants.sort_by(|a, b| (&a.function, &a.version).cmp(&(&b.function, &b.version)));
        Ok(())
    }

    /// Takes grants back: of a function's name, all that it has; of one version, that one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is none.
    pub(super) fn revoke(&mut self, grantee: &Grantee) -> Result<(), ServiceError> {
        let before = self.grants.len();
        self.grants.retain(|grant| {
            grant.function != grantee.function()
                || grantee.version().is_some_and(|version| grant.version.as_deref() != Some(version))
        });
        if self.grants.len() == before {
            return Err(ServiceError::NotFound { kind: "grant", name: grantee.to_string() });
        }
        Ok(())
    }

    /// What the version `version`, in hex, of the function `function` gets. A grant to the function's name is for what its aliases
    /// name: a version that is kept, and not in service, has what was granted to it by its digits alone. A value that this very
    /// version set itself is no news to it: it has that without a grant, until somebody else sets the next one. Another version may be
    /// whoever may deploy's.
    pub(super) fn access(&self, function: &str, version: &str, in_service: bool, now_ms: u64) -> Access {
        let granted = |grant: &Grant| {
            grant.function == function
                && grant.version.as_ref().map_or(in_service, |pinned| pinned == version)
        };
        let current = self.current();
        let set_itself = self.versions.last().is_some_and(|latest| match &latest.set_by {
            Actor::Function { name, version: setter, .. } => name == function && setter == version,
            _ => false,
        });
        if !set_itself && !self.grants.iter().any(granted) {
            return Access::NotGranted(current);
        }
        match self.versions.last().map(|latest| latest.state(current, now_ms)) {
            Some(VersionState::Current) => Access::Given(current),
            _ => Access::Expired(current),
        }
    }

    /// The current version's number.
    pub(super) fn current(&self) -> u64 {
        self.versions.last().map_or(0, |version| version.number)
    }

    /// As its tenant sees it.
    pub(super) fn shown(&self, name: &str, now_ms: u64) -> Secret {
        let current = self.versions.last();
        Secret {
            name: name.to_owned(),
            version: self.current(),
            value_bytes: current.map_or(0, |version| version.value_bytes),
            updated_at_ms: current.map_or(0, |version| version.set_at_ms),
            expires_at_ms: current.and_then(|version| version.expires_at_ms),
            expired: current
                .is_none_or(|version| version.state(version.number, now_ms) != VersionState::Current),
            grants: self.grants.clone(),
        }
    }

    /// As its tenant sees it, with its versions.
    pub(super) fn details(&self, name: &str, now_ms: u64) -> SecretDetails {
        let current = self.current();
        let versions = self.versions.iter().map(|version| SecretVersion {
            version: version.number,
            state: version.state(current, now_ms),
            value_bytes: version.value_bytes,
            set_at_ms: version.set_at_ms,
            set_by: version.set_by.clone(),
            restored_from: version.restored_from,
            expires_at_ms: version.expires_at_ms,
            destroy_at_ms: version.destroy_at_ms,
        });
        SecretDetails { secret: self.shown(name, now_ms), versions: versions.collect() }
    }
}

#[cfg(test)]
mod tests;
