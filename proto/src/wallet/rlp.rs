//! Ethereum's Recursive Length Prefix, writing alone (Yellow Paper, appendix B). Nothing here reads RLP: transactions and blocks'
//! headers come as fields.

/// A list that is being written.
#[derive(Default)]
pub struct List(Vec<u8>);

impl List {
    /// Adds a string of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        match bytes {
            [byte] if *byte < 0x80 => self.0.push(*byte),
            _ => {
                head(&mut self.0, 0x80, bytes.len());
                self.0.extend_from_slice(bytes);
            }
        }
        self
    }

    /// Adds a number: big-endian without leading zeros, so that 0 is the empty string.
    pub fn number(&mut self, number: impl Into<u128>) -> &mut Self {
        self.big_endian(&number.into().to_be_bytes())
    }

    /// Adds a number of any width.
    pub fn big_endian(&mut self, bytes: &[u8]) -> &mut Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.bytes(bytes.get(zeros..).unwrap_or_default())
    }

    /// Adds a list.
    pub fn list(&mut self, inner: &Self) -> &mut Self {
        head(&mut self.0, 0xc0, inner.0.len());
        self.0.extend_from_slice(&inner.0);
        self
    }

    /// The list with its own head, behind `before`.
    pub fn finish(&self, before: &[u8]) -> Vec<u8> {
        let mut out = before.to_vec();
        head(&mut out, 0xc0, self.0.len());
        out.extend_from_slice(&self.0);
        out
    }
}

/// A length, in one byte up to 55, else behind the number of its bytes.
fn head(out: &mut Vec<u8>, base: u8, length: usize) {
    if let Ok(short @ 0..=55) = u8::try_from(length) {
        out.push(base + short);
        return;
    }
    let bytes = length.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    // At most eight bytes of length.
    out.push(base + 55 + u8::try_from(bytes.len()).unwrap_or(8));
    out.extend_from_slice(bytes);
}
