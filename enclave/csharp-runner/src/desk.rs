//! Where the function's threads and the one that speaks with the enclave meet: what is said, and what is waited for.
//!
//! Whatever comes from the function's side comes from code that may do as it likes with its process: it is bounded, and means nothing
//! that a function may not mean.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use r3e_runner_api::LogLevel;

use crate::limits::MAX_SAID;

/// Something that a thread of the function's said.
#[derive(Debug)]
pub(crate) enum Said {
    /// A line of the log.
    Log(LogLevel, String),
    /// A host call, JSON text; its answer goes there.
    Call(String, SyncSender<String>),
    /// The event's result, JSON text.
    Done(String),
    /// Why there is none, JSON text.
    Failed(String),
    /// The same, of what the runtime does not outlive.
    Broken(String),
    /// The runtime has ended, or did not start; why.
    Ended(String),
}

/// The function's side, of which a process has one.
struct Desk {
    say: SyncSender<Said>,
    events: Mutex<Receiver<String>>,
}

/// The engine's side.
#[derive(Debug)]
pub(crate) struct Counter {
    said: Receiver<Said>,
    events: SyncSender<String>,
}

static DESK: OnceLock<Desk> = OnceLock::new();

/// Sets the desk up, once in the life of a process.
pub(crate) fn open() -> Counter {
    let (say, said) = sync_channel(MAX_SAID);
    let (events, waiting) = sync_channel(1);
    // A process opens one; where it had one already, the second would hear nothing, and its events would end at once.
    let _opened = DESK.set(Desk { say, events: Mutex::new(waiting) });
    Counter { said, events }
}

/// What a number means that the function's side says a text with; the numbers are those of `managed/Host.cs`. Some are answered.
pub(crate) fn ask(kind: i32, text: String) -> Option<String> {
    let desk = DESK.get()?;
    let said = match kind {
        0 => Said::Log(LogLevel::Debug, text),
        1 => Said::Log(LogLevel::Info, text),
        2 => Said::Log(LogLevel::Warn, text),
        3 => Said::Log(LogLevel::Error, text),
        4 => return desk.events.lock().unwrap_or_else(PoisonError::into_inner).recv().ok(),
        5 => {
            let (answer, answered) = sync_channel(1);
            desk.say.send(Said::Call(text, answer)).ok()?;
            return answered.recv().ok();
        }
        6 => Said::Done(text),
        7 => Said::Failed(text),
        8 => Said::Broken(text),
        _ => return None,
    };
    // Nobody listens any more when the process is about to end.
    let _heard = desk.say.send(said);
    None
}

/// Says why the runtime is no more.
pub(crate) fn ended(why: String) {
    if let Some(desk) = DESK.get() {
        let _heard = desk.say.send(Said::Ended(why));
    }
}

impl Counter {
    /// Hands an event over. Dropped where the one before was not taken.
    pub(crate) fn hand_over(&self, event: String) {
        let _taken = self.events.try_send(event);
    }

    /// What is said next; nothing where it takes longer than that.
    pub(crate) fn hear(&self, patience: Option<Duration>) -> Option<Said> {
        let gone = || Said::Ended("the runtime is gone".to_owned());
        match patience {
            None => Some(self.said.recv().unwrap_or_else(|_| gone())),
            Some(patience) => match self.said.recv_timeout(patience) {
                Ok(said) => Some(said),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(gone()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// One test: a process has one desk.
    #[test]
    fn both_sides_meet() {
        assert_eq!(ask(6, "early".to_owned()), None);
        let counter = open();
        counter.hand_over("event".to_owned());
        counter.hand_over("one too many".to_owned());
        assert_eq!(ask(4, String::new()).as_deref(), Some("event"));
        let asking = thread::spawn(|| ask(5, "call".to_owned()));
        let Some(Said::Call(request, answer)) = counter.hear(None) else { panic!("no call") };
        assert_eq!(request, "call");
        answer.send("answer".to_owned()).unwrap();
        assert_eq!(asking.join().unwrap().as_deref(), Some("answer"));
        ask(3, "line".to_owned());
        ask(6, "1".to_owned());
        ask(99, "nothing".to_owned());
        assert!(matches!(counter.hear(None), Some(Said::Log(LogLevel::Error, line)) if line == "line"));
        assert!(matches!(counter.hear(None), Some(Said::Done(result)) if result == "1"));
        assert!(counter.hear(Some(Duration::ZERO)).is_none());
        // An answer that nobody gives is none.
        let asking = thread::spawn(|| ask(5, "call".to_owned()));
        drop(counter.hear(None));
        assert_eq!(asking.join().unwrap(), None);
    }
}
