//! A record as its user sees it, and its plaintext form: address, then value.

use std::{fmt, ops::Deref, sync::Arc};

use zeroize::Zeroizing;

use crate::{limits::MAX_VALUE_BYTES, name::Namespace};

/// A record's bytes. Shared, not copied, when cloned; wiped when the last clone is dropped; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Arc<Zeroizing<Vec<u8>>>);

/// A record that was read and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its bytes.
    pub value: Value,
    /// Its version: no two writes of the whole store ever have the same one, so a version that is unchanged means
    /// a record that is unchanged.
    pub version: u64,
}

impl Value {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for Value {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(bytes))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Zeroizing::new(bytes).into()
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Value({} bytes)", self.0.len())
    }
}

/// A record's plaintext, taken apart.
pub(crate) struct Opened {
    pub(crate) namespace: Namespace,
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl Opened {
    /// Takes a plaintext apart. None if it is not of the form, which cannot happen for what this store sealed.
    pub(crate) fn parse(plaintext: &[u8]) -> Option<Self> {
        let mut rest = plaintext;
        let label = take_text(&mut rest)?;
        let tenant = take_text(&mut rest)?;
        let key = take_text(&mut rest)?;
        if rest.len() > MAX_VALUE_BYTES {
            return None;
        }
        Some(Self { namespace: Namespace::recovered(label, tenant), key: key.to_owned(), value: rest.into() })
    }
}

/// Takes a text and the length before it off the front.
pub(crate) fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (len, after) = rest.split_first_chunk::<2>()?;
    let (text, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    *rest = after;
    std::str::from_utf8(text).ok()
}
