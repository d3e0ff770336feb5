//! Where the programs are that the parent starts: `nitro-cli`, or QEMU and its vsock device. Knows nothing of how they
//! are used.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The machine emulator.
pub(crate) const QEMU: &str = "qemu-system-x86_64";
/// The process that serves its vsock.
pub(crate) const VSOCK_DEVICE: &str = "vhost-device-vsock";

/// A program that was not found, and where it was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) program: String,
    pub(crate) searched: String,
}

/// The two programs of an emulated enclave, from one folder: they are built for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Emulator {
    pub(crate) qemu: PathBuf,
    pub(crate) vsock_device: PathBuf,
}

/// A program by its path, or by its name in `PATH`.
pub(crate) fn find(program: &Path) -> Result<PathBuf, Missing> {
    let named = program.components().count() == 1 && !program.is_absolute();
    let folders = if named { search_path() } else { vec![PathBuf::new()] };
    in_folders(&program.display().to_string(), &folders)
}

/// QEMU and its vsock device: from `folder` or its `bin`; without one, from the newest folder that `tests/qemu/setup`
/// made, then from `PATH`.
pub(crate) fn find_emulator(folder: Option<&Path>) -> Result<Emulator, Missing> {
    let folders = match folder {
        Some(folder) => vec![folder.join("bin"), folder.to_owned()],
        None => built_folders().into_iter().chain(search_path()).collect(),
    };
    let pair = folders.iter().find_map(|folder| {
        let (qemu, vsock_device) = (folder.join(QEMU), folder.join(VSOCK_DEVICE));
        (is_program(&qemu) && is_program(&vsock_device)).then_some(Emulator { qemu, vsock_device })
    });
    // The one may stand in another folder of the search path than the other.
    match pair {
        Some(pair) => Ok(pair),
        None => Ok(Emulator {
            qemu: in_folders(QEMU, &folders)?,
            vsock_device: in_folders(VSOCK_DEVICE, &folders)?,
        }),
    }
}

fn in_folders(program: &str, folders: &[PathBuf]) -> Result<PathBuf, Missing> {
    folders.iter().map(|folder| folder.join(program)).find(|path| is_program(path)).ok_or_else(|| Missing {
        program: program.to_owned(),
        searched: folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

/// The folders of earlier builds, the newest first.
fn built_folders() -> Vec<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let entries = cache.and_then(|cache| cache.join("r3e/qemu").read_dir().ok()).into_iter().flatten();
    let mut built: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter_map(|folder| Some((folder.join(QEMU).metadata().ok()?.modified().ok()?, folder)))
        .collect();
    built.sort();
    built.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn program(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_searched_with_its_bin_and_only_programs_count() {
        let folder = tempfile::tempdir().unwrap();
        let missing = find_emulator(Some(folder.path())).unwrap_err();
        assert_eq!(missing.program, QEMU);
        assert!(missing.searched.contains(&folder.path().display().to_string()));
        let qemu = folder.path().join("bin").join(QEMU);
        let vsock_device = folder.path().join("bin").join(VSOCK_DEVICE);
        program(&qemu, 0o755);
        program(&vsock_device, 0o644);
        assert_eq!(find_emulator(Some(folder.path())).unwrap_err().program, VSOCK_DEVICE);
        program(&vsock_device, 0o755);
        assert_eq!(find_emulator(Some(folder.path())).unwrap(), Emulator { qemu, vsock_device });
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_a_name_is_searched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        assert!(find(&path).is_err());
        program(&path, 0o755);
        assert_eq!(find(&path).unwrap(), path);
        assert!(find(Path::new("sh")).is_ok());
        assert_eq!(find(Path::new("no-such-program")).unwrap_err().program, "no-such-program");
    }
}
