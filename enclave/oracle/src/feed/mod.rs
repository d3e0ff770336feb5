//! Feeds: from what the sources of a round said to an answer, or to the reason why there is none.
//!
//! ```text
//! a source's observation --its own checks--> those that stand --median of weights--> the middle
//!     --distance from it--> outliers --quorum of the rest--> answer, confidence --jump? due?--> Outcome
//! ```
//!
//! The answer is the median by weight of all that passed their own checks: always a price that a source said, and never beyond
//! those of the honest sources while the others weigh less than half. An outlier counts neither for the quorum nor for the
//! confidence, but its weight stays on its side of the middle: were it taken away, sources just within the bounds could be left with a
//! majority of the rest.

mod aggregate;
mod definition;
mod policy;
mod publish;
mod round;
mod state;
mod weights;

pub use aggregate::aggregate;
pub use definition::{FeedDefinition, FeedDefinitionError};
pub use policy::{Feed, FeedError, Policy, Source};
pub use round::{Answer, Fate, Input, Outcome, Publication, Reason, RoundError, Said, SourceFate, Step};
pub use state::{Jump, Last, Seen, State};
