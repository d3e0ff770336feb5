//! Who a parent is that asks for the lease: its data folder, and this process of it. A folder that was copied has the same
//! first half, and another second one: to every process, the lease of another is another's.
//!
//! Only the process that had the very same folder before, on the same machine since its last start, is known to be dead when
//! the next one starts, since the folder's lock has passed on. Its lease need not run out.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::PostgresError;

/// The file in the data folder: the folder's id, the last process's, and where that was.
const FILE: &str = "lease-holder";
/// Where the next one is written, before it takes its place.
const NEXT_FILE: &str = "lease-holder.next";
/// Of each half, as hex digits.
const ID_DIGITS: usize = 16;

/// A holder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// 32 hex digits: the folder's id, and this process's.
    pub(super) name: String,
    /// The name of the process that had this very folder before, and is dead.
    pub(super) before: Option<String>,
}

/// What the file says.
struct Kept {
    folder: String,
    process: String,
    place: String,
}

impl Holder {
    /// Who this process is, which has the folder's lock; it is written down before it holds anything.
    pub(super) fn begin(data: &Path) -> Result<Self, PostgresError> {
        let path = data.join(FILE);
        let failed = |source| PostgresError::Identity { path: path.clone(), source };
        let place = place(data).map_err(failed)?;
        let kept = match fs::read_to_string(&path) {
            Ok(text) => Kept::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let before = kept.as_ref().filter(|kept| kept.place == place);
        let before = before.map(|kept| format!("{}{}", kept.folder, kept.process));
        let folder = match kept {
            Some(kept) => kept.folder,
            None => random_id().map_err(failed)?,
        };
        let process = random_id().map_err(failed)?;
        write(data, &format!("{folder} {process} {place}\n")).map_err(failed)?;
        Ok(Self { name: folder + &process, before })
    }
}

impl Kept {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.trim_end().splitn(3, ' ');
        let mut id = || {
            let word = words.next()?;
            let is_id = word.len() == ID_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_id.then(|| word.to_owned())
        };
        let (folder, process) = (id()?, id()?);
        Some(Self { folder, process, place: words.next()?.to_owned() })
    }
}

/// This start of this machine, and the folder on it. A copy, or the same disk at another machine, is at another place.
fn place(data: &Path) -> io::Result<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let folder = fs::metadata(data)?;
    Ok(format!("{} {} {}", boot.trim(), folder.dev(), folder.ino()))
}

/// Whole or not at all, and durable: who is not known here any more must not hold the lease.
fn write(data: &Path, text: &str) -> io::Result<()> {
    let next = data.join(NEXT_FILE);
    let mut file = File::create(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(next, data.join(FILE))?;
    File::open(data)?.sync_all()
}

fn random_id() -> io::Result<String> {
    let mut random = [0; ID_DIGITS / 2];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.map(|byte| format!("{byte:02x}")).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_is_another_and_knows_who_had_its_folder_before() {
        let folder = tempfile::tempdir().unwrap();
        let first = Holder::begin(folder.path()).unwrap();
        assert_eq!((first.name.len(), &first.before), (2 * ID_DIGITS, &None));
        let second = Holder::begin(folder.path()).unwrap();
        assert_eq!(second.before.as_ref(), Some(&first.name));
        assert_ne!(second.name, first.name);
        assert_eq!(second.name[..ID_DIGITS], first.name[..ID_DIGITS], "the folder is the same");
    }

    #[test]
    fn a_copy_of_a_folder_takes_nothing_over() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Holder::begin(folder.path()).unwrap();
        fs::copy(folder.path().join(FILE), copy.path().join(FILE)).unwrap();
        let other = Holder::begin(copy.path()).unwrap();
        assert_eq!(other.before, None);
        assert_ne!(other.name, first.name);
    }

    #[test]
    fn what_another_start_of_the_machine_left_or_nobody_wrote_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let here = place(folder.path()).unwrap();
        let (a, b) = ("a".repeat(ID_DIGITS), "b".repeat(ID_DIGITS));
        for (text, knows) in [
            (format!("{a} {b} {here}\n"), true),
            (format!("{a} {b} another-boot 1 2\n"), false),
            (format!("{a} {b}\n"), false),
            (format!("{a}{b}\n"), false),
            (format!("{} {b} {here}\n", &a[1..]), false),
            (format!("{a} {} {here}\n", "x".repeat(ID_DIGITS)), false),
            (String::new(), false),
        ] {
            fs::write(folder.path().join(FILE), &text).unwrap();
            let holder = Holder::begin(folder.path()).unwrap();
            assert_eq!(holder.before, knows.then(|| format!("{a}{b}")), "{text:?}");
        }
    }
}
