//! Driving a follower from nodes.

use std::future::Future;

use super::Linked;
use super::cursor::Cursor;
use super::follower::{Batch, FollowError, Follower, Need, Rules};

/// A chain that can be asked.
pub trait Source: Sync {
    /// A block, or what of it is needed to find its events.
    type Block: Linked + Send + Sync;
    /// What is looked for in blocks.
    type Event: Send + Sync;
    /// Why there is no answer.
    type Error: Send;

    /// The height of the newest block.
    fn height(&self) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// The block at a height.
    fn block(&self, height: u64) -> impl Future<Output = Result<Self::Block, Self::Error>> + Send;

    /// The events of a block, all that are wanted, in order.
    fn events(
        &self,
        block: &Self::Block,
    ) -> impl Future<Output = Result<Vec<Self::Event>, Self::Error>> + Send;
}

/// Why there is no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NextError<E> {
    /// The chain could not be asked: try again.
    #[error("the chain could not be asked")]
    Source(#[source] E),
    /// The chain is not what it was: trying again does not help.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

/// Reads what comes behind `cursor`: at most a batch, and nothing where the chain has not come so far. What was read before a node failed
/// is not lost: it is the batch, and the failure shows when the rest is asked for.
///
/// # Errors
/// [`NextError`].
pub async fn next_batch<S: Source>(
    source: &S,
    cursor: Cursor,
    rules: Rules,
) -> Result<Batch<S::Event>, NextError<S::Error>> {
    let mut follower: Follower<S::Block, S::Event> = Follower::new(cursor, rules)?;
    let mut read = 0;
    loop {
        let outcome = match follower.need() {
            Need::Nothing => break,
            Need::Height => source.height().await.map(|height| {
                follower.height(height);
                Ok(())
            }),
            Need::Block(height) => source.block(height).await.map(|block| follower.block(block)),
            Need::Events(block) => {
                let events = source.events(block).await;
                events.map(|events| {
                    read += 1;
                    follower.events(events)
                })
            }
        };
        match outcome {
            Ok(Ok(())) => {}
            // The same will be found again, with nothing before it.
            Ok(Err(FollowError::Reorganised { .. })) | Err(_) if read > 0 => break,
            Ok(Err(error)) => return Err(error.into()),
            Err(error) => return Err(NextError::Source(error)),
        }
    }
    Ok(follower.into_batch())
}
