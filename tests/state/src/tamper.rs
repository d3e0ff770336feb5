//! What the owner of a parent can do to what it keeps, and by which name the store must find it.

use proptest::sample::Index;
use r3e_proto::host::blob::BlobName;
use r3e_store::Tampered;

use crate::disk::Disk;

/// One kind of tampering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// A bit of a record.
    FlipRecord,
    /// A record is gone.
    DropRecord,
    /// A record stands in the place of another, too.
    CopyRecord,
    /// A record stands under a name of nobody's, and not under its own.
    RenameRecord,
    /// Two records stand in each other's place.
    SwapRecords,
    /// An older version or an older sealing of a record.
    OlderRecord,
    /// A deleted record is back.
    RestoreDeleted,
    /// A record that nobody wrote.
    Invent,
    /// A bit of a checkpoint's page or of a commit's notes.
    FlipNote,
    /// One of them is gone.
    DropNote,
    /// Two of them stand in each other's place.
    SwapNotes,
    /// One of them is what stood under its name before.
    OlderNote,
    /// A bit of the head.
    FlipHead,
    /// A head of before.
    OlderHead,
    /// The head of another appliance.
    ForeignHead,
    /// The head of another history that began in this state.
    ForkedHead,
}

impl Tampering {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::FlipRecord,
        Self::DropRecord,
        Self::CopyRecord,
        Self::RenameRecord,
        Self::SwapRecords,
        Self::OlderRecord,
        Self::RestoreDeleted,
        Self::Invent,
        Self::FlipNote,
        Self::DropNote,
        Self::SwapNotes,
        Self::OlderNote,
        Self::FlipHead,
        Self::OlderHead,
        Self::ForeignHead,
        Self::ForkedHead,
    ];

    /// What the store must make of it. `in_force` says whether any of the notes that it changed counts in the state.
    pub fn verdict(self, in_force: bool) -> Verdict {
        match self {
            Self::FlipNote | Self::DropNote | Self::SwapNotes if in_force => Verdict::FoundAtBoot,
            // All that it says may be said anew by later notes: then it makes no other state, and the root says so.
            Self::OlderNote if in_force => Verdict::FoundAtBootOrHarmless,
            Self::RestoreDeleted
            | Self::Invent
            | Self::FlipNote
            | Self::DropNote
            | Self::SwapNotes
            | Self::OlderNote => Verdict::Harmless,
            Self::FlipHead | Self::OlderHead | Self::ForeignHead | Self::ForkedHead => Verdict::FoundAtBoot,
            Self::FlipRecord
            | Self::DropRecord
            | Self::CopyRecord
            | Self::RenameRecord
            | Self::SwapRecords
            | Self::OlderRecord => Verdict::Found,
        }
    }

    /// Whether `found` is a right name for it.
    pub fn is_named(self, found: Tampered) -> bool {
        use Tampered::{
            CheckpointChanged, CheckpointMissing, HeadForeign, HeadOlderThanRecord, IndexOlder,
            RecordChanged, RecordMissing, RecordOlder, RecordSwapped, TailChanged, TailMissing,
        };
        match self {
            Self::FlipRecord => matches!(found, RecordChanged | RecordSwapped),
            Self::DropRecord | Self::RenameRecord => found == RecordMissing,
            Self::CopyRecord | Self::SwapRecords => found == RecordSwapped,
            Self::OlderRecord => found == RecordOlder,
            Self::RestoreDeleted | Self::Invent => false,
            Self::FlipNote | Self::SwapNotes => matches!(found, CheckpointChanged | TailChanged),
            Self::DropNote => matches!(found, CheckpointMissing | TailMissing),
            Self::OlderNote => matches!(found, IndexOlder),
            Self::FlipHead | Self::ForeignHead => found == HeadForeign,
            // The note of the commit behind it tells; where that was swept, so were those that it needs.
            Self::OlderHead => matches!(found, HeadOlderThanRecord | CheckpointMissing | TailMissing),
            // Its own notes are missing, or others stand in their place.
            Self::ForkedHead => {
                matches!(found, HeadOlderThanRecord | TailMissing | CheckpointMissing | IndexOlder)
            }
        }
    }
}

/// What must become of tampering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is found before anything is served.
    FoundAtBoot,
    /// That, or it changes nothing.
    FoundAtBootOrHarmless,
    /// It is found when the record is read.
    Found,
    /// It changes nothing, since it is not part of the state, and so is not found.
    Harmless,
}

impl Verdict {
    /// Whether it holds, where something was found, at the boot or when records were read, or nothing was.
    pub fn holds(self, found: bool, at_boot: bool) -> bool {
        match self {
            Self::FoundAtBoot => found && at_boot,
            Self::FoundAtBootOrHarmless => !found || at_boot,
            Self::Found => found && !at_boot,
            Self::Harmless => !found,
        }
    }
}

/// What tampering can draw on.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// What the parent kept before, at some moments of this history.
    pub past: &'a [Disk],
    /// The head of another appliance.
    pub foreign_head: &'a [u8],
    /// What the parent would keep had this state gone on otherwise.
    pub fork: &'a Disk,
}

/// Tampers with `disk`. What is tampered with is chosen by `pick` and `bit`. False if there is nothing to do it to.
pub fn tamper(disk: &mut Disk, how: Tampering, pick: Index, bit: Index, material: Material<'_>) -> bool {
    attempt(disk, how, pick, bit, material).is_some()
}

fn attempt(disk: &mut Disk, how: Tampering, pick: Index, bit: Index, material: Material<'_>) -> Option<()> {
    let (written, notes) = (disk.written(), disk.notes());
    match how {
        Tampering::FlipRecord => flip(disk.records.get_mut(&one(&written, pick)?)?, bit),
        Tampering::FlipNote => flip(disk.records.get_mut(&one(&notes, pick)?)?, bit),
        Tampering::FlipHead => flip(&mut disk.head, bit),
        Tampering::DropRecord => drop(disk.records.remove(&one(&written, pick)?)),
        Tampering::DropNote => drop(disk.records.remove(&one(&notes, pick)?)),
        Tampering::CopyRecord => {
            let (from, to) = two(&written, pick, bit)?;
            disk.records.insert(to, disk.records.get(&from)?.clone());
        }
        Tampering::RenameRecord => {
            let blob = disk.records.remove(&one(&written, pick)?)?;
            disk.records.insert([0x5a; 32], blob);
        }
        Tampering::SwapRecords => swap(disk, two(&written, pick, bit)?)?,
        Tampering::SwapNotes => swap(disk, two(&notes, pick, bit)?)?,
        Tampering::Invent => {
            let blob = disk.records.get(&one(&written, pick)?)?.clone();
            disk.records.insert([0x5a; 32], blob);
        }
        Tampering::OlderRecord => older(disk, &written, pick, material.past.iter())?,
        // No two commits of one history give the same number, but those of two histories do.
        Tampering::OlderNote => older(disk, &notes, pick, [material.fork].into_iter())?,
        Tampering::RestoreDeleted => {
            let gone: Vec<_> = material
                .past
                .iter()
                .flat_map(|past| past.written().into_iter().map(move |name| (name, past)))
                .filter(|(name, _)| !disk.records.contains_key(name))
                .collect();
            let (name, past) = pick_of(&gone, pick)?;
            disk.records.insert(*name, past.records.get(name)?.clone());
        }
        Tampering::OlderHead => {
            let heads: Vec<_> = material.past.iter().filter(|past| past.head != disk.head).collect();
            disk.head.clone_from(&pick_of(&heads, pick)?.head);
        }
        Tampering::ForeignHead => disk.head = material.foreign_head.to_vec(),
        Tampering::ForkedHead => disk.head.clone_from(&material.fork.head),
    }
    Some(())
}

fn flip(blob: &mut [u8], bit: Index) {
    let bit = bit.index(blob.len() * 8);
    blob[bit / 8] ^= 1 << (bit % 8);
}

fn swap(disk: &mut Disk, (one, other): (BlobName, BlobName)) -> Option<()> {
    let first = disk.records.get(&one)?.clone();
    let second = disk.records.insert(other, first)?;
    disk.records.insert(one, second);
    Some(())
}

/// Puts what stood in one of the `sources` under one of `names` in the place of what stands there now.
fn older<'a>(
    disk: &mut Disk,
    names: &[BlobName],
    pick: Index,
    sources: impl Iterator<Item = &'a Disk>,
) -> Option<()> {
    let mut found = Vec::new();
    for source in sources {
        for name in names {
            if let Some(blob) = source.records.get(name)
                && disk.records.get(name) != Some(blob)
            {
                found.push((*name, blob.clone()));
            }
        }
    }
    let (name, blob) = pick_of(&found, pick)?;
    disk.records.insert(*name, blob.clone());
    Some(())
}

fn one(names: &[BlobName], pick: Index) -> Option<BlobName> {
    pick_of(names, pick).copied()
}

fn two(names: &[BlobName], pick: Index, other: Index) -> Option<(BlobName, BlobName)> {
    let (one, other) = (one(names, pick)?, one(names, other)?);
    (one != other).then_some((one, other))
}

fn pick_of<T>(all: &[T], pick: Index) -> Option<&T> {
    if all.is_empty() { None } else { all.get(pick.index(all.len())) }
}
