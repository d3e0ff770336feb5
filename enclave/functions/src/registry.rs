//! Deployed functions, in the sealed store. It knows nothing of runners: it takes what one has loaded already.
//!
//! | namespace of the tenant | key | value |
//! |---|---|---|
//! | `functions` | name | the function's description, JSON |
//! | `function-sources` | name, `/`, version in hex | the module's text |
//! | `function-values` | name, `/`, the function's own key | what the function stores |

use r3e_proto::api::functions::Function;
use r3e_proto::api::identity::TenantId;
use r3e_proto::limits::MAX_COMMIT_RECORDS;
use r3e_store::{Namespace, Store, StoreError, Value, Write};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::check::Loadable;
use crate::definition::Definition;
use crate::limits::MAX_FUNCTIONS;
use crate::values::Values;
use r3e_proto::function_version::Version;

/// The functions of all tenants.
pub struct Registry {
    store: Store,
    /// Held from the count to the commit, so that two deployments at once cannot both take the last place.
    deploying: Mutex<()>,
}

/// A function as it is invoked.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// What tenants are shown of it.
    pub function: Function,
    /// Its version, as bytes.
    pub version: Version,
    /// Shared with the store's cache: many that wait for a runner hold one copy.
    source: Value,
}

/// What a deployment did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The function that stands now.
    pub function: Function,
    /// The one that stood before under its name, if it was another version.
    pub replaced: Option<Function>,
}

/// Why the registry did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The tenant has no such function.
    #[error("there is no function {0:?}")]
    NotFound(String),
    /// The tenant has as many functions as it may.
    #[error("a tenant has at most {MAX_FUNCTIONS} functions; delete one first")]
    TooMany,
    /// It was deployed or deleted by someone else meanwhile.
    #[error("the function {0:?} changed meanwhile; look at it, and decide again")]
    Changed(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record that the store vouches for, and that this release cannot read.
    #[error("the record of the function {name:?} is of another release")]
    Record {
        /// The function.
        name: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A record whose version is no SHA-256 in hex.
    #[error("the record of the function {0:?} names no version")]
    Version(String),
    /// A source that the store vouches for, and that is no text.
    #[error("the source of the function {0:?} is not text")]
    Source(String),
}

/// Times that a read meets a deployment between the description and the source.
const MAX_READ_TRIES: usize = 4;
/// Deletions in one batch beside the description's and the source's.
const DELETIONS_AT_ONCE: usize = MAX_COMMIT_RECORDS - 24;

impl Deployed {
    /// The module's text.
    ///
    /// # Errors
    /// [`RegistryError::Source`] if this release's own record is no text.
    pub fn source(&self) -> Result<&str, RegistryError> {
        let not_text = |_| RegistryError::Source(self.function.name.clone());
        std::str::from_utf8(self.source.as_bytes()).map_err(not_text)
    }
}

impl Registry {
    /// The registry in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, deploying: Mutex::new(()) }
    }

    /// Stores a function that a runner has loaded, over an older version of the same name. The same version again is
    /// no write. What the function stored is kept.
    ///
    /// # Errors
    /// [`RegistryError::TooMany`], [`RegistryError::Changed`]; the store's.
    pub async fn deploy(
        &self,
        tenant: TenantId,
        loadable: Loadable,
        now_ms: u64,
    ) -> Result<Deployment, RegistryError> {
        let definition = loadable.into_definition();
        let name = definition.name();
        let spaces = Spaces::of(tenant)?;
        let _turn = self.deploying.lock().await;
        let older = self.find(&spaces, name).await?;
        let function = describe(&definition, now_ms);
        let description = serde_json::to_vec(&function).map_err(|error| unreadable(name, error))?;
        let description = Write::put(&spaces.functions, name, description);
        let source =
            Write::put(&spaces.sources, &source_key(name, &function.version), definition.source().as_bytes());
        let writes = match &older {
            None => {
                if self.store.scan(&spaces.functions, "", None, MAX_FUNCTIONS)?.len() >= MAX_FUNCTIONS {
                    return Err(RegistryError::TooMany);
                }
                vec![source, description.if_absent()]
            }
            Some((older, _)) if older.version == function.version => {
                return Ok(Deployment { function: older.clone(), replaced: None });
            }
            Some((older, record_version)) => vec![
                source,
                description.if_version(*record_version),
                Write::delete(&spaces.sources, &source_key(name, &older.version)),
            ],
        };
        self.commit(name, writes).await?;
        Ok(Deployment { function, replaced: older.map(|(older, _)| older) })
    }

    /// The tenant's functions, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, tenant: TenantId) -> Result<Vec<Function>, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let mut functions = Vec::new();
        for listed in self.store.scan(&spaces.functions, "", None, MAX_FUNCTIONS)? {
            functions.extend(self.find(&spaces, &listed.key).await?.map(|(function, _)| function));
        }
        Ok(functions)
    }

    /// One function's description.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, name: &str) -> Result<Function, RegistryError> {
        let found = self.find(&Spaces::of(tenant)?, name).await?;
        found.map(|(function, _)| function).ok_or_else(|| RegistryError::NotFound(name.to_owned()))
    }

    /// One function with its source.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::Changed`]; the store's.
    pub async fn load(&self, tenant: TenantId, name: &str) -> Result<Deployed, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        for _ in 0..MAX_READ_TRIES {
            let found = self.find(&spaces, name).await?;
            let (function, _) = found.ok_or_else(|| RegistryError::NotFound(name.to_owned()))?;
            // A deployment between the two reads takes the older source away with the older description.
            let record = self.store.get(&spaces.sources, &source_key(name, &function.version)).await?;
            let Some(record) = record else { continue };
            let mut version = Version::default();
            hex::decode_to_slice(&function.version, &mut version)
                .map_err(|_| RegistryError::Version(name.to_owned()))?;
            return Ok(Deployed { function, version, source: record.value });
        }
        Err(RegistryError::Changed(name.to_owned()))
    }

    /// Deletes a function with its source and what it stored, and says what it was. An invocation that is under way may store something
    /// after that, which a later function of the same name would find.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::Changed`]; the store's. The function stands until the last of it
    /// goes: after any of these errors, delete it again.
    pub async fn delete(&self, tenant: TenantId, name: &str) -> Result<Function, RegistryError> {
        let spaces = Spaces::of(tenant)?;
        let _turn = self.deploying.lock().await;
        let found = self.find(&spaces, name).await?;
        let (function, _) = found.ok_or_else(|| RegistryError::NotFound(name.to_owned()))?;
        let values = Values::of(&self.store, tenant, name)?;
        let mut writes = values.some_deletions(DELETIONS_AT_ONCE)?;
        while writes.len() == DELETIONS_AT_ONCE {
            self.commit(name, writes).await?;
            writes = values.some_deletions(DELETIONS_AT_ONCE)?;
        }
        writes.push(Write::delete(&spaces.functions, name));
        writes.push(Write::delete(&spaces.sources, &source_key(name, &function.version)));
        self.commit(name, writes).await?;
        Ok(function)
    }

    async fn find(&self, spaces: &Spaces, name: &str) -> Result<Option<(Function, u64)>, RegistryError> {
        let Some(record) = self.store.get(&spaces.functions, name).await? else { return Ok(None) };
        let function =
            serde_json::from_slice(record.value.as_bytes()).map_err(|error| unreadable(name, error))?;
        Ok(Some((function, record.version)))
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

fn describe(definition: &Definition, now_ms: u64) -> Function {
    Function {
        name: definition.name().to_owned(),
        version: hex::encode(definition.version()),
        runtime: definition.runtime(),
        permissions: definition.permissions().clone(),
        limits: *definition.limits(),
        source_bytes: definition.source().len() as u64,
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
