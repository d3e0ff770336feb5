//! Limits of what this program reads, each with its reason.

use std::time::Duration;

/// Of a file of tests: as much as a person writes, and then some.
pub(crate) const MAX_TEST_FILE_BYTES: u64 = 1024 * 1024;

/// Files of tests in a folder.
pub(crate) const MAX_TEST_FILES: usize = 256;

/// Cases of one file.
pub(crate) const MAX_CASES: usize = 1_000;

/// Of the file of secrets.
pub(crate) const MAX_SECRETS_FILE_BYTES: u64 = 1024 * 1024;

/// How often the folder is read again: soon enough for a person, seldom enough for the disk.
pub(crate) const WATCH: Duration = Duration::from_millis(400);
