//! A ramdisk of an image that nobody vouches for, as tools show it.

use std::borrow::Cow;

use r3e_eif_format::cpio::Archive;
use r3e_eif_format::packing::{self, PackingError};

/// A ramdisk, unpacked if it was packed.
pub(crate) struct Ramdisk<'a>(Result<Cow<'a, [u8]>, PackingError>);

impl<'a> Ramdisk<'a> {
    /// Of the bytes that lie in the image.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(packing::unpack(bytes))
    }

    /// What is in it, or why that cannot be shown.
    pub(crate) fn archive(&self) -> Result<Archive<'_>, String> {
        match &self.0 {
            Ok(bytes) => Archive::decode(bytes).map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        }
    }

    /// What it comes to when unpacked, where it was packed.
    pub(crate) fn unpacked_bytes(&self) -> Option<usize> {
        match &self.0 {
            Ok(Cow::Owned(bytes)) => Some(bytes.len()),
            _ => None,
        }
    }
}
