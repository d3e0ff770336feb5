//! What a runtime's process may do beside what every boxed process may: one that compiles as it runs, and has threads.
//!
//! Its library is a large one, written for a whole machine, and asks for much that the box does not have. What only asks, and is
//! refused on any machine now and then, is refused with an error and not with the end of the process: its callers are ready for that.
//! What would be of use to an attacker alone ends the process, as everywhere.

use super::syscalls::{Argument, Row};

use Argument::Is;

/// How the C library starts a thread: all is shared, and nothing is new but the stack.
const THREAD: u64 = (libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID) as u64;

/// Threads, and code that is made.
pub(super) fn of_runtime() -> Vec<Row> {
    vec![
        (libc::SYS_mmap, vec![Is(4, u64::MAX)], "memory for code that is made; never a file"),
        (libc::SYS_mprotect, vec![], "the same memory, while it is written to and afterwards"),
        (libc::SYS_clone, vec![Is(0, THREAD)], "a thread of this process, and never another process"),
        (libc::SYS_futex, vec![], "threads wait for one another"),
        (libc::SYS_set_robust_list, vec![], "the C library's, at a thread's start"),
        (libc::SYS_rseq, vec![], "the same"),
        (libc::SYS_exit, vec![], "the end of a thread"),
        (libc::SYS_sched_yield, vec![], "a thread that spins lets others go first"),
        (libc::SYS_sched_getaffinity, vec![], "how many threads are worth having"),
        (libc::SYS_sched_getparam, vec![], "a thread's priority, which there is one of"),
        (libc::SYS_sched_getscheduler, vec![], "the same"),
        (libc::SYS_sched_get_priority_max, vec![], "the same"),
        (libc::SYS_sched_get_priority_min, vec![], "the same"),
        (libc::SYS_sched_setscheduler, vec![Is(1, 0)], "the ordinary way, which it has: a start checks that"),
        (libc::SYS_getrusage, vec![], "the thread pool looks how busy the process is"),
        (libc::SYS_getcpu, vec![], "the collector's and the allocator's parts by processor"),
        (libc::SYS_membarrier, vec![], "every thread sees what was written"),
        (libc::SYS_nanosleep, vec![], "a thread sleeps"),
        (libc::SYS_clock_nanosleep, vec![], "the same"),
        (libc::SYS_clock_getres, vec![], "how exact time is"),
        (libc::SYS_sigaltstack, vec![], "the stack on which an overflow of the other is told"),
        (libc::SYS_prctl, vec![Is(0, libc::PR_SET_NAME as u64)], "a thread's name"),
        (libc::SYS_write, vec![Is(0, 1)], "last words to standard output, which is /dev/null"),
        (libc::SYS_close, vec![], "of what could not be opened, and then is not there"),
        (libc::SYS_fcntl, vec![Is(1, libc::F_GETFL as u64)], "what a standard stream may be used for"),
        (libc::SYS_getuid, vec![], "a number that says nothing: each function has another"),
        (libc::SYS_geteuid, vec![], "the same"),
        (libc::SYS_getgid, vec![], "the same"),
        (libc::SYS_getegid, vec![], "the same"),
        (libc::SYS_rt_sigsuspend, vec![], "a thread that the collector has stopped"),
        (libc::SYS_rt_sigtimedwait, vec![], "the same"),
    ]
}

/// Files: what a compiler does in its own folder, and what is refused where there is none.
const FILES: &[i64] = &[
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_flock,
    libc::SYS_fsync,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
];

/// What nothing here has a use for, and a library asks for all the same.
const NEVER: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_pipe2,
    libc::SYS_epoll_create1,
    libc::SYS_eventfd2,
    libc::SYS_inotify_init1,
    libc::SYS_memfd_create,
    libc::SYS_ioctl,
    libc::SYS_dup,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_truncate,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_chdir,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_getppid,
    libc::SYS_getpgid,
    libc::SYS_getsid,
    libc::SYS_getpriority,
    libc::SYS_setpriority,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setparam,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_msync,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pipe,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
];

/// Calls that are answered by an error.
pub(super) struct Refused {
    pub(super) calls: Vec<i64>,
    pub(super) errno: i32,
}

/// Those of a process that `has_files`, or has none.
pub(super) fn refused(has_files: bool) -> [Refused; 2] {
    let files: &[i64] = if has_files { &[] } else { FILES };
    [
        Refused { calls: NEVER.iter().chain(files).copied().collect(), errno: libc::EACCES },
        // Its flags are in memory, where no filter sees them: the C library then takes the call before it.
        Refused { calls: vec![libc::SYS_clone3], errno: libc::ENOSYS },
    ]
}

/// The rows that let a filter pass on what another one refuses or, where there are files, allows.
pub(super) fn passed_on() -> Vec<Row> {
    let row = |call: &i64| (*call, Vec::new(), "refused by an error, or a compiler's own files");
    FILES.iter().chain(NEVER).chain(&[libc::SYS_clone3]).map(row).collect()
}

/// What a compiler may do with its own files beside.
pub(super) fn of_workshop() -> Vec<Row> {
    vec![
        (libc::SYS_write, vec![], "files of its own; whatever else is open is /dev/null or its socket"),
        (libc::SYS_fcntl, vec![], "flags of descriptors of its own"),
    ]
}
