//! A compiled module as text, which is what a record of a function and a load carry: deflated, then in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use thiserror::Error;

use crate::limits::MAX_ARTEFACT_BYTES;

/// How hard to deflate: beyond it, twice the time saves one part in fifty.
const LEVEL: u8 = 6;

/// Why a text is no compiled module.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArtefactError {
    /// Not base64.
    #[error("a compiled module that is not base64")]
    Base64(#[from] base64::DecodeError),
    /// Not deflated, or longer than a module may be.
    #[error("a compiled module that does not inflate to at most {MAX_ARTEFACT_BYTES} bytes")]
    Deflate,
    /// Machine code that is too long to keep.
    #[error("the module compiles to {0} bytes of machine code, more than {MAX_ARTEFACT_BYTES}")]
    TooLong(usize),
}

/// The text of machine code.
///
/// # Errors
/// [`ArtefactError::TooLong`].
pub fn encode(code: &[u8]) -> Result<String, ArtefactError> {
    if code.len() > MAX_ARTEFACT_BYTES {
        return Err(ArtefactError::TooLong(code.len()));
    }
    Ok(STANDARD.encode(compress_to_vec(code, LEVEL)))
}

/// The machine code of a text. That it is what a compiler made, is not for this to find.
///
/// # Errors
/// [`ArtefactError::Base64`], [`ArtefactError::Deflate`].
pub fn decode(text: &str) -> Result<Vec<u8>, ArtefactError> {
    let deflated = STANDARD.decode(text)?;
    decompress_to_vec_with_limit(&deflated, MAX_ARTEFACT_BYTES).map_err(|_| ArtefactError::Deflate)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(code in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(decode(&encode(&code).unwrap()).unwrap(), code);
        }

        #[test]
        fn whatever_is_read_is_bounded(text in "[A-Za-z0-9+/]{0,256}={0,2}") {
            prop_assert!(decode(&text).map_or(0, |code| code.len()) <= MAX_ARTEFACT_BYTES);
        }
    }

    #[test]
    fn what_inflates_without_end_is_refused() {
        let zeros = STANDARD.encode(compress_to_vec(&vec![0; MAX_ARTEFACT_BYTES + 1], LEVEL));
        assert!(zeros.len() < 64 * 1024);
        assert!(matches!(decode(&zeros), Err(ArtefactError::Deflate)));
        assert!(matches!(encode(&vec![0; MAX_ARTEFACT_BYTES + 1]), Err(ArtefactError::TooLong(_))));
        assert!(matches!(decode("="), Err(ArtefactError::Base64(_))));
    }
}
