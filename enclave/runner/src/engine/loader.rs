//! The module loader: a function is one module, and imports nothing.

use deno_core::error::ModuleLoaderError;
use deno_core::{
    ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleSpecifier, ResolutionKind,
};

/// Knows the function's own module, and refuses every import: static, dynamic, or by `import.meta.resolve`.
pub(super) struct NoImports {
    /// The function's module.
    pub(super) main: ModuleSpecifier,
}

impl ModuleLoader for NoImports {
    fn resolve(
        &self,
        specifier: &str,
        _referrer: &str,
        kind: ResolutionKind,
    ) -> Result<ModuleSpecifier, ModuleLoaderError> {
        if kind == ResolutionKind::MainModule && specifier == self.main.as_str() {
            return Ok(self.main.clone());
        }
        Err(refusal())
    }

    fn load(
        &self,
        _specifier: &ModuleSpecifier,
        _referrer: Option<&ModuleLoadReferrer>,
        _options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        ModuleLoadResponse::Sync(Err(refusal()))
    }
}

fn refusal() -> ModuleLoaderError {
    ModuleLoaderError::type_error("a function is one module: bundle what it imports into it")
}
