//! A bounded reader of BER (ITU-T X.690 section 8): as much of it as AWS KMS uses, which is definite and indefinite
//! lengths, and octet strings in segments. It goes as deep as its caller's code does, and never further.

use super::cms::CmsError;
use crate::limits::MAX_BER_SEGMENTS;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, `[1]` with something inside: explicit, or implicit of a constructed type.
pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const CONTEXT_1: u8 = 0xa1;
/// `[0]` in place of a primitive tag.
pub(super) const CONTEXT_0_PRIMITIVE: u8 = 0x80;
/// The bit that says that elements are inside.
const CONSTRUCTED: u8 = 0x20;

/// Elements, one after another.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

enum Length {
    Definite(usize),
    /// Until two zero bytes.
    Indefinite,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next element must be constructed and have this tag; `inside` reads all that is in it.
    pub(super) fn constructed<T>(
        &mut self,
        tag: u8,
        inside: impl FnOnce(&mut Self) -> Result<T, CmsError>,
    ) -> Result<T, CmsError> {
        match self.header(tag)? {
            Length::Definite(length) => {
                let mut content = Self::new(self.take(length)?);
                let read = inside(&mut content)?;
                content.finish()?;
                Ok(read)
            }
            Length::Indefinite => {
                let read = inside(self)?;
                self.end_of_contents()?;
                Ok(read)
            }
        }
    }

    /// The content of the next element, which must be primitive and have this tag.
    pub(super) fn primitive(&mut self, tag: u8) -> Result<&'a [u8], CmsError> {
        match self.header(tag)? {
            Length::Definite(length) => self.take(length),
            Length::Indefinite => Err(CmsError::Form("a primitive element has no length")),
        }
    }

    /// An octet string whose tag is `tag`: whole, or in segments that are whole themselves (X.690 section 8.7.3).
    pub(super) fn octets(&mut self, tag: u8) -> Result<Vec<u8>, CmsError> {
        if self.peek() == Some(tag) {
            return Ok(self.primitive(tag)?.to_vec());
        }
        self.constructed(tag | CONSTRUCTED, |segments| {
            let mut joined = Vec::new();
            for _ in 0..MAX_BER_SEGMENTS {
                if segments.peek() != Some(OCTET_STRING) {
                    return Ok(joined);
                }
                joined.extend_from_slice(segments.primitive(OCTET_STRING)?);
            }
            Err(CmsError::Form("an octet string has too many segments"))
        })
    }

    /// The tag of the next element.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Refuses whatever is left.
    pub(super) fn finish(&self) -> Result<(), CmsError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CmsError::Form("something follows the last element")) }
    }

    fn end_of_contents(&mut self) -> Result<(), CmsError> {
        match self.take(2)? {
            [0, 0] => Ok(()),
            _ => Err(CmsError::Form("an element of indefinite length does not end where it must")),
        }
    }

    /// Identifier and length. Tags of more than one byte are in none of our formats.
    fn header(&mut self, tag: u8) -> Result<Length, CmsError> {
        if self.byte()? != tag {
            return Err(CmsError::Form("another element was expected"));
        }
        match self.byte()? {
            0x80 => Ok(Length::Indefinite),
            short @ 0..=0x7f => Ok(Length::Definite(short.into())),
            long @ 0x81..=0x83 => {
                let mut length = 0;
                for _ in 0x80..long {
                    length = length << 8 | usize::from(self.byte()?);
                }
                Ok(Length::Definite(length))
            }
            _ => Err(CmsError::Form("a length is out of all proportion")),
        }
    }

    fn byte(&mut self) -> Result<u8, CmsError> {
        self.take(1)?.first().copied().ok_or(CmsError::Truncated)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CmsError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CmsError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octet_strings_are_whole_or_in_segments() {
        for bytes in [
            &[0x04, 3, 1, 2, 3][..],
            &[0x04, 0x81, 3, 1, 2, 3],
            &[0x24, 7, 0x04, 2, 1, 2, 0x04, 1, 3],
            &[0x24, 0x80, 0x04, 1, 1, 0x04, 0, 0x04, 2, 2, 3, 0, 0],
        ] {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.octets(OCTET_STRING).unwrap(), [1, 2, 3], "{bytes:x?}");
            reader.finish().unwrap();
        }
        for bytes in [
            &[0x04][..],
            &[0x04, 3, 1, 2],
            &[0x04, 0x80, 1, 2, 0, 0],
            &[0x24, 0x80, 0x04, 1, 1],
            &[0x24, 0x80, 0x04, 1, 1, 0, 1],
            &[0x24, 0x80, 0x24, 0x80, 0x04, 1, 1, 0, 0, 0, 0],
            &[0x24, 5, 0x04, 2, 1, 2],
            &[0x24, 3, 0x02, 1, 1],
            &[0x04, 0x84, 0, 0, 0, 1, 9],
            &[0x04, 0xff, 1],
            &[0x1f, 0x04, 1, 1],
        ] {
            let mut reader = Reader::new(bytes);
            let read = reader.octets(OCTET_STRING).and_then(|octets| reader.finish().map(|()| octets));
            assert!(read.is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn segments_have_a_limit() {
        let segments = |count: usize| [&[0x24, 0x80][..], &[0x04, 1, 7].repeat(count), &[0, 0]].concat();
        let most = MAX_BER_SEGMENTS - 1;
        assert_eq!(Reader::new(&segments(most)).octets(OCTET_STRING).unwrap().len(), most);
        assert!(Reader::new(&segments(MAX_BER_SEGMENTS)).octets(OCTET_STRING).is_err());
    }

    #[test]
    fn an_element_holds_no_more_than_its_reader_takes() {
        let one = |reader: &mut Reader<'_>| reader.primitive(INTEGER).map(<[u8]>::to_vec);
        for (bytes, good) in [
            (&[0x30, 3, 2, 1, 5][..], true),
            (&[0x30, 0x80, 2, 1, 5, 0, 0], true),
            (&[0x30, 6, 2, 1, 5, 2, 1, 6], false),
            (&[0x30, 0x80, 2, 1, 5, 2, 1, 6, 0, 0], false),
            (&[0x30, 0x80, 2, 1, 5], false),
            (&[0x30, 2, 2, 1, 5], false),
            (&[0x31, 3, 2, 1, 5], false),
        ] {
            assert_eq!(Reader::new(bytes).constructed(SEQUENCE, one).is_ok(), good, "{bytes:x?}");
        }
    }
}
