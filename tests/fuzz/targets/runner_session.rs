//! A runner that says anything at any time. The input is a script: what the enclave does, and what bytes come
//! from the runner in between. Whatever the session lets through must fit the state of a second, plain account.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_runner_api::limits::{MAX_LOG_FRAMES, MAX_OUTSTANDING_HOST_CALLS};
use r3e_runner_api::process::Identity;
use r3e_runner_api::{
    FrameKind, FunctionLimits, HostError, HostErrorCode, HostValue, Purpose, RunnerEvent, RunnerMessage,
    Session, json,
};

const OUTPUT_BYTES: u32 = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Starting,
    Blank,
    Loading,
    Idle,
    Copying,
    Running,
    Spent,
}

struct Account {
    session: Session,
    purpose: Purpose,
    phase: Phase,
    calls: u32,
    open: Vec<u32>,
    logs: u32,
    invocations: u64,
    orders: u64,
    ordered: bool,
    copies: usize,
}

fuzz_target!(|data: &[u8]| {
    let mut account = Account {
        session: Session::new(),
        purpose: Purpose::Events,
        phase: Phase::Starting,
        calls: 0,
        open: Vec::new(),
        logs: 0,
        invocations: 0,
        orders: 0,
        ordered: false,
        copies: 0,
    };
    let mut script = data;
    while let Some((step, rest)) = script.split_first() {
        script = rest;
        let received = match step % 10 {
            0 => {
                account.load(if step / 10 % 2 == 0 { Purpose::Events } else { Purpose::Copies });
                continue;
            }
            1 => {
                account.invoke();
                continue;
            }
            2 => {
                account.reply(take(&mut script, 1).first().copied().unwrap_or_default());
                continue;
            }
            7 => {
                account.rehearse();
                continue;
            }
            8 => {
                account.fork();
                continue;
            }
            9 => RunnerMessage::Forked { number: account.orders }.encode().expect("it fits"),
            // Well-formed messages, so that the script gets far without luck.
            3 => RunnerMessage::Ready(Identity::OwnUser).encode().expect("it fits"),
            4 => RunnerMessage::Loaded.encode().expect("it fits"),
            5 => frame(take(&mut script, 1).first().copied().unwrap_or_default(), short(&mut script)),
            6 => {
                let id = account.invocations.to_be_bytes();
                frame(FrameKind::DoneOutput.byte(), &[&id, short(&mut script)].concat())
            }
            _ => short(&mut script).to_vec(),
        };
        account.session.push(&received);
        loop {
            match account.session.next_event() {
                Ok(Some(event)) => account.check(event),
                Ok(None) => break,
                // The runner is ended here.
                Err(_) => return,
            }
        }
    }
});

impl Account {
    fn load(&mut self, purpose: Purpose) {
        let limits = FunctionLimits { memory_mib: 8, output_bytes: OUTPUT_BYTES, log_bytes: 1024 };
        let loaded = self.session.load(limits, purpose, "export default () => 1".to_owned());
        assert_eq!(loaded.is_ok(), self.phase == Phase::Blank, "{:?}", self.phase);
        if loaded.is_ok() {
            self.phase = Phase::Loading;
            self.purpose = purpose;
            self.logs = 0;
        }
    }

    fn rehearse(&mut self) {
        let ordered = self.session.rehearse();
        assert_eq!(ordered.is_ok(), self.phase == Phase::Blank, "{:?}", self.phase);
        if ordered.is_ok() {
            self.phase = Phase::Starting;
        }
    }

    fn invoke(&mut self) {
        let invoked = self.session.invoke("{}".to_owned());
        assert_eq!(invoked.is_ok(), self.phase == Phase::Idle, "{:?}", self.phase);
        if invoked.is_ok() {
            self.phase = Phase::Running;
            self.logs = 0;
            self.open.clear();
            self.invocations += 1;
        }
    }

    fn fork(&mut self) {
        let ordered = self.session.fork();
        let wanted = matches!(self.phase, Phase::Blank | Phase::Copying) && !self.ordered;
        assert_eq!(ordered.is_ok(), wanted, "{:?}", self.phase);
        if wanted {
            self.orders += 1;
            self.ordered = true;
        }
    }

    fn reply(&mut self, id: u8) {
        let id = u32::from(id);
        let error = HostError { code: HostErrorCode::Denied, message: "no".to_owned() };
        let reply = if id % 2 == 0 { Ok(HostValue::StoreSet {}) } else { Err(error) };
        let sent = self.session.reply(id, reply).expect("a short reply fits");
        let wanted = self.phase == Phase::Running && self.open.contains(&id);
        assert_eq!(sent.is_some(), wanted, "a reply goes to an open call, once");
        if wanted {
            self.open.retain(|open| *open != id);
        }
    }

    fn check(&mut self, event: RunnerEvent) {
        match event {
            RunnerEvent::Ready(_) => self.walk(Phase::Starting, Phase::Blank),
            RunnerEvent::Loaded => {
                let of_copies = self.purpose == Purpose::Copies;
                self.walk(Phase::Loading, if of_copies { Phase::Copying } else { Phase::Idle });
            }
            RunnerEvent::LoadFailed(_) => self.walk(Phase::Loading, Phase::Spent),
            RunnerEvent::Log(_) => {
                assert!(matches!(self.phase, Phase::Loading | Phase::Running), "{:?}", self.phase);
                self.logs += 1;
                assert!(self.logs <= MAX_LOG_FRAMES);
            }
            RunnerEvent::HostCall { call_id, .. } => {
                assert_eq!(self.phase, Phase::Running);
                self.calls += 1;
                assert_eq!(call_id, self.calls, "calls are numbered in order");
                self.open.push(call_id);
                assert!(self.open.len() <= MAX_OUTSTANDING_HOST_CALLS);
            }
            RunnerEvent::Forked { number } | RunnerEvent::ForkFailed { number, .. } => {
                assert!(self.ordered && number == self.orders);
                self.ordered = false;
                self.copies += usize::from(matches!(event, RunnerEvent::Forked { .. }));
            }
            RunnerEvent::Ended { number, .. } => {
                assert!(number <= self.orders && self.copies > 0);
                self.copies -= 1;
            }
            RunnerEvent::Done(outcome) => {
                self.walk(Phase::Running, Phase::Idle);
                if let Ok(output) = outcome {
                    assert!(output.len() <= OUTPUT_BYTES as usize, "longer than the function may answer");
                    json::check(&output).expect("an output is JSON");
                }
            }
        }
        assert_eq!(self.session.copies(), self.copies);
        assert_eq!(self.session.outstanding_calls(), self.open.len());
        assert!(!self.session.is_idle() || self.phase == Phase::Idle);
    }

    fn walk(&mut self, from: Phase, to: Phase) {
        assert_eq!(self.phase, from, "on the way to {to:?}");
        self.phase = to;
    }
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 1).expect("a short frame");
    [&length.to_be_bytes(), &[kind][..], body].concat()
}

/// The next piece of the script, behind one byte for its length.
fn short<'a>(script: &mut &'a [u8]) -> &'a [u8] {
    let length = take(script, 1).first().copied().unwrap_or_default();
    take(script, usize::from(length))
}

fn take<'a>(script: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = script.split_at(length.min(script.len()));
    *script = rest;
    taken
}
