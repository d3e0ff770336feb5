//! Tries calls under the filter, each in a child of its own, and looks at how the child ended.

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use super::*;

/// How a child ends that makes one call under the filter of events and then exits.
fn under_filter(number: i64, arguments: [u64; 6]) -> WaitStatus {
    under(Filter::of_events(Kind::Plain).unwrap(), number, arguments)
}

/// The same under that filter. It was made before the fork: the child must not ask for memory.
fn under(mut filter: Filter, number: i64, arguments: [u64; 6]) -> WaitStatus {
    // SAFETY: the child makes system calls alone: it neither allocates nor takes a lock before it exits.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
        ForkResult::Child => {
            let sealed = nix::sys::prctl::set_no_new_privs().is_ok() && filter.install().is_ok();
            // SAFETY: whatever the call does, it does to this child, which exits next.
            unsafe {
                if sealed {
                    let [first, second, third, fourth, fifth, sixth] = arguments;
                    libc::syscall(number, first, second, third, fourth, fifth, sixth);
                }
                libc::_exit(i32::from(!sealed))
            }
        }
    }
}

fn assert_killed(name: &str, number: i64, arguments: [u64; 6]) {
    let status = under_filter(number, arguments);
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSYS, _)), "{name}: {status:?}");
}

fn assert_passes(name: &str, number: i64, arguments: [u64; 6]) {
    let status = under_filter(number, arguments);
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{name}: {status:?}");
}

const NONE: [u64; 6] = [0; 6];

/// What a process that broke out of the engine would reach for.
const FORBIDDEN: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_accept4,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_chdir,
    libc::SYS_setuid,
    libc::SYS_setresuid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_prctl,
    libc::SYS_seccomp,
    libc::SYS_personality,
    libc::SYS_ioctl,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_close,
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_writev,
    libc::SYS_readv,
    libc::SYS_getdents64,
    libc::SYS_statx,
    libc::SYS_newfstatat,
    libc::SYS_unlinkat,
    libc::SYS_mknodat,
    libc::SYS_inotify_init1,
    libc::SYS_fanotify_init,
    libc::SYS_epoll_create1,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_signalfd4,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    libc::SYS_setrlimit,
    libc::SYS_getrlimit,
    libc::SYS_sched_setaffinity,
    libc::SYS_setpriority,
    libc::SYS_nanosleep,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_reboot,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_uname,
    libc::SYS_getppid,
    libc::SYS_wait4,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_splice,
    libc::SYS_sendfile,
    libc::SYS_vmsplice,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_swapon,
];

#[test]
fn calls_outside_the_list_end_the_process() {
    for number in FORBIDDEN {
        assert_killed(&format!("call {number}"), *number, NONE);
    }
    // A number that no kernel has, and one of another calling convention of the same machine.
    assert_killed("unknown", 100_000, NONE);
    #[cfg(target_arch = "x86_64")]
    assert_killed("x32 getpid", libc::SYS_getpid | 0x4000_0000, NONE);
}

#[test]
fn listed_calls_end_the_process_when_their_conditions_do_not_hold() {
    let no_file = u64::MAX;
    let (read_write, private) = (3, 2 | 0x20);
    let exec = PROT_EXEC;
    assert_killed("mmap to run", libc::SYS_mmap, [0, 4096, 1 | exec, private, no_file, 0]);
    assert_killed("mmap of a file", libc::SYS_mmap, [0, 4096, 1, 2, 0, 0]);
    assert_killed("mprotect to run", libc::SYS_mprotect, [0, 4096, 1 | exec, 0, 0, 0]);
    assert_killed("the limits of another", libc::SYS_prlimit64, [1, 0, 0, 0, 0, 0]);
    assert_killed("abort of another", libc::SYS_tgkill, [1, 1, 6, 0, 0, 0]);
    assert_killed("abort of its original", libc::SYS_tgkill, [u64::from(std::process::id()), 1, 6, 0, 0, 0]);
    assert_killed("write elsewhere", libc::SYS_write, [3, 0, 0, 0, 0, 0]);
    assert_killed("send elsewhere", libc::SYS_sendto, [3, 0, 0, 0, 0, 0]);
    assert_killed("receive from elsewhere", libc::SYS_recvfrom, [3, 0, 0, 0, 0, 0]);
    assert_passes("memory", libc::SYS_mmap, [0, 4096, read_write, private, no_file, 0]);
    assert_passes(
        "memory, where the upper half of the register is clear",
        libc::SYS_mmap,
        [0, 4096, read_write, private, u64::from(u32::MAX), 0],
    );
    assert_passes("guard pages", libc::SYS_mprotect, [0, 0, 0, 0, 0, 0]);
    assert_passes("own limits", libc::SYS_prlimit64, [0, 0, 0, 0, 0, 0]);
    assert_passes("random bytes", libc::SYS_getrandom, NONE);
    assert_passes("last words", libc::SYS_write, [2, 0, 0, 0, 0, 0]);
}

/// What a process that follows orders may do beside what one that handles events may.
#[test]
fn orders_are_followed_and_nothing_else_is_done() {
    let killed = |name: &str, number: i64, arguments: [u64; 6]| {
        let status = under(Filter::of_orders(false, Kind::Plain).unwrap(), number, arguments);
        assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSYS, _)), "{name}: {status:?}");
    };
    let also = [
        libc::SYS_recvmsg,
        libc::SYS_sendmsg,
        libc::SYS_wait4,
        libc::SYS_close,
        libc::SYS_dup3,
        libc::SYS_close_range,
    ];
    for number in FORBIDDEN.iter().filter(|number| !also.contains(number)) {
        killed(&format!("call {number}"), *number, NONE);
    }
    let plain = u64::from(PLAIN.unsigned_abs());
    for (name, flags) in [
        ("a thread", libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND),
        ("shared memory", PLAIN | libc::CLONE_VM),
        ("shared files", PLAIN | libc::CLONE_FILES),
        ("a user namespace", PLAIN | libc::CLONE_NEWUSER),
        ("a network namespace", PLAIN | libc::CLONE_NEWNET),
        ("a sibling", PLAIN | libc::CLONE_PARENT),
        ("a child that is traced", PLAIN | libc::CLONE_PTRACE),
        ("one that nobody is told of", libc::CLONE_PIDFD),
    ] {
        killed(name, libc::SYS_clone, [u64::from(flags.unsigned_abs()), 0, 0, 0, 0, 0]);
    }
    killed("a stack elsewhere", libc::SYS_clone, [plain, 4096, 0, 0, 0, 0]);
    killed("orders from elsewhere", libc::SYS_recvmsg, [3, 0, 0, 0, 0, 0]);
    killed("answers elsewhere", libc::SYS_sendmsg, [3, 0, 0, 0, 0, 0]);
    killed("a descriptor elsewhere", libc::SYS_dup3, [3, 1, 0, 0, 0, 0]);
    killed("another signal", libc::SYS_tgkill, [1, 1, 9, 0, 0, 0]);
    killed("a looser filter", libc::SYS_seccomp, [0, 0, 0, 0, 0, 0]);
    killed("dumpable again", libc::SYS_prctl, [4, 1, 0, 0, 0, 0]);
    killed("a descriptor's lock", libc::SYS_fcntl, [0, 6, 0, 0, 0, 0]);
}

/// Machine code is loaded by a process that follows orders, where it is said so; memory that can be written is never run.
#[test]
fn code_is_what_can_no_longer_be_written() {
    let exec = PROT_EXEC;
    let ended = |loads_code: bool, number: i64, arguments: [u64; 6]| {
        under(Filter::of_orders(loads_code, Kind::Plain).unwrap(), number, arguments)
    };
    let killed = |status: WaitStatus| matches!(status, WaitStatus::Signaled(_, Signal::SIGSYS, _));
    let to_code = [0, 0, 1 | exec, 0, 0, 0];
    assert!(matches!(ended(true, libc::SYS_mprotect, to_code), WaitStatus::Exited(_, 0)));
    assert!(killed(ended(false, libc::SYS_mprotect, to_code)));
    for protection in [exec, 2 | exec, 3 | exec] {
        assert!(killed(ended(true, libc::SYS_mprotect, [0, 0, protection, 0, 0, 0])), "{protection}");
    }
    assert!(killed(ended(true, libc::SYS_mmap, [0, 4096, 1 | exec, 0x22, u64::MAX, 0])));
    assert!(killed(ended(true, libc::SYS_mmap, [0, 4096, 3 | exec, 0x22, u64::MAX, 0])));
}

#[test]
fn every_row_says_why() {
    let kinds = [Kind::Plain, Kind::Runtime, Kind::Workshop];
    for (number, _, reason) in
        kinds.into_iter().flat_map(|kind| [of_events(kind), of_orders(true, kind)]).flatten()
    {
        assert!(reason.len() > 5, "{number}: {reason}");
    }
}

/// A runtime makes code and threads; it starts no process, and has no way out that other engines do not have.
#[test]
fn a_runtime_has_threads_and_code_and_nothing_else() {
    let of = |kind: Kind, number: i64, arguments: [u64; 6]| {
        under(Filter::of_events(kind).unwrap(), number, arguments)
    };
    let killed = |status: WaitStatus| matches!(status, WaitStatus::Signaled(_, Signal::SIGSYS, _));
    let plain = u64::from(PLAIN.unsigned_abs());
    for kind in [Kind::Runtime, Kind::Workshop] {
        for (name, number, arguments) in [
            ("a process", libc::SYS_clone, [plain, 0, 0, 0, 0, 0]),
            ("a copy", libc::SYS_clone, [17, 0, 0, 0, 0, 0]),
            ("a thread with a network", libc::SYS_clone, [0x3d_0f00 | 0x4000_0000, 0, 0, 0, 0, 0]),
            ("a program", libc::SYS_execve, NONE),
            ("another's memory", libc::SYS_process_vm_readv, NONE),
            ("a trace", libc::SYS_ptrace, NONE),
            ("a ring", libc::SYS_io_uring_setup, NONE),
            ("a descriptor", libc::SYS_recvmsg, NONE),
            ("a connection", libc::SYS_connect, NONE),
            ("a name space", libc::SYS_unshare, NONE),
            ("a user id", libc::SYS_setresuid, NONE),
            ("another's end", libc::SYS_kill, [1, 9, 0, 0, 0, 0]),
            ("its original's end", libc::SYS_tgkill, [u64::from(std::process::id()), 1, 9, 0, 0, 0]),
            ("a file as memory", libc::SYS_mmap, [0, 4096, 1, 2, 0, 0]),
            ("another's limits", libc::SYS_prlimit64, [1, 0, 0, 0, 0, 0]),
            ("dumpable again", libc::SYS_prctl, [4, 1, 0, 0, 0, 0]),
            ("a filter", libc::SYS_seccomp, NONE),
        ] {
            assert!(killed(of(kind, number, arguments)), "{name}");
        }
        let code = [0, 4096, 3 | PROT_EXEC, 0x22, u64::MAX, 0];
        assert!(matches!(of(kind, libc::SYS_mmap, code), WaitStatus::Exited(_, 0)));
    }
}

/// What a library asks for on any machine is refused by an error, so that its caller goes on.
#[test]
fn files_and_sockets_are_refused_without_the_end_of_the_process() {
    let refused_with = |filter: Filter, number: i64, arguments: [u64; 6]| {
        let mut filter = filter;
        // SAFETY: as in `under`: the child makes system calls alone.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => waitpid(child, None).unwrap(),
            ForkResult::Child => {
                let sealed = nix::sys::prctl::set_no_new_privs().is_ok() && filter.install().is_ok();
                let [first, second, third, ..] = arguments;
                // SAFETY: as above.
                unsafe {
                    let failed = sealed && libc::syscall(number, first, second, third, 0, 0, 0) == -1;
                    libc::_exit(if failed { *libc::__errno_location() } else { 99 })
                }
            }
        }
    };
    let nothing: u64 = 0;
    for number in [libc::SYS_openat, libc::SYS_socket, libc::SYS_read, libc::SYS_uname, libc::SYS_pipe2] {
        let status = refused_with(Filter::of_orders(false, Kind::Runtime).unwrap(), number, [nothing; 6]);
        assert!(matches!(status, WaitStatus::Exited(_, libc::EACCES)), "{number}: {status:?}");
    }
    for kind in [Kind::Runtime, Kind::Workshop] {
        let filter =
            if kind == Kind::Runtime { Filter::of_orders(false, kind) } else { Filter::of_events(kind) };
        let status = refused_with(filter.unwrap(), libc::SYS_clone3, [nothing; 6]);
        assert!(matches!(status, WaitStatus::Exited(_, libc::ENOSYS)), "{status:?}");
    }
}
