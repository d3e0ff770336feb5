//! What an evaluation has left to do.

use std::cell::Cell;

use super::Failed;
use crate::limits::{BYTES_OF_A_STEP, MAX_MADE_BYTES, MAX_STEPS};

/// Steps and bytes that are left.
pub(super) struct Meter {
    steps: Cell<usize>,
    bytes: Cell<usize>,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { steps: Cell::new(MAX_STEPS), bytes: Cell::new(MAX_MADE_BYTES) }
    }

    /// Takes so many steps.
    pub(super) fn steps(&self, count: usize) -> Result<(), Failed> {
        take(&self.steps, count)
    }

    /// Looks through so many bytes.
    pub(super) fn reads(&self, bytes: usize) -> Result<(), Failed> {
        self.steps(bytes / BYTES_OF_A_STEP + 1)
    }

    /// Makes so many bytes of text.
    pub(super) fn makes(&self, bytes: usize) -> Result<(), Failed> {
        take(&self.bytes, bytes)?;
        self.reads(bytes)
    }
}

fn take(left: &Cell<usize>, count: usize) -> Result<(), Failed> {
    left.set(left.get().checked_sub(count).ok_or(Failed::Spent)?);
    Ok(())
}
