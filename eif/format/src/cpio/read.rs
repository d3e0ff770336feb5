//! Reads an archive from bytes that nobody vouches for, and takes the canonical form alone.

use std::borrow::Cow;

use super::path::TRAILER;
use super::record::{
    CHARACTER_DEVICE, DIRECTORY, FILE, HEADER_BYTES, Header, MAGIC, SYMLINK, TYPE_MASK, padding,
};
use super::write::trailer;
use super::{Archive, CpioError, Entry, Node};
use crate::limits::{MAX_IMAGE_BYTES, MAX_PATH_BYTES};

impl<'a> Archive<'a> {
    /// Reads an archive. What is accepted is what [`Archive::encode`] writes, to the byte.
    ///
    /// # Errors
    /// [`CpioError::NoRecord`] or [`CpioError::Truncated`], if the bytes are no archive; [`CpioError::NotCanonical`],
    /// if they are one in another form; and the errors of the methods that add an entry.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, CpioError> {
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(CpioError::TooLong);
        }
        let mut archive = Self::new();
        let mut rest = bytes;
        let mut last: Option<&str> = None;
        for inode in 1.. {
            let offset = bytes.len() - rest.len();
            let refused = |what| CpioError::NotCanonical { offset, what };
            let record = Record::take(&mut rest, offset)?;
            if record.name == TRAILER {
                if record.bytes != trailer().encode() || !record.content.is_empty() {
                    return Err(refused("its trailer says more than that the archive ends"));
                }
                if !rest.is_empty() {
                    return Err(refused("bytes follow behind the trailer"));
                }
                break;
            }
            if last.is_some_and(|last| last >= record.name) {
                return Err(refused("entries must be sorted by path, each path once"));
            }
            last = Some(record.name);
            let entry = record.entry(offset)?;
            if entry.header(inode, record.name).encode() != record.bytes {
                return Err(refused(
                    "inodes must be counted from 1, links be 2 for a directory and else 1, all other fields be 0, \
                     and digits be capitals",
                ));
            }
            archive.insert(record.name, entry)?;
        }
        archive.check_parents()?;
        Ok(archive)
    }
}

/// A record as it lies in the archive.
struct Record<'a> {
    bytes: [u8; HEADER_BYTES],
    header: Header,
    name: &'a str,
    content: &'a [u8],
}

impl<'a> Record<'a> {
    /// Takes the record that begins at `offset` off the front of `rest`.
    fn take(rest: &mut &'a [u8], offset: usize) -> Result<Self, CpioError> {
        let refused = |what| CpioError::NotCanonical { offset, what };
        if !rest.is_empty() && !rest.starts_with(&MAGIC) {
            return Err(CpioError::NoRecord { offset });
        }
        let truncated = CpioError::Truncated { offset };
        let (bytes, behind) = rest.split_first_chunk::<HEADER_BYTES>().ok_or_else(|| truncated.clone())?;
        *rest = behind;
        let header = Header::decode(bytes).ok_or_else(|| refused("a field is not hexadecimal"))?;

        let name_size = usize::try_from(header.name_size).unwrap_or(usize::MAX);
        if !(2..=MAX_PATH_BYTES + 1).contains(&name_size) {
            return Err(refused("the name must have 1 to 1024 bytes"));
        }
        let name = padded(rest, HEADER_BYTES, name_size, offset)?;
        let name = name.strip_suffix(&[0]).filter(|name| !name.contains(&0));
        let name = name.ok_or_else(|| refused("one NUL must end the name"))?;
        let name = str::from_utf8(name).map_err(|_| refused("the name is not UTF-8"))?;

        let content = padded(rest, 0, usize::try_from(header.size).unwrap_or(usize::MAX), offset)?;
        Ok(Self { bytes: *bytes, header, name, content })
    }

    fn entry(&self, offset: usize) -> Result<Entry<'a>, CpioError> {
        let refused = |what| CpioError::NotCanonical { offset, what };
        let node = match self.header.mode & TYPE_MASK {
            FILE => Node::File(Cow::Borrowed(self.content)),
            SYMLINK => {
                let target = str::from_utf8(self.content).map_err(|_| refused("the link is not UTF-8"))?;
                Node::Symlink(target.to_owned())
            }
            DIRECTORY => Node::Directory,
            CHARACTER_DEVICE => {
                let (major, minor) = self.header.device;
                Node::CharacterDevice { major, minor }
            }
            _ => return Err(refused("it is no directory, file, symbolic link or character device")),
        };
        let permissions = u16::try_from(self.header.mode & !TYPE_MASK)
            .map_err(|_| refused("its mode has more than 16 bits"))?;
        Ok(Entry { permissions, node })
    }
}

/// Takes `len` bytes and their padding, all zeros, off the front of `rest`. `before` bytes of the padded part were
/// taken already.
fn padded<'a>(rest: &mut &'a [u8], before: usize, len: usize, offset: usize) -> Result<&'a [u8], CpioError> {
    let truncated = CpioError::Truncated { offset };
    let (content, behind) = rest.split_at_checked(len).ok_or_else(|| truncated.clone())?;
    let (zeros, behind) = behind.split_at_checked(padding(before + len)).ok_or(truncated)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(CpioError::NotCanonical { offset, what: "the padding must be zeros" });
    }
    *rest = behind;
    Ok(content)
}
