//! A session: one attested channel, and who signed in on it.
//!
//! Only [`crate::channel`] makes one, after it has given the client evidence for it, so a handler that is given a
//! session knows that the client could appraise the appliance first.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use r3e_proto::api::identity::TenantId;
use r3e_proto::channel::binding::Digest;

use crate::limits::MAX_FAILED_SIGN_INS;

/// One attested channel.
#[derive(Debug)]
pub(crate) struct Session {
    binding: Digest,
    principal: Mutex<Option<Principal>>,
    failed_sign_ins: AtomicU32,
}

/// Who signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The key in the measured configuration.
    Operator,
    /// A key that the operator admitted.
    Tenant(TenantId),
}

impl Session {
    /// The session whose evidence was given for `binding`.
    pub(crate) fn attested(binding: Digest) -> Self {
        Self { binding, principal: Mutex::new(None), failed_sign_ins: AtomicU32::new(0) }
    }

    /// What a key signs to sign in here, and nowhere else.
    pub(crate) fn binding(&self) -> &Digest {
        &self.binding
    }

    /// Who signed in last, if anyone did.
    pub(crate) fn principal(&self) -> Option<Principal> {
        *self.principal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of who signed in.
    pub(crate) fn sign_in(&self, principal: Principal) {
        *self.principal.lock().unwrap_or_else(PoisonError::into_inner) = Some(principal);
    }

    /// Takes note of a wrong signature or key.
    pub(crate) fn failed_sign_in(&self) {
        self.failed_sign_ins.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether this session may still try to sign in.
    pub(crate) fn may_try(&self) -> bool {
        self.failed_sign_ins.load(Ordering::Relaxed) < MAX_FAILED_SIGN_INS
    }
}
