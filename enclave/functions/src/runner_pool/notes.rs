//! What a caller notes about a process for as long as that lives: names, each with a number. The pool gives them no meaning;
//! it only ends idle processes by them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Notes about one process.
#[derive(Debug, Default)]
pub struct ProcessNotes(Mutex<BTreeMap<String, u64>>);

impl ProcessNotes {
    /// Notes `name` with `number`, over what was noted of it.
    pub fn add(&self, name: &str, number: u64) {
        self.lock().insert(name.to_owned(), number);
    }

    /// Whether `name` was noted.
    pub fn holds(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// All of them.
    pub fn all(&self) -> Vec<(String, u64)> {
        self.lock().iter().map(|(name, number)| (name.clone(), *number)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
