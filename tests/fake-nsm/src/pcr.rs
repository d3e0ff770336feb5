//! The bank of Platform Configuration Registers, as the hardware keeps it.

use std::collections::BTreeSet;

use r3e_attester::ErrorCode;
use sha2::{Digest, Sha384};

/// The number of PCRs.
pub const MAX_PCRS: u16 = 32;

/// The PCRs from 0 that the hypervisor has locked before the enclave starts.
pub const FIXED_PCRS: u16 = 16;

/// Size of a PCR: the bank is SHA-384.
pub const PCR_BYTES: usize = 48;

/// The value of a PCR that was extended once, from zero, by the SHA-384 of `content`, which is how
/// an image's parts are measured into PCR 0, 1 and 2.
pub fn measured(content: &[u8]) -> [u8; PCR_BYTES] {
    extended(&[0; PCR_BYTES], &Sha384::digest(content))
}

fn extended(value: &[u8; PCR_BYTES], data: &[u8]) -> [u8; PCR_BYTES] {
    Sha384::new().chain_update(value).chain_update(data).finalize().into()
}

#[derive(Debug, Clone, Copy)]
struct Register {
    value: [u8; PCR_BYTES],
    locked: bool,
}

/// 32 registers; the first 16 are locked from the start.
#[derive(Debug, Clone)]
pub(crate) struct PcrBank {
    registers: Vec<Register>,
}

impl PcrBank {
    pub(crate) fn boot(fixed: &[[u8; PCR_BYTES]; FIXED_PCRS as usize]) -> Self {
        let locked = fixed.iter().map(|value| Register { value: *value, locked: true });
        let free = std::iter::repeat(Register { value: [0; PCR_BYTES], locked: false });
        Self { registers: locked.chain(free).take(usize::from(MAX_PCRS)).collect() }
    }

    /// The lock and the value of a register.
    pub(crate) fn describe(&self, index: u16) -> Result<(bool, [u8; PCR_BYTES]), ErrorCode> {
        let register = self.registers.get(usize::from(index)).ok_or(ErrorCode::InvalidIndex)?;
        Ok((register.locked, register.value))
    }

    pub(crate) fn extend(&mut self, index: u16, data: &[u8]) -> Result<[u8; PCR_BYTES], ErrorCode> {
        let register = self.unlocked(index)?;
        register.value = extended(&register.value, data);
        Ok(register.value)
    }

    /// Locks one register; one that is locked already refuses, as on hardware.
    pub(crate) fn lock(&mut self, index: u16) -> Result<(), ErrorCode> {
        self.unlocked(index)?.locked = true;
        Ok(())
    }

    /// Locks the registers below `range`; those that are locked already do not mind.
    pub(crate) fn lock_below(&mut self, range: u16) -> Result<(), ErrorCode> {
        let below = self.registers.get_mut(..usize::from(range)).ok_or(ErrorCode::InvalidIndex)?;
        for register in below {
            register.locked = true;
        }
        Ok(())
    }

    /// The locked registers, in order: those that documents show.
    pub(crate) fn locked(&self) -> impl Iterator<Item = (u16, [u8; PCR_BYTES])> {
        (0_u16..)
            .zip(&self.registers)
            .filter(|(_, register)| register.locked)
            .map(|(i, register)| (i, register.value))
    }

    pub(crate) fn locked_indices(&self) -> BTreeSet<u16> {
        self.locked().map(|(index, _)| index).collect()
    }

    fn unlocked(&mut self, index: u16) -> Result<&mut Register, ErrorCode> {
        match self.registers.get_mut(usize::from(index)) {
            None => Err(ErrorCode::InvalidIndex),
            Some(register) if register.locked => Err(ErrorCode::ReadOnlyIndex),
            Some(register) => Ok(register),
        }
    }
}
