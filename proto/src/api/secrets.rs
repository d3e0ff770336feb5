//! Secrets: set and listed, read by functions alone.

use serde::{Deserialize, Serialize};

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The value's length.
    pub value_bytes: u64,
    /// When it was last set, by the appliance's clock.
    pub updated_at_ms: u64,
}
