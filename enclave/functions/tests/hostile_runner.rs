//! A runner that is not ours: what a process could do that has broken out of its engine and of its box. This program is both the
//! tests and, started under another name, that runner.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, clone};
use nix::sys::signal::Signal;
use nix::sys::socket::{SockType, getsockopt, sockopt};
use nix::unistd::{ForkResult, fork, geteuid, getpid};
use r3e_functions::runner_pool::{Limits, RunnerConfig, RunnerPool};
use r3e_runner_api::process::{Ending, Identity};
use r3e_runner_api::{FrameDecoder, HostMessage, RunnerMessage};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use support::{AMPLE, Host, class, config, eventually, key, runners};

/// What the process that has loaded a function does, what becomes of an event, and whether the process is ended for it, so that the
/// function is loaded again for the next event.
const TABLE: &[(&str, &str, bool)] = &[
    ("honest", "ok 1", false),
    // Hands over the same copy for a second event, which would go unmetered.
    ("twice", "ok 1", true),
    // Hands over itself: to be metered in its copy's place.
    ("itself", "start", true),
    // Says that there is a copy, and hands over nothing, or two, or something else.
    ("nothing", "start", true),
    ("two", "start", true),
    ("a-file", "start", true),
    // Answers another order, or an order that was not given.
    ("another", "start", true),
    // With the answer that was ordered right behind, it has handed over its copy all the same, and has said one thing too many.
    ("hasty", "start or ok 1", true),
    // Tells of ends that did not come.
    ("ended", "start", true),
    // Does not answer.
    ("silent", "start", true),
    // Goes away instead.
    ("gone", "start", true),
    // Its copy ends by itself, and it says that memory was lacking: its own tenant is told so.
    ("liar", "memory", false),
];

fn main() -> ExitCode {
    let name = std::env::args().next().unwrap();
    let name = Path::new(&name).file_name().unwrap().to_str().unwrap().to_owned();
    if getsockopt(&std::io::stdin(), sockopt::SockType).is_ok_and(|kind| kind == SockType::Stream) {
        Runner::take_over().nurse(&name);
    }
    // What a harness is asked by its callers.
    if std::env::args().any(|argument| argument == "--list") {
        println!("a_hostile_runner_harms_nobody: test");
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        every_lie_ends_its_family_alone().await;
        what_was_not_ordered_is_found("hidden").await;
        what_was_not_ordered_is_found("grandchild").await;
        what_was_not_ordered_is_found("busy").await;
    });
    println!("a_hostile_runner_harms_nobody ... ok");
    ExitCode::SUCCESS
}

fn start(folder: &Path, name: &str) -> RunnerPool {
    let path = folder.join(name);
    std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &path).unwrap();
    RunnerPool::new(RunnerConfig { spares: 0, runner_path: path, ..config() }).unwrap()
}

/// How an event ended, and whether the function was loaded for it.
async fn event(pool: &RunnerPool, tenant: &str) -> (String, bool) {
    let limits = Limits { wall_ms: 20_000, ..AMPLE };
    let done = pool.invoke(&key(tenant, "1"), "source", "1", &limits, &Host::default()).await;
    (class(&done.outcome), done.usage.cold)
}

async fn every_lie_ends_its_family_alone() {
    for (name, expected, loaded_anew) in TABLE {
        let folder = tempfile::tempdir().unwrap();
        let pool = start(folder.path(), name);
        // A second event comes to what the first has left.
        for cold in [true, *loaded_anew] {
            let (ended, was_cold) = event(&pool, "mallory").await;
            assert!(expected.split(" or ").any(|expected| ended == expected), "{name}: {ended}");
            assert_eq!(was_cold, cold, "{name}");
        }
        drop(pool);
        eventually("all of them are gone", || started_by(&folder.path().join(name)) == 0).await;
    }
}

async fn what_was_not_ordered_is_found(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let pool = start(folder.path(), name);
    assert_eq!(event(&pool, "mallory").await.0, "ok 1");
    let there = started_by(&folder.path().join(name));
    let began = Instant::now();
    // The process that all are copies of stays.
    eventually(&format!("{name}: the family is ended with all that it has"), || {
        started_by(&folder.path().join(name)) == 1
    })
    .await;
    assert!(there > 1);
    assert!(began.elapsed() < Duration::from_secs(25), "{name}: {:?}", began.elapsed());
    assert_eq!(event(&pool, "alice").await.0, "ok 1", "the others are served");
}

/// How many processes of this program were started by that path.
fn started_by(path: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
        count += usize::from(first == path.as_os_str().as_bytes());
    }
    assert!(runners().is_empty(), "none of the real ones");
    count
}

/// A process that speaks the protocol.
struct Runner {
    socket: UnixStream,
    decoder: FrameDecoder,
    descriptors: VecDeque<OwnedFd>,
}

impl Runner {
    fn take_over() -> Self {
        Self::over(UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap()))
    }

    fn over(socket: UnixStream) -> Self {
        Self { socket, decoder: FrameDecoder::new(), descriptors: VecDeque::new() }
    }

    /// Makes families, as the real one does: each in a namespace of processes of its own.
    fn nurse(mut self, name: &str) -> ! {
        // With its parent it ends, and so do its copies.
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
        self.say(&RunnerMessage::Ready(Identity::OwnUser));
        let mut stack = vec![0; 4 << 20];
        loop {
            let HostMessage::Fork { number } = self.hear() else { std::process::exit(3) };
            let socket = UnixStream::from(self.descriptors.pop_front().unwrap());
            let family = || -> isize {
                nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
                Self::over(socket.try_clone().unwrap()).load(name)
            };
            let own_user = if geteuid().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
            let flags = CloneFlags::CLONE_NEWPID | own_user;
            // SAFETY: without `CLONE_VM` the copy has memory of its own, this stack too, which is larger than what it needs.
            let pid = unsafe { clone(Box::new(family), &mut stack, flags, Some(Signal::SIGCHLD as i32)) };
            self.answer(number, &[handle_of(pid.unwrap().as_raw())]);
        }
    }

    /// Loads nothing, and follows orders in its way.
    fn load(mut self, name: &str) -> ! {
        self.say(&RunnerMessage::Ready(Identity::OwnUser));
        let HostMessage::Load { .. } = self.hear() else { std::process::exit(3) };
        self.say(&RunnerMessage::Loaded);
        if name == "hasty" {
            self.answer(1, &[]);
        }
        let mut first = None;
        loop {
            let HostMessage::Fork { number } = self.hear() else { std::process::exit(3) };
            let socket = UnixStream::from(self.descriptors.pop_front().unwrap());
            let Some(pid) = split() else { Self::over(socket).handle(name) };
            drop(socket);
            let first = *first.get_or_insert(pid);
            match name {
                "twice" => self.answer(number, &[handle_of(first)]),
                "itself" => self.answer(number, &[handle_of(getpid().as_raw())]),
                "nothing" => self.answer(number, &[]),
                "two" => self.answer(number, &[handle_of(pid), handle_of(pid)]),
                "a-file" => self.answer(number, &[std::fs::File::open("/dev/null").unwrap().into()]),
                "another" => self.answer(number + 1, &[handle_of(pid)]),
                "ended" => {
                    self.say(&RunnerMessage::Ended { number: number + 7, ending: Ending::Exited(0) });
                }
                "silent" => {}
                "gone" => std::process::exit(0),
                _ => self.answer(number, &[handle_of(pid)]),
            }
            match name {
                "liar" => {
                    std::thread::sleep(Duration::from_millis(200));
                    self.say(&RunnerMessage::Ended { number, ending: Ending::Exited(50) });
                }
                "hidden" | "grandchild" if split().is_none() => {
                    // In the second case the one that is seen by its parent ends at once.
                    if name == "grandchild" && split().is_some() {
                        std::process::exit(0);
                    }
                    std::thread::sleep(Duration::from_mins(10));
                    std::process::exit(0);
                }
                "busy" => {
                    let end = Instant::now() + Duration::from_mins(10);
                    while Instant::now() < end {}
                }
                _ => {}
            }
        }
    }

    /// Handles events by answering 1.
    fn handle(mut self, name: &str) -> ! {
        loop {
            let HostMessage::Invoke { id, .. } = self.hear() else { std::process::exit(3) };
            if name == "liar" {
                std::process::exit(0);
            }
            self.say(&RunnerMessage::Done { id, outcome: Ok("1".to_owned()) });
        }
    }

    fn say(&mut self, message: &RunnerMessage) {
        self.socket.write_all(&message.encode().unwrap()).unwrap();
    }

    fn answer(&mut self, number: u64, handles: &[OwnedFd]) {
        let frame = RunnerMessage::Forked { number }.encode().unwrap();
        let descriptors: Vec<_> = handles.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
        }
        sendmsg(&self.socket, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
    }

    fn hear(&mut self) -> HostMessage {
        let mut chunk = [0; 4096];
        loop {
            if let Some(frame) = self.decoder.next_frame(|kind| Ok(kind.max_body_bytes())).unwrap() {
                return HostMessage::decode(frame).unwrap();
            }
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::CMSG_CLOEXEC;
            let got = recvmsg(&self.socket, &mut [IoSliceMut::new(&mut chunk)], &mut ancillary, flags);
            let Ok(got) = got else { std::process::exit(0) };
            if got.bytes == 0 {
                std::process::exit(0);
            }
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(received) = message {
                    self.descriptors.extend(received);
                }
            }
            self.decoder.push(&chunk[..got.bytes]);
        }
    }
}

/// The copy's number, and nothing in the copy.
fn split() -> Option<i32> {
    // SAFETY: a runner has one thread: it was started by `exec`, and `main` has started none.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => Some(child.as_raw()),
        ForkResult::Child => None,
    }
}

fn handle_of(pid: i32) -> OwnedFd {
    pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap()
}
