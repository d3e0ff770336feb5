//! Cold appraisal of real documents by three libraries. `README.md` says what is measured and how.

use std::{
    hint::black_box,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use r3e_attestation::{AppraisalPolicy, ReferenceValues, UnixTime, appraise, inspect};

const DOCUMENTS: [(&str, &[u8]); 2] = [
    ("r14 (2024-11)", include_bytes!("../../../../attestation-verifier/vectors/r14_base_2024-11-30_pk65.bin")),
    ("r19 (2025-12)", include_bytes!("../../../../attestation-verifier/vectors/r19_dstack_2025-12-25_indef.bin")),
];

const ROUNDS: usize = 60;
const CALLS_PER_ROUND: u32 = 10;

/// What the wall clock says, in UNIX seconds.
static WALL_CLOCK_SECS: AtomicI64 = AtomicI64::new(0);

/// Takes the place of the C library's function in this program: the wall clock stands still at the time of the
/// document, every other clock runs.
///
/// # Safety
/// As for the C function: `time` points to a `timespec` that may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    if clock == libc::CLOCK_REALTIME {
        // SAFETY: the caller vouches for the pointer.
        unsafe { time.write(libc::timespec { tv_sec: WALL_CLOCK_SECS.load(Ordering::Relaxed), tv_nsec: 0 }) };
        return 0;
    }
    // SAFETY: the system call has the contract of this function.
    unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as libc::c_int }
}

struct Candidate<'a> {
    name: &'static str,
    call: Box<dyn Fn() -> bool + 'a>,
    rounds: Vec<Duration>,
}

impl<'a> Candidate<'a> {
    fn new(name: &'static str, call: impl Fn() -> bool + 'a) -> Self {
        Self { name, call: Box::new(call), rounds: Vec::with_capacity(ROUNDS) }
    }

    fn round(&mut self) {
        let start = Instant::now();
        for _ in 0..CALLS_PER_ROUND {
            assert!(black_box((self.call)()), "{} refused the document", self.name);
        }
        self.rounds.push(start.elapsed() / CALLS_PER_ROUND);
    }

    fn minimum_and_median(&mut self) -> (f64, f64) {
        self.rounds.sort_unstable();
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        (micros(self.rounds[0]), micros(self.rounds[self.rounds.len() / 2]))
    }
}

fn main() {
    for (name, document) in DOCUMENTS {
        let inspection = inspect(document).expect("a real document");
        let at_ms = inspection.timestamp().as_millis();
        let at_secs = i64::try_from(at_ms / 1000).expect("after 1970") + 1;
        WALL_CLOCK_SECS.store(at_secs, Ordering::Relaxed);
        let [pcr0, pcr1, pcr2] = [0, 1, 2].map(|index| inspection.pcrs()[&index]);
        let release = ReferenceValues::new(name, pcr0, pcr1, pcr2).expect("a good name");
        let policy = AppraisalPolicy::builder().accept_release(release).build().expect("it pins the image");
        let at = UnixTime::from_millis(at_ms);
        let now = time::OffsetDateTime::from_unix_timestamp(at_secs).expect("a time");
        let mut candidates = [
            Candidate::new("r3e-attestation", || appraise(black_box(document), &policy, at).is_ok()),
            Candidate::new("attestation-doc-validation", || {
                attestation_doc_validation::validate_and_parse_attestation_doc(black_box(document)).is_ok()
            }),
            Candidate::new("nitro_attest", || {
                nitro_attest::UnparsedAttestationDoc::from(black_box(document)).parse_and_verify(now).is_ok()
            }),
        ];
        for _ in 0..ROUNDS {
            candidates.iter_mut().for_each(Candidate::round);
        }
        println!("{name}, {} bytes, {ROUNDS} rounds of {CALLS_PER_ROUND} calls each, in microseconds", document.len());
        println!("  {:<28} {:>10} {:>10}", "library", "minimum", "median");
        let results = candidates.each_mut().map(|candidate| (candidate.name, candidate.minimum_and_median()));
        for (name, (minimum, median)) in results {
            println!("  {name:<28} {minimum:>10.0} {median:>10.0}");
        }
        let [(_, ours), peers @ ..] = results;
        let best = |of: fn((f64, f64)) -> f64| peers.iter().map(|peer| of(peer.1)).fold(f64::INFINITY, f64::min);
        println!(
            "  the better peer takes {:.2} times as long (minimum), {:.2} times (median)\n",
            best(|times| times.0) / ours.0,
            best(|times| times.1) / ours.1
        );
    }
}
