//! The enclave's state machine: an honest conversation passes, each lie is a typed refusal.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use proptest::prelude::*;
use r3e_runner_api::process::{Ending, Identity};
use r3e_runner_api::{
    Fault, FaultKind, FunctionLimits, HostCall, HostError, HostErrorCode, HostValue, LogLevel, LogRecord,
    ProtocolError, Purpose, RunnerEvent, RunnerMessage, Session, limits,
};

const LIMITS: FunctionLimits = FunctionLimits { memory_mib: 64, output_bytes: 100, log_bytes: 1000 };

const FORKED: RunnerMessage = RunnerMessage::Forked { number: 1 };
const ENDED: RunnerMessage = RunnerMessage::Ended { number: 1, ending: Ending::Signaled(9) };
const READY: RunnerMessage = RunnerMessage::Ready(Identity::OwnUser);

fn say(session: &mut Session, message: &RunnerMessage) -> Result<RunnerEvent, ProtocolError> {
    session.push(&message.encode().unwrap());
    session.next_event().map(|event| event.expect("a whole frame was pushed"))
}

fn loaded() -> Session {
    let mut session = Session::new();
    assert_eq!(say(&mut session, &READY).unwrap(), RunnerEvent::Ready(Identity::OwnUser));
    load(&mut session, Purpose::Events);
    session
}

/// One that makes copies.
fn original() -> Session {
    let mut session = Session::new();
    assert_eq!(say(&mut session, &READY).unwrap(), RunnerEvent::Ready(Identity::OwnUser));
    load(&mut session, Purpose::Copies);
    session
}

fn load(session: &mut Session, purpose: Purpose) {
    session.load(LIMITS, purpose, "export default () => 1".into()).unwrap();
    assert_eq!(say(session, &RunnerMessage::Loaded).unwrap(), RunnerEvent::Loaded);
}

fn running() -> Session {
    let mut session = loaded();
    session.invoke("{}".into()).unwrap();
    session
}

fn call(call_id: u32) -> RunnerMessage {
    RunnerMessage::HostCall { call_id, call: HostCall::StoreGet { key: "k".into() } }
}

fn done(id: u64, output: &str) -> RunnerMessage {
    RunnerMessage::Done { id, outcome: Ok(output.into()) }
}

fn log() -> RunnerMessage {
    RunnerMessage::Log(LogRecord { level: LogLevel::Info, truncated: false, text: "hello".into() })
}

#[test]
fn an_honest_conversation() {
    let mut session = loaded();
    for id in 1..4 {
        session.invoke("{}".into()).unwrap();
        say(&mut session, &log()).unwrap();
        let call_id = u32::try_from(id).unwrap();
        say(&mut session, &call(call_id)).unwrap();
        assert!(session.reply(call_id, Ok(HostValue::StoreGet { value: None })).unwrap().is_some());
        assert_eq!(say(&mut session, &done(id, "1")).unwrap(), RunnerEvent::Done(Ok("1".into())));
        assert!(session.is_idle());
        assert_eq!(session.outstanding_calls(), 0);
    }
}

type Start = fn() -> Session;

#[test]
fn each_message_out_of_turn_is_refused() {
    let fault = Fault::new(FaultKind::Thrown, "Error", "m", None);
    let everything = || {
        [
            READY,
            RunnerMessage::Loaded,
            RunnerMessage::LoadFailed(fault.clone()),
            call(1),
            log(),
            done(1, "1"),
            RunnerMessage::Done { id: 1, outcome: Err(fault.clone()) },
            FORKED,
            RunnerMessage::ForkFailed { number: 1, errno: 11 },
            ENDED,
        ]
    };
    let blank: Start = || {
        let mut session = Session::new();
        say(&mut session, &READY).unwrap();
        session
    };
    let loading: Start = || {
        let mut session = Session::new();
        say(&mut session, &READY).unwrap();
        session.load(LIMITS, Purpose::Events, String::new()).unwrap();
        session
    };
    let spent: Start = || {
        let mut session = Session::new();
        say(&mut session, &READY).unwrap();
        session.load(LIMITS, Purpose::Events, String::new()).unwrap();
        let fault = Fault::new(FaultKind::Module, "SyntaxError", "m", None);
        say(&mut session, &RunnerMessage::LoadFailed(fault)).unwrap();
        session
    };
    let ordered: Start = || {
        let mut session = original();
        session.fork().unwrap();
        session
    };
    let copied: Start = || {
        let mut session = Session::new();
        say(&mut session, &READY).unwrap();
        session.fork().unwrap();
        say(&mut session, &FORKED).unwrap();
        session
    };
    let copy: Start = || Session::of_copy(LIMITS);
    // Which of `everything` each state takes.
    let table: [(&str, Start, &[usize]); 10] = [
        ("starting", Session::new, &[0]),
        ("blank", blank, &[]),
        ("loading", loading, &[1, 2, 4]),
        ("idle", loaded, &[]),
        ("making copies", original, &[]),
        ("running", running, &[3, 4, 5, 6]),
        ("spent", spent, &[]),
        ("ordered", ordered, &[7, 8]),
        ("copied", copied, &[9]),
        ("a copy", copy, &[]),
    ];
    for (name, start, taken) in table {
        for (index, message) in everything().iter().enumerate() {
            let result = say(&mut start(), message);
            if taken.contains(&index) {
                assert!(result.is_ok(), "{name} takes {message:?}");
            } else {
                assert!(matches!(result, Err(ProtocolError::OutOfTurn { .. })), "{name} refuses {message:?}");
            }
        }
    }
}

#[test]
fn the_enclave_itself_keeps_turn() {
    assert!(matches!(
        Session::new().load(LIMITS, Purpose::Events, String::new()),
        Err(ProtocolError::OutOfTurn { .. })
    ));
    assert!(matches!(Session::new().invoke("1".into()), Err(ProtocolError::OutOfTurn { .. })));
    assert!(matches!(
        loaded().load(LIMITS, Purpose::Events, String::new()),
        Err(ProtocolError::OutOfTurn { .. })
    ));
    assert!(matches!(running().invoke("1".into()), Err(ProtocolError::OutOfTurn { .. })));
}

#[test]
fn answers_to_other_invocations_are_refused() {
    for id in [0, 2, u64::MAX] {
        let result = say(&mut running(), &done(id, "1"));
        assert!(matches!(result, Err(ProtocolError::WrongInvocation { expected: 1, .. })), "{id}");
    }
    let mut twice = running();
    say(&mut twice, &done(1, "1")).unwrap();
    assert!(matches!(say(&mut twice, &done(1, "1")), Err(ProtocolError::OutOfTurn { .. })));
}

#[test]
fn host_calls_are_numbered_and_bounded() {
    for first in [0, 2, u32::MAX] {
        assert!(matches!(say(&mut running(), &call(first)), Err(ProtocolError::WrongHostCall { .. })));
    }
    let mut session = running();
    say(&mut session, &call(1)).unwrap();
    assert!(matches!(say(&mut session, &call(1)), Err(ProtocolError::WrongHostCall { .. })));

    let mut session = running();
    let most = u32::try_from(limits::MAX_OUTSTANDING_HOST_CALLS).unwrap();
    for id in 1..=most {
        say(&mut session, &call(id)).unwrap();
    }
    assert!(matches!(say(&mut session, &call(most + 1)), Err(ProtocolError::TooManyOutstanding { .. })));
}

#[test]
fn late_and_unknown_replies_are_dropped() {
    let mut session = running();
    say(&mut session, &call(1)).unwrap();
    assert!(session.reply(2, Ok(HostValue::StoreSet {})).unwrap().is_none());
    say(&mut session, &done(1, "1")).unwrap();
    assert_eq!(session.outstanding_calls(), 1);
    assert!(session.reply(1, Ok(HostValue::StoreSet {})).unwrap().is_none());
}

#[test]
fn a_reply_too_long_becomes_an_error_the_function_sees() {
    let mut session = running();
    say(&mut session, &call(1)).unwrap();
    let value = HostValue::StoreGet { value: Some("x".repeat(limits::MAX_HOST_REPLY_BYTES)) };
    let frame = session.reply(1, Ok(value)).unwrap().expect("still outstanding");
    let too_large = HostError { code: HostErrorCode::TooLarge, message: String::new() };
    assert!(serde_json::to_string(&too_large).unwrap().contains("too_large"));
    assert!(String::from_utf8_lossy(&frame).contains("too_large"));
}

#[test]
fn output_is_checked() {
    let long = format!("\"{}\"", "x".repeat(99));
    assert!(matches!(
        say(&mut running(), &done(1, &long)),
        Err(ProtocolError::TooLong { max_bytes: 108, .. })
    ));
    for output in ["", "undefined", "{", "1 2", &("[".repeat(50) + &"]".repeat(49))] {
        assert!(matches!(say(&mut running(), &done(1, output)), Err(ProtocolError::Malformed { .. })));
    }
}

#[test]
fn log_frames_are_bounded() {
    let mut session = running();
    for _ in 0..limits::MAX_LOG_FRAMES {
        say(&mut session, &log()).unwrap();
    }
    assert!(matches!(say(&mut session, &log()), Err(ProtocolError::TooManyLogFrames { .. })));
}

#[test]
fn copies_are_made_by_order_and_end_once() {
    let mut session = original();
    let (number, frame) = session.fork().unwrap();
    assert_eq!((number, frame.len()), (1, limits::HEADER_BYTES + 8));
    assert!(matches!(session.fork(), Err(ProtocolError::OutOfTurn { .. })), "one order at a time");
    let other = RunnerMessage::Forked { number: 2 };
    assert!(matches!(say(&mut session, &other), Err(ProtocolError::WrongCopy { got: 2, .. })));

    let mut session = original();
    session.fork().unwrap();
    assert_eq!(say(&mut session, &FORKED).unwrap(), RunnerEvent::Forked { number: 1 });
    assert_eq!(session.copies(), 1);
    let refused = RunnerMessage::ForkFailed { number: 2, errno: 11 };
    assert_eq!(session.fork().unwrap().0, 2);
    assert_eq!(say(&mut session, &refused).unwrap(), RunnerEvent::ForkFailed { number: 2, errno: 11 });
    let ended = RunnerEvent::Ended { number: 1, ending: Ending::Signaled(9) };
    assert_eq!(say(&mut session, &ENDED).unwrap(), ended);
    assert_eq!(session.copies(), 0);
    session.fork().unwrap();
    assert!(matches!(say(&mut session, &FORKED), Err(ProtocolError::WrongCopy { got: 1, .. })));
}

#[test]
fn an_end_of_a_copy_that_does_not_live_is_refused() {
    let mut session = original();
    session.fork().unwrap();
    say(&mut session, &FORKED).unwrap();
    let unknown = RunnerMessage::Ended { number: 7, ending: Ending::Exited(0) };
    assert!(matches!(say(&mut session, &unknown), Err(ProtocolError::WrongCopy { got: 7, .. })));
}

#[test]
fn a_rehearsal_ends_with_another_ready() {
    let mut session = Session::new();
    assert!(matches!(session.rehearse(), Err(ProtocolError::OutOfTurn { .. })), "it is not ready");
    say(&mut session, &READY).unwrap();
    session.rehearse().unwrap();
    assert!(session.load(LIMITS, Purpose::Events, String::new()).is_err() && session.rehearse().is_err());
    assert_eq!(say(&mut session, &READY).unwrap(), RunnerEvent::Ready(Identity::OwnUser));
    load(&mut session, Purpose::Events);
}

#[test]
fn a_process_makes_copies_or_handles_events() {
    assert!(matches!(original().invoke("{}".into()), Err(ProtocolError::OutOfTurn { .. })));
    assert!(matches!(loaded().fork(), Err(ProtocolError::OutOfTurn { .. })));
    assert!(matches!(loaded().rehearse(), Err(ProtocolError::OutOfTurn { .. })), "there is a function");
    assert!(!original().is_idle(), "it is given no events");
}

#[test]
fn a_copy_handles_events_as_its_original_would() {
    let mut session = Session::of_copy(LIMITS);
    assert!(session.is_idle());
    session.invoke("{}".into()).unwrap();
    assert_eq!(say(&mut session, &done(1, "1")).unwrap(), RunnerEvent::Done(Ok("1".into())));
    session.invoke("{}".into()).unwrap();
    let long = format!("\"{}\"", "x".repeat(200));
    assert!(matches!(say(&mut session, &done(2, &long)), Err(ProtocolError::TooLong { max_bytes: 108, .. })));
}

proptest! {
    #[test]
    fn noise_never_panics_and_never_ends_well(bytes in prop::collection::vec(any::<u8>(), 5..300)) {
        let mut session = running();
        session.push(&bytes);
        while let Ok(Some(event)) = session.next_event() {
            prop_assert!(!matches!(event, RunnerEvent::Ready(_) | RunnerEvent::Loaded));
        }
    }
}
