//! Keys from passwords, at a cost that is bounded before it is paid.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use scrypt::Params;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ImportError;
use crate::KeyError;
use crate::limits::{MAX_PBKDF2_ITERATIONS, MAX_SALT_BYTES, MAX_SCRYPT_MEMORY_BYTES, MAX_SCRYPT_WORK};

/// scrypt's parameters (RFC 7914), as files say them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Scrypt {
    pub(super) n: u64,
    pub(super) r: u32,
    pub(super) p: u32,
}

impl Scrypt {
    /// What NEP-2 says.
    pub(super) const NEP2: Self = Self { n: 16_384, r: 8, p: 8 };

    /// Derives `N` bytes.
    pub(super) fn derive<const N: usize>(
        &self,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Box<Zeroizing<[u8; N]>>, ImportError> {
        let params = self.checked()?;
        let mut out = Box::new(Zeroizing::new([0; N]));
        scrypt::scrypt(password, bounded(salt)?, &params, out.as_mut_slice())
            .map_err(|_| KeyError::Library { operation: "derive a key from a password" })?;
        Ok(out)
    }

    /// The library's parameters, if the work is within the limits. It takes 128·r·(n + p) bytes and time in n·r·p.
    fn checked(&self) -> Result<Params, ImportError> {
        let (r, p) = (u64::from(self.r), u64::from(self.p));
        let memory = self.n.checked_add(p).and_then(|blocks| blocks.checked_mul(r)?.checked_mul(128));
        let work = self.n.checked_mul(r).and_then(|work| work.checked_mul(p));
        let within = self.n > 1
            && self.n.is_power_of_two()
            && memory.is_some_and(|bytes| bytes <= MAX_SCRYPT_MEMORY_BYTES)
            && work.is_some_and(|work| (1..=MAX_SCRYPT_WORK).contains(&work));
        let log_n = u8::try_from(self.n.trailing_zeros()).unwrap_or(u8::MAX);
        if !within {
            return Err(ImportError::Scrypt);
        }
        Params::new(log_n, self.r, self.p).map_err(|_| ImportError::Scrypt)
    }
}

/// PBKDF2 with HMAC-SHA-256 (RFC 8018).
pub(super) fn pbkdf2_sha256<const N: usize>(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Result<Box<Zeroizing<[u8; N]>>, ImportError> {
    let iterations = NonZeroU32::new(iterations)
        .filter(|iterations| iterations.get() <= MAX_PBKDF2_ITERATIONS)
        .ok_or(ImportError::Pbkdf2)?;
    let mut out = Box::new(Zeroizing::new([0; N]));
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, bounded(salt)?, password, out.as_mut_slice());
    Ok(out)
}

fn bounded(salt: &[u8]) -> Result<&[u8], ImportError> {
    if salt.len() > MAX_SALT_BYTES {
        return Err(ImportError::TooLong { what: "the salt", max: MAX_SALT_BYTES });
    }
    Ok(salt)
}
