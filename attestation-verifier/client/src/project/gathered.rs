//! What is part of a function, wherever it is gathered from. Pure: paths and texts come from outside.

use std::collections::BTreeMap;

use r3e_proto::api::functions::Runtime;
use r3e_proto::api::modules::{ModuleKind, is_module_path};

use super::{MANIFEST, ProjectError, max_source_bytes, source_text};
use crate::limits::MAX_PROJECT_MODULES;

/// The folder of packages that are not bundled.
const PACKAGES: &str = "node_modules";

/// The modules so far.
#[derive(Debug)]
pub(super) struct Gathered<'a> {
    runtime: Runtime,
    entry: &'a str,
    exclude: &'a [String],
    modules: BTreeMap<String, String>,
    left_out: Vec<String>,
    bytes: usize,
}

impl<'a> Gathered<'a> {
    /// What the manifest's runtime, entry and exclusions leave.
    pub(super) fn new(runtime: Runtime, entry: &'a str, exclude: &'a [String]) -> Self {
        Self { runtime, entry, exclude, modules: BTreeMap::new(), left_out: Vec::new(), bytes: 0 }
    }

    /// Whether a folder, or a file, is not looked at.
    pub(super) fn passes_over(&self, path: &str) -> bool {
        let hidden = path.split('/').any(|part| part.starts_with('.') || part == PACKAGES);
        hidden || self.exclude.iter().any(|excluded| is_below(path, excluded.trim_end_matches('/')))
    }

    /// How many bytes the file at `path` may have, if it is a module; none if it is none.
    ///
    /// # Errors
    /// [`ProjectError::Path`] for a module whose path cannot be one.
    pub(super) fn wants(&mut self, path: &str) -> Result<Option<usize>, ProjectError> {
        let is_part = match ModuleKind::of(path) {
            _ if !self.runtime.has_modules() => path == self.entry,
            Some(ModuleKind::CSharp) => self.runtime == Runtime::Csharp,
            _ if self.runtime == Runtime::Csharp => false,
            Some(ModuleKind::JavaScript | ModuleKind::Json) => true,
            Some(ModuleKind::TypeScript | ModuleKind::Declarations) => self.runtime == Runtime::Typescript,
            None => false,
        };
        if self.passes_over(path) || !is_part {
            if path != MANIFEST {
                self.left_out.push(path.to_owned());
            }
            return Ok(None);
        }
        if !is_module_path(path) {
            return Err(ProjectError::Path(path.to_owned()));
        }
        if self.modules.len() >= MAX_PROJECT_MODULES {
            return Err(ProjectError::TooManyModules);
        }
        Ok(Some(max_source_bytes(self.runtime) - self.bytes))
    }

    /// Takes a module that [`Self::wants`] wanted.
    ///
    /// # Errors
    /// [`ProjectError::TooLarge`], [`ProjectError::NotText`], [`ProjectError::Duplicate`].
    pub(super) fn take(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), ProjectError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        let max_bytes = max_source_bytes(self.runtime);
        if self.bytes > max_bytes {
            return Err(ProjectError::TooLarge { path: path.to_owned(), max_bytes });
        }
        let text = source_text(self.runtime, bytes).map_err(|_| ProjectError::NotText(path.to_owned()))?;
        match self.modules.insert(path.to_owned(), text) {
            None => Ok(()),
            Some(_) => Err(ProjectError::Duplicate(path.to_owned())),
        }
    }

    /// The modules, and the paths that were left out.
    pub(super) fn into_parts(self) -> (BTreeMap<String, String>, Vec<String>) {
        (self.modules, self.left_out)
    }
}

/// Whether a path is `above`, or lies in it.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
