//! The Attester against devices that answer slowly, wrongly or not at all.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking too")]

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r3e_attester::{
    Attester, AttesterConfig, AttesterError, AttesterStats, Digest, ErrorCode, NsmDriver, NsmError, Request,
    Response, limits,
};

/// A device that answers by a function, and counts what it was asked.
#[derive(Clone)]
struct Scripted<F> {
    answer: F,
    asked: Arc<AtomicUsize>,
}

impl<F: Fn(Request) -> Response + Send + Sync + 'static> NsmDriver for Scripted<F> {
    fn process(&self, request: Request) -> Response {
        self.asked.fetch_add(1, SeqCst);
        (self.answer)(request)
    }
}

fn scripted<F: Fn(Request) -> Response + Send + Sync + 'static>(answer: F) -> (Attester, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let driver = Scripted { answer, asked: Arc::clone(&asked) };
    (Attester::start(driver, AttesterConfig::default()).unwrap(), asked)
}

/// A device that says when a request has reached it, and answers when it is let.
struct Gated {
    reached: Sender<()>,
    released: Mutex<Receiver<()>>,
    served: Arc<AtomicUsize>,
}

impl NsmDriver for Gated {
    fn process(&self, request: Request) -> Response {
        self.reached.send(()).unwrap();
        self.released.lock().unwrap().recv().unwrap();
        self.served.fetch_add(1, SeqCst);
        assert!(matches!(request, Request::LockPCR { .. }));
        Response::LockPCR
    }
}

struct Gate {
    reached: Receiver<()>,
    release: Sender<()>,
    served: Arc<AtomicUsize>,
}

fn gated(capacity: usize, call_timeout: Duration) -> (Attester, Gate) {
    let (reached_sender, reached) = channel();
    let (release, released) = channel();
    let served = Arc::new(AtomicUsize::new(0));
    let driver =
        Gated { reached: reached_sender, released: Mutex::new(released), served: Arc::clone(&served) };
    let config = AttesterConfig { queue_capacity: NonZeroUsize::new(capacity).unwrap(), call_timeout };
    (Attester::start(driver, config).unwrap(), Gate { reached, release, served })
}

const LONG: Duration = Duration::from_mins(1);

async fn until(attester: &Attester, condition: impl Fn(AttesterStats) -> bool) {
    for _ in 0..10_000 {
        if condition(attester.stats()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("not reached: {:?}", attester.stats());
}

#[tokio::test]
async fn every_error_code_of_the_device_has_its_own_reason() {
    type Make = fn() -> ErrorCode;
    let cases: [(Make, NsmError); 9] = [
        (|| ErrorCode::Success, NsmError::Contradiction),
        (|| ErrorCode::InvalidArgument, NsmError::InvalidArgument),
        (|| ErrorCode::InvalidIndex, NsmError::InvalidIndex),
        (|| ErrorCode::InvalidResponse, NsmError::InvalidResponse),
        (|| ErrorCode::ReadOnlyIndex, NsmError::ReadOnlyIndex),
        (|| ErrorCode::InvalidOperation, NsmError::InvalidOperation),
        (|| ErrorCode::BufferTooSmall, NsmError::BufferTooSmall),
        (|| ErrorCode::InputTooLarge, NsmError::InputTooLarge),
        (|| ErrorCode::InternalError, NsmError::InternalError),
    ];
    for (make, expected) in cases {
        let (attester, _) = scripted(move |_| Response::Error(make()));
        let error = attester.lock_pcr(16).await.unwrap_err();
        assert!(matches!(error, AttesterError::Nsm { source, .. } if source == expected), "{error:?}");
        assert!(matches!(attester.random(32).await, Err(AttesterError::Nsm { .. })));
        assert_eq!((attester.stats().calls, attester.stats().errors), (2, 2));
    }
}

#[tokio::test]
async fn arguments_out_of_bounds_never_reach_the_device() {
    let (attester, asked) = scripted(|_| Response::LockPCR);
    let long = vec![7; 5000];
    let results = [
        attester.attest(Some(&long[..513]), None, None).await.err(),
        attester.attest(None, Some(&long[..513]), None).await.err(),
        attester.attest(None, None, Some(&long[..1025])).await.err(),
        attester.attest(None, None, Some(&[])).await.err(),
        attester.extend_pcr(16, &long[..513]).await.err(),
        attester.extend_pcr(16, &[]).await.err(),
        attester.random(0).await.err(),
        attester.random(4097).await.err(),
    ];
    for (case, error) in results.into_iter().enumerate() {
        assert!(matches!(error, Some(AttesterError::Length { .. })), "case {case}: {error:?}");
    }
    assert_eq!(asked.load(SeqCst), 0);
}

#[tokio::test]
async fn the_largest_fields_are_passed_on_unchanged() {
    let (attester, _) = scripted(|request| {
        let Request::Attestation { user_data, nonce, public_key } = request else { panic!("{request:?}") };
        let fields = [user_data, nonce, public_key].map(|field| field.unwrap().into_vec());
        Response::Attestation { document: fields.concat() }
    });
    let document =
        attester.attest(Some(&[1; 512]), Some(&[2; 512]), Some(&[3; 1024])).await.unwrap().into_bytes();
    assert_eq!(document, [vec![1; 512], vec![2; 512], vec![3; 1024]].concat());

    let (attester, _) = scripted(|request| match request {
        Request::Attestation { user_data: None, nonce: Some(nonce), public_key: None } => {
            Response::Attestation { document: vec![u8::try_from(nonce.len()).unwrap() + 1] }
        }
        other => panic!("{other:?}"),
    });
    let document = attester.attest(None, Some(&[]), None).await.unwrap();
    assert_eq!(document.as_bytes(), [1], "an empty nonce is not an absent one");
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let (attester, _) = scripted(|request| match request {
        Request::LockPCR { .. } => Response::LockPCRs,
        _ => Response::LockPCR,
    });
    let errors = [
        attester.attest(None, None, None).await.err(),
        attester.describe().await.err(),
        attester.pcr(0).await.err(),
        attester.extend_pcr(16, &[1]).await.err(),
        attester.lock_pcr(16).await.err(),
        attester.random(1).await.err(),
    ];
    for (case, error) in errors.into_iter().enumerate() {
        assert!(matches!(error, Some(AttesterError::Answer { .. })), "case {case}: {error:?}");
    }
    assert_eq!(attester.stats().errors, 6);

    let (attester, _) = scripted(|_| Response::GetRandom { random: vec![1; 256] });
    assert!(matches!(attester.describe().await, Err(AttesterError::Answer { .. })));
}

#[tokio::test]
async fn answers_of_the_wrong_size_are_refused() {
    for size in [0, 32, 47, 49, 64] {
        let (attester, _) = scripted(move |request| match request {
            Request::ExtendPCR { .. } => Response::ExtendPCR { data: vec![1; size] },
            _ => Response::DescribePCR { lock: true, data: vec![1; size] },
        });
        assert!(matches!(attester.pcr(0).await, Err(AttesterError::Answer { .. })), "{size}");
        assert!(matches!(attester.extend_pcr(16, &[1]).await, Err(AttesterError::Answer { .. })), "{size}");
    }
    for size in [0, limits::MAX_DOCUMENT_BYTES + 1] {
        let (attester, _) = scripted(move |_| Response::Attestation { document: vec![1; size] });
        assert!(
            matches!(attester.attest(None, None, None).await, Err(AttesterError::Answer { .. })),
            "{size}"
        );
    }
}

#[tokio::test]
async fn the_description_is_passed_on() {
    let (attester, _) = scripted(|_| Response::DescribeNSM {
        version_major: 1,
        version_minor: 2,
        version_patch: 3,
        module_id: "i-1-enc2".to_owned(),
        max_pcrs: 32,
        locked_pcrs: (0..16).collect(),
        digest: Digest::SHA384,
    });
    let info = attester.describe().await.unwrap();
    assert_eq!((info.version.major, info.version.minor, info.version.patch), (1, 2, 3));
    assert_eq!((info.module_id.as_str(), info.max_pcrs, info.locked_pcrs.len()), ("i-1-enc2", 32, 16));
    assert_eq!(info.digest, Digest::SHA384);
}

/// A device whose answers of `size` bytes all differ.
fn counting_random(size: usize) -> (Attester, Arc<AtomicUsize>) {
    let turn = AtomicUsize::new(0);
    scripted(move |_| {
        let first = u8::try_from(turn.fetch_add(1, SeqCst)).unwrap();
        Response::GetRandom {
            random: (0..size).map(|i| first.wrapping_add(u8::try_from(i % 251).unwrap())).collect(),
        }
    })
}

#[tokio::test]
async fn random_takes_as_many_turns_as_it_needs() {
    for (length, turns) in [(1, 1), (32, 1), (256, 1), (257, 2), (4096, 16)] {
        let (attester, asked) = counting_random(256);
        let random = attester.random(length).await.unwrap();
        assert_eq!((random.len(), asked.load(SeqCst)), (length, turns));
        // Byte 256 is the first of the second answer, not a repetition of the first.
        assert!(random.get(256).is_none_or(|byte| *byte == 1));
    }
    let (attester, asked) = counting_random(33);
    assert_eq!(attester.random(100).await.unwrap().len(), 100);
    assert_eq!(asked.load(SeqCst), 4);
}

#[tokio::test]
async fn a_broken_generator_is_refused() {
    for size in [0, 1, 31] {
        let (attester, _) = counting_random(size);
        assert!(matches!(attester.random(16).await, Err(AttesterError::Answer { .. })), "{size}");
    }
    for byte in [0, 0xff] {
        let (attester, _) = scripted(move |_| Response::GetRandom { random: vec![byte; 256] });
        assert!(matches!(attester.random(16).await, Err(AttesterError::Answer { .. })));
    }
    let (attester, asked) = scripted(|_| Response::GetRandom { random: (0..=255).collect() });
    assert!(attester.random(256).await.is_ok());
    assert!(matches!(attester.random(257).await, Err(AttesterError::Answer { .. })), "the same answer twice");
    assert_eq!(asked.load(SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_serves_the_rest() {
    let (attester, gate) = gated(2, LONG);
    let call = |index| {
        let attester = attester.clone();
        tokio::spawn(async move { attester.lock_pcr(index).await })
    };
    let mut admitted = vec![call(16)];
    gate.reached.recv().unwrap();
    admitted.extend([call(17), call(18)]);
    until(&attester, |stats| stats.queue_depth == 2).await;

    let refused = attester.lock_pcr(19).await;
    assert!(matches!(refused, Err(AttesterError::Busy { capacity: 2 })), "{refused:?}");
    assert_eq!(attester.stats().rejected, 1);

    for _ in 0..3 {
        gate.release.send(()).unwrap();
    }
    for call in admitted {
        call.await.unwrap().unwrap();
    }
    assert_eq!(gate.served.load(SeqCst), 3, "the refused request was never sent");
    assert_eq!(attester.stats().queue_depth, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_deadline_passed_in_the_queue_is_never_sent() {
    let (attester, gate) = gated(4, LONG);
    let slow = {
        let attester = attester.clone();
        tokio::spawn(async move { attester.lock_pcr(16).await })
    };
    gate.reached.recv().unwrap();
    let late = attester.with_timeout(Duration::from_millis(20)).lock_pcr(17).await;
    assert!(matches!(late, Err(AttesterError::Deadline { timeout_ms: 20 })), "{late:?}");

    gate.release.send(()).unwrap();
    slow.await.unwrap().unwrap();
    until(&attester, |stats| stats.abandoned == 1).await;
    assert_eq!(gate.served.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_caller_left_is_never_sent() {
    let (attester, gate) = gated(4, LONG);
    let slow = {
        let attester = attester.clone();
        tokio::spawn(async move { attester.lock_pcr(16).await })
    };
    gate.reached.recv().unwrap();
    let leaver = {
        let attester = attester.clone();
        tokio::spawn(async move { attester.lock_pcr(17).await })
    };
    until(&attester, |stats| stats.queue_depth == 1).await;
    leaver.abort();
    assert!(leaver.await.unwrap_err().is_cancelled());

    gate.release.send(()).unwrap();
    slow.await.unwrap().unwrap();
    until(&attester, |stats| stats.abandoned == 1).await;
    assert_eq!(gate.served.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_hangs_costs_each_caller_its_deadline_and_no_more() {
    let (attester, gate) = gated(4, Duration::from_millis(20));
    // On a machine so loaded that the deadline passes in the queue, the request is never sent: again.
    loop {
        let late = attester.lock_pcr(16).await;
        assert!(matches!(late, Err(AttesterError::Deadline { .. })), "{late:?}");
        if gate.reached.try_recv().is_ok() {
            break;
        }
    }
    // The device took the request before its caller gave up, so it is carried out in the end.
    gate.release.send(()).unwrap();
    until(&attester, |stats| stats.calls == 1).await;
    assert_eq!(gate.served.load(SeqCst), 1);
}

#[tokio::test]
async fn a_dead_device_thread_is_reported() {
    let (attester, _) = scripted(|_| panic!("the driver dies (expected by this test)"));
    assert!(matches!(attester.describe().await, Err(AttesterError::Stopped)));
    assert!(matches!(attester.describe().await, Err(AttesterError::Stopped)));
    assert_eq!(attester.stats().queue_depth, 0);
}

#[tokio::test]
async fn the_driver_is_dropped_with_the_last_handle() {
    struct Noting(Sender<()>);
    impl NsmDriver for Noting {
        fn process(&self, _: Request) -> Response {
            Response::LockPCR
        }
    }
    impl Drop for Noting {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (dropped_sender, dropped) = channel();
    let attester = Attester::start(Noting(dropped_sender), AttesterConfig::default()).unwrap();
    let clone = attester.with_timeout(LONG);
    drop(attester);
    clone.lock_pcr(16).await.unwrap();
    assert!(dropped.try_recv().is_err());
    drop(clone);
    dropped.recv_timeout(LONG).unwrap();
}

#[tokio::test]
async fn latency_is_counted() {
    let (attester, _) = scripted(|request| {
        let slow = matches!(request, Request::LockPCR { index: 17 });
        std::thread::sleep(Duration::from_millis(if slow { 50 } else { 2 }));
        Response::LockPCR
    });
    for index in 16..19 {
        attester.lock_pcr(index).await.unwrap();
    }
    let stats = attester.stats();
    assert_eq!((stats.calls, stats.errors), (3, 0));
    assert!(stats.last_latency_us >= 2000, "{stats:?}");
    assert!(stats.max_latency_us >= 50_000, "{stats:?}");
    assert!(stats.total_latency_us >= 54_000, "{stats:?}");
    assert!(stats.max_latency_us + stats.last_latency_us <= stats.total_latency_us, "{stats:?}");
}
