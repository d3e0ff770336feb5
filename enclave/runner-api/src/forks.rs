//! The copies that a runner was ordered to make of itself: which may be told of, and what may be told of them.

use std::collections::BTreeSet;

use crate::frame::{FrameKind, ProtocolError};
use crate::limits::MAX_COPIES;

/// The copies of one runner.
#[derive(Debug, Default)]
pub(crate) struct Forks {
    last: u64,
    /// The order that is out: there is one at most, so that an answer's descriptor belongs to it.
    ordered: Option<u64>,
    alive: BTreeSet<u64>,
}

impl Forks {
    /// The number of a new order.
    pub(crate) fn order(&mut self) -> Result<u64, ProtocolError> {
        if self.ordered.is_some() {
            return Err(ProtocolError::OutOfTurn { kind: FrameKind::Fork, state: "an order is out" });
        }
        let number = self.last + 1;
        if self.alive.len() >= MAX_COPIES {
            return Err(ProtocolError::WrongCopy { kind: FrameKind::Fork, got: number });
        }
        self.last = number;
        self.ordered = Some(number);
        Ok(number)
    }

    /// How many live.
    pub(crate) fn alive(&self) -> usize {
        self.alive.len()
    }

    /// Whether a frame of this kind may come now.
    pub(crate) fn may_come(&self, kind: FrameKind) -> bool {
        match kind {
            FrameKind::Forked | FrameKind::ForkFailed => self.ordered.is_some(),
            FrameKind::Ended => !self.alive.is_empty(),
            _ => false,
        }
    }

    /// The order was carried out.
    pub(crate) fn made(&mut self, number: u64) -> Result<(), ProtocolError> {
        self.answered(FrameKind::Forked, number)?;
        self.alive.insert(number);
        Ok(())
    }

    /// The order was not carried out.
    pub(crate) fn failed(&mut self, number: u64) -> Result<(), ProtocolError> {
        self.answered(FrameKind::ForkFailed, number)
    }

    /// A copy ended.
    pub(crate) fn ended(&mut self, number: u64) -> Result<(), ProtocolError> {
        if self.alive.remove(&number) {
            return Ok(());
        }
        Err(ProtocolError::WrongCopy { kind: FrameKind::Ended, got: number })
    }

    fn answered(&mut self, kind: FrameKind, number: u64) -> Result<(), ProtocolError> {
        if self.ordered != Some(number) {
            return Err(ProtocolError::WrongCopy { kind, got: number });
        }
        self.ordered = None;
        Ok(())
    }
}
