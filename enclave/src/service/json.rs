//! Records of services as JSON: the store seals bytes and knows no forms.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ServiceError;

pub(crate) fn encode(record: &impl Serialize) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(record)
        .map_err(|error| ServiceError::Internal(format!("a record cannot be written: {error}")))
}

/// Reads a record that this appliance wrote; the store has verified that it is the one.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ServiceError::Internal(format!("a record of another release cannot be read: {error}"))
    })
}
