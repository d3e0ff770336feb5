//! Deterministic encoding read piece by piece, for messages whose byte strings are large: they are lent, not copied.

/// Reads items off the front of a message of a known form. Takes shortest heads and definite lengths only, as
/// [`crate::decode_canonical`] does; that keys rise, and that nothing is left, is the caller's to see to. Says none for
/// anything else: the decoder proper knows why.
///
/// ```
/// let mut scan = r3e_cbor::Scanner::new(&[0xa1, 0x07, 0x41, b'x']);
/// assert_eq!((scan.map(), scan.unsigned(), scan.bytes()), (Some(1), Some(7), Some(&b"x"[..])));
/// assert!(scan.is_at_end());
/// ```
#[derive(Debug, Clone)]
pub struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    /// At the first item of `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The head of a map: how many pairs. Each has two bytes at least, so it is no more than half of the message.
    pub fn map(&mut self) -> Option<usize> {
        self.count(5, 2)
    }

    /// The head of an array: how many items. Each has a byte at least, so it is no more than the message has.
    pub fn array(&mut self) -> Option<usize> {
        self.count(4, 1)
    }

    /// An integer that is not negative.
    pub fn unsigned(&mut self) -> Option<u64> {
        self.head(0)
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.head(2)?).ok()?;
        self.take(length)
    }

    /// A byte string of a fixed length.
    pub fn array_of_bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }

    /// A truth value.
    pub fn bool(&mut self) -> Option<bool> {
        match self.take(1)? {
            [0xf4] => Some(false),
            [0xf5] => Some(true),
            _ => None,
        }
    }

    /// Whether the whole message was read.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn count(&mut self, major: u8, bytes_each: usize) -> Option<usize> {
        let count = usize::try_from(self.head(major)?).ok()?;
        (count <= self.0.len() / bytes_each).then_some(count)
    }

    fn head(&mut self, major: u8) -> Option<u64> {
        let first = *self.take(1)?.first()?;
        if first >> 5 != major {
            return None;
        }
        let (argument, below) = match first & 0x1f {
            info @ 0..=23 => (u64::from(info), 0),
            24 => (u64::from(u8::from_be_bytes(self.chunk()?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.chunk()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.chunk()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.chunk()?), 1 << 32),
            _ => return None,
        };
        (argument >= below).then_some(argument)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}
