//! The little of CBOR (RFC 8949) that a signature section needs, in its deterministic encoding (section 4.2.1) alone.
//! Nothing nests by the input's choice: the caller asks for what must come next.

use crate::SignatureError;

/// Major type 0: an unsigned integer.
pub(super) const UNSIGNED: u8 = 0;
/// Major type 2: a byte string.
pub(super) const BYTES: u8 = 2;
/// Major type 3: a text string.
pub(super) const TEXT: u8 = 3;
/// Major type 4: an array.
pub(super) const ARRAY: u8 = 4;
/// Major type 5: a map.
pub(super) const MAP: u8 = 5;

/// Takes items off the front of its bytes.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The head of an item: its number or length. Lengths in this format need two bytes at most.
    fn head(&mut self, major: u8) -> Result<usize, SignatureError> {
        let [first, rest @ ..] = self.rest else { return Err(malformed("it ends too early")) };
        if first >> 5 != major {
            return Err(malformed("a value has another type than it must have"));
        }
        let (number, rest) = match (first & 0x1f, rest) {
            (short @ 0..0x18, rest) => (usize::from(short), rest),
            (0x18, [byte @ (0x18..), rest @ ..]) => (usize::from(*byte), rest),
            (0x19, [high @ (1..), low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            _ => return Err(malformed("a number is too large, cut off, or not in its shortest form")),
        };
        self.rest = rest;
        Ok(number)
    }

    /// An item whose head must be this; `what` says what is wrong otherwise.
    pub(super) fn exactly(
        &mut self,
        major: u8,
        number: usize,
        what: &'static str,
    ) -> Result<(), SignatureError> {
        if self.head(major).is_ok_and(|found| found == number) { Ok(()) } else { Err(malformed(what)) }
    }

    /// This text.
    pub(super) fn text(&mut self, expected: &'static str) -> Result<(), SignatureError> {
        let len = self.head(TEXT)?;
        if self.take(len)? == expected.as_bytes() {
            Ok(())
        } else {
            Err(malformed("a field has another name than it must have"))
        }
    }

    /// A byte string of at most `max` bytes.
    pub(super) fn bytes(&mut self, max: usize) -> Result<&'a [u8], SignatureError> {
        let len = self.head(BYTES)?;
        if len > max { Err(malformed("a byte string is too long")) } else { self.take(len) }
    }

    /// An array of at most `max` integers, each a byte; `what` says what is wrong if there are more.
    pub(super) fn integers(&mut self, max: usize, what: &'static str) -> Result<Vec<u8>, SignatureError> {
        let len = self.head(ARRAY)?;
        if len > max {
            return Err(malformed(what));
        }
        let byte = |number| u8::try_from(number).map_err(|_| malformed("an integer is no byte"));
        (0..len).map(|_| self.head(UNSIGNED).and_then(byte)).collect()
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), SignatureError> {
        if self.rest.is_empty() { Ok(()) } else { Err(malformed("bytes follow behind the end")) }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], SignatureError> {
        let (front, rest) = self.rest.split_at_checked(len).ok_or_else(|| malformed("it ends too early"))?;
        self.rest = rest;
        Ok(front)
    }
}

/// Writes the head of an item in its shortest form.
pub(super) fn head(out: &mut Vec<u8>, major: u8, number: usize) {
    let major = major << 5;
    match u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes() {
        [0, 0, 0, 0, 0, 0, 0, byte @ 0..0x18] => out.push(major | byte),
        [0, 0, 0, 0, 0, 0, 0, byte] => out.extend([major | 0x18, byte]),
        [0, 0, 0, 0, 0, 0, high, low] => out.extend([major | 0x19, high, low]),
        [0, 0, 0, 0, a, b, c, d] => out.extend([major | 0x1a, a, b, c, d]),
        all => {
            out.push(major | 0x1b);
            out.extend(all);
        }
    }
}

pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    head(out, TEXT, text.len());
    out.extend(text.as_bytes());
}

pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    head(out, BYTES, bytes.len());
    out.extend(bytes);
}

/// Bytes as an array of integers.
pub(super) fn integers(out: &mut Vec<u8>, bytes: &[u8]) {
    head(out, ARRAY, bytes.len());
    for byte in bytes {
        head(out, UNSIGNED, usize::from(*byte));
    }
}

const fn malformed(what: &'static str) -> SignatureError {
    SignatureError::Malformed { what }
}
