//! The container of snarkjs' binary files: sections of a type and a length, little-endian.

use crate::ProverError;

/// Bytes that are taken from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(what: &'static str, rest: &'a [u8]) -> Self {
        Self { what, rest }
    }

    pub(crate) fn wrong(&self, why: &'static str) -> ProverError {
        ProverError::Form { what: self.what, why }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], ProverError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.wrong("it is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<u32, ProverError> {
        let taken = self.take(4)?;
        taken.try_into().map(u32::from_le_bytes).map_err(|_| self.wrong("it is cut short"))
    }

    /// What is left, as pieces of one length, exactly so many.
    pub(crate) fn pieces(
        &self,
        count: u32,
        of: usize,
    ) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, ProverError> {
        let bytes = usize::try_from(count).ok().and_then(|count| count.checked_mul(of));
        if bytes != Some(self.rest.len()) || of == 0 {
            return Err(self.wrong("a section has another length than its contents"));
        }
        Ok(self.rest.chunks_exact(of))
    }

    pub(crate) fn end(&self) -> Result<(), ProverError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.wrong("a section is longer than its contents")) }
    }
}

/// A file's sections, each at most once, by their types from 1.
pub(crate) struct Sections<'a, const N: usize> {
    what: &'static str,
    found: [Option<&'a [u8]>; N],
}

impl<'a, const N: usize> Sections<'a, N> {
    /// Those of a file of this magic and version.
    pub(crate) fn read(
        what: &'static str,
        file: &'a [u8],
        magic: [u8; 4],
        version: u32,
    ) -> Result<Self, ProverError> {
        let mut bytes = Bytes::new(what, file);
        if bytes.take(4)? != magic.as_slice() {
            return Err(bytes.wrong("it begins otherwise"));
        }
        if bytes.number()? != version {
            return Err(bytes.wrong("it is of another version"));
        }
        let count = bytes.number()?;
        let mut found = [None; N];
        if usize::try_from(count).unwrap_or(usize::MAX) > N {
            return Err(bytes.wrong("it has too many sections"));
        }
        for _ in 0..count {
            let kind = usize::try_from(bytes.number()?).unwrap_or(usize::MAX);
            let length = u64::from(bytes.number()?) | u64::from(bytes.number()?) << 32;
            let length = usize::try_from(length).map_err(|_| bytes.wrong("it is cut short"))?;
            let section = bytes.take(length)?;
            let place = kind.checked_sub(1).and_then(|kind| found.get_mut(kind));
            let place = place.ok_or_else(|| bytes.wrong("it has a section of an unknown type"))?;
            if place.replace(section).is_some() {
                return Err(bytes.wrong("it has a section twice"));
            }
        }
        bytes.end()?;
        Ok(Self { what, found })
    }

    pub(crate) fn section(&self, kind: usize) -> Result<Bytes<'a>, ProverError> {
        let found = kind.checked_sub(1).and_then(|kind| self.found.get(kind)).copied().flatten();
        let section = found.ok_or(ProverError::Form { what: self.what, why: "a section is missing" })?;
        Ok(Bytes::new(self.what, section))
    }
}
