//! `r3e.toml`: a function's name, entry, permissions, limits, how its processes are used, and its triggers.

use r3e_proto::api::functions::{Instance, Limits, Permissions, Runtime};
use r3e_proto::api::jobs::RetryPolicy;
use r3e_proto::api::triggers::{Chain, Cron, Definition, Http, Price, Source, Topic};
use serde::Deserialize;

use super::ProjectError;

/// The manifest's name, at the root of a project.
pub const MANIFEST: &str = "r3e.toml";

/// The manifest as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) runtime: Runtime,
    pub(super) entry: String,
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    #[serde(default)]
    pub(super) permissions: Permissions,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) instance: Instance,
    #[serde(default)]
    pub(super) triggers: Vec<DeclaredTrigger>,
}

/// A trigger as a manifest has it: of the function itself, so that it names none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredTrigger {
    name: String,
    /// An alias of the function's; `prod` where it is absent.
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    cron: Option<Cron>,
    #[serde(default)]
    http: Option<Http>,
    #[serde(default)]
    event: Option<Topic>,
    #[serde(default)]
    chain: Option<Chain>,
    #[serde(default)]
    price: Option<Price>,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default)]
    transform: Option<String>,
    #[serde(default)]
    policy: RetryPolicy,
    #[serde(default)]
    keep_ms: Option<u64>,
}

impl DeclaredTrigger {
    /// Its name, and what it is for `function`.
    ///
    /// # Errors
    /// [`ProjectError::Trigger`]: not exactly one source.
    pub(super) fn definition(self, function: &str) -> Result<(String, Definition), ProjectError> {
        let Self { name, alias, cron, http, event, chain, price, filter, transform, policy, keep_ms } = self;
        let Ok(source) = Source::one_of(cron, http, event, chain, price) else {
            return Err(ProjectError::Trigger(name));
        };
        let target = alias.map_or_else(|| function.to_owned(), |alias| format!("{function}@{alias}"));
        let declared_by = Some(function.to_owned());
        let definition = Definition {
            function: target,
            source,
            filter,
            transform,
            policy,
            keep_ms,
            declared_by,
            made_by: None,
        };
        Ok((name, definition))
    }
}

impl Manifest {
    /// Reads one.
    ///
    /// # Errors
    /// [`ProjectError::Manifest`], with the line.
    pub(super) fn parse(text: &str) -> Result<Self, ProjectError> {
        Ok(toml::from_str(text)?)
    }
}
