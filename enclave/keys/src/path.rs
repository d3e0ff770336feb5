//! Labelled derivation paths: one typed constructor for each purpose the root secret serves.
//!
//! This list is the whole use of the root secret: a new key gets a new constructor here, and is seen in review.
//!
//! The text form is `r3e/1/<purpose>[/<segment>]...`. Two different paths never have the same text:
//! - a purpose fixes the number and the kinds of the segments after it;
//! - bytes are two lower-case hex digits each;
//! - in a name every byte but `[A-Za-z0-9._-]` is written `%XX`, and so is a leading digit, so that a name never
//!   holds a `/`.

use std::fmt::{self, Write as _};

use crate::{error::KeyError, limits::MAX_NAME_BYTES};

/// Version 1 of the whole tree: a change to any derivation changes this prefix.
const PREFIX: &str = "r3e/1";

/// The label of one derived key. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPath(String);

impl KeyPath {
    /// `r3e/1/state`: the master of the store's own tree, which blinds the names of records and seals them, epoch by epoch.
    pub fn state() -> Self {
        Self::purpose("state")
    }

    /// `r3e/1/report`: the seed of the appliance's report key.
    pub fn report() -> Self {
        Self::purpose("report")
    }

    /// `r3e/1/witness`: the seed of the key that signs, for rollback witnesses, how far the appliance is.
    pub fn witness() -> Self {
        Self::purpose("witness")
    }

    /// `r3e/1/anchor`: the seed of the key that signs, for a contract on a chain, how far the appliance is.
    pub fn anchor() -> Self {
        Self::purpose("anchor")
    }

    /// `r3e/1/identity`: the commitment to the root secret, which is public: see [`crate::RootSecret::commitment`].
    pub(crate) fn identity() -> Self {
        Self::purpose("identity")
    }

    /// `r3e/1/wallet/<tenant>/<chain>/<id>`: the seed of a tenant's wallet key. The id is 32 random bytes that belong to one
    /// wallet alone: a number would be given again in a state that was rolled back, and with it the key to another wallet.
    ///
    /// # Errors
    /// [`KeyError::Name`] if `tenant` or `chain` is empty or over [`MAX_NAME_BYTES`].
    pub fn wallet(tenant: &str, chain: &str, id: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self::purpose("wallet").name(tenant)?.name(chain)?.bytes(id))
    }

    /// `r3e/1/oracle/<tenant>/<chain>`: the seed of the key that signs reports of a tenant's feeds for one kind of chain.
    ///
    /// # Errors
    /// [`KeyError::Name`] if `tenant` or `chain` is empty or over [`MAX_NAME_BYTES`].
    pub fn oracle(tenant: &str, chain: &str) -> Result<Self, KeyError> {
        Self::purpose("oracle").name(tenant)?.name(chain)
    }

    /// `r3e/1/random/<tenant>`: the seed of the key that a tenant's random numbers are drawn with.
    ///
    /// # Errors
    /// [`KeyError::Name`] if `tenant` is empty or over [`MAX_NAME_BYTES`].
    pub fn random(tenant: &str) -> Result<Self, KeyError> {
        Self::purpose("random").name(tenant)
    }

    /// The text form, which is what the derivation takes as its label.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn purpose(label: &'static str) -> Self {
        Self(format!("{PREFIX}/{label}"))
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.push('/');
        for byte in bytes {
            // Writing to a `String` cannot fail.
            let _ = write!(self.0, "{byte:02x}");
        }
        self
    }

    fn name(mut self, name: &str) -> Result<Self, KeyError> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(KeyError::Name { bytes: name.len(), limit: MAX_NAME_BYTES });
        }
        self.0.push('/');
        for (index, byte) in name.bytes().enumerate() {
            let plain = byte.is_ascii_alphabetic()
                || matches!(byte, b'.' | b'_' | b'-')
                || (index > 0 && byte.is_ascii_digit());
            if plain {
                self.0.push(char::from(byte));
            } else {
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
        Ok(self)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
