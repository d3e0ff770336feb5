//! The ops of the prelude: all that JavaScript can reach outside the engine.
//!
//! Ops do not throw. What can go wrong is in what they return, and the prelude throws in its own words.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use deno_core::{OpState, extension, op2, v8};
use r3e_runner_api::limits::{MAX_HOST_CALL_BYTES, MAX_LOG_TEXT_BYTES};
use r3e_runner_api::{
    Fault, FaultKind, FunctionLimits, HostCall, HostError, HostErrorCode, LogLevel, LogRecord, RunnerMessage,
    json,
};
use r3e_sandbox::Sender;
use serde::Serialize;

use super::calls::{Calls, too_large};
use super::crypto_ops::{
    op_r3e_aes_gcm_open, op_r3e_aes_gcm_seal, op_r3e_digest, op_r3e_equal, op_r3e_hkdf, op_r3e_hmac,
    op_r3e_pbkdf2,
};
use super::curve_ops::{
    op_r3e_ec_from_pkcs8, op_r3e_ec_from_spki, op_r3e_ec_generate, op_r3e_ec_point, op_r3e_ec_public,
    op_r3e_ec_to_pkcs8, op_r3e_ec_to_spki, op_r3e_ecdsa_sign, op_r3e_ecdsa_verify,
};
use super::random;
use super::text_ops::{
    op_r3e_atob, op_r3e_base64_decode, op_r3e_base64_encode, op_r3e_base64url_decode,
    op_r3e_base64url_encode, op_r3e_btoa, op_r3e_text_decode, op_r3e_utf8_decode, op_r3e_utf8_encode,
    op_r3e_utf8_encode_into,
};
use super::timers::Timers;
use super::url_ops::{op_r3e_form_parse, op_r3e_form_serialize, op_r3e_url_parse, op_r3e_url_set};
use crate::limits::MAX_LOG_LINES;

extension!(
    r3e,
    ops = [
        op_r3e_aes_gcm_open,
        op_r3e_aes_gcm_seal,
        op_r3e_atob,
        op_r3e_base64_decode,
        op_r3e_base64_encode,
        op_r3e_base64url_decode,
        op_r3e_base64url_encode,
        op_r3e_btoa,
        op_r3e_digest,
        op_r3e_ec_from_pkcs8,
        op_r3e_ec_from_spki,
        op_r3e_ec_generate,
        op_r3e_ec_point,
        op_r3e_ec_public,
        op_r3e_ec_to_pkcs8,
        op_r3e_ec_to_spki,
        op_r3e_ecdsa_sign,
        op_r3e_ecdsa_verify,
        op_r3e_elapsed_ms,
        op_r3e_equal,
        op_r3e_fail,
        op_r3e_finish,
        op_r3e_form_parse,
        op_r3e_form_serialize,
        op_r3e_hkdf,
        op_r3e_hmac,
        op_r3e_host_call,
        op_r3e_log,
        op_r3e_max_output_bytes,
        op_r3e_pbkdf2,
        op_r3e_random,
        op_r3e_random_uuid,
        op_r3e_register,
        op_r3e_text_decode,
        op_r3e_time_origin_ms,
        op_r3e_timer_start,
        op_r3e_timer_stop,
        op_r3e_url_parse,
        op_r3e_url_set,
        op_r3e_utf8_decode,
        op_r3e_utf8_encode,
        op_r3e_utf8_encode_into,
    ],
    options = { bridge: Rc<Bridge> },
    state = |state, options| state.put(options.bridge),
);

/// The prelude's functions that the engine calls.
pub(super) struct Entry {
    /// `(handler, event text)`: starts an event.
    pub(super) dispatch: v8::Global<v8::Function>,
    /// `(number, JSON text)`: settles a host call.
    pub(super) answer_call: v8::Global<v8::Function>,
    /// `(number)`: runs a timer that is due.
    pub(super) fire_timer: v8::Global<v8::Function>,
    /// `()`: forgets timers and calls once an event is over.
    pub(super) forget: v8::Global<v8::Function>,
}

/// What ops and engine share.
pub(super) struct Bridge {
    pub(super) sender: Sender,
    pub(super) calls: Calls,
    pub(super) timers: Timers,
    entry: RefCell<Option<Entry>>,
    outcome: RefCell<Option<Result<String, Fault>>>,
    limits: Cell<FunctionLimits>,
    /// When the function's limits were set: the start of its time, by both clocks.
    origin: Cell<(Instant, SystemTime)>,
    log_bytes_left: Cell<usize>,
    log_lines_left: Cell<u32>,
}

impl Bridge {
    pub(super) fn new(sender: Sender) -> Self {
        Self {
            sender,
            calls: Calls::default(),
            timers: Timers::default(),
            entry: RefCell::default(),
            outcome: RefCell::default(),
            limits: Cell::new(FunctionLimits { memory_mib: 0, output_bytes: 0, log_bytes: 0 }),
            origin: Cell::new((Instant::now(), SystemTime::now())),
            log_bytes_left: Cell::new(0),
            log_lines_left: Cell::new(0),
        }
    }

    pub(super) fn limit(&self, limits: FunctionLimits) {
        self.limits.set(limits);
        self.origin.set((Instant::now(), SystemTime::now()));
    }

    pub(super) fn take_entry(&self) -> Option<Entry> {
        self.entry.borrow_mut().take()
    }

    pub(super) fn begin(&self) {
        self.outcome.borrow_mut().take();
        self.begin_log();
        self.calls.open();
    }

    pub(super) fn begin_log(&self) {
        self.log_bytes_left.set(usize::try_from(self.limits.get().log_bytes).unwrap_or(usize::MAX));
        self.log_lines_left.set(MAX_LOG_LINES);
    }

    pub(super) fn take_outcome(&self) -> Option<Result<String, Fault>> {
        self.outcome.borrow_mut().take()
    }

    pub(super) fn has_no_outcome(&self) -> bool {
        self.outcome.borrow().is_none()
    }

    /// The first outcome stands, but a rejection that nobody handled is not hidden by a result.
    fn settle(&self, outcome: Result<String, Fault>) {
        let mut current = self.outcome.borrow_mut();
        let replaces = match (&*current, &outcome) {
            (None, _) => true,
            (Some(Ok(_)), Err(fault)) => {
                matches!(fault.kind, FaultKind::UnhandledRejection | FaultKind::Thrown)
            }
            _ => false,
        };
        if replaces {
            *current = Some(outcome);
        }
    }

    fn log(&self, level: LogLevel, text: &str) {
        let left = self.log_bytes_left.get();
        let lines = self.log_lines_left.get();
        if left == 0 || lines == 0 {
            return;
        }
        let kept = &text[..text.floor_char_boundary(left.min(MAX_LOG_TEXT_BYTES))];
        let last = text.len() > left || lines == 1;
        let truncated = last || kept.len() < text.len();
        // A line costs at least a byte, so that empty ones are not free.
        self.log_bytes_left.set(if last { 0 } else { left.saturating_sub(kept.len().max(1)) });
        self.log_lines_left.set(lines - 1);
        self.sender.send(&RunnerMessage::Log(LogRecord { level, truncated, text: kept.to_owned() }));
    }
}

fn bridge(state: &OpState) -> Rc<Bridge> {
    Rc::clone(state.borrow::<Rc<Bridge>>())
}

#[op2]
fn op_r3e_register(
    state: &mut OpState,
    #[scoped] dispatch: v8::Global<v8::Function>,
    #[scoped] answer_call: v8::Global<v8::Function>,
    #[scoped] fire_timer: v8::Global<v8::Function>,
    #[scoped] forget: v8::Global<v8::Function>,
) {
    *bridge(state).entry.borrow_mut() = Some(Entry { dispatch, answer_call, fire_timer, forget });
}

#[op2(fast)]
fn op_r3e_timer_start(state: &mut OpState, #[smi] id: u32, #[smi] delay_ms: u32) {
    bridge(state).timers.start(id, Duration::from_millis(delay_ms.into()));
}

#[op2(fast)]
fn op_r3e_timer_stop(state: &mut OpState, #[smi] id: u32) {
    bridge(state).timers.stop(id);
}

/// Whole milliseconds since the function's time began.
#[op2(fast)]
fn op_r3e_elapsed_ms(state: &mut OpState) -> f64 {
    let (began, _) = bridge(state).origin.get();
    whole_ms(began.elapsed())
}

/// When that was, in milliseconds since 1970.
#[op2(fast)]
fn op_r3e_time_origin_ms(state: &mut OpState) -> f64 {
    let (_, began) = bridge(state).origin.get();
    whole_ms(began.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn whole_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000.0).floor()
}

#[op2(fast)]
fn op_r3e_max_output_bytes(state: &mut OpState) -> u32 {
    bridge(state).limits.get().output_bytes
}

#[op2(fast)]
fn op_r3e_finish(state: &mut OpState, #[string] output: String) {
    let bridge = bridge(state);
    let max_bytes = usize::try_from(bridge.limits.get().output_bytes).unwrap_or(usize::MAX);
    let outcome = if output.len() > max_bytes {
        let message = format!("the result is longer than the function's limit of {max_bytes} bytes");
        Err(Fault::new(FaultKind::ResultTooLarge, "RangeError", &message, None))
    } else {
        match json::check(&output) {
            Ok(()) => Ok(output),
            Err(error) => Err(Fault::new(FaultKind::ResultNotJson, "RangeError", &error.to_string(), None)),
        }
    };
    bridge.settle(outcome);
}

#[op2(fast)]
fn op_r3e_fail(
    state: &mut OpState,
    #[string] kind: &str,
    #[string] name: &str,
    #[string] message: &str,
    #[string] stack: &str,
) {
    let kind = match kind {
        "unhandled_rejection" => FaultKind::UnhandledRejection,
        "event" => FaultKind::Event,
        "result_not_json" => FaultKind::ResultNotJson,
        "result_too_large" => FaultKind::ResultTooLarge,
        _ => FaultKind::Thrown,
    };
    let stack = (!stack.is_empty()).then_some(stack);
    bridge(state).settle(Err(Fault::new(kind, name, message, stack)));
}

#[op2(fast)]
fn op_r3e_log(state: &mut OpState, #[smi] level: u8, #[string] text: &str) {
    bridge(state).log(LogLevel::from_byte(level).unwrap_or(LogLevel::Info), text);
}

/// A host call's number, or why it has none.
#[derive(Serialize)]
struct Sent {
    call_id: Option<u32>,
    err: Option<HostError>,
}

#[op2]
#[string]
fn op_r3e_host_call(state: &mut OpState, #[string] request: &str) -> String {
    let bridge = bridge(state);
    let sent = if request.len() > MAX_HOST_CALL_BYTES {
        Err(too_large())
    } else {
        serde_json::from_str::<HostCall>(request)
            .map_err(|error| HostError { code: HostErrorCode::Invalid, message: error.to_string() })
            .and_then(|call| bridge.calls.make(&bridge.sender, call))
    };
    let sent = match sent {
        Ok(call_id) => Sent { call_id: Some(call_id), err: None },
        Err(error) => Sent { call_id: None, err: Some(error) },
    };
    serde_json::to_string(&sent).unwrap_or_default()
}

#[op2(fast)]
fn op_r3e_random(#[buffer] target: &mut [u8]) -> bool {
    random::fill(target).is_ok()
}

#[op2]
#[string]
fn op_r3e_random_uuid() -> String {
    let mut bytes = [0u8; 16];
    if random::fill(&mut bytes).is_err() {
        return String::new();
    }
    // RFC 9562, section 5.4: version 4, variant 10.
    let bits = (u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |range| hex.get::<std::ops::Range<usize>>(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}
