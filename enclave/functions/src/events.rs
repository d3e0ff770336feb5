//! `r3e.events`: what one invocation publishes, of the topics that it was granted, and how far events may cause one another.

use std::sync::atomic::{AtomicU32, Ordering};

use r3e_runner_api::{HostErrorCode, HostReply, HostValue};

use crate::limits::{MAX_HOPS, MAX_PUBLISHED};
use crate::sources::{Event, EventSink, PublishError};
use crate::values::refused;

/// What one invocation may publish.
pub(crate) struct Events<'a> {
    sink: &'a dyn EventSink,
    granted: &'a [String],
    /// How many events led to this invocation.
    hops: u32,
    published: AtomicU32,
}

impl<'a> Events<'a> {
    pub(crate) fn of(sink: &'a dyn EventSink, granted: &'a [String], hops: u32) -> Self {
        Self { sink, granted, hops, published: AtomicU32::new(0) }
    }

    /// Publishes an event; `event.hops` is decided here.
    pub(crate) async fn publish(&self, event: Event) -> HostReply {
        if !self.granted.contains(&event.topic) {
            let message = format!(
                "the function was not granted the topic {:?}: name it in permissions.publish",
                event.topic.chars().take(SHOWN_CHARS).collect::<String>()
            );
            return Err(refused(HostErrorCode::Denied, message));
        }
        if self.hops >= MAX_HOPS {
            let message = format!(
                "{MAX_HOPS} events caused one another already: this one could go round for ever, and is not published"
            );
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        if self.published.fetch_add(1, Ordering::Relaxed) >= MAX_PUBLISHED {
            let message = format!("an invocation publishes at most {MAX_PUBLISHED} events");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        match self.sink.publish(Event { hops: self.hops + 1, ..event }).await {
            Ok(taken) => Ok(HostValue::Publish { queued: taken.queued, failed: taken.failed }),
            Err(PublishError::Invalid(message)) => Err(refused(HostErrorCode::Invalid, message)),
            Err(PublishError::TooFast(message)) => Err(refused(HostErrorCode::LimitExceeded, message)),
            Err(PublishError::Unavailable(error)) => {
                tracing::warn!(%error, "a function's event could not be published");
                let message = "the appliance takes no events now; this one may have been taken: publish it again with its key";
                Err(refused(HostErrorCode::Unavailable, message))
            }
        }
    }
}

/// What an error repeats of a topic.
const SHOWN_CHARS: usize = 64;
