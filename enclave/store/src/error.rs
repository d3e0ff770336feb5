//! What can go wrong with sealed state, and what the caller should do. No variant carries a key or a value.

use crate::{blobs::BlobError, trie::Digest, witness::Hex};

/// Why an operation on the store did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More writes wait than the limits allow, or a record is being written again and again while it is read.
    #[error("the store is busy; try again after a pause")]
    Busy,
    /// A name, a value or a batch is over its limit.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in bytes or in items as `what` says.
        limit: usize,
    },
    /// A namespace or a key that is not of the allowed form.
    #[error("{what} is not of the allowed form: {rule}")]
    Name {
        /// What was refused.
        what: &'static str,
        /// The rule it broke.
        rule: &'static str,
    },
    /// The store holds as many records as it can.
    #[error("the store is full: it holds {limit} records; delete some")]
    Full {
        /// [`crate::limits::MAX_RECORDS`].
        limit: usize,
    },
    /// The condition of a write does not hold: nothing of its batch was written.
    #[error("the condition of write {index} in the batch does not hold; read the record and decide again")]
    Conflict {
        /// Which write of the batch, from 0.
        index: usize,
        /// The version that stands, none if there is no such record.
        current: Option<u64>,
    },
    /// The parent does not answer. A read can be tried again. A write may still take effect: read before writing
    /// again, or write under a condition.
    #[error("the parent does not keep blobs now; try again")]
    Unavailable(#[source] BlobError),
    /// The parent did not confirm a commit in time; it may still take effect, as above.
    #[error("the parent did not confirm the commit in time; read before you write again")]
    Unconfirmed,
    /// The rollback witness does not confirm. At a boot: try again. Of a write: nothing was written.
    #[error("the rollback witness does not confirm: {reason}; try again")]
    Unwitnessed {
        /// Why.
        reason: String,
    },
    /// The witness has not confirmed for so long that another enclave may have gone on from this state. Nothing is read, and
    /// nothing was written, until it confirms again.
    #[error(
        "the rollback witness has confirmed nothing for {confirmed_s_ago} s, so this state may be an older one than is \
         served elsewhere: {reason}; try again"
    )]
    Stale {
        /// Seconds since what it confirmed last was asked of it.
        confirmed_s_ago: u64,
        /// Why it does not confirm.
        reason: String,
    },
    /// The state is being handed to another enclave. Nothing was written.
    #[error("the state is being handed over, and takes no writes; try again in a second")]
    Frozen,
    /// The head that stands is not the one that was to be opened.
    #[error(
        "the state is not the one that was handed over, of sequence {sequence}: whoever handed it over went on, or the \
         parent shows another"
    )]
    OtherHead {
        /// The sequence of the state that was to be opened.
        sequence: u64,
    },
    /// The parent answered something else than what was committed. The store refuses everything from now on.
    #[error("the sealed state is not what was committed: {0}")]
    Tampered(#[from] Tampered),
    /// An older epoch is still in use.
    #[error("epoch {oldest} is still in use; its records are being re-sealed, try again when that is done")]
    Rotating {
        /// The oldest epoch in use.
        oldest: u32,
    },
    /// The committer has ended, with the runtime that carried it.
    #[error("the store is closed")]
    Closed,
    /// A key could not be derived.
    #[error("a key of the store could not be derived")]
    Key(#[from] r3e_keys::KeyError),
    /// The cryptographic library refused an operation that cannot fail on these inputs.
    #[error("the cryptographic library refused to {operation}")]
    Library {
        /// What was asked of it.
        operation: &'static str,
    },
}

impl StoreError {
    /// Whether the same may be asked again in a while, and answered: the parent or the witnesses may be back by then, or a
    /// successor may have taken over. A write that ended so may stand ([`Self::Unavailable`], [`Self::Unconfirmed`]).
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Frozen
                | Self::Stale { .. }
                | Self::Unavailable(_)
                | Self::Unconfirmed
                | Self::Unwitnessed { .. }
        )
    }
}

/// What the parent did, as far as it can be told from what it answered. All of these close the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Tampered {
    /// There are records or there was a head, and now there is none.
    #[error("the head is missing")]
    HeadMissing,
    /// The head does not open: another appliance's, another root secret's, or changed.
    #[error("the head is not of this appliance: it was sealed under another root secret, or changed")]
    HeadForeign,
    /// The head opens, and is older than the last one committed.
    #[error("the head was rolled back: sequence {found}, where {committed} was committed")]
    HeadRolledBack {
        /// The sequence of the head that stands.
        found: u64,
        /// The sequence of the last commit that was acknowledged.
        committed: u64,
    },
    /// The head opens, and is none that this process wrote: another enclave with the same root secret is at work.
    #[error(
        "the head was forked: sequence {found} was not committed by this process, which is at {committed}"
    )]
    HeadForked {
        /// The sequence of the head that stands.
        found: u64,
        /// The sequence of the last commit that was acknowledged.
        committed: u64,
    },
    /// The whole state is an older one than the witness holds.
    #[error(
        "the state was rolled back: sequence {held}, head {}, where the witness holds {witnessed}. Give the parent the \
         latest state; where it is lost, an order of the operator quorum restores this one (`r3e operator restore-order`)",
        Hex(head)
    )]
    RolledBack {
        /// The sequence of the state.
        held: u64,
        /// SHA-256 of its sealed head; zeros where there is none.
        head: Digest,
        /// The sequence that the witness holds.
        witnessed: u64,
    },
    /// The state is later than what the witness holds, and grew without it.
    #[error(
        "the state grew without its witness: sequence {held}, head {}, where the witness holds {witnessed} and would \
         hold all but the last commit. It was run without the witness, or the parent shows a branch that was left; an \
         order of the operator quorum opens it (`r3e operator restore-order`)",
        Hex(head)
    )]
    NotWitnessed {
        /// The sequence of the state.
        held: u64,
        /// SHA-256 of its sealed head.
        head: Digest,
        /// The sequence that the witness holds.
        witnessed: u64,
    },
    /// A chain holds an anchor that this appliance signed, and this state does not have it written down.
    #[error(
        "the state was rolled back, or another one went on from it: sequence {held}, head {}, and the chain holds the anchor \
         {anchored}, which this state does not have written down. Give the parent the latest state; where it is lost, an order of the \
         operator quorum restores this one (`r3e operator restore-order`)",
        Hex(head)
    )]
    NotAnchored {
        /// The sequence of the state.
        held: u64,
        /// SHA-256 of its sealed head; zeros where there is none.
        head: Digest,
        /// The sequence of the anchor.
        anchored: u64,
    },
    /// The witness holds another commit of the same sequence: two states grew from one.
    #[error(
        "the state was forked: the witness holds another commit of the sequence {sequence}. One appliance was run twice, \
         or the parent shows a branch that was left"
    )]
    Forked {
        /// The sequence.
        sequence: u64,
    },
    /// A record, or a note of a commit, is newer than the head: the head was rolled back without it.
    #[error("a record is newer than the head: the head is an older one")]
    HeadOlderThanRecord,
    /// A page of the checkpoint is not there.
    #[error("a page of the checkpoint is missing")]
    CheckpointMissing,
    /// A page of the checkpoint does not open under its own name: its bytes were changed, or it is another page.
    #[error("a page of the checkpoint was changed")]
    CheckpointChanged,
    /// The note of a commit since the checkpoint is not there.
    #[error("the note of a commit is missing")]
    TailMissing,
    /// The note of a commit does not open under its own name: its bytes were changed, or it is another commit's.
    #[error("the note of a commit was changed")]
    TailChanged,
    /// Every page and every note opens, and together they are not what the head says: one of them is of another
    /// history, an older one.
    #[error("a page of the checkpoint or the note of a commit is an older one")]
    IndexOlder,
    /// A committed record is not there.
    #[error("a record is missing")]
    RecordMissing,
    /// A record stands under the name of another.
    #[error("a record stands under another record's name")]
    RecordSwapped,
    /// A record does not open under its own name: its bytes were changed.
    #[error("a record was changed")]
    RecordChanged,
    /// A record opens, and is not the one that was committed last: it is an older version or an older sealing.
    #[error("a record is an older version of itself")]
    RecordOlder,
    /// A listing does not rise strictly by name.
    #[error("the list of records is not in order")]
    ListUnordered,
}
