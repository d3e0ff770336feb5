//! A function's record: the versions that are kept, the aliases that point at them, and what may be done to both. It knows
//! nothing of stores.

use std::collections::{BTreeMap, BTreeSet};

use r3e_proto::api::functions::Function;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Alias, At, Cause, FunctionVersion, Move, PROD, Target, is_alias_name};
use serde::{Deserialize, Serialize};

use super::error::RegistryError;
use super::parts::Parts;
use crate::limits::{
    MAX_ALIAS_MOVES, MAX_ALIASES, MAX_VERSIONS, MAX_VERSIONS_BYTES, MAX_VERSIONS_OF_TENANT,
    MAX_VERSIONS_OF_TENANT_BYTES,
};

/// A function with its versions and aliases. The alias [`PROD`] is always there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// By their first deployment, the oldest first.
    versions: Vec<Function>,
    /// The moves of each alias, the oldest first. None is empty.
    aliases: BTreeMap<String, Vec<Move>>,
    /// The highest revision that any of its aliases ever had.
    revision: u64,
    /// Where the code of a version is that one record does not hold. None of a version that is not kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    codes: BTreeMap<String, Parts>,
}

/// Who does something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// When, by the appliance's clock.
    pub now_ms: u64,
}

/// What versions take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) versions: usize,
    pub(super) bytes: u64,
}

impl Record {
    /// A function that is deployed for the first time.
    pub(super) fn first(function: Function, by: &By) -> Self {
        let target = Target { version: function.version.clone(), canary: None };
        let mut record =
            Self { versions: vec![function], aliases: BTreeMap::new(), revision: 0, codes: BTreeMap::new() };
        record.moved(PROD, target, Cause::Deploy, None, by);
        record
    }

    /// Keeps a version beside the others; one that is kept already stays as it is.
    pub(super) fn keep(&mut self, function: Function) {
        if !self.versions.iter().any(|kept| kept.version == function.version) {
            self.versions.push(function);
        }
    }

    /// Drops versions until all bounds hold, where the tenant's other functions take `others`: the oldest that no alias names,
    /// that no rollback leads to, and that is not `latest`. Gives those that were dropped.
    ///
    /// # Errors
    /// [`RegistryError::TooManyVersions`] where none is left to drop.
    pub(super) fn make_room(&mut self, latest: &str, others: Size) -> Result<Vec<Function>, RegistryError> {
        let mut dropped = Vec::new();
        while !self.size().fits(others) {
            let needed: BTreeSet<&str> = self
                .named()
                .into_iter()
                .chain(
                    self.aliases
                        .values()
                        .filter_map(|moves| before(moves))
                        .flat_map(|before| versions_of(&before.target)),
                )
                .collect();
            let oldest = self
                .versions
                .iter()
                .position(|kept| kept.version != latest && !needed.contains(kept.version.as_str()));
            match oldest {
                Some(at) => dropped.push(self.take_out(at)),
                None => return Err(RegistryError::TooManyVersions),
            }
        }
        Ok(dropped)
    }

    /// Where the codes are that are in parts, by version.
    pub(super) fn codes(&self) -> impl Iterator<Item = (&str, &Parts)> {
        self.codes.iter().map(|(version, parts)| (version.as_str(), parts))
    }

    /// Where a version's code is, if it is in parts.
    pub(super) fn code(&self, version: &str) -> Option<&Parts> {
        self.codes.get(version)
    }

    /// Says where a version's code is; nothing where one record holds it.
    pub(super) fn set_code(&mut self, version: &str, parts: Option<Parts>) {
        match parts {
            Some(parts) => self.codes.insert(version.to_owned(), parts),
            None => self.codes.remove(version),
        };
    }

    /// What its versions take.
    pub(super) fn size(&self) -> Size {
        let bytes = self.versions.iter().fold(0_u64, |sum, kept| sum.saturating_add(kept.source_bytes));
        Size { versions: self.versions.len(), bytes }
    }

    /// The versions that an alias names, by itself or as part of a split: those that are in service.
    pub(super) fn named(&self) -> BTreeSet<&str> {
        self.aliases
            .values()
            .filter_map(|moves| moves.last())
            .flat_map(|latest| versions_of(&latest.target))
            .collect()
    }

    /// All versions, the oldest first.
    pub(super) fn versions(&self) -> &[Function] {
        &self.versions
    }

    /// All versions with the aliases that name them, the oldest first.
    pub(super) fn listed(&self) -> Vec<FunctionVersion> {
        let naming = |version: &str| {
            let names = |moves: &[Move]| {
                moves.last().is_some_and(|latest| versions_of(&latest.target).any(|named| named == version))
            };
            self.aliases.iter().filter(|(_, moves)| names(moves)).map(|(alias, _)| alias.clone()).collect()
        };
        let listed = |function: &Function| FunctionVersion {
            function: function.clone(),
            aliases: naming(&function.version),
        };
        self.versions.iter().map(listed).collect()
    }

    /// The version whose digits begin so.
    ///
    /// # Errors
    /// [`RegistryError::NoVersion`]; [`RegistryError::AmbiguousVersion`].
    pub(super) fn version(&self, digits: &str) -> Result<&Function, RegistryError> {
        let mut found = self.versions.iter().filter(|kept| kept.version.starts_with(digits));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(RegistryError::NoVersion(digits.to_owned())),
            (Some(_), Some(_)) => Err(RegistryError::AmbiguousVersion(digits.to_owned())),
        }
    }

    /// The version that is meant, where `choose` decides between the two of a split: whether the event goes to the canary.
    ///
    /// # Errors
    /// [`RegistryError::NoAlias`]; those of [`Self::version`].
    pub(super) fn resolve(
        &self,
        at: &At,
        choose: impl FnOnce(&str, u8) -> bool,
    ) -> Result<&Function, RegistryError> {
        let alias = match at {
            At::Version(digits) => return self.version(digits),
            At::Alias(alias) => alias,
        };
        let Target { version, canary } = &self.current(alias)?.target;
        match canary {
            Some(canary) if choose(&canary.version, canary.percent) => self.version(&canary.version),
            _ => self.version(version),
        }
    }

    /// An alias.
    ///
    /// # Errors
    /// [`RegistryError::NoAlias`].
    pub(super) fn alias(&self, name: &str) -> Result<Alias, RegistryError> {
        let latest = self.current(name)?;
        let moves = self.aliases.get(name).cloned().unwrap_or_default();
        Ok(Alias { name: name.to_owned(), target: latest.target.clone(), revision: latest.revision, moves })
    }

    /// All aliases, by name.
    pub(super) fn all_aliases(&self) -> Vec<Alias> {
        self.aliases.keys().filter_map(|name| self.alias(name).ok()).collect()
    }

    /// Points an alias at kept versions. Nothing moves where it points there already.
    ///
    /// # Errors
    /// [`RegistryError::AliasName`], [`RegistryError::Split`], [`RegistryError::AliasMoved`], [`RegistryError::TooManyAliases`];
    /// those of [`Self::version`].
    pub(super) fn point(
        &mut self,
        name: &str,
        target: &Target,
        if_revision: Option<u64>,
        cause: Cause,
        by: &By,
    ) -> Result<(), RegistryError> {
        if !is_alias_name(name) {
            return Err(RegistryError::AliasName(name.chars().take(64).collect()));
        }
        self.expect(name, if_revision)?;
        let mut target = target.clone();
        target.version.clone_from(&self.version(&target.version)?.version);
        if let Some(canary) = &mut target.canary {
            canary.version.clone_from(&self.version(&canary.version)?.version);
            if !(1..=99).contains(&canary.percent) || canary.version == target.version {
                return Err(RegistryError::Split);
            }
        }
        if !self.aliases.contains_key(name) && self.aliases.len() >= MAX_ALIASES {
            return Err(RegistryError::TooManyAliases);
        }
        if self.current(name).is_ok_and(|latest| latest.target == target) {
            return Ok(());
        }
        self.moved(name, target, cause, None, by);
        Ok(())
    }

    /// Points an alias at what it pointed at before the move that brought it where it is. A second rollback goes one further
    /// back, and never to what the first one left.
    ///
    /// # Errors
    /// [`RegistryError::NoAlias`], [`RegistryError::AliasMoved`], [`RegistryError::NothingBefore`];
    /// [`RegistryError::NoVersion`] where the version was removed since.
    pub(super) fn roll_back(
        &mut self,
        name: &str,
        if_revision: Option<u64>,
        by: &By,
    ) -> Result<(), RegistryError> {
        self.current(name)?;
        self.expect(name, if_revision)?;
        let moves = self.aliases.get(name).map(Vec::as_slice).unwrap_or_default();
        let earlier = before(moves).ok_or_else(|| RegistryError::NothingBefore(name.to_owned()))?.clone();
        for version in versions_of(&earlier.target) {
            self.version(version)?;
        }
        let restored = earlier.restored.unwrap_or(earlier.revision);
        self.moved(name, earlier.target, Cause::Rollback, Some(restored), by);
        Ok(())
    }

    /// Removes an alias, with what is remembered of its moves.
    ///
    /// # Errors
    /// [`RegistryError::NoAlias`], [`RegistryError::AliasMoved`], [`RegistryError::ProdStays`].
    pub(super) fn remove_alias(&mut self, name: &str, if_revision: Option<u64>) -> Result<(), RegistryError> {
        self.current(name)?;
        self.expect(name, if_revision)?;
        if name == PROD {
            return Err(RegistryError::ProdStays);
        }
        self.aliases.remove(name);
        Ok(())
    }

    /// Removes a version that no alias names.
    ///
    /// # Errors
    /// [`RegistryError::InUse`]; those of [`Self::version`].
    pub(super) fn remove_version(&mut self, digits: &str) -> Result<Function, RegistryError> {
        let version = self.version(digits)?.version.clone();
        let names = |moves: &[Move]| {
            moves.last().is_some_and(|latest| versions_of(&latest.target).any(|named| named == version))
        };
        if let Some((alias, _)) = self.aliases.iter().find(|(_, moves)| names(moves)) {
            return Err(RegistryError::InUse { version, alias: alias.clone() });
        }
        let at = self.versions.iter().position(|kept| kept.version == version);
        at.map(|at| self.take_out(at)).ok_or(RegistryError::NoVersion(version))
    }

    fn take_out(&mut self, at: usize) -> Function {
        let gone = self.versions.remove(at);
        self.codes.remove(&gone.version);
        gone
    }

    fn current(&self, name: &str) -> Result<&Move, RegistryError> {
        let latest = self.aliases.get(name).and_then(|moves| moves.last());
        latest.ok_or_else(|| RegistryError::NoAlias(name.to_owned()))
    }

    fn expect(&self, name: &str, if_revision: Option<u64>) -> Result<(), RegistryError> {
        let found = self.current(name).map_or(0, |latest| latest.revision);
        match if_revision {
            Some(expected) if expected != found => {
                Err(RegistryError::AliasMoved { alias: name.to_owned(), expected, found })
            }
            _ => Ok(()),
        }
    }

    fn moved(&mut self, name: &str, target: Target, cause: Cause, restored: Option<u64>, by: &By) {
        self.revision += 1;
        let moves = self.aliases.entry(name.to_owned()).or_default();
        moves.push(Move {
            revision: self.revision,
            target,
            cause,
            at_ms: by.now_ms,
            by: by.actor.clone(),
            restored,
        });
        if moves.len() > MAX_ALIAS_MOVES {
            moves.remove(0);
        }
    }
}

impl Size {
    /// Whether a function of this size fits beside the tenant's others.
    fn fits(self, others: Self) -> bool {
        self.versions <= MAX_VERSIONS
            && self.bytes <= MAX_VERSIONS_BYTES
            && self.versions.saturating_add(others.versions) <= MAX_VERSIONS_OF_TENANT
            && self.bytes.saturating_add(others.bytes) <= MAX_VERSIONS_OF_TENANT_BYTES
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            versions: self.versions.saturating_add(other.versions),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// The move whose target a rollback restores: the one before the move that made the target what it is now, which a rollback is
/// not.
fn before(moves: &[Move]) -> Option<&Move> {
    let latest = moves.last()?;
    let made = latest.restored.unwrap_or(latest.revision);
    moves.iter().rev().find(|earlier| earlier.revision < made && earlier.target != latest.target)
}

fn versions_of(target: &Target) -> impl Iterator<Item = &str> {
    std::iter::once(target.version.as_str()).chain(target.canary.iter().map(|canary| canary.version.as_str()))
}

#[cfg(test)]
mod tests;
