//! The blob store's protocol: the enclave asks, the parent keeps.
//!
//! The parent sees blinded names and sealed bytes. A commit is one batch and one new head, applied whole or not at
//! all, durable before it is answered, and only if the head that stands is the one the enclave expects.
//!
//! Beside the records lies one slot: what an enclave needs before it can open them, such as its root secret encrypted by
//! a key service. It is written like a head, over the value that the enclave expects.

use ciborium::Value;
use r3e_cbor::{MapReader, Scanner, Writer, decode_canonical, from_value};

use crate::limits::{
    BLOB_NAME_BYTES, MAX_BLOB_BYTES, MAX_COMMIT_RECORDS, MAX_FAILURE_TEXT_BYTES, MAX_HEAD_BYTES,
    MAX_HOST_FRAME_BYTES, MAX_LIST_RECORDS, MAX_SLOT_BYTES,
};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// A record's blinded name: an HMAC, so that the parent learns nothing from it.
pub type BlobName = [u8; BLOB_NAME_BYTES];
/// SHA-256 of a head or of the slot's value, as the parent keeps it.
pub type HeadDigest = [u8; 32];

/// What the enclave asks. `id` is echoed, so that requests may be pipelined on one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Chosen by the enclave, echoed by the parent.
    pub id: u64,
    /// The operation.
    pub operation: Operation,
}

/// An operation on the parent's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The head that stands, if any.
    Head,
    /// One record.
    Read {
        /// Its blinded name.
        name: BlobName,
    },
    /// Records in the order of their names, after `after`; the parent answers with as many as fit its limits.
    List {
        /// The last name of the page before, or none for the first page.
        after: Option<BlobName>,
    },
    /// One batch and the head that goes with it.
    Commit(Commit),
    /// The slot's value, if any.
    SlotRead,
    /// A new value for the slot.
    SlotWrite {
        /// SHA-256 of the value it goes over, none for the first.
        expected: Option<HeadDigest>,
        /// The new value.
        value: Vec<u8>,
    },
}

/// A batch: applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// SHA-256 of the head this commit follows, none for the first.
    pub expected: Option<HeadDigest>,
    /// The new head.
    pub head: Vec<u8>,
    /// Records to write, over what stands under the name.
    pub puts: Vec<(BlobName, Vec<u8>)>,
    /// Records to drop.
    pub deletes: Vec<BlobName>,
}

/// What the parent answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The request's `id`.
    pub id: u64,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To `Head`.
    Head(Option<Vec<u8>>),
    /// To `Read`.
    Read(Option<Vec<u8>>),
    /// To `List`: a page in name order; `more` says whether another follows.
    List {
        /// Names and records.
        records: Vec<(BlobName, Vec<u8>)>,
        /// Whether a page follows.
        more: bool,
    },
    /// To `Commit` and `SlotWrite`: durable.
    Committed,
    /// To `Commit` and `SlotWrite`: another head, or another value, stands; nothing was written.
    Conflict,
    /// To `SlotRead`.
    Slot(Option<Vec<u8>>),
    /// The store failed; nothing is known of the operation's effect. The text is the parent's, for the log.
    Failed(String),
}

/// Items in the largest message: a batch of the most records, three items each, and its frame.
const MAX_ITEMS: usize = 4 * (MAX_COMMIT_RECORDS + MAX_LIST_RECORDS) + 64;

impl Request {
    /// The request as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        let id = some(self.id);
        match &self.operation {
            Operation::Head => map([(0, id), (1, some(OP_HEAD))]),
            Operation::Read { name } => map([(0, id), (1, some(OP_READ)), (2, bytes(*name))]),
            Operation::List { after } => map([(0, id), (1, some(OP_LIST)), (2, after.and_then(bytes))]),
            Operation::Commit(commit) => {
                let mut body = Vec::with_capacity(commit_room(commit));
                Self::encode_commit(self.id, commit, &mut body);
                body
            }
            Operation::SlotRead => map([(0, id), (1, some(OP_SLOT_READ))]),
            Operation::SlotWrite { expected, value } => map([
                (0, id),
                (1, some(OP_SLOT_WRITE)),
                (2, expected.and_then(bytes)),
                (3, bytes(value.as_slice())),
            ]),
        }
    }

    /// Appends the body of a request with the operation [`Operation::Commit`] to `out`: a commit is megabytes, and is
    /// copied only once.
    pub fn encode_commit(id: u64, commit: &Commit, out: &mut Vec<u8>) {
        out.reserve(commit_room(commit));
        let mut writer = Writer::new(out);
        writer.map(5 + usize::from(commit.expected.is_some()));
        writer.unsigned(0).unsigned(id).unsigned(1).unsigned(OP_COMMIT);
        if let Some(expected) = &commit.expected {
            writer.unsigned(2).bytes(expected);
        }
        writer.unsigned(3).bytes(&commit.head).unsigned(4);
        write_records(&mut writer, &commit.puts);
        writer.unsigned(5).array(commit.deletes.len());
        for name in &commit.deletes {
            writer.bytes(name);
        }
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or over a limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        if let Some(request) = scan_commit(body) {
            return Ok(request);
        }
        let mut fields =
            MapReader::new("request", decode_canonical(body, &limits(MAX_HOST_FRAME_BYTES, MAX_ITEMS))?)?;
        let id = fields.required(0)?;
        let operation = match fields.required(1)? {
            OP_HEAD => Operation::Head,
            OP_READ => Operation::Read { name: fields.required(2)? },
            OP_LIST => Operation::List { after: fields.optional(2)? },
            OP_COMMIT => Operation::Commit(Commit {
                expected: fields.optional(2)?,
                head: fields.required(3)?,
                puts: records(fields.required(4)?)?,
                deletes: names(fields.required(5)?)?,
            }),
            OP_SLOT_READ => Operation::SlotRead,
            OP_SLOT_WRITE => {
                Operation::SlotWrite { expected: fields.optional(2)?, value: fields.required(3)? }
            }
            value => return Err(WireError::Unknown { what: "operation", value }),
        };
        fields.finish()?;
        match &operation {
            Operation::Commit(commit) => {
                within("head", commit.head.len(), MAX_HEAD_BYTES)?;
                within("records in a commit", commit.puts.len() + commit.deletes.len(), MAX_COMMIT_RECORDS)?;
            }
            Operation::SlotWrite { value, .. } => within("slot", value.len(), MAX_SLOT_BYTES)?,
            Operation::Head | Operation::Read { .. } | Operation::List { .. } | Operation::SlotRead => {}
        }
        Ok(Self { id, operation })
    }
}

impl Response {
    /// The response as a frame's body.
    pub fn encode(&self) -> Vec<u8> {
        let id = some(self.id);
        match &self.outcome {
            Outcome::Head(head) => map([(0, id), (1, some(OUT_HEAD)), (2, head.as_deref().and_then(bytes))]),
            Outcome::Read(blob) => map([(0, id), (1, some(OUT_READ)), (2, blob.as_deref().and_then(bytes))]),
            Outcome::List { records, more } => {
                let mut body = Vec::with_capacity(records_room(records) + 32);
                let mut writer = Writer::new(&mut body);
                writer.map(4).unsigned(0).unsigned(self.id).unsigned(1).unsigned(OUT_LIST).unsigned(2);
                write_records(&mut writer, records);
                writer.unsigned(3).bool(*more);
                body
            }
            Outcome::Committed => map([(0, id), (1, some(OUT_COMMITTED))]),
            Outcome::Conflict => map([(0, id), (1, some(OUT_CONFLICT))]),
            Outcome::Slot(value) => {
                map([(0, id), (1, some(OUT_SLOT)), (2, value.as_deref().and_then(bytes))])
            }
            Outcome::Failed(text) => {
                let end = text.floor_char_boundary(MAX_FAILURE_TEXT_BYTES);
                map([(0, id), (1, some(OUT_FAILED)), (2, some(&text[..end]))])
            }
        }
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`]: not of the form, or over a limit.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        if let Some(response) = scan_list(body) {
            return Ok(response);
        }
        let mut fields =
            MapReader::new("response", decode_canonical(body, &limits(MAX_HOST_FRAME_BYTES, MAX_ITEMS))?)?;
        let id = fields.required(0)?;
        let outcome = match fields.required(1)? {
            OUT_HEAD => {
                let head: Option<Vec<u8>> = fields.optional(2)?;
                within("head", head.as_ref().map_or(0, Vec::len), MAX_HEAD_BYTES)?;
                Outcome::Head(head)
            }
            OUT_READ => {
                let blob: Option<Vec<u8>> = fields.optional(2)?;
                within("record", blob.as_ref().map_or(0, Vec::len), MAX_BLOB_BYTES)?;
                Outcome::Read(blob)
            }
            OUT_LIST => {
                let records = records(fields.required(2)?)?;
                within("records in a page", records.len(), MAX_LIST_RECORDS)?;
                Outcome::List { records, more: fields.required(3)? }
            }
            OUT_COMMITTED => Outcome::Committed,
            OUT_CONFLICT => Outcome::Conflict,
            OUT_FAILED => {
                let text: String = fields.required(2)?;
                within("failure text", text.len(), MAX_FAILURE_TEXT_BYTES)?;
                Outcome::Failed(text)
            }
            OUT_SLOT => {
                let value: Option<Vec<u8>> = fields.optional(2)?;
                within("slot", value.as_ref().map_or(0, Vec::len), MAX_SLOT_BYTES)?;
                Outcome::Slot(value)
            }
            value => return Err(WireError::Unknown { what: "outcome", value }),
        };
        fields.finish()?;
        Ok(Self { id, outcome })
    }
}

/// The most bytes that the body of a commit takes.
fn commit_room(commit: &Commit) -> usize {
    let heads = 64 + commit.head.len() + records_room(&commit.puts);
    heads + commit.deletes.len() * (BLOB_NAME_BYTES + 2)
}

fn records_room(records: &[(BlobName, Vec<u8>)]) -> usize {
    records.iter().map(|(name, blob)| name.len() + blob.len() + 8).sum::<usize>() + 8
}

fn write_records(writer: &mut Writer<'_>, records: &[(BlobName, Vec<u8>)]) {
    writer.array(records.len());
    for (name, blob) in records {
        writer.array(2).bytes(name).bytes(blob);
    }
}

/// Reads a commit without a tree of values between. None for anything that is no commit within the limits: the decoder
/// proper reads the rest, and says what is wrong.
fn scan_commit(body: &[u8]) -> Option<Request> {
    if body.len() > MAX_HOST_FRAME_BYTES {
        return None;
    }
    let mut scan = Scanner::new(body);
    let fields = scan.map()?;
    let id = scan_field(&mut scan, 0)?.unsigned()?;
    if scan_field(&mut scan, 1)?.unsigned()? != OP_COMMIT {
        return None;
    }
    let expected = match fields {
        5 => None,
        6 => Some(scan_field(&mut scan, 2)?.array_of_bytes()?),
        _ => return None,
    };
    let head = scan_field(&mut scan, 3)?.bytes()?.to_vec();
    let puts = scan_records(scan_field(&mut scan, 4)?, MAX_COMMIT_RECORDS)?;
    let count = scan_field(&mut scan, 5)?.array()?;
    if head.len() > MAX_HEAD_BYTES || puts.len() + count > MAX_COMMIT_RECORDS {
        return None;
    }
    let mut deletes = Vec::with_capacity(count);
    for _ in 0..count {
        deletes.push(scan.array_of_bytes()?);
    }
    let operation = Operation::Commit(Commit { expected, head, puts, deletes });
    scan.is_at_end().then_some(Request { id, operation })
}

/// The same for a page of records.
fn scan_list(body: &[u8]) -> Option<Response> {
    if body.len() > MAX_HOST_FRAME_BYTES {
        return None;
    }
    let mut scan = Scanner::new(body);
    let fields = scan.map()?;
    let id = scan_field(&mut scan, 0)?.unsigned()?;
    if fields != 4 || scan_field(&mut scan, 1)?.unsigned()? != OUT_LIST {
        return None;
    }
    let records = scan_records(scan_field(&mut scan, 2)?, MAX_LIST_RECORDS)?;
    let more = scan_field(&mut scan, 3)?.bool()?;
    scan.is_at_end().then_some(Response { id, outcome: Outcome::List { records, more } })
}

/// The value under `key`, if that is the next one.
fn scan_field<'a, 's>(scan: &'s mut Scanner<'a>, key: u64) -> Option<&'s mut Scanner<'a>> {
    (scan.unsigned()? == key).then_some(scan)
}

fn scan_records(scan: &mut Scanner<'_>, max: usize) -> Option<Vec<(BlobName, Vec<u8>)>> {
    let count = scan.array()?;
    if count > max {
        return None;
    }
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        let (2, name, blob) = (scan.array()?, scan.array_of_bytes()?, scan.bytes()?) else { return None };
        if blob.len() > MAX_BLOB_BYTES {
            return None;
        }
        records.push((name, blob.to_vec()));
    }
    Some(records)
}

fn records(values: Vec<Value>) -> Result<Vec<(BlobName, Vec<u8>)>, WireError> {
    let pair = |value| {
        let [name, blob]: [Value; 2] = from_value("record", value)?;
        let blob: Vec<u8> = from_value("record", blob)?;
        within("record", blob.len(), MAX_BLOB_BYTES)?;
        Ok((from_value("record name", name)?, blob))
    };
    values.into_iter().map(pair).collect()
}

fn names(values: Vec<Value>) -> Result<Vec<BlobName>, WireError> {
    values.into_iter().map(|value| Ok(from_value("record name", value)?)).collect()
}

const OP_HEAD: u64 = 1;
const OP_READ: u64 = 2;
const OP_LIST: u64 = 3;
const OP_COMMIT: u64 = 4;
const OP_SLOT_READ: u64 = 5;
const OP_SLOT_WRITE: u64 = 6;

const OUT_HEAD: u64 = 1;
const OUT_READ: u64 = 2;
const OUT_LIST: u64 = 3;
const OUT_COMMITTED: u64 = 4;
const OUT_CONFLICT: u64 = 5;
const OUT_FAILED: u64 = 6;
const OUT_SLOT: u64 = 7;
