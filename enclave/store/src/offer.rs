//! Makes a commit of a plan: seals what is written, notes what changes, and adds what the store has to do itself.

use std::collections::HashMap;

use r3e_proto::host::blob::{BlobName, Commit};

use crate::{
    error::StoreError,
    head::{Epochs, Head, SealedHead},
    index::Entry,
    name::Kind,
    notes::{Notes, note_len},
    plan::{Plan, Planned},
    seal::fresh_salts,
    store::Shared,
    trie::{Trie, digest_of},
    upkeep::{Chore, Upkeep},
};

/// A commit, and what it will change here once it stands.
pub(crate) struct Offer {
    pub(crate) commit: Commit,
    pub(crate) changes: HashMap<BlobName, Planned>,
    /// Of the changes that are no deletions.
    pub(crate) entries: HashMap<BlobName, Entry>,
    pub(crate) sealed: SealedHead,
}

/// Seals a plan that follows the head `before`. `trie` and `upkeep` move on with it: from here the commit either stands or
/// the store closes. A chore is only for what follows the head that stands.
pub(crate) fn build(
    shared: &Shared,
    (trie, upkeep): (&mut Trie, &mut Upkeep),
    before: Option<&SealedHead>,
    plan: Plan,
    chore: Option<Chore>,
) -> Result<Offer, StoreError> {
    let keys = &shared.keys;
    let expected = before.map(|head| head.digest);
    let standing = before.map_or(Head::NONE, |head| head.head);
    let rotates = plan.rotates;
    let (changes, writes) = plan.into_changes();
    let mut head =
        Head { sequence: standing.sequence + 1, previous: expected.unwrap_or_default(), writes, ..standing };
    if rotates {
        head.epochs = next_epoch(&head)?;
        keys.hold(head.epochs.oldest..=head.epochs.current)?;
    }
    let epoch = head.epochs.current;
    let mut salts = fresh_salts(changes.len())?;
    let mut commit = Commit { expected, head: Vec::new(), puts: Vec::new(), deletes: Vec::new() };
    let mut entries = HashMap::with_capacity(changes.len());
    let room = changes.values().map(|planned| note_len(&planned.namespace, &planned.key)).sum();
    let mut notes = Notes::with_room(room);
    for (name, planned) in &changes {
        let Planned { namespace, key, .. } = planned;
        match &planned.after {
            Some((version, value)) => {
                let salt = salts.next().ok_or(NO_SALT)?;
                let blob = keys.seal_record((epoch, &salt), name, *version, (namespace, key), value)?;
                // Far below 2^32: checked when it was handed in.
                let bytes = u32::try_from(value.len()).unwrap_or(u32::MAX);
                let entry = Entry { name: *name, digest: digest_of(&blob), version: *version, epoch, bytes };
                trie.insert(*name, entry.digest);
                notes.stands(namespace, key, &entry);
                entries.insert(*name, entry);
                commit.puts.push((*name, blob));
            }
            None if planned.stood => {
                trie.remove(name);
                notes.gone(namespace, key);
                commit.deletes.push(*name);
            }
            // Written and deleted within the group: the parent never learns of it.
            None => {}
        }
    }
    commit.puts.push(keys.seal_notes(Kind::Tail, head.number(), notes.as_bytes())?);
    if let Some(chore) = chore {
        upkeep.work(chore, &shared.index(), keys, &shared.options, (&mut head, &mut commit))?;
    }
    upkeep.count(changes.len());
    head.root = trie.root();
    head.records = trie.len() as u64;
    head.epochs.sealings += commit.puts.len() as u64 + 1;
    let sealed = head.seal(keys)?;
    commit.head.clone_from(&sealed.blob);
    Ok(Offer { commit, changes, entries, sealed })
}

/// There is one for each change.
const NO_SALT: StoreError = StoreError::Library { operation: "make a salt for each record" };

/// The epochs once a new one begins with `head`.
fn next_epoch(head: &Head) -> Result<Epochs, StoreError> {
    let Epochs { current, .. } = head.epochs;
    let next = current.checked_add(1).ok_or(StoreError::Library { operation: "count so many epochs" })?;
    Ok(Epochs { current: next, oldest: current, since: head.number(), sealings: 0 })
}
