//! `r3e.toml`: a function's name, entry, permissions, limits, and how its processes are used.

use r3e_proto::api::functions::{Instance, Limits, Permissions, Runtime};
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
