//! Every message survives the wire in whatever pieces it comes, and every hostile frame is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use proptest::prelude::*;
use r3e_runner_api::process::{Ending, Identity};
use r3e_runner_api::{
    ChainSend, Fault, FaultKind, FrameDecoder, FrameKind, FunctionLimits, HostCall, HostError, HostErrorCode,
    HostMessage, HostValue, LogLevel, LogRecord, ProtocolError, Purpose, RawFrame, RunnerMessage, SecretText,
    SentTransaction, Weather, limits,
};

fn any_call() -> impl Strategy<Value = HostCall> {
    let text = ".{0,40}";
    prop_oneof![
        (text, text, prop::collection::vec((text, text), 0..4), prop::option::of(text)).prop_map(
            |(url, method, headers, body_base64)| HostCall::Fetch { url, method, headers, body_base64 }
        ),
        text.prop_map(|name| HostCall::SecretGet { name }),
        (text, text)
            .prop_map(|(name, value)| HostCall::SecretSet { name, value: SecretText::new(value.into()) }),
        text.prop_map(|definition| HostCall::TriggerCreate { definition }),
        text.prop_map(|name| HostCall::TriggerDelete { name }),
        text.prop_map(|feed| HostCall::OraclePrice { feed }),
        text.prop_map(|asked| HostCall::ZkProveRanges { asked: SecretText::new(asked.into()) }),
        text.prop_map(|proof| HostCall::ZkVerifyRanges { proof }),
        text.prop_map(|asked| HostCall::ZkVerifyProof { asked }),
        (any::<u64>(), any::<u64>(), prop::option::of(text))
            .prop_map(|(min, max, seed)| HostCall::OracleRandom { min, max, seed }),
        (
            text,
            prop::collection::vec((text, text), 0..4),
            prop::option::of(text),
            prop::collection::vec(text, 0..4)
        )
            .prop_map(|(url, headers, path, targets)| HostCall::OracleData {
                url,
                headers,
                path,
                targets
            }),
        (text, prop::collection::vec(text, 0..4))
            .prop_map(|(place, targets)| HostCall::OracleWeather { place, targets }),
        (text, text, prop::option::of(text), prop::option::of(text), any::<u64>()).prop_map(
            |(network, contract, method, data, confirmations)| {
                let args = "[1]".to_owned();
                HostCall::ChainRead { network, contract, method, args, data, confirmations }
            }
        ),
        (text, text, prop::option::of(text), any::<u64>(), prop::option::of(any::<u64>())).prop_map(
            |(wallet, network, method, gas_limit, timeout_ms)| {
                let (to, args, value, fee_limit) =
                    (wallet.clone(), network.clone(), wallet.clone(), network.clone());
                let (data, scope, key) = (method.clone(), method.clone(), wallet.clone());
                HostCall::ChainSend(Box::new(ChainSend {
                    wallet,
                    network,
                    to,
                    method,
                    args,
                    data,
                    value,
                    gas_limit,
                    fee_limit,
                    scope,
                    timeout_ms,
                    key,
                }))
            }
        ),
        text.prop_map(|name| HostCall::ChainSent { name }),
        text.prop_map(|key| HostCall::StoreGet { key }),
        (text, prop::option::of(text)).prop_map(|(key, value)| HostCall::StoreSet { key, value }),
        prop::option::of(text).prop_map(|data_base64| HostCall::Attestation { data_base64 }),
    ]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    (".{0,40}", ".{0,5000}", prop::option::of(".{0,40}"))
        .prop_map(|(name, message, stack)| Fault::new(FaultKind::Thrown, &name, &message, stack.as_deref()))
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![any::<i32>().prop_map(Ending::Exited), any::<i32>().prop_map(Ending::Signaled)]
}

fn any_runner_message() -> impl Strategy<Value = RunnerMessage> {
    prop_oneof![
        Just(RunnerMessage::Ready(Identity::OwnUser)),
        Just(RunnerMessage::Ready(Identity::OwnUserNamespace)),
        any::<u64>().prop_map(|number| RunnerMessage::Forked { number }),
        (any::<u64>(), any::<i32>()).prop_map(|(number, errno)| RunnerMessage::ForkFailed { number, errno }),
        (any::<u64>(), any_ending()).prop_map(|(number, ending)| RunnerMessage::Ended { number, ending }),
        Just(RunnerMessage::Loaded),
        any_fault().prop_map(RunnerMessage::LoadFailed),
        (any::<u32>(), any_call()).prop_map(|(call_id, call)| RunnerMessage::HostCall { call_id, call }),
        (0u8..4, any::<bool>(), ".{0,200}").prop_map(|(level, truncated, text)| RunnerMessage::Log(
            LogRecord { level: LogLevel::from_byte(level).unwrap(), truncated, text }
        )),
        (any::<u64>(), prop_oneof![".{0,200}".prop_map(Ok), any_fault().prop_map(Err)])
            .prop_map(|(id, outcome)| RunnerMessage::Done { id, outcome }),
    ]
}

fn any_host_message() -> impl Strategy<Value = HostMessage> {
    let value = prop_oneof![
        (any::<u16>(), prop::collection::vec((".{0,9}", ".{0,9}"), 0..3), ".{0,20}")
            .prop_map(|(status, headers, body_base64)| HostValue::Fetch { status, headers, body_base64 }),
        prop::option::of(".{0,20}")
            .prop_map(|value| HostValue::SecretGet { value: value.map(|text| SecretText::new(text.into())) }),
        prop::option::of(".{0,20}").prop_map(|value| HostValue::StoreGet { value }),
        Just(HostValue::StoreSet {}),
        Just(HostValue::SecretSet {}),
        (".{0,20}", any::<bool>()).prop_map(|(name, created)| HostValue::TriggerCreate { name, created }),
        any::<bool>().prop_map(|deleted| HostValue::TriggerDelete { deleted }),
        (".{0,20}", any::<u8>(), any::<u64>(), any::<bool>()).prop_map(
            |(text, decimals, number, is_stale)| {
                HostValue::OraclePrice {
                    feed: text.clone(),
                    pair: text.clone(),
                    answer: text.clone(),
                    confidence: text,
                    decimals,
                    observed_at_ms: number,
                    valid_until_ms: number,
                    sequence: number,
                    is_stale,
                }
            }
        ),
        (any::<u64>(), ".{0,20}").prop_map(|(value, text)| {
            let (message, output, proof, key) = (text.clone(), text.clone(), text.clone(), text);
            HostValue::OracleRandom { value, message, output, proof, key }
        }),
        ".{0,20}".prop_map(|made| HostValue::ZkProveRanges { made: SecretText::new(made.into()) }),
        any::<bool>().prop_map(|holds| HostValue::ZkVerifyRanges { holds }),
        any::<bool>().prop_map(|holds| HostValue::ZkVerifyProof { holds }),
        ".{0,20}".prop_map(|data| HostValue::OracleData { data }),
        (".{0,20}", prop::option::of(".{0,20}")).prop_map(|(text, country)| HostValue::OracleWeather(
            Box::new(Weather {
                place: text.clone(),
                country,
                latitude: text.clone(),
                longitude: text.clone(),
                time: text.clone(),
                temperature_c: text.clone(),
                humidity_percent: text.clone(),
                precipitation_mm: text.clone(),
                wind_kmh: text.clone(),
                wind_direction_degrees: text.clone(),
                weather_code: text.clone(),
                data: text,
            })
        )),
        (any::<u64>(), ".{0,20}", prop::option::of(".{0,20}"))
            .prop_map(|(height, values, data)| HostValue::ChainRead { height, values, data }),
        (
            any::<bool>(),
            ".{0,20}",
            prop::option::of(".{0,20}"),
            prop::option::of(any::<bool>()),
            prop::option::of(any::<u64>())
        )
            .prop_map(|(is_asked, name, text, succeeded, height)| {
                let (stage, outcome, hash, reason) = (name.clone(), text.clone(), text.clone(), text);
                let sent =
                    Box::new(SentTransaction { name, stage, outcome, succeeded, hash, height, reason });
                if is_asked { HostValue::ChainSent(sent) } else { HostValue::ChainSend(sent) }
            }),
        ".{0,20}".prop_map(|document_base64| HostValue::Attestation { document_base64 }),
    ];
    let error = ".{0,20}".prop_map(|message| HostError { code: HostErrorCode::Denied, message });
    prop_oneof![
        (any::<u32>(), any::<u32>(), any::<u32>(), ".{0,200}").prop_map(
            |(memory_mib, output_bytes, log_bytes, source)| HostMessage::Load {
                limits: FunctionLimits { memory_mib, output_bytes, log_bytes },
                purpose: if memory_mib % 2 == 0 { Purpose::Copies } else { Purpose::Events },
                source
            }
        ),
        (any::<u64>(), ".{0,200}").prop_map(|(id, event)| HostMessage::Invoke { id, event }),
        (any::<u32>(), prop_oneof![value.prop_map(Ok), error.prop_map(Err)])
            .prop_map(|(call_id, reply)| HostMessage::HostReply { call_id, reply }),
        any::<u64>().prop_map(|number| HostMessage::Fork { number }),
        Just(()).prop_map(|()| HostMessage::Rehearse),
    ]
}

fn decode_all(bytes: &[u8], piece: usize) -> Vec<RawFrame> {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for chunk in bytes.chunks(piece) {
        decoder.push(chunk);
        while let Some(frame) = decoder.next_frame(|kind| Ok(kind.max_body_bytes())).unwrap() {
            frames.push(frame);
        }
    }
    assert_eq!(decoder.buffered_bytes(), 0);
    frames
}

proptest! {
    #[test]
    fn runner_messages_survive(messages in prop::collection::vec(any_runner_message(), 1..5), piece in 1usize..80) {
        let bytes: Vec<u8> = messages.iter().flat_map(|message| message.encode().unwrap()).collect();
        let read: Vec<_> =
            decode_all(&bytes, piece).into_iter().map(|frame| RunnerMessage::decode(frame).unwrap()).collect();
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn host_messages_survive(message in any_host_message(), again in any_host_message(), piece in 1usize..80) {
        let frames_of = |message: HostMessage| message.encode().unwrap();
        let first = frames_of(message);
        let second = frames_of(again);
        let bytes = [first.as_slice(), second.as_slice()].concat();
        let frames = decode_all(&bytes, piece);
        prop_assert_eq!(frames.len(), 2);
        // Encoding what was read gives the bytes that were sent.
        let mut encoded = Vec::new();
        for frame in frames {
            encoded.extend_from_slice(&HostMessage::decode(frame).unwrap().encode().unwrap());
        }
        prop_assert_eq!(encoded, bytes);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in any::<u8>()) {
        let mut decoder = FrameDecoder::new();
        decoder.push(&bytes);
        while let Ok(Some(_)) = decoder.next_frame(|kind| Ok(kind.max_body_bytes())) {}
        if let Ok(kind) = FrameKind::from_byte(kind) {
            let _ = RunnerMessage::decode(RawFrame { kind, body: bytes.clone() });
            let _ = HostMessage::decode(RawFrame { kind, body: bytes });
        }
    }
}

fn refusal(bytes: &[u8]) -> ProtocolError {
    let mut decoder = FrameDecoder::new();
    decoder.push(bytes);
    decoder.next_frame(|kind| Ok(kind.max_body_bytes())).unwrap_err()
}

#[test]
fn headers_are_refused_before_a_body_is_waited_for() {
    assert!(matches!(refusal(&[0, 0, 0, 0, 0x81]), ProtocolError::EmptyFrame));
    assert!(matches!(refusal(&[0, 0, 0, 1, 0x00]), ProtocolError::UnknownKind { kind: 0 }));
    assert!(matches!(refusal(&[0, 0, 0, 1, 0xff]), ProtocolError::UnknownKind { kind: 0xff }));
    assert!(matches!(refusal(&[0xff, 0xff, 0xff, 0xff, 0x85]), ProtocolError::TooLong { .. }));
    assert!(matches!(refusal(&[0, 0, 0, 2, 0x82]), ProtocolError::TooLong { bytes: 1, max_bytes: 0, .. }));
}

#[test]
fn bodies_of_the_wrong_form_are_refused() {
    let cases: &[(FrameKind, &[u8])] = &[
        (FrameKind::Ready, b""),
        (FrameKind::Ready, b"\x02"),
        (FrameKind::Ready, b"\x01\x01"),
        (FrameKind::Ready, b"\x02\x02"),
        (FrameKind::Forked, b"\x00\x00\x00\x00\x00\x00\x00"),
        (FrameKind::Forked, b"\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        (FrameKind::ForkFailed, b"\x00\x00\x00\x00\x00\x00\x00\x01\x00"),
        (FrameKind::Ended, b"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"),
        (FrameKind::Ended, b"\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00"),
        (FrameKind::Loaded, b"x"),
        (FrameKind::Log, b""),
        (FrameKind::Log, b"\x00"),
        (FrameKind::Log, b"\x04\x00text"),
        (FrameKind::Log, b"\x00\x02text"),
        (FrameKind::Log, b"\x00\x00\xff\xfe"),
        (FrameKind::DoneOutput, b"\x00\x00\x00"),
        (FrameKind::DoneOutput, b"\x00\x00\x00\x00\x00\x00\x00\x01\xc3"),
        (FrameKind::DoneFault, b"\x00\x00\x00\x00\x00\x00\x00\x01"),
        (FrameKind::LoadFailed, br#"{"kind":"thrown","name":"E"}"#),
        (FrameKind::LoadFailed, br#"{"kind":"other","name":"E","message":""}"#),
        (FrameKind::LoadFailed, br#"{"kind":"thrown","name":"E","message":"","more":1}"#),
        (FrameKind::HostCall, br#"{"call_id":1,"call":{"op":"exec","path":"/bin/sh"}}"#),
        (FrameKind::HostCall, br#"{"call_id":1,"call":{"op":"secret_get","name":"a","tenant":"b"}}"#),
        (FrameKind::HostCall, br#"{"call_id":1,"call":{"op":"secret_get","name":"a"},"as":"b"}"#),
        (FrameKind::HostCall, br#"{"call_id":-1,"call":{"op":"secret_get","name":"a"}}"#),
        (FrameKind::HostCall, br#"{"call_id":4294967296,"call":{"op":"secret_get","name":"a"}}"#),
        (FrameKind::HostCall, br#"{"call_id":1,"call":{"op":"secret_get","name":7}}"#),
        (FrameKind::HostCall, br#"{"call_id":1,"call":{"op":"fetch","url":"u","method":"GET","headers":[["a"]],"body_base64":null}}"#),
        (FrameKind::HostCall, br#"{"call_id":1,"call_id":1,"call":{"op":"store_get","key":"k"}}"#),
        (FrameKind::HostCall, b"\xff"),
        // These go the other way.
        (FrameKind::Load, b""),
        (FrameKind::Invoke, b"\x00\x00\x00\x00\x00\x00\x00\x01{}"),
        (FrameKind::HostReply, br#"{"call_id":1,"ok":{"op":"store_set"}}"#),
    ];
    for (kind, body) in cases {
        let frame = RawFrame { kind: *kind, body: body.to_vec() };
        assert!(RunnerMessage::decode(frame).is_err(), "{kind:?} {}", String::from_utf8_lossy(body));
    }
}

#[test]
fn host_bodies_of_the_wrong_form_are_refused() {
    let cases: &[(FrameKind, &[u8])] = &[
        (FrameKind::Load, b"\x00"),
        (FrameKind::Load, b"\x00\x05{}"),
        (FrameKind::Load, b"\x00\x02{}source"),
        (FrameKind::Invoke, b"\x00"),
        (FrameKind::HostReply, br#"{"call_id":1}"#),
        (
            FrameKind::HostReply,
            br#"{"call_id":1,"ok":{"op":"store_set"},"err":{"code":"denied","message":""}}"#,
        ),
        (FrameKind::HostReply, br#"{"call_id":1,"ok":{"op":"store_set","extra":1}}"#),
        (FrameKind::Ready, b"\x01"),
    ];
    for (kind, body) in cases {
        let frame = RawFrame { kind: *kind, body: body.to_vec() };
        assert!(HostMessage::decode(frame).is_err(), "{kind:?} {}", String::from_utf8_lossy(body));
    }
}

#[test]
fn what_does_not_fit_is_not_encoded() {
    let event = "x".repeat(limits::MAX_EVENT_BYTES + 1);
    assert!(matches!(HostMessage::Invoke { id: 1, event }.encode(), Err(ProtocolError::TooLong { .. })));
    let source = "x".repeat(limits::MAX_SOURCE_BYTES + 1024);
    let limits = FunctionLimits { memory_mib: 1, output_bytes: 1, log_bytes: 1 };
    assert!(matches!(
        HostMessage::Load { limits, purpose: Purpose::Events, source }.encode(),
        Err(ProtocolError::TooLong { .. })
    ));
}

#[test]
fn the_longest_fault_fits_its_frame() {
    // Control characters grow most when escaped: six bytes of JSON each.
    let text = "\u{1}".repeat(100_000);
    let fault = Fault::new(FaultKind::Thrown, &text, &text, Some(&text));
    RunnerMessage::LoadFailed(fault.clone()).encode().unwrap();
    RunnerMessage::Done { id: u64::MAX, outcome: Err(fault) }.encode().unwrap();
}

#[test]
fn long_log_text_is_cut_at_a_character() {
    let text = "a".to_owned() + &"é".repeat(limits::MAX_LOG_TEXT_BYTES);
    let log = RunnerMessage::Log(LogRecord { level: LogLevel::Info, truncated: true, text });
    let frame = decode_all(&log.encode().unwrap(), 1000).remove(0);
    let RunnerMessage::Log(read) = RunnerMessage::decode(frame).unwrap() else { panic!("not a log") };
    assert_eq!(read.text.len(), limits::MAX_LOG_TEXT_BYTES - 1);
}

#[test]
fn nothing_secret_is_shown() {
    let secret = SecretText::new("hunter2".to_owned().into());
    let reply = HostMessage::HostReply {
        call_id: 1,
        reply: Ok(HostValue::SecretGet { value: Some(secret.clone()) }),
    };
    let call = HostCall::StoreSet { key: "k".into(), value: Some("hunter2".into()) };
    assert!(!format!("{secret:?} {reply:?} {call:?}").contains("hunter2"));
}
