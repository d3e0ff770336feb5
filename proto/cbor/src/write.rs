//! Deterministic encoding piece by piece, for messages whose byte strings are large: they are copied once, into place.

use crate::encode::head;

/// Appends items to a buffer. What it writes is well-formed and deterministic (RFC 8949 section 4.2.1) only if each array
/// and map gets as many items as it was announced with, and map keys rise; the caller sees to that.
///
/// ```
/// let mut out = Vec::new();
/// r3e_cbor::Writer::new(&mut out).map(1).unsigned(7).bytes(b"x");
/// assert_eq!(out, [0xa1, 0x07, 0x41, b'x']);
/// ```
#[derive(Debug)]
pub struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    /// The head of a map of so many pairs.
    pub fn map(&mut self, pairs: usize) -> &mut Self {
        self.head(5, pairs as u64)
    }

    /// The head of an array of so many items.
    pub fn array(&mut self, items: usize) -> &mut Self {
        self.head(4, items as u64)
    }

    /// An integer.
    pub fn unsigned(&mut self, value: u64) -> &mut Self {
        self.head(0, value)
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(2, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// A simple value.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.0.push(if value { 0xf5 } else { 0xf4 });
        self
    }

    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        head(major, argument, self.0);
        self
    }
}
