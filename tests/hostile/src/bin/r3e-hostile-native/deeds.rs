//! Attacks of more than one call, by name.

use std::convert::Infallible;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use r3e_runner_api::process::{EXIT_OUT_OF_MEMORY, Ending, Identity};
use r3e_runner_api::{FrameDecoder, HostCall, HostMessage, LogLevel, LogRecord, RunnerMessage};
use r3e_sandbox::Sender;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::kernel;

/// The kinds of frames that are sent by the byte (`r3e_runner_api::FrameKind`).
const KIND_OF_HOST_CALL: u8 = 0x84;
const KIND_OF_LOG: u8 = 0x85;

/// Does what has this name, if anything has.
pub(crate) fn deed(sender: &Sender, name: &str) -> Option<Result<String, String>> {
    by_itself(name)
        .or_else(|| by_lies(sender, name).map(|never| match never {}))
        .or_else(|| by_splitting(sender, name))
}

/// What needs nobody else.
fn by_itself(name: &str) -> Option<Result<String, String>> {
    Some(match name {
        "list its descriptors" => Ok(plain(&open_descriptors())),
        "read the processor clocks of others" => Ok(plain(&clocks_of_others())),
        "raise its own limits" => Ok(plain(&raise_limits())),
        "map a terabyte" => match kernel::call(libc::SYS_mmap, [0, 1 << 40, 3, 0x22, u64::MAX, 0]) {
            Err(libc::ENOMEM) => Ok("\"refused\"".to_owned()),
            other => Err(format!("{other:?}")),
        },
        "write to nowhere" => {
            kernel::write_to_nowhere();
            Err("it was written".to_owned())
        }
        "overflow its stack" => Err(format!("it ended: {}", overflow(1))),
        "abort" => std::process::abort(),
        "end without a word" => kernel::end(0),
        "end as if for want of memory" => kernel::end(EXIT_OUT_OF_MEMORY),
        "allocate without end" => allocate(),
        "ignore every signal and loop" => {
            (1..=64).for_each(kernel::ignore);
            spin()
        }
        "catch the filter's signal" => {
            kernel::catch(libc::SIGSYS);
            Err(format!("{:?}", kernel::call(libc::SYS_socket, [1, 1, 0, 0, 0, 0])))
        }
        "sleep for ever" => sleep(),
        _ => return None,
    })
}

/// What is said to the supervisor, or not said: none of it comes back.
fn by_lies(sender: &Sender, name: &str) -> Option<Infallible> {
    let say = |message: RunnerMessage| sender.send(&message);
    match name {
        "claim a frame of four gigabytes" => wait_after(sender, &[0xff, 0xff, 0xff, 0xff, KIND_OF_LOG]),
        "send a frame of nothing" => wait_after(sender, &[0, 0, 0, 0, 0, 0]),
        "send a frame of no kind" => wait_after(sender, &[0, 0, 0, 1, 0x7e]),
        "send half a frame and wait" => wait_after(sender, &[0, 0, 0, 9, KIND_OF_LOG, 1]),
        "log bytes that are no text" => wait_after(sender, &[0, 0, 0, 5, KIND_OF_LOG, 1, 0, 0xff, 0xfe]),
        "make a host call of no kind" => wait_after(sender, &[0, 0, 0, 3, KIND_OF_HOST_CALL, b'{', b'}']),
        "be ready twice" => wait_after_saying(sender, &RunnerMessage::Ready(Identity::OwnUser)),
        "be loaded in an event" => wait_after_saying(sender, &RunnerMessage::Loaded),
        "tell of a copy that nobody ordered" => {
            wait_after_saying(sender, &RunnerMessage::Forked { number: 1 })
        }
        "tell of the end of no copy" => {
            wait_after_saying(sender, &RunnerMessage::Ended { number: 1, ending: Ending::Exited(0) })
        }
        "answer another event" => wait_after_saying(sender, &answer(99, "1")),
        "answer while it loads" => wait_after_saying(sender, &answer(1, "1")),
        "answer with no JSON" => wait_after_saying(sender, &answer(1, "{")),
        "answer with nesting without end" => wait_after_saying(sender, &answer(1, &"[".repeat(50_000))),
        "answer with more than its limit" => {
            wait_after_saying(sender, &answer(1, &format!("\"{}\"", "x".repeat(200_000))))
        }
        "answer twice" => {
            say(answer(1, "1"));
            wait_after_saying(sender, &answer(1, "2"))
        }
        "skip numbers of host calls" => wait_after_saying(sender, &asks(5)),
        "make host calls while it loads" => wait_after_saying(sender, &asks(1)),
        "have more calls out than may be" => {
            (1..=40).for_each(|number| say(asks(number)));
            sleep()
        }
        "log more lines than may be" => {
            (0..5_000).for_each(|_| say(line("x")));
            sleep()
        }
        "never read its answers" => {
            (1..=16).for_each(|call_id| {
                let url = "https://venue.example/large".to_owned();
                let call =
                    HostCall::Fetch { url, method: "GET".to_owned(), headers: Vec::new(), body_base64: None };
                say(RunnerMessage::HostCall { call_id, call });
            });
            sleep()
        }
        _ => None,
    }
}

/// What a process can do that still may split.
fn by_splitting(sender: &Sender, name: &str) -> Option<Result<String, String>> {
    let done = Ok("\"done\"".to_owned());
    Some(match name {
        "split until it may not, and loop" => {
            while matches!(kernel::split(), Ok(false)) {}
            spin()
        }
        "leave fifty copies behind that loop" => {
            for _ in 0..50 {
                if kernel::split() == Ok(true) {
                    spin();
                }
            }
            done
        }
        "pass descriptors that nobody asked for" => {
            for _ in 0..8 {
                pass(&line("x"), &[0, 1, 2]);
            }
            done
        }
        "answer an order with no handle" => {
            lie(sender, |number| sender.send(&RunnerMessage::Forked { number }))
        }
        "answer an order with its socket as the handle" => {
            lie(sender, |number| pass(&RunnerMessage::Forked { number }, &[0]))
        }
        "answer an order that was not given" => {
            lie(sender, |number| pass(&RunnerMessage::Forked { number: number + 7 }, &[0]))
        }
        "never answer an order" => lie(sender, |_| ()),
        "die on an order" => lie(sender, |_| kernel::end(0)),
        _ => return None,
    })
}

fn answer(id: u64, output: &str) -> RunnerMessage {
    RunnerMessage::Done { id, outcome: Ok(output.to_owned()) }
}

fn asks(call_id: u32) -> RunnerMessage {
    RunnerMessage::HostCall { call_id, call: HostCall::StoreGet { key: "hang".to_owned() } }
}

fn line(text: &str) -> RunnerMessage {
    RunnerMessage::Log(LogRecord { level: LogLevel::Info, truncated: false, text: text.to_owned() })
}

/// As JSON.
fn plain(numbers: &[i32]) -> String {
    format!("{numbers:?}").replace(' ', "")
}

fn wait_after_saying(sender: &Sender, message: &RunnerMessage) -> ! {
    sender.send(message);
    sleep()
}

fn wait_after(sender: &Sender, bytes: &[u8]) -> ! {
    sender.send_frame(bytes);
    sleep()
}

/// Waits, by the one call that can, until it is ended.
fn sleep() -> ! {
    loop {
        let _woken = kernel::call(libc::SYS_ppoll, [0; 6]);
    }
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// Those of the first thousand that are open: who may not ask the kernel for one may still wait for it.
fn open_descriptors() -> Vec<i32> {
    let is_open = |fd: &i32| {
        let mut waited = libc::pollfd { fd: *fd, events: 0, revents: 0 };
        let mut at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let (waited_at, at_once_at) =
            ((&raw mut waited).expose_provenance(), (&raw mut at_once).expose_provenance());
        let gave = kernel::call(libc::SYS_ppoll, [waited_at as u64, 1, at_once_at as u64, 0, 0, 0]);
        gave.is_ok() && waited.revents & libc::POLLNVAL == 0
    };
    (0..1_000).filter(is_open).collect()
}

/// Processes, by number, whose processor time can be read: whoever can, can tell when they work. The clock of a process has a
/// number of its own (`clock_getcpuclockid(3)`).
fn clocks_of_others() -> Vec<i32> {
    let own = kernel::call(libc::SYS_getpid, [0; 6]).unwrap_or_default();
    let is_told = |pid: &i32| {
        let clock = (!pid << 3) | 2;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let time_at = (&raw mut time).expose_provenance();
        kernel::call(libc::SYS_clock_gettime, [u64::from(clock.cast_unsigned()), time_at as u64, 0, 0, 0, 0])
            .is_ok()
    };
    (1..40_000).filter(|pid| i64::from(*pid) != own).filter(is_told).collect()
}

/// The kernel's reasons not to raise each limit.
fn raise_limits() -> Vec<i32> {
    let limits =
        [libc::RLIMIT_AS, libc::RLIMIT_NPROC, libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE, libc::RLIMIT_CORE];
    let raise = |resource| {
        let wanted = libc::rlimit64 { rlim_cur: u64::MAX, rlim_max: u64::MAX };
        let wanted_at = (&raw const wanted).expose_provenance();
        kernel::call(libc::SYS_prlimit64, [0, u64::from(resource), wanted_at as u64, 0, 0, 0])
            .err()
            .unwrap_or_default()
    };
    limits.into_iter().map(raise).collect()
}

fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + frame[0] }
}

fn allocate() -> ! {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

/// Sends a message with descriptors that nobody asked for.
fn pass(message: &RunnerMessage, descriptors: &[i32]) {
    let Ok(frame) = message.encode() else { return };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(|number| kernel::borrow(*number)).collect();
    ancillary.push(SendAncillaryMessage::ScmRights(&borrowed));
    let _sent = sendmsg(kernel::borrow(0), &[IoSlice::new(&frame)], &mut ancillary, SendFlags::NOSIGNAL);
}

/// Says that it is loaded, and answers each order to split by a lie.
fn lie(sender: &Sender, answer: impl Fn(u64)) -> ! {
    sender.send(&RunnerMessage::Loaded);
    let mut decoder = FrameDecoder::new();
    let mut chunk = [0; 4096];
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(
            kernel::borrow(0),
            &mut [IoSliceMut::new(&mut chunk)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        );
        match received {
            Ok(received) if received.bytes > 0 => {
                decoder.push(chunk.get(..received.bytes).unwrap_or_default());
            }
            Err(Errno::INTR) => continue,
            _ => kernel::end(0),
        }
        // What came along is dropped with the buffer, which closes it.
        while let Ok(Some(frame)) = decoder.next_frame(|kind| Ok(kind.max_body_bytes())) {
            if let Ok(HostMessage::Fork { number }) = HostMessage::decode(frame) {
                answer(number);
            }
        }
    }
}
