//! Which appliance was seen and accepted where, for the library: kept in a file.

use r3e_client::{Address, Appliance, ApplianceMemory, ApplianceMemoryError};

use crate::error::CliError;
use crate::known::Known;
use crate::output::note;

/// The file of known appliances.
#[derive(Debug)]
pub(crate) struct KnownAppliances(pub(crate) Known<64>);

impl ApplianceMemory for KnownAppliances {
    fn known(&self, address: &Address) -> Result<Option<Appliance>, ApplianceMemoryError> {
        Ok(self.0.find(address).map_err(failed)?.map(appliance))
    }

    fn remember_first(
        &self,
        address: &Address,
        found: &Appliance,
    ) -> Result<Appliance, ApplianceMemoryError> {
        let first = appliance(self.0.remember_first(address, &bytes(found)).map_err(failed)?);
        if first == *found {
            note(&format!(
                "r3e: first connection to {address}: it is the appliance {}, which is remembered in {}, and no other is \
                 accepted there",
                hex::encode(found.identity),
                self.0.path().display()
            ));
        }
        Ok(first)
    }

    fn replace(&self, address: &Address, found: &Appliance) -> Result<(), ApplianceMemoryError> {
        self.0.replace(address, &bytes(found)).map_err(failed)
    }
}

/// Identity, then report key.
fn bytes(appliance: &Appliance) -> [u8; 64] {
    let mut bytes = [0; 64];
    let (identity, key) = bytes.split_at_mut(32);
    identity.copy_from_slice(&appliance.identity);
    key.copy_from_slice(&appliance.report_key);
    bytes
}

fn appliance(bytes: [u8; 64]) -> Appliance {
    let (mut identity, mut report_key) = ([0; 32], [0; 32]);
    let (first, second) = bytes.split_at(32);
    identity.copy_from_slice(first);
    report_key.copy_from_slice(second);
    Appliance { identity, report_key }
}

fn failed(error: CliError) -> ApplianceMemoryError {
    ApplianceMemoryError(Box::new(error))
}
