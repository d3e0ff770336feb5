//! Attacks that no script can make: what code would do that has broken out of its engine. Each is made inside the real box, by
//! `r3e-hostile-native`, an engine that the pool takes for the runner's.
//!
//! A box has two stages, and most attacks are made in both: the process that has loaded a function, which must still be able to
//! split, and the copy of it that handles an event, which must not. A process that handles its function's first event itself has the
//! walls of the second from the start: each attack is made there as well.

use libc::{
    CLONE_FILES, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_PIDFD, CLONE_SIGHAND, CLONE_THREAD,
    CLONE_VM, SIGCHLD,
};

use r3e_functions::runner_pool::Engine;

use crate::corpus::{Again, Bound, Script, Way};
use crate::ending::Ending;

/// Where in the box an attack is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// While the function is loaded, in the process of which the others will be copies.
    Load,
    /// While an event is handled.
    Event,
    /// In both, one after the other.
    Both,
}

use Stage::{Both, Event, Load};

/// A system call: its name here, where it is tried, its number and its arguments.
pub type Call = (&'static str, Stage, i64, [u64; 6]);

const NONE: [u64; 6] = [0; 6];
/// A process that is there in every namespace.
const FIRST: u64 = 1;
const SELF_WRITE: u64 = 3;
const ANONYMOUS: u64 = 0x22;
const NO_FILE: u64 = u64::MAX;

const fn first(value: u64) -> [u64; 6] {
    [value, 0, 0, 0, 0, 0]
}

const fn two(one: u64, two: u64) -> [u64; 6] {
    [one, two, 0, 0, 0, 0]
}

const fn three(one: u64, two: u64, three: u64) -> [u64; 6] {
    [one, two, three, 0, 0, 0]
}

/// Calls that end the process by the filter, whatever their arguments point to.
pub const CALLS: &[Call] = &[
    // Files, /proc among them.
    ("open a file", Both, libc::SYS_openat, three((-100i64).cast_unsigned(), 0, 0)),
    ("open a file by rules", Both, libc::SYS_openat2, three((-100i64).cast_unsigned(), 0, 0)),
    ("list a folder", Both, libc::SYS_getdents64, first(0)),
    ("look at a file", Both, libc::SYS_statx, NONE),
    ("make a device", Both, libc::SYS_mknodat, NONE),
    ("delete a file", Both, libc::SYS_unlinkat, NONE),
    ("make a file without a name", Both, libc::SYS_memfd_create, NONE),
    ("open by a handle", Both, libc::SYS_open_by_handle_at, NONE),
    ("watch files", Both, libc::SYS_inotify_init1, NONE),
    ("watch every file", Both, libc::SYS_fanotify_init, NONE),
    ("change the folder", Both, libc::SYS_chdir, NONE),
    ("change the root", Both, libc::SYS_chroot, NONE),
    ("turn the root", Both, libc::SYS_pivot_root, NONE),
    ("mount", Both, libc::SYS_mount, NONE),
    ("open a file system", Both, libc::SYS_fsopen, NONE),
    ("take a mount along", Both, libc::SYS_open_tree, NONE),
    ("unmount", Both, libc::SYS_umount2, NONE),
    ("swap", Both, libc::SYS_swapon, NONE),
    // Inherited descriptors.
    ("receive from a descriptor that it was not given", Both, libc::SYS_recvfrom, first(3)),
    ("send into a descriptor that it was not given", Both, libc::SYS_sendto, first(3)),
    ("read", Both, libc::SYS_read, first(3)),
    ("read at a place", Both, libc::SYS_pread64, first(3)),
    ("write at a place", Both, libc::SYS_pwrite64, first(3)),
    ("write to what is not standard error", Both, libc::SYS_write, first(1)),
    ("copy a descriptor", Both, libc::SYS_dup, first(0)),
    ("put a descriptor somewhere else", Both, libc::SYS_dup3, two(0, 5)),
    ("pass a descriptor in an event", Event, libc::SYS_sendmsg, first(0)),
    ("take a descriptor in an event", Event, libc::SYS_recvmsg, first(0)),
    ("pass a descriptor over another socket", Both, libc::SYS_sendmsg, first(1)),
    ("take a descriptor of another process", Both, libc::SYS_pidfd_getfd, NONE),
    ("control a terminal", Both, libc::SYS_ioctl, two(0, libc::TIOCSTI)),
    ("change a descriptor", Both, libc::SYS_fcntl, two(0, libc::F_SETFL as u64)),
    ("close in an event", Event, libc::SYS_close, first(0)),
    ("splice", Both, libc::SYS_splice, NONE),
    ("send a file", Both, libc::SYS_sendfile, NONE),
    // Signals.
    ("signal the first process", Both, libc::SYS_kill, two(FIRST, libc::SIGKILL as u64)),
    ("signal every process", Both, libc::SYS_kill, two(u64::MAX, libc::SIGKILL as u64)),
    ("signal its group", Both, libc::SYS_kill, two(0, libc::SIGKILL as u64)),
    ("signal a thread", Both, libc::SYS_tkill, two(FIRST, libc::SIGKILL as u64)),
    ("signal a thread of a process", Both, libc::SYS_tgkill, three(FIRST, FIRST, libc::SIGKILL as u64)),
    ("abort another process", Event, libc::SYS_tgkill, three(FIRST, FIRST, libc::SIGABRT as u64)),
    ("queue a signal", Both, libc::SYS_rt_sigqueueinfo, NONE),
    ("signal by a handle", Both, libc::SYS_pidfd_send_signal, NONE),
    ("open a handle of a process", Both, libc::SYS_pidfd_open, first(FIRST)),
    ("wait for signals by a descriptor", Both, libc::SYS_signalfd4, NONE),
    // Tracing and memory of others.
    ("ask to be traced", Both, libc::SYS_ptrace, first(libc::PTRACE_TRACEME as u64)),
    ("trace the first process", Both, libc::SYS_ptrace, two(libc::PTRACE_SEIZE as u64, FIRST)),
    ("read another's memory", Both, libc::SYS_process_vm_readv, first(FIRST)),
    ("write another's memory", Both, libc::SYS_process_vm_writev, first(FIRST)),
    ("advise on another's memory", Both, libc::SYS_process_madvise, NONE),
    ("compare two processes", Both, libc::SYS_kcmp, two(FIRST, FIRST)),
    ("handle page faults", Both, libc::SYS_userfaultfd, NONE),
    ("measure performance", Both, libc::SYS_perf_event_open, NONE),
    ("load a program into the kernel", Both, libc::SYS_bpf, NONE),
    // io_uring.
    ("set up a ring of calls", Both, libc::SYS_io_uring_setup, first(8)),
    ("enter a ring of calls", Both, libc::SYS_io_uring_enter, first(0)),
    ("register with a ring of calls", Both, libc::SYS_io_uring_register, first(0)),
    ("set up the older ring", Both, libc::SYS_io_setup, first(8)),
    // Sockets.
    ("make an internet socket", Both, libc::SYS_socket, two(libc::AF_INET as u64, libc::SOCK_STREAM as u64)),
    ("make a Unix socket", Both, libc::SYS_socket, two(libc::AF_UNIX as u64, libc::SOCK_STREAM as u64)),
    (
        "make a socket to the parent",
        Both,
        libc::SYS_socket,
        two(libc::AF_VSOCK as u64, libc::SOCK_STREAM as u64),
    ),
    (
        "make a socket to the kernel",
        Both,
        libc::SYS_socket,
        two(libc::AF_NETLINK as u64, libc::SOCK_RAW as u64),
    ),
    (
        "make a socket to the kernel's ciphers",
        Both,
        libc::SYS_socket,
        two(libc::AF_ALG as u64, libc::SOCK_SEQPACKET as u64),
    ),
    ("make a pair of sockets", Both, libc::SYS_socketpair, NONE),
    ("connect", Both, libc::SYS_connect, first(0)),
    ("bind", Both, libc::SYS_bind, first(0)),
    ("listen", Both, libc::SYS_listen, first(0)),
    ("accept", Both, libc::SYS_accept4, first(0)),
    ("set an option of its socket", Both, libc::SYS_setsockopt, first(0)),
    ("shut its socket down", Both, libc::SYS_shutdown, two(0, 2)),
    ("ask who is at the other end", Both, libc::SYS_getsockopt, three(0, 1, 17)),
    // Clocks.
    ("set the clock", Both, libc::SYS_clock_settime, NONE),
    ("set the time of day", Both, libc::SYS_settimeofday, NONE),
    ("adjust the clock", Both, libc::SYS_clock_adjtime, NONE),
    ("sleep", Both, libc::SYS_nanosleep, NONE),
    ("wait by a descriptor", Both, libc::SYS_timerfd_create, NONE),
    ("set a timer", Both, libc::SYS_timer_create, NONE),
    ("set an interval timer", Both, libc::SYS_setitimer, NONE),
    // Processes: forks, threads, programs.
    ("split in an event", Event, libc::SYS_clone, first((CLONE_PIDFD | SIGCHLD) as u64)),
    ("split plainly", Both, libc::SYS_clone, first(SIGCHLD as u64)),
    (
        "start a thread",
        Both,
        libc::SYS_clone,
        first((CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD) as u64),
    ),
    ("split with shared memory", Both, libc::SYS_clone, first((CLONE_VM | CLONE_PIDFD | SIGCHLD) as u64)),
    (
        "split into a user namespace",
        Both,
        libc::SYS_clone,
        first((CLONE_NEWUSER | CLONE_PIDFD | SIGCHLD) as u64),
    ),
    (
        "split into a mount namespace",
        Both,
        libc::SYS_clone,
        first((CLONE_NEWNS | CLONE_PIDFD | SIGCHLD) as u64),
    ),
    (
        "split into a namespace of processes",
        Both,
        libc::SYS_clone,
        first((CLONE_NEWPID | CLONE_PIDFD | SIGCHLD) as u64),
    ),
    ("split onto another stack", Both, libc::SYS_clone, two((CLONE_PIDFD | SIGCHLD) as u64, 4096)),
    ("split by the newer call", Both, libc::SYS_clone3, NONE),
    ("run a program", Both, libc::SYS_execve, NONE),
    ("run a program by a descriptor", Both, libc::SYS_execveat, first(0)),
    ("leave a namespace", Both, libc::SYS_unshare, first(CLONE_NEWUSER as u64)),
    ("enter a namespace", Both, libc::SYS_setns, NONE),
    ("wait for a copy in an event", Event, libc::SYS_wait4, NONE),
    ("wait for any process", Both, libc::SYS_waitid, NONE),
    ("ask for its parent", Both, libc::SYS_getppid, NONE),
    ("lead a session", Both, libc::SYS_setsid, NONE),
    ("wait for memory to change", Both, libc::SYS_futex, NONE),
    ("choose processors", Both, libc::SYS_sched_setaffinity, NONE),
    ("choose a priority", Both, libc::SYS_setpriority, NONE),
    ("choose a scheduler", Both, libc::SYS_sched_setscheduler, NONE),
    // Rights.
    ("become root", Both, libc::SYS_setuid, first(0)),
    ("become another user", Both, libc::SYS_setresuid, NONE),
    ("become another group", Both, libc::SYS_setresgid, NONE),
    ("join groups", Both, libc::SYS_setgroups, NONE),
    ("take capabilities", Both, libc::SYS_capset, NONE),
    ("outlive the enclave", Both, libc::SYS_prctl, two(libc::PR_SET_PDEATHSIG as u64, 0)),
    ("be dumpable", Both, libc::SYS_prctl, two(libc::PR_SET_DUMPABLE as u64, 1)),
    ("adopt orphans", Both, libc::SYS_prctl, two(libc::PR_SET_CHILD_SUBREAPER as u64, 1)),
    ("look at its filter", Both, libc::SYS_seccomp, first(2)),
    ("listen to its filter", Both, libc::SYS_seccomp, two(1, 8)),
    ("take another personality", Both, libc::SYS_personality, first(0)),
    ("use the keyring", Both, libc::SYS_keyctl, NONE),
    ("add a key", Both, libc::SYS_add_key, NONE),
    ("restrict itself, to learn how", Both, libc::SYS_landlock_create_ruleset, NONE),
    ("set another's limits", Both, libc::SYS_prlimit64, first(FIRST)),
    // The kernel and the machine.
    ("load a module", Both, libc::SYS_init_module, NONE),
    ("load another kernel", Both, libc::SYS_kexec_load, NONE),
    ("restart the machine", Both, libc::SYS_reboot, NONE),
    ("read the kernel's log", Both, libc::SYS_syslog, three(3, 0, 0)),
    ("ask what machine it is", Both, libc::SYS_uname, NONE),
    ("ask how much is free", Both, libc::SYS_sysinfo, NONE),
    // Memory that others see, and code.
    ("share memory", Both, libc::SYS_shmget, NONE),
    ("attach shared memory", Both, libc::SYS_shmat, NONE),
    ("make a queue", Both, libc::SYS_msgget, NONE),
    ("make a semaphore", Both, libc::SYS_semget, NONE),
    ("open a queue by name", Both, libc::SYS_mq_open, NONE),
    ("make a secret memory", Both, libc::SYS_memfd_secret, NONE),
    ("map memory to run", Both, libc::SYS_mmap, [0, 4096, 4 | SELF_WRITE, ANONYMOUS, NO_FILE, 0]),
    ("map a descriptor", Both, libc::SYS_mmap, [0, 4096, 1, 2, 0, 0]),
    ("let memory be run", Both, libc::SYS_mprotect, three(0, 4096, 5)),
    ("keep memory for itself", Both, libc::SYS_mlockall, first(3)),
    ("move pages", Both, libc::SYS_move_pages, NONE),
    ("a call that no kernel has", Both, 100_000, NONE),
    #[cfg(target_arch = "x86_64")]
    ("a call of another convention", Both, libc::SYS_getpid | 0x4000_0000, NONE),
    #[cfg(target_arch = "x86_64")]
    ("change its segments", Both, libc::SYS_arch_prctl, NONE),
    #[cfg(target_arch = "x86_64")]
    ("open the ports", Both, libc::SYS_iopl, first(3)),
];

/// What a deed is, where it is done, which limit is short, and every ending that is right for it.
pub type Deed = (&'static str, Stage, Bound, &'static [&'static str]);

/// Attacks of more than a call; `r3e-hostile-native` knows how each is done.
pub const DEEDS: &[Deed] = &[
    // What is left of the world.
    ("list its descriptors", Both, Bound::None, &["output [0,1,2]"]),
    ("read the processor clocks of others", Event, Bound::None, &["output [1]"]),
    ("raise its own limits", Both, Bound::None, &["output [1,1,1,1,1]"]),
    ("map a terabyte", Both, Bound::None, &["output \"refused\""]),
    // Its own end, in every way.
    ("write to nowhere", Both, Bound::None, &["crashed/11"]),
    ("overflow its stack", Both, Bound::None, &["crashed/6", "crashed/11"]),
    // The first of a namespace of processes does not heed its own signal, and ends by the instruction after it.
    ("abort", Both, Bound::None, &["crashed/6", "crashed/11"]),
    ("end without a word", Event, Bound::None, &["crashed"]),
    ("end as if for want of memory", Event, Bound::None, &["memory_limit", "crashed"]),
    ("allocate without end", Both, Bound::None, &["memory_limit"]),
    ("ignore every signal and loop", Both, Bound::Cpu, &["cpu_limit"]),
    ("catch the filter's signal", Both, Bound::None, &["crashed/31"]),
    ("sleep for ever", Both, Bound::Wall, &["timeout"]),
    // Lies to the supervisor.
    ("claim a frame of four gigabytes", Both, Bound::None, &["protocol"]),
    ("send a frame of nothing", Both, Bound::None, &["protocol"]),
    ("send a frame of no kind", Both, Bound::None, &["protocol"]),
    ("send half a frame and wait", Both, Bound::Wall, &["timeout"]),
    ("be ready twice", Both, Bound::None, &["protocol"]),
    ("be loaded in an event", Event, Bound::None, &["protocol"]),
    ("tell of a copy that nobody ordered", Both, Bound::None, &["protocol"]),
    ("tell of the end of no copy", Both, Bound::None, &["protocol"]),
    ("answer another event", Event, Bound::None, &["protocol"]),
    ("answer while it loads", Load, Bound::None, &["protocol"]),
    ("answer with no JSON", Event, Bound::None, &["protocol"]),
    ("answer with nesting without end", Event, Bound::None, &["protocol"]),
    ("answer with more than its limit", Event, Bound::None, &["protocol"]),
    ("answer twice", Event, Bound::None, &["output 1", "protocol"]),
    ("skip numbers of host calls", Event, Bound::None, &["protocol"]),
    ("make host calls while it loads", Load, Bound::None, &["protocol"]),
    ("have more calls out than may be", Event, Bound::None, &["protocol"]),
    ("make a host call of no kind", Event, Bound::None, &["protocol"]),
    ("log more lines than may be", Both, Bound::None, &["protocol"]),
    ("log bytes that are no text", Both, Bound::None, &["protocol"]),
    ("never read its answers", Event, Bound::Wall, &["timeout"]),
    // The process that was loaded, which still may split.
    ("split until it may not, and loop", Load, Bound::Cpu, &["cpu_limit"]),
    ("leave fifty copies behind that loop", Load, Bound::None, &["output \"done\"", "start"]),
    ("pass descriptors that nobody asked for", Load, Bound::None, &["output \"done\"", "protocol", "start"]),
    ("answer an order with no handle", Load, Bound::None, &["start"]),
    ("answer an order with its socket as the handle", Load, Bound::None, &["start"]),
    ("answer an order that was not given", Load, Bound::None, &["start"]),
    ("never answer an order", Load, Bound::None, &["start"]),
    ("die on an order", Load, Bound::None, &["start"]),
];

/// How those end otherwise that are made in a process that handles its event itself.
const ALONE: &[(&str, &[&str])] = &[
    // It is the first of its namespace, so the other is itself, and the first does not heed its own signal.
    ("abort another process", &["function_error/thrown"]),
    // There is nobody else.
    ("read the processor clocks of others", &["output []"]),
    // It may not split.
    ("split until it may not, and loop", &["crashed/31"]),
    ("leave fifty copies behind that loop", &["crashed/31"]),
    ("pass descriptors that nobody asked for", &["crashed/31"]),
    // It is given no order.
    ("answer an order with no handle", &["crashed/31"]),
    ("answer an order with its socket as the handle", &["crashed/31"]),
    ("answer an order that was not given", &["crashed/31"]),
    ("never answer an order", &["crashed/31"]),
    ("die on an order", &["crashed/31"]),
];

/// What `r3e-hostile-native` does with no attack: a function that works.
pub const WORKS: &str = r#"[7,"s3cret"]"#;

/// Every attack, each once for each stage that it is made in, and as often in a process that handles its event itself.
pub fn attacks() -> Vec<Script> {
    let calls = CALLS.iter().map(|(name, stage, ..)| (*name, *stage, Bound::None, &["crashed/31"][..]));
    let deeds = DEEDS.iter().copied();
    calls.chain(deeds).flat_map(|(name, stage, bound, ends)| scripts(name, stage, bound, ends)).collect()
}

fn scripts(name: &str, stage: Stage, bound: Bound, ends: &[&str]) -> Vec<Script> {
    let stages: &[&str] = match stage {
        Load => &["load"],
        Event => &["event"],
        Both => &["load", "event"],
    };
    let script = |place: String, stage: &str, way: Way, ends: &[&str]| Script {
        name: format!("{place}: {name}"),
        attack: name.to_owned(),
        bound,
        ends: ends.iter().map(|end| ending(end)).collect(),
        again: Again::Not,
        way,
        engine: Engine::default(),
        source: format!("{stage}: {name}"),
    };
    let alone = ALONE.iter().find(|(other, _)| *other == name).map_or(ends, |(_, ends)| *ends);
    let copied = stages.iter().map(|stage| script((*stage).to_owned(), stage, Way::Copied, ends));
    let alone = stages.iter().map(|stage| script(format!("alone, {stage}"), stage, Way::Alone, alone));
    copied.chain(alone).collect()
}

/// A process that answers its supervisor wrongly has no ending of the API's: its event ends as if it could not be started.
fn ending(text: &str) -> Ending {
    let start = || Ending { code: text.to_owned(), detail: None };
    Ending::parse(text).unwrap_or_else(start)
}
