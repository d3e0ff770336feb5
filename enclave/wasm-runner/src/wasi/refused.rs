//! What a module may call and never gets: files, folders, sockets, signals. Each call is there under its name, and answers by the
//! error number that says that there is no such thing.

use wasmtime::{Error, FuncType, Linker, Val, ValType};

use super::{Errno, MODULE};
use crate::guest::State;

/// A name, its parameters (`i` for 32 bits, `l` for 64), and its answer.
type Row = (&'static str, &'static str, Errno);

/// No descriptor is one of these calls' kind.
const BAD: Errno = Errno::BadDescriptor;

const TABLE: &[Row] = &[
    ("fd_advise", "illi", BAD),
    ("fd_allocate", "ill", BAD),
    ("fd_datasync", "i", BAD),
    ("fd_fdstat_set_rights", "ill", BAD),
    ("fd_filestat_set_size", "il", BAD),
    ("fd_filestat_set_times", "illi", BAD),
    ("fd_pread", "iiili", BAD),
    // There is no folder that was opened beforehand: this is how libraries find out.
    ("fd_prestat_get", "ii", BAD),
    ("fd_prestat_dir_name", "iii", BAD),
    ("fd_pwrite", "iiili", BAD),
    ("fd_readdir", "iiili", BAD),
    ("fd_renumber", "ii", BAD),
    ("fd_sync", "i", BAD),
    ("path_create_directory", "iii", BAD),
    ("path_filestat_get", "iiiii", BAD),
    ("path_filestat_set_times", "iiiilli", BAD),
    ("path_link", "iiiiiii", BAD),
    ("path_open", "iiiiillii", BAD),
    ("path_readlink", "iiiiii", BAD),
    ("path_remove_directory", "iii", BAD),
    ("path_rename", "iiiiii", BAD),
    ("path_symlink", "iiiii", BAD),
    ("path_unlink_file", "iii", BAD),
    ("proc_raise", "i", Errno::NotSupported),
    ("sock_accept", "iii", BAD),
    ("sock_recv", "iiiiii", BAD),
    ("sock_send", "iiiii", BAD),
    ("sock_shutdown", "ii", BAD),
];

pub(super) fn link(linker: &mut Linker<State>) -> Result<(), Error> {
    for (name, parameters, errno) in TABLE {
        let parameters = parameters.chars().map(|kind| if kind == 'l' { ValType::I64 } else { ValType::I32 });
        let kind = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        let answer = i32::try_from(errno.code()).unwrap_or(i32::MAX);
        linker.func_new(MODULE, name, kind, move |_caller, _arguments, results| {
            if let Some(result) = results.first_mut() {
                *result = Val::I32(answer);
            }
            Ok(())
        })?;
    }
    Ok(())
}
