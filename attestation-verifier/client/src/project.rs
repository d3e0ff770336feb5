//! A function as its author keeps it: a folder, or a zip of one, with an `r3e.toml` beside its modules.
//!
//! ```toml
//! name = "price-alert"
//! runtime = "typescript"            # or "javascript", "wasm", "python", "csharp"
//! entry = "src/main.ts"
//! exclude = ["test"]                # files and folders that stay here
//!
//! [permissions]
//! secrets = ["VENUE_API_KEY"]
//! net = ["venue.example"]
//!
//! [limits]
//! timeout_ms = 3000
//!
//! [[triggers]]
//! name = "hourly"
//! cron = { schedule = "0 * * * *" }
//! ```
//!
//! Every file whose name ends in `.js`, `.mjs` or `.json`, and for TypeScript in `.ts` or `.mts`, is part of it, but for what
//! is in a folder `node_modules`, whose name begins with a dot, or that `exclude` names. Of C#, every file is whose name ends in
//! `.cs`; of WebAssembly and Python, the entry alone. Nothing else is read, and nothing is followed out of the folder.

mod error;
mod folder;
mod gathered;
mod manifest;
mod zip;

use std::collections::BTreeMap;
use std::path::Path;
use std::string::FromUtf8Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::api::functions::{Deploy, Runtime};
use r3e_proto::api::modules::CodeError;
use r3e_proto::api::triggers::Definition;

pub use error::ProjectError;
use gathered::Gathered;
pub use manifest::MANIFEST;
use manifest::Manifest;

use crate::limits::{MAX_PROJECT_BYTES, MAX_WASM_BYTES, MAX_ZIP_BYTES};

/// A function's name, and what is to be deployed under it.
#[derive(Debug, Clone)]
pub struct Project {
    /// The name that the manifest gives it.
    pub name: String,
    /// What is sent.
    pub deploy: Deploy,
    /// The triggers that it declares, by name.
    pub triggers: BTreeMap<String, Definition>,
    /// Paths of files that are no modules, or were left out: nothing of them is sent.
    pub left_out: Vec<String>,
}

impl Project {
    /// Reads a folder, or a file that is a zip.
    ///
    /// # Errors
    /// [`ProjectError`]: what is wrong with it, and where.
    pub fn read(path: &Path) -> Result<Self, ProjectError> {
        let unreadable = |source| ProjectError::Io { path: path.display().to_string(), source };
        let metadata = std::fs::symlink_metadata(path).map_err(unreadable)?;
        if metadata.is_symlink() {
            return Err(ProjectError::Symlink(path.display().to_string()));
        }
        if metadata.is_dir() {
            return Self::from_folder(path);
        }
        if metadata.len() > MAX_ZIP_BYTES {
            return Err(ProjectError::ZipSize(metadata.len()));
        }
        Self::from_zip(&std::fs::read(path).map_err(unreadable)?)
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub fn from_folder(folder: &Path) -> Result<Self, ProjectError> {
        let manifest = Manifest::parse(&folder::manifest(folder)?)?;
        let mut gathered = Gathered::new(manifest.runtime, &manifest.entry, &manifest.exclude);
        folder::gather(folder, &mut gathered)?;
        let gathered = gathered.into_parts();
        Self::of(manifest, gathered)
    }

    /// Reads the bytes of a zip.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub fn from_zip(bytes: &[u8]) -> Result<Self, ProjectError> {
        let mut archive = zip::Zip::open(bytes)?;
        let manifest = Manifest::parse(&archive.manifest()?)?;
        let mut gathered = Gathered::new(manifest.runtime, &manifest.entry, &manifest.exclude);
        archive.gather(&mut gathered)?;
        let gathered = gathered.into_parts();
        Self::of(manifest, gathered)
    }

    fn of(
        manifest: Manifest,
        (mut modules, left_out): (BTreeMap<String, String>, Vec<String>),
    ) -> Result<Self, ProjectError> {
        let Manifest { name, runtime, entry, permissions, limits, instance, triggers: declared, exclude: _ } =
            manifest;
        let code = if runtime.has_modules() {
            Deploy::modules(runtime, entry, modules)
        } else {
            let source = modules.remove(&entry).ok_or(CodeError::NoEntry(entry))?;
            Deploy { runtime, ..Deploy::javascript(source) }
        };
        let deploy = Deploy { permissions, limits, instance, ..code };
        deploy.code()?;
        let mut triggers = BTreeMap::new();
        for trigger in declared {
            let (trigger, definition) = trigger.definition(&name)?;
            if let Some(before) = triggers.insert(trigger.clone(), definition) {
                drop(before);
                return Err(ProjectError::TwoTriggers(trigger));
            }
        }
        Ok(Self { name, deploy, triggers, left_out })
    }
}

/// A single file's language, by the ending of its name.
pub fn runtime_of(path: &Path) -> Runtime {
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("ts" | "mts") => Runtime::Typescript,
        Some("wasm") => Runtime::Wasm,
        Some("py") => Runtime::Python,
        Some("cs") => Runtime::Csharp,
        _ => Runtime::Javascript,
    }
}

/// Bytes that a function's files may have together, in this language: what the appliance takes.
pub fn max_source_bytes(runtime: Runtime) -> usize {
    if runtime == Runtime::Wasm { MAX_WASM_BYTES } else { MAX_PROJECT_BYTES }
}

/// A file's bytes as the source of a function: its text, or the standard base64 of a WebAssembly module.
///
/// # Errors
/// The file is no text, and no module.
pub fn source_text(runtime: Runtime, bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
    match runtime {
        Runtime::Wasm => Ok(STANDARD.encode(bytes)),
        _ => String::from_utf8(bytes),
    }
}

#[cfg(test)]
mod tests;
