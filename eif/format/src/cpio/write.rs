//! Writes an archive.

use super::path::TRAILER;
use super::record::{CHARACTER_DEVICE, DIRECTORY, FILE, Header, SYMLINK, padding};
use super::{Archive, CpioError, Entry, Node};
use crate::limits::MAX_IMAGE_BYTES;

impl Archive<'_> {
    /// The archive's bytes. Their number is a multiple of four, as the kernel needs it if another archive follows.
    ///
    /// # Errors
    /// [`CpioError::MissingParent`], if an entry's directory is not an entry; [`CpioError::TooLong`], if the archive
    /// would not fit an image.
    pub fn encode(&self) -> Result<Vec<u8>, CpioError> {
        self.check_parents()?;
        let total: usize = self.entries().map(|(path, entry)| size(path, entry.content().len())).sum();
        if total > MAX_IMAGE_BYTES {
            return Err(CpioError::TooLong);
        }
        let mut out = Vec::with_capacity(total + size(TRAILER, 0));
        for (inode, (path, entry)) in (1..).zip(self.entries()) {
            record(&mut out, &entry.header(inode, path), path, entry.content());
        }
        record(&mut out, &trailer(), TRAILER, &[]);
        Ok(out)
    }
}

impl Entry<'_> {
    /// The bytes behind the name: a file's content, a link's target.
    fn content(&self) -> &[u8] {
        match &self.node {
            Node::File(content) => content,
            Node::Symlink(target) => target.as_bytes(),
            Node::Directory | Node::CharacterDevice { .. } => &[],
        }
    }

    /// The one header that this entry has as the `inode`th of its archive.
    pub(super) fn header(&self, inode: u32, path: &str) -> Header {
        let (kind, links, device) = match self.node {
            Node::Directory => (DIRECTORY, 2, (0, 0)),
            Node::File(_) => (FILE, 1, (0, 0)),
            Node::Symlink(_) => (SYMLINK, 1, (0, 0)),
            Node::CharacterDevice { major, minor } => (CHARACTER_DEVICE, 1, (major, minor)),
        };
        let mode = kind | u32::from(self.permissions);
        Header { inode, mode, links, size: length(self.content()), device, name_size: name_size(path) }
    }
}

/// The record that ends an archive.
pub(super) fn trailer() -> Header {
    Header { inode: 0, mode: 0, links: 1, size: 0, device: (0, 0), name_size: name_size(TRAILER) }
}

fn record(out: &mut Vec<u8>, header: &Header, name: &str, content: &[u8]) {
    out.extend(header.encode());
    out.extend(name.as_bytes());
    out.push(0);
    pad(out);
    out.extend(content);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.extend(&[0; 3][..padding(out.len())]);
}

fn size(path: &str, content_len: usize) -> usize {
    let head = super::record::HEADER_BYTES + path.len() + 1;
    head + padding(head) + content_len + padding(content_len)
}

fn name_size(path: &str) -> u32 {
    length(path.as_bytes()).saturating_add(1)
}

/// Both are below 4 GiB by the checks at [`Archive`]'s door.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
