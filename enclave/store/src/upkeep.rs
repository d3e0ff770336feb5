//! The store's own work: checkpoints, sweeping, and letting go of an epoch. It rides on writers' commits, a bounded part
//! on each; where nobody writes, it makes commits of its own.
//!
//! A checkpoint is the index as notes, in pages of some 64 KiB, written one a commit while writers go on. Each page
//! says what stood just before its own commit; the notes of all commits since the first page are kept, and replayed over
//! the pages at a boot. For a record that changed meanwhile the last note decides, whatever its page says; for one that
//! did not, its page is right. So the pages need not be of one moment. The head names the new pages in the commit of the
//! last one: until then the old pages and the old tail stand untouched, and a crash leaves only pages behind that the
//! next checkpoint overwrites.
//!
//! This module knows nothing of writers or of the parent.

use r3e_proto::{host::blob::Commit, limits::MAX_COMMIT_RECORDS};

use crate::{
    error::StoreError,
    head::Head,
    index::{Cursor, Index},
    limits::{MAX_SWEPT, TAIL_PART},
    name::{Kind, Namespace},
    notes::{Notes, note_len},
    seal::StoreKeys,
    store::Options,
};

/// A part of the work that fits one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chore {
    /// Deletes what an older checkpoint left.
    Sweep,
    /// Writes a page of a checkpoint, and begins one where none is being written.
    Page,
    /// Lets go of the epochs before the current one.
    Retire,
}

/// How far the work has come. A crash forgets it: what is in the head is enough to go on.
#[derive(Debug)]
pub(crate) struct Upkeep {
    /// Commits in the tail, and changes in them: what a boot reads beside the pages.
    tail: u64,
    checkpoint: Option<Checkpoint>,
}

/// A checkpoint that is being written.
#[derive(Debug)]
struct Checkpoint {
    /// The number of its first page's commit: the tail begins there once it stands.
    since: u64,
    /// What the tail held before that.
    before: u64,
    /// Its first page's number is the head's `pages.end`; this is the next one's.
    next: u64,
    /// The last record that is in a page.
    after: Option<Cursor>,
}

impl Upkeep {
    /// With a tail of so many commits and changes.
    pub(crate) fn new(tail: u64) -> Self {
        Self { tail, checkpoint: None }
    }

    /// Says in `index`, which has its new head, how the work stands.
    pub(crate) fn report(&self, index: &mut Index, options: &Options) {
        index.tail = self.tail;
        let head = index.head.as_ref().map(|head| head.head);
        index.at_work = head.is_some_and(|head| {
            self.due(&head, index, options).is_some() || index.older_than(head.epochs.current) > 0
        });
    }

    /// What there is to do.
    pub(crate) fn due(&self, head: &Head, index: &Index, options: &Options) -> Option<Chore> {
        if self.checkpoint.is_some() {
            return Some(Chore::Page);
        }
        if head.has_rubbish() {
            return Some(Chore::Sweep);
        }
        if self.tail >= enough(head, index, options) {
            return Some(Chore::Page);
        }
        if head.is_rotating() && index.older_than(head.epochs.current) == 0 {
            // What a boot reads moves to the current epoch too: all pages and notes since it began are sealed in it.
            let moved = head.tail.from >= head.epochs.since;
            return Some(if moved { Chore::Retire } else { Chore::Page });
        }
        None
    }

    /// Adds a chore to a commit whose `head` is the next one: it has its sequence and its epoch already. `index` is the
    /// state before the commit.
    pub(crate) fn work(
        &mut self,
        chore: Chore,
        index: &Index,
        keys: &StoreKeys,
        options: &Options,
        (head, commit): (&mut Head, &mut Commit),
    ) -> Result<(), StoreError> {
        match chore {
            Chore::Sweep => sweep(keys, head, commit),
            Chore::Page => self.write_page(index, keys, options, head, commit)?,
            Chore::Retire => head.epochs.oldest = head.epochs.current,
        }
        Ok(())
    }

    /// Counts a commit with so many changes.
    pub(crate) fn count(&mut self, changes: usize) {
        self.tail += 1 + changes as u64;
    }

    fn write_page(
        &mut self,
        index: &Index,
        keys: &StoreKeys,
        options: &Options,
        head: &mut Head,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let mut checkpoint = self.checkpoint.take().unwrap_or(Checkpoint {
            since: head.number(),
            before: self.tail,
            next: head.pages.end,
            after: None,
        });
        let (notes, after) = page(index, checkpoint.after.as_ref(), options.page_bytes);
        if !notes.as_bytes().is_empty() {
            commit.puts.push(keys.seal_notes(Kind::Page, checkpoint.next, notes.as_bytes())?);
            checkpoint.next += 1;
        }
        if after.is_some() {
            self.checkpoint = Some(Checkpoint { after, ..checkpoint });
        } else {
            head.pages.first = head.pages.end;
            head.pages.end = checkpoint.next;
            head.tail.from = checkpoint.since;
            self.tail -= checkpoint.before;
        }
        Ok(())
    }
}

/// The tail that is worth a checkpoint.
fn enough(head: &Head, index: &Index, options: &Options) -> u64 {
    // A checkpoint makes commits itself, one a page and some to sweep. They must not be worth the next one.
    let own = 2 * (head.pages.end - head.pages.first) + 8;
    options.min_tail.max(index.records() as u64 / TAIL_PART).max(own)
}

/// The records that follow `after`, some `bytes` of notes; and where the next page goes on, none if this is the last.
fn page(index: &Index, after: Option<&Cursor>, bytes: usize) -> (Notes, Option<Cursor>) {
    let mut notes = Notes::with_room(bytes);
    let mut last: Option<(&Namespace, &str)> = None;
    for (namespace, key, entry) in index.walk(after) {
        let full = notes.as_bytes().len() + note_len(namespace, key) > bytes;
        if let Some((namespace, key)) = last
            && full
        {
            return (notes, Some(Cursor { namespace: namespace.clone(), key: key.to_owned() }));
        }
        notes.stands(namespace, key, entry);
        last = Some((namespace, key));
    }
    (notes, None)
}

/// Deletes as much rubbish as the commit still takes.
fn sweep(keys: &StoreKeys, head: &mut Head, commit: &mut Commit) {
    let used = commit.puts.len() + commit.deletes.len();
    let mut room = MAX_COMMIT_RECORDS.saturating_sub(used).min(MAX_SWEPT);
    let ranges = [
        (Kind::Page, &mut head.pages.kept, head.pages.first),
        (Kind::Tail, &mut head.tail.kept, head.tail.from),
    ];
    for (kind, kept, end) in ranges {
        while room > 0 && *kept < end {
            commit.deletes.push(keys.numbered(kind, *kept));
            *kept += 1;
            room -= 1;
        }
    }
}
