//! What the emulator does wrong when it is told to.

use std::sync::{Arc, Mutex};

/// One way to answer wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The answer names another key.
    WrongKeyId,
    /// The answer holds the data key in plaintext, beside what is right.
    Plaintext,
    /// The encrypted part in DER: valid BER, too, and to be taken.
    Der,
    /// The encrypted part ends early.
    Truncated,
    /// The encrypted part is larger than any.
    Oversized,
    /// The data key is encrypted by AES-128.
    OtherCipher,
    /// The content's key is encrypted by OAEP with SHA-1.
    OtherHash,
    /// The content's key is encrypted to somebody else.
    OtherRecipient,
    /// The padding of the content is wrong.
    Padding,
    /// A data key of another length.
    ShortKey,
    /// Another data key than the one of the ciphertext.
    OtherDataKey,
    /// 400, `ThrottlingException`.
    Throttled,
    /// 500, `KMSInternalException`.
    Internal,
    /// 503 with a page of HTML, as a balancer answers.
    NotJson,
    /// 307 to another host.
    Redirect,
    /// No answer, until the client gives up.
    Silent,
    /// The certificate is of an authority that nobody trusts.
    OtherAuthority,
}

/// The fault of now, and how often it is still to happen. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Option<(Fault, u32)>>>);

impl Faults {
    /// The next `times` answers have this fault.
    pub fn set(&self, fault: Fault, times: u32) {
        *self.0.lock().expect("no holder panicked") = Some((fault, times));
    }

    /// Each answer has this fault.
    pub fn always(&self, fault: Fault) {
        self.set(fault, u32::MAX);
    }

    /// Answers are right again.
    pub fn clear(&self) {
        *self.0.lock().expect("no holder panicked") = None;
    }

    /// Whether the next connection has another authority's certificate; counts as one answer.
    pub(crate) fn other_authority(&self) -> bool {
        self.take(|fault| fault == Fault::OtherAuthority).is_some()
    }

    /// The fault of the next answer.
    pub(crate) fn of_answer(&self) -> Option<Fault> {
        self.take(|fault| fault != Fault::OtherAuthority)
    }

    fn take(&self, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut standing = self.0.lock().expect("no holder panicked");
        let (fault, times) = (*standing)?;
        if !wanted(fault) {
            return None;
        }
        *standing = (times > 1).then(|| (fault, times - 1));
        Some(fault)
    }
}
