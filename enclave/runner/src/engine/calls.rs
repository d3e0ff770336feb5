//! Host calls on their way: their numbers, and how many may be out at once. Who waits for which, the prelude
//! knows by the number.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};

use r3e_runner_api::limits::MAX_OUTSTANDING_HOST_CALLS;
use r3e_runner_api::{HostCall, HostError, HostErrorCode, RunnerMessage};
use r3e_sandbox::Sender;

use crate::limits::MAX_QUEUED_HOST_CALLS;

/// The calls of one engine.
#[derive(Default)]
pub(super) struct Calls {
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    /// An event is being handled; calls are its own.
    open: bool,
    last_id: u32,
    /// Numbered and sent, not answered.
    outstanding: BTreeSet<u32>,
    /// Numbered and encoded, to be sent when one of those is answered.
    queued: VecDeque<(u32, Vec<u8>)>,
}

impl Calls {
    /// Lets calls through: an event has begun.
    pub(super) fn open(&self) {
        self.inner.borrow_mut().open = true;
    }

    /// Forgets every call that was not answered: the event they belong to is over.
    pub(super) fn close(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.open = false;
        inner.outstanding.clear();
        // Their numbers were never seen outside, where numbers rise by one.
        let queued = u32::try_from(inner.queued.len()).unwrap_or(u32::MAX);
        inner.last_id = inner.last_id.wrapping_sub(queued);
        inner.queued.clear();
    }

    /// Whether an answer is due.
    pub(super) fn is_waiting(&self) -> bool {
        !self.inner.borrow().outstanding.is_empty()
    }

    /// Sends the call, or queues it, and gives its number.
    pub(super) fn make(&self, sender: &Sender, call: HostCall) -> Result<u32, HostError> {
        let mut inner = self.inner.borrow_mut();
        if !inner.open {
            let message = "host calls are made while an event is being handled, and only then".to_owned();
            return Err(HostError { code: HostErrorCode::Invalid, message });
        }
        if inner.queued.len() >= MAX_QUEUED_HOST_CALLS {
            let message = format!("more than {MAX_QUEUED_HOST_CALLS} host calls at once");
            return Err(HostError { code: HostErrorCode::LimitExceeded, message });
        }
        let call_id = inner.last_id.wrapping_add(1);
        let Ok(frame) = (RunnerMessage::HostCall { call_id, call }).encode() else { return Err(too_large()) };
        inner.last_id = call_id;
        if inner.outstanding.len() < MAX_OUTSTANDING_HOST_CALLS {
            inner.outstanding.insert(call_id);
            sender.send_frame(&frame);
        } else {
            inner.queued.push_back((call_id, frame));
        }
        Ok(call_id)
    }

    /// Notes an answer and sends a queued call in its place. False when the call is not waited for.
    pub(super) fn answered(&self, sender: &Sender, call_id: u32) -> bool {
        let mut inner = self.inner.borrow_mut();
        if !inner.outstanding.remove(&call_id) {
            return false;
        }
        if let Some((call_id, frame)) = inner.queued.pop_front() {
            inner.outstanding.insert(call_id);
            sender.send_frame(&frame);
        }
        true
    }
}

/// The request does not fit a message.
pub(super) fn too_large() -> HostError {
    HostError {
        code: HostErrorCode::TooLarge,
        message: "the request is larger than a function may send".to_owned(),
    }
}
