//! Deployed functions, in the sealed store. It knows nothing of runners: it takes what one has loaded already.
//!
//! | namespace of the tenant | key | value |
//! |---|---|---|
//! | `functions` | name | the function's versions and aliases ([`record`]), JSON |
//! | `function-sources` | name, `/`, version in hex | what is kept of the version's code ([`crate::compiled`]), if one record holds it |
//! | | the same, `/`, digest, `/`, number | a part of it, if none does ([`parts`]) |
//! | `function-values` | name, `/`, the function's own key | what the function stores |

mod error;
mod parsed;
mod parts;
mod record;
mod split;
mod versions;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, Weak};

use r3e_proto::api::functions::Function;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Cause, PROD, Promotion, Reference, Target};
use r3e_proto::limits::MAX_COMMIT_RECORDS;
use r3e_store::{Namespace, Store, StoreError, Value, Write};
use tokio::sync::Mutex;

use self::parsed::Parsed;
use self::parts::{CLEARED_AT_ONCE, Joined, Parts};
use self::record::{Record, Size};
use crate::check::Loadable;
use crate::compiled::runnable;
use crate::definition::{Definition, Sources};
use crate::limits::MAX_FUNCTIONS;
use crate::values::Values;
use r3e_proto::function_version::Version;

pub use error::RegistryError;
pub use record::By;
pub use split::Draw;

/// The functions of all tenants.
pub struct Registry {
    store: Store,
    parsed: Parsed,
    joined: Joined,
    /// Of each tenant, held from the count to the commit: two deployments at once cannot both take the last place, nor one clear away
    /// what the other has put and not counted yet.
    turns: std::sync::Mutex<HashMap<TenantId, Weak<Mutex<()>>>>,
}

/// A function as it is invoked.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// What tenants are shown of it.
    pub function: Function,
    /// Its version, as bytes.
    pub version: Version,
    /// Whether an alias names this version: what is granted to the function's name is granted to versions in service alone.
    pub in_service: bool,
    source: Source,
}

/// A version's code, shared: many that wait for a runner hold one copy.
#[derive(Debug, Clone)]
enum Source {
    /// With the store's cache.
    Whole(Value),
    /// To be joined when it is wanted: it takes as much memory as some hundred events.
    InParts(Parts),
}

/// What a runner loads.
#[derive(Debug, Clone)]
pub struct Runnable(Text);

#[derive(Debug, Clone)]
enum Text {
    /// So much of a record, from its beginning.
    Whole(Value, usize),
    Joined(parts::Code),
}

/// What a deployment did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The version that was deployed.
    pub function: Function,
    /// As of [`Changed::retired`].
    pub retired: Vec<Function>,
}

/// What a change of versions or aliases did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// What stands now.
    pub now: T,
    /// Versions that aliases named before and none names now, and those that are gone: their runners are to be ended.
    pub retired: Vec<Function>,
}

/// Times that a read meets a deployment between the description and the source.
const MAX_READ_TRIES: usize = 4;
/// Deletions in one batch beside the description's, the sources' and their parts'.
const DELETIONS_AT_ONCE: usize = MAX_COMMIT_RECORDS - 40 - CLEARED_AT_ONCE;

impl Runnable {
    /// Its text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // It was looked at when this was made.
            Text::Whole(record, bytes) => record
                .as_bytes()
                .get(..*bytes)
                .and_then(|text| std::str::from_utf8(text).ok())
                .unwrap_or_default(),
            Text::Joined(code) => code,
        }
    }
}

impl AsRef<str> for Runnable {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Deployed {
    /// What a runner loads, where one record holds it; nothing where it has to be joined ([`Registry::runnable`]).
    ///
    /// # Errors
    /// [`RegistryError::Source`], [`RegistryError::Program`] if this release's own record is no text, or no program.
    pub(crate) fn whole(&self) -> Result<Option<Runnable>, RegistryError> {
        let Source::Whole(record) = &self.source else { return Ok(None) };
        let name = || self.function.name.clone();
        let text = std::str::from_utf8(record.as_bytes()).map_err(|_| RegistryError::Source(name()))?;
        let runs = runnable(text).map_err(|source| RegistryError::Program { name: name(), source })?;
        Ok(Some(Runnable(Text::Whole(record.clone(), runs.len()))))
    }
}

impl Registry {
    /// The registry in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, parsed: Parsed::new(), joined: Joined::new(), turns: std::sync::Mutex::default() }
    }

    /// Deploys in the tenant's own name, and moves `prod` ([`Self::deploy_as`]).
    ///
    /// # Errors
    /// As of [`Self::deploy_as`].
    pub async fn deploy(
        &self,
        tenant: TenantId,
        loadable: Loadable,
        now_ms: u64,
    ) -> Result<Deployment, RegistryError> {
        let by = By { actor: Actor::Tenant {}, now_ms };
        self.deploy_as(tenant, loadable, &Promotion::default(), &by).await
    }

    /// Keeps a version of a function that a runner has loaded, beside the earlier ones, and moves an alias to it as
    /// `promotion` says. Content that is kept already is the same version. Where there is no room, the oldest versions of the
    /// function go that no alias names and no rollback leads to. What the function stored is kept.
    ///
    /// # Errors
    /// [`RegistryError::TooMany`], [`RegistryError::TooManyVersions`], [`RegistryError::AliasMoved`],
    /// [`RegistryError::AliasName`], [`RegistryError::TooManyAliases`], [`RegistryError::Changed`]; the store's.
    pub async fn deploy_as(
        &self,
        tenant: TenantId,
        loadable: Loadable,
        promotion: &Promotion,
        by: &By,
    ) -> Result<Deployment, RegistryError> {
        let (definition, code) = loadable.into_parts();
        let name = definition.name();
        let spaces = Spaces::of(tenant)?;
        let turn = self.turn(tenant);
        let _turn = turn.lock().await;
        let found = self.find(&spaces, tenant, name).await?;
        let before = found.as_ref().map(|(record, _)| &**record);
        // What an earlier one left behind goes first, so that it cannot add up.
        self.commit_any(name, self.uncounted(&spaces, name, before)?).await?;
        let function = describe(&definition, by.now_ms);
        let version = function.version.clone();
        let mut record = if let Some((record, _)) = &found {
            let mut record = Record::clone(record);
            record.keep(function);
            record
        } else {
            // Before anything else of it stands, so that no alias is set of a function that is not there.
            let expected = promotion.if_revision.unwrap_or_default();
            if promotion.alias.as_deref().unwrap_or(PROD) == PROD && expected > 0 {
                return Err(RegistryError::AliasMoved { alias: PROD.to_owned(), expected, found: 0 });
            }
            Record::first(function, by)
        };
        if promotion.promote.unwrap_or(true) {
            let alias = promotion.alias.as_deref().unwrap_or(PROD);
            let is_set = found.is_none() && alias == PROD;
            if !is_set {
                let target = Target { version: version.clone(), canary: None };
                record.point(alias, &target, promotion.if_revision, Cause::Deploy, by)?;
            }
        }
        let dropped = record.make_room(&version, self.size_of_others(&spaces, tenant, name).await?)?;
        let mut writes: Vec<Write> = dropped
            .iter()
            .map(|gone| Write::delete(&spaces.sources, &source_key(name, &gone.version)))
            .collect();
        let is_other = !self.has_code(&spaces, name, &version, before, &code).await?;
        if is_other {
            let parts = self.put_parts(&spaces, name, &version, &code).await?;
            let key = source_key(name, &version);
            writes.push(match &parts {
                Some(_) => Write::delete(&spaces.sources, &key),
                None => Write::put(&spaces.sources, &key, code.as_bytes()),
            });
            record.set_code(&version, parts);
        }
        writes.extend(self.uncounted(&spaces, name, Some(&record))?);
        let function = record.version(&version)?.clone();
        let was_there = before.is_some_and(|before| before.version(&version).is_ok());
        let mut retired = self.replace(&spaces, name, found, record, writes).await?;
        if is_other && was_there && !retired.iter().any(|gone| gone.version == version) {
            // It runs other machine code from here on.
            retired.push(function.clone());
        }
        Ok(Deployment { function, retired })
    }

    /// Whether a version that is kept has this very code: a compiler of another release makes other machine code of the same
    /// source.
    async fn has_code(
        &self,
        spaces: &Spaces,
        name: &str,
        version: &str,
        before: Option<&Record>,
        code: &str,
    ) -> Result<bool, RegistryError> {
        let Some(before) = before.filter(|before| before.version(version).is_ok()) else { return Ok(false) };
        if let Some(parts) = before.code(version) {
            return parts::is_in(Some(parts), name, code);
        }
        let whole = self.store.get(&spaces.sources, &source_key(name, version)).await?;
        Ok(whole.is_some_and(|whole| whole.value.as_bytes() == code.as_bytes()))
    }

    /// What a runner loads of a version; nothing where it was dropped meanwhile.
    ///
    /// # Errors
    /// [`RegistryError::Source`], [`RegistryError::Program`]; the store's.
    pub async fn runnable(
        &self,
        tenant: TenantId,
        deployed: &Deployed,
    ) -> Result<Option<Runnable>, RegistryError> {
        let Source::InParts(parts) = &deployed.source else { return deployed.whole() };
        let Function { name, version, .. } = &deployed.function;
        let joined = self.join(tenant, name, version, parts).await?;
        Ok(joined.map(|code| Runnable(Text::Joined(code))))
    }

    /// The tenant's functions as `prod` has them, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, tenant: TenantId) -> Result<Vec<Function>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let mut functions = Vec::new();
        for listed in self.store.scan(&spaces.functions, "", None, MAX_FUNCTIONS)? {
            if let Some((record, _)) = self.find(&spaces, tenant, &listed.key).await? {
                functions.push(in_prod(&record)?);
            }
        }
        Ok(functions)
    }

    /// The names of a tenant's functions, from memory.
    ///
    /// # Errors
    /// The store's.
    pub fn names(&self, tenant: TenantId) -> Result<Vec<String>, RegistryError> {
        let listed = self.store.scan(&Spaces::of(tenant)?.functions, "", None, MAX_FUNCTIONS)?;
        Ok(listed.into_iter().map(|listed| listed.key).collect())
    }

    /// Whether a tenant has a function of this name, from memory. Not while the store is not read.
    pub fn is_there(&self, tenant: TenantId, name: &str) -> bool {
        let found = Spaces::of(tenant).and_then(|spaces| self.store.scan(&spaces.functions, name, None, 1));
        // A name comes before those that it begins.
        found.is_ok_and(|listed| listed.first().is_some_and(|first| first.key == name))
    }

    /// One function's description as `prod` has it.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, name: &str) -> Result<Function, RegistryError> {
        in_prod(&self.existing(&Spaces::of(tenant)?, tenant, name).await?.0)
    }

    /// The version that is meant; of a split, the one that `draw` falls on.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::NoAlias`], [`RegistryError::NoVersion`],
    /// [`RegistryError::AmbiguousVersion`], [`RegistryError::Changed`]; the store's.
    pub async fn load(
        &self,
        tenant: TenantId,
        reference: &Reference,
        draw: Draw<'_>,
    ) -> Result<Deployed, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let name = reference.function();
        for _ in 0..MAX_READ_TRIES {
            let (record, _) = self.existing(&spaces, tenant, name).await?;
            let function = record.resolve(reference.at(), |canary, percent| {
                draw.is_for_canary(tenant, name, canary, percent)
            })?;
            // A deployment between the two reads may have dropped the version.
            let source = match record.code(&function.version) {
                Some(parts) => Source::InParts(parts.clone()),
                None => match self.store.get(&spaces.sources, &source_key(name, &function.version)).await? {
                    Some(found) => Source::Whole(found.value),
                    None => continue,
                },
            };
            let mut version = Version::default();
            hex::decode_to_slice(&function.version, &mut version)
                .map_err(|_| RegistryError::Version(name.to_owned()))?;
            let in_service = record.named().contains(function.version.as_str());
            return Ok(Deployed { function: function.clone(), version, in_service, source });
        }
        Err(RegistryError::Changed(name.to_owned()))
    }

    /// Deletes a function with all its versions and what it stored, and says what it was. An invocation that is under way may store something
    /// after that, which a later function of the same name would find.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::Changed`]; the store's. The function stands until the last of it
    /// goes: after any of these errors, delete it again.
    pub async fn delete(&self, tenant: TenantId, name: &str) -> Result<Vec<Function>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let turn = self.turn(tenant);
        let _turn = turn.lock().await;
        let found = self.find(&spaces, tenant, name).await?;
        // A first deployment that did not come to its end left them, of a function that never was.
        let Some((record, _)) = found else {
            self.commit_any(name, self.uncounted(&spaces, name, None)?).await?;
            return Err(RegistryError::NotFound(name.to_owned()));
        };
        self.commit_any(name, self.uncounted(&spaces, name, Some(&record))?).await?;
        let values = Values::of(&self.store, tenant, name)?;
        let mut writes = values.some_deletions(DELETIONS_AT_ONCE)?;
        while writes.len() == DELETIONS_AT_ONCE {
            self.commit(name, writes).await?;
            writes = values.some_deletions(DELETIONS_AT_ONCE)?;
        }
        writes.push(Write::delete(&spaces.functions, name));
        let sources = record.versions().iter().map(|kept| source_key(name, &kept.version));
        writes.extend(sources.map(|key| Write::delete(&spaces.sources, &key)));
        writes.extend(self.uncounted(&spaces, name, None)?);
        self.commit(name, writes).await?;
        self.joined.forget(tenant, name);
        Ok(record.versions().to_vec())
    }

    /// What the versions of the tenant's functions take, but for one.
    async fn size_of_others(
        &self,
        spaces: &Spaces,
        tenant: TenantId,
        name: &str,
    ) -> Result<Size, RegistryError> {
        let listed = self.store.scan(&spaces.functions, "", None, MAX_FUNCTIONS)?;
        let others = listed.iter().filter(|listed| listed.key != name);
        if others.clone().count() == listed.len() && listed.len() >= MAX_FUNCTIONS {
            return Err(RegistryError::TooMany);
        }
        let mut size = Size::default();
        for other in others {
            if let Some((record, _)) = self.find(spaces, tenant, &other.key).await? {
                size = size.and(record.size());
            }
        }
        Ok(size)
    }

    /// Puts a record in the place of the one that was found, with the other writes that belong to it. Gives the versions whose
    /// runners are to be ended.
    async fn replace(
        &self,
        spaces: &Spaces,
        name: &str,
        found: Option<(Arc<Record>, u64)>,
        record: Record,
        mut writes: Vec<Write>,
    ) -> Result<Vec<Function>, RegistryError> {
        let put = |version: Option<u64>| {
            let text = serde_json::to_vec(&record).map_err(|error| unreadable(name, error))?;
            let put = Write::put(&spaces.functions, name, text);
            Ok::<_, RegistryError>(match version {
                Some(version) => put.if_version(version),
                None => put.if_absent(),
            })
        };
        let Some((before, version)) = found else {
            writes.push(put(None)?);
            self.commit(name, writes).await?;
            return Ok(Vec::new());
        };
        if *before == record && writes.is_empty() {
            return Ok(Vec::new());
        }
        writes.push(put(Some(version))?);
        self.commit(name, writes).await?;
        let in_service = record.named();
        let kept: BTreeSet<&str> = record.versions().iter().map(|kept| kept.version.as_str()).collect();
        let were = before.named();
        let retired = before.versions().iter().filter(|version| {
            let version = version.version.as_str();
            !kept.contains(version) || (were.contains(version) && !in_service.contains(version))
        });
        Ok(retired.cloned().collect())
    }

    async fn existing(
        &self,
        spaces: &Spaces,
        tenant: TenantId,
        name: &str,
    ) -> Result<(Arc<Record>, u64), RegistryError> {
        let found = self.find(spaces, tenant, name).await?;
        found.ok_or_else(|| RegistryError::NotFound(name.to_owned()))
    }

    /// A function's record, and the store's version of it.
    async fn find(
        &self,
        spaces: &Spaces,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<(Arc<Record>, u64)>, RegistryError> {
        let Some(found) = self.store.get(&spaces.functions, name).await? else { return Ok(None) };
        let record = self.parsed.of(tenant, name, &found).map_err(|error| unreadable(name, error))?;
        Ok(Some((record, found.version)))
    }

    /// A tenant's turn to change what it has deployed.
    fn turn(&self, tenant: TenantId) -> Arc<Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&tenant).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(tenant, Arc::downgrade(&turn));
        turn
    }

    async fn commit_any(&self, name: &str, writes: Vec<Write>) -> Result<(), RegistryError> {
        if writes.is_empty() { Ok(()) } else { self.commit(name, writes).await }
    }

    async fn commit(&self, name: &str, writes: Vec<Write>) -> Result<(), RegistryError> {
        match self.store.batch(writes).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict { .. }) => Err(RegistryError::Changed(name.to_owned())),
            Err(error) => Err(error.into()),
        }
    }
}

struct Spaces {
    functions: Namespace,
    sources: Namespace,
}

impl Spaces {
    fn of(tenant: TenantId) -> Result<Self, StoreError> {
        let tenant = tenant.to_string();
        Ok(Self {
            functions: Namespace::of_tenant("functions", &tenant)?,
            sources: Namespace::of_tenant("function-sources", &tenant)?,
        })
    }
}

fn in_prod(record: &Record) -> Result<Function, RegistryError> {
    record.version(&record.alias(PROD)?.target.version).cloned()
}

fn describe(definition: &Definition, now_ms: u64) -> Function {
    let (entry, modules) = match definition.sources() {
        Sources::Single(_) => (None, Vec::new()),
        Sources::Several { entry, modules } => (Some(entry.clone()), modules.keys().cloned().collect()),
    };
    Function {
        name: definition.name().to_owned(),
        version: hex::encode(definition.version()),
        runtime: definition.runtime(),
        permissions: definition.permissions().clone(),
        limits: *definition.limits(),
        instance: definition.instance(),
        source_bytes: definition.source_bytes() as u64,
        entry,
        modules,
        deployed_at_ms: now_ms,
    }
}

fn source_key(name: &str, version: &str) -> String {
    format!("{name}/{version}")
}

fn unreadable(name: &str, source: serde_json::Error) -> RegistryError {
    RegistryError::Record { name: name.to_owned(), source }
}

#[cfg(test)]
mod tests;
