//! Ramdisks: cpio archives in the kernel's `newc` format (its `initramfs-buffer-format` document), in one canonical form.
//!
//! One set of files has one archive: entries are sorted by path, inodes are counted from 1, owner and group are 0,
//! times are 0, the archive ends behind its trailer. [`Archive::decode`] takes that form alone. So two ramdisks that
//! both are read differ exactly in what their [`Archive`]s show: nothing is hidden behind the trailer, in an owner, or
//! in a second entry of the same path.
//!
//! An archive here is what the kernel unpacks files from; in the image it may lie packed ([`crate::packing`]).

mod error;
mod path;
mod read;
mod record;
mod write;

pub use error::CpioError;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::limits::{MAX_DEVICE_MAJOR, MAX_DEVICE_MINOR, MAX_ENTRIES, MAX_LINK_TARGET_BYTES};

/// The permissions that an entry may have: read, write, execute, and the sticky bit. Nothing in an image is setuid.
const PERMISSIONS: u16 = 0o1777;

/// A set of files, each at its path. Paths are relative to the root: `usr/bin/init`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive<'a> {
    entries: BTreeMap<String, Entry<'a>>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its permissions; of a symbolic link, always `0o777`.
    pub permissions: u16,
    /// What it is.
    pub node: Node<'a>,
}

/// The kinds of entries that an image needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// A directory.
    Directory,
    /// A regular file with this content.
    File(Cow<'a, [u8]>),
    /// A symbolic link to this target.
    Symlink(String),
    /// A character device.
    CharacterDevice {
        /// Its driver.
        major: u32,
        /// Which of that driver's devices.
        minor: u32,
    },
}

impl<'a> Archive<'a> {
    /// An archive without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a directory.
    ///
    /// # Errors
    /// If the path or the permissions cannot be used, or the path is taken.
    pub fn directory(&mut self, path: &str, permissions: u16) -> Result<(), CpioError> {
        self.insert(path, Entry { permissions, node: Node::Directory })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// As [`Archive::directory`], or if the content is longer than an archive can say.
    pub fn file(
        &mut self,
        path: &str,
        permissions: u16,
        content: impl Into<Cow<'a, [u8]>>,
    ) -> Result<(), CpioError> {
        self.insert(path, Entry { permissions, node: Node::File(content.into()) })
    }

    /// Adds a symbolic link. Its target is what it says, and need not be there.
    ///
    /// # Errors
    /// As [`Archive::directory`], or if the target cannot be used.
    pub fn symlink(&mut self, path: &str, target: &str) -> Result<(), CpioError> {
        self.insert(path, Entry { permissions: 0o777, node: Node::Symlink(target.to_owned()) })
    }

    /// Adds a character device.
    ///
    /// # Errors
    /// As [`Archive::directory`], or if there is no such device number.
    pub fn character_device(
        &mut self,
        path: &str,
        permissions: u16,
        major: u32,
        minor: u32,
    ) -> Result<(), CpioError> {
        self.insert(path, Entry { permissions, node: Node::CharacterDevice { major, minor } })
    }

    /// Path and entry of each, sorted by the bytes of the path.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry<'a>)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// What is at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry<'a>> {
        self.entries.get(path)
    }

    fn insert(&mut self, path: &str, entry: Entry<'a>) -> Result<(), CpioError> {
        let path = path::checked(path)?.to_owned();
        let is_link = matches!(entry.node, Node::Symlink(_));
        if entry.permissions & !PERMISSIONS != 0 || (is_link && entry.permissions != 0o777) {
            return Err(CpioError::Permissions { path, permissions: entry.permissions });
        }
        match &entry.node {
            Node::File(content) if u32::try_from(content.len()).is_err() => {
                return Err(CpioError::FileTooLong { path, len: content.len() });
            }
            Node::Symlink(target) if !path::is_target(target) => {
                return Err(CpioError::LinkTarget { path, max: MAX_LINK_TARGET_BYTES });
            }
            Node::CharacterDevice { major, minor }
                if *major > MAX_DEVICE_MAJOR || *minor > MAX_DEVICE_MINOR =>
            {
                return Err(CpioError::Device { path, major: *major, minor: *minor });
            }
            _ => {}
        }
        if self.entries.contains_key(&path) {
            return Err(CpioError::Duplicate { path });
        }
        if self.entries.len() >= MAX_ENTRIES {
            return Err(CpioError::TooManyEntries { max: MAX_ENTRIES });
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Every entry lies in a directory that is an entry, too.
    fn check_parents(&self) -> Result<(), CpioError> {
        for path in self.entries.keys() {
            let Some((parent, _)) = path.rsplit_once('/') else { continue };
            if !self.entries.get(parent).is_some_and(|entry| entry.node == Node::Directory) {
                return Err(CpioError::MissingParent { path: path.clone(), parent: parent.to_owned() });
            }
        }
        Ok(())
    }
}
