//! Reading and writing the chain's bytes.

/// Why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// They end too early.
    #[error("the bytes end within {what}")]
    Truncated {
        /// What is not whole.
        what: &'static str,
    },
    /// Something stands behind the end.
    #[error("bytes stand behind the end")]
    Trailing,
    /// A length or number is longer than its limit.
    #[error("{what}: at most {max}")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A length is written in more bytes than it needs: nodes write the shortest form.
    #[error("a length is not written in its shortest form")]
    Length,
    /// A value that the format does not have.
    #[error("{what} has no meaning in this place")]
    Value {
        /// Which value.
        what: &'static str,
    },
    /// The same thing stands twice where each may stand once.
    #[error("{what} stands twice")]
    Repeated {
        /// What.
        what: &'static str,
    },
}

/// Bytes that are being read.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// All of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.bytes.len()
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// [`CodecError::Trailing`].
    pub fn end(&self) -> Result<(), CodecError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(CodecError::Trailing) }
    }

    /// So many bytes.
    ///
    /// # Errors
    /// [`CodecError::Truncated`].
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(CodecError::Truncated { what })?;
        self.bytes = rest;
        Ok(taken)
    }

    /// `N` bytes.
    ///
    /// # Errors
    /// [`CodecError::Truncated`].
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CodecError> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(CodecError::Truncated { what })?;
        self.bytes = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`CodecError::Truncated`].
    pub fn byte(&mut self, what: &'static str) -> Result<u8, CodecError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// A number of variable length, at most `max`, in its shortest form.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn length(&mut self, max: usize, what: &'static str) -> Result<usize, CodecError> {
        let (number, least) = match self.byte(what)? {
            0xfd => (u64::from(u16::from_le_bytes(self.array(what)?)), 0xfd),
            0xfe => (u64::from(u32::from_le_bytes(self.array(what)?)), 0x1_0000),
            0xff => (u64::from_le_bytes(self.array(what)?), 0x1_0000_0000),
            byte => (u64::from(byte), 0),
        };
        if number < least {
            return Err(CodecError::Length);
        }
        match usize::try_from(number) {
            Ok(number) if number <= max => Ok(number),
            _ => Err(CodecError::TooLong { what, max }),
        }
    }

    /// Bytes behind their length, at most `max`.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn bytes(&mut self, max: usize, what: &'static str) -> Result<&'a [u8], CodecError> {
        let length = self.length(max, what)?;
        self.take(length, what)
    }

    /// At most `max` things behind their number.
    ///
    /// # Errors
    /// [`CodecError`], those of `read` among them.
    pub fn list<T>(
        &mut self,
        max: usize,
        what: &'static str,
        mut read: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let count = self.length(max, what)?;
        // Each takes a byte at least, so that a number alone reserves no memory.
        let mut list = Vec::with_capacity(count.min(self.left()));
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }
}

/// Bytes that are being written.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Adds a number of variable length.
    pub fn length(&mut self, length: usize) -> &mut Self {
        match (u8::try_from(length), u16::try_from(length), u32::try_from(length)) {
            (Ok(byte @ 0..=0xfc), ..) => self.raw(&[byte]),
            (_, Ok(short), _) => self.raw(&[0xfd]).raw(&short.to_le_bytes()),
            (.., Ok(long)) => self.raw(&[0xfe]).raw(&long.to_le_bytes()),
            _ => self.raw(&[0xff]).raw(&(length as u64).to_le_bytes()),
        }
    }

    /// Adds bytes behind their length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len()).raw(bytes)
    }

    /// Adds things behind their number.
    pub fn list<T>(&mut self, list: &[T], mut write: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.length(list.len());
        for item in list {
            write(self, item);
        }
        self
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_form() {
        for length in [0, 1, 0xfc, 0xfd, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000] {
            let mut writer = Writer::default();
            writer.length(length);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.length(usize::MAX, "a length"), Ok(length));
            assert_eq!(reader.end(), Ok(()));
            let over = Reader::new(&bytes).length(length.wrapping_sub(1).min(length), "a length");
            assert_eq!(over.is_err(), length > 0);
            for cut in 0..bytes.len() {
                let cut = Reader::new(&bytes[..cut]).length(usize::MAX, "a length");
                assert_eq!(cut, Err(CodecError::Truncated { what: "a length" }));
            }
        }
        for long in [vec![0xfd, 0xfc, 0], vec![0xfe, 0xff, 0xff, 0, 0], vec![0xff, 1, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(Reader::new(&long).length(usize::MAX, "a length"), Err(CodecError::Length));
        }
    }
}
