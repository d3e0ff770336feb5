//! Tries calls under the filter, each in a child of its own, and looks at how the child ended.

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use super::*;

/// How a child ends that makes one call under the filter and then exits.
fn under_filter(number: i64, arguments: [u64; 6]) -> WaitStatus {
    // Before the fork: the child must not ask for memory. The filter thus holds the parent's number, not its own.
    let filter = Filter::compile().unwrap();
    // SAFETY: the child makes system calls alone: it neither allocates nor takes a lock before it exits.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
        ForkResult::Child => {
            let sealed = nix::sys::prctl::set_no_new_privs().is_ok() && filter.install().is_ok();
            // SAFETY: whatever the call does, it does to this child, which exits next.
            unsafe {
                if sealed {
                    let [a, b, c, d, e, f] = arguments;
                    libc::syscall(number, a, b, c, d, e, f);
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

#[test]
fn calls_outside_the_list_end_the_process() {
    macro_rules! killed {
        ($($name:ident),* $(,)?) => { $(assert_killed(stringify!($name), libc::$name, NONE);)* };
    }
    killed!(
        SYS_socket,
        SYS_socketpair,
        SYS_connect,
        SYS_bind,
        SYS_accept4,
        SYS_sendmsg,
        SYS_recvmsg,
        SYS_openat,
        SYS_openat2,
        SYS_execve,
        SYS_execveat,
        SYS_clone,
        SYS_clone3,
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_kill,
        SYS_tkill,
        SYS_rt_sigqueueinfo,
        SYS_pidfd_open,
        SYS_pidfd_getfd,
        SYS_pidfd_send_signal,
        SYS_io_uring_setup,
        SYS_io_uring_enter,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_userfaultfd,
        SYS_memfd_create,
        SYS_memfd_secret,
        SYS_keyctl,
        SYS_add_key,
        SYS_unshare,
        SYS_setns,
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_chdir,
        SYS_setuid,
        SYS_setresuid,
        SYS_setgroups,
        SYS_capset,
        SYS_prctl,
        SYS_seccomp,
        SYS_personality,
        SYS_ioctl,
        SYS_fcntl,
        SYS_dup,
        SYS_dup3,
        SYS_close,
        SYS_read,
        SYS_pread64,
        SYS_writev,
        SYS_readv,
        SYS_getdents64,
        SYS_statx,
        SYS_newfstatat,
        SYS_unlinkat,
        SYS_mknodat,
        SYS_inotify_init1,
        SYS_fanotify_init,
        SYS_epoll_create1,
        SYS_eventfd2,
        SYS_timerfd_create,
        SYS_signalfd4,
        SYS_shmget,
        SYS_shmat,
        SYS_msgget,
        SYS_semget,
        SYS_mq_open,
        SYS_setrlimit,
        SYS_getrlimit,
        SYS_sched_setaffinity,
        SYS_setpriority,
        SYS_nanosleep,
        SYS_clock_settime,
        SYS_settimeofday,
        SYS_reboot,
        SYS_init_module,
        SYS_kexec_load,
        SYS_uname,
        SYS_getppid,
        SYS_wait4,
        SYS_futex,
        SYS_membarrier,
        SYS_rseq,
        SYS_splice,
        SYS_sendfile,
        SYS_vmsplice,
        SYS_name_to_handle_at,
        SYS_open_by_handle_at,
        SYS_landlock_create_ruleset,
        SYS_quotactl,
        SYS_acct,
        SYS_swapon,
    );
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
    assert_killed("another signal", libc::SYS_tgkill, [u64::from(std::process::id()), 1, 9, 0, 0, 0]);
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

#[test]
fn every_row_says_why() {
    for (number, _, reason) in table(1) {
        assert!(reason.len() > 5, "{number}: {reason}");
    }
}
