//! Ethereum's Recursive Length Prefix, writing alone (Yellow Paper, appendix B): a header is hashed in it. Nothing here reads it.

/// A list that is being written.
#[derive(Default)]
pub(super) struct List(Vec<u8>);

impl List {
    /// Adds a string of bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        match bytes {
            [byte] if *byte < 0x80 => self.0.push(*byte),
            _ => {
                head(&mut self.0, 0x80, bytes.len());
                self.0.extend_from_slice(bytes);
            }
        }
        self
    }

    /// The list with its own head.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + 9);
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
