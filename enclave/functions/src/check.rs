//! What may be deployed: a definition that a runner has loaded.

use crate::definition::Definition;

/// A definition whose module a runner has loaded: it parses, evaluates and exports a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loadable(Definition);

impl Loadable {
    pub(crate) fn into_definition(self) -> Definition {
        self.0
    }

    /// Passes for loaded what no runner has seen.
    #[cfg(test)]
    pub(crate) fn unchecked(definition: Definition) -> Self {
        Self(definition)
    }
}
