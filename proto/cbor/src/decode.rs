//! The strict decoder. It reads heads itself, since strictness lives there: it sees the width of each head, the
//! form of each length and the bytes of each key, which no longer exist in a decoded value.
//!
//! Nothing is reserved on an input's word: a length is compared with the bytes that are left, and a count
//! with the items that are left, before memory is taken.

use ciborium::{Value, value::Integer};

use crate::{
    CborError, Limits,
    encode::encode,
    float::{Shortest, half_to_f64, shortest},
    limits::HARD_MAX_DEPTH,
};

/// Decodes the one data item that `input` must consist of, in any well-formed encoding.
///
/// # Errors
/// [`CborError`], if the input breaks a limit, is not well-formed, goes on after the item, holds a duplicate
/// map key at any depth, or one of the kinds that the crate refuses.
pub fn decode(input: &[u8], limits: &Limits) -> Result<Value, CborError> {
    Reader::new(input, *limits, false)?.whole()
}

/// Decodes the one data item that `input` must consist of, in deterministic encoding only: for every accepted
/// input, [`encode`] of the result gives the input back.
///
/// # Errors
/// As [`decode`], and [`CborError::NotCanonical`] for indefinite lengths, heads or floats that are not the
/// shortest, and map keys that do not rise.
pub fn decode_canonical(input: &[u8], limits: &Limits) -> Result<Value, CborError> {
    Reader::new(input, *limits, true)?.whole()
}

/// How many items are reserved at most before the first of them is read.
const MAX_RESERVED_ITEMS: usize = 64;

/// The "break" byte that ends an item of indefinite length.
const BREAK: u8 = 0xff;

struct Reader<'a> {
    input: &'a [u8],
    position: usize,
    limits: Limits,
    items_left: usize,
    canonical: bool,
}

/// The head of an item (RFC 8949 section 3).
struct Head {
    at: usize,
    major: u8,
    /// The low five bits of the first byte.
    info: u8,
    argument: u64,
}

impl Head {
    fn is_indefinite(&self) -> bool {
        self.info == 31
    }
}

impl<'a> Reader<'a> {
    fn new(input: &'a [u8], limits: Limits, canonical: bool) -> Result<Self, CborError> {
        if input.len() > limits.max_bytes {
            return Err(CborError::TooLong { len: input.len(), max: limits.max_bytes });
        }
        let limits = Limits { max_depth: limits.max_depth.min(HARD_MAX_DEPTH), ..limits };
        Ok(Self { input, position: 0, limits, items_left: limits.max_items, canonical })
    }

    fn whole(mut self) -> Result<Value, CborError> {
        let value = self.item(0)?;
        match self.left() {
            0 => Ok(value),
            count => Err(CborError::TrailingBytes { at: self.position, count }),
        }
    }

    /// Reads one item that lies within `depth` arrays, maps and tags.
    fn item(&mut self, depth: usize) -> Result<Value, CborError> {
        let head = self.counted_head()?;
        if (4..=6).contains(&head.major) && depth >= self.limits.max_depth {
            return Err(CborError::TooDeep { at: head.at, max: self.limits.max_depth });
        }
        match head.major {
            0 => Ok(Value::Integer(head.argument.into())),
            1 => negative(&head),
            2 => self.string(&head).map(Value::Bytes),
            3 => String::from_utf8(self.string(&head)?).map(Value::Text).map_err(|_| not_utf8(head.at)),
            4 => self.array(&head, depth + 1),
            5 => self.map(&head, depth + 1),
            6 => self.tagged(&head, depth + 1),
            _ => self.simple_or_float(&head),
        }
    }

    /// Reads the bytes of a byte or text string.
    fn string(&mut self, head: &Head) -> Result<Vec<u8>, CborError> {
        if !head.is_indefinite() {
            return Ok(self.take(head.argument, head.at)?.to_vec());
        }
        // RFC 8949 section 3.2.3: chunks of the same major type, each of definite length and, for text, each
        // valid UTF-8 by itself.
        let mut joined = Vec::new();
        while !self.at_break(head.at)? {
            let chunk = self.counted_head()?;
            if chunk.major != head.major || chunk.is_indefinite() {
                return Err(CborError::Malformed {
                    at: chunk.at,
                    what: "a chunk must be a plain string of its kind",
                });
            }
            let bytes = self.take(chunk.argument, chunk.at)?;
            if chunk.major == 3 && std::str::from_utf8(bytes).is_err() {
                return Err(not_utf8(chunk.at));
            }
            joined.extend_from_slice(bytes);
        }
        Ok(joined)
    }

    fn array(&mut self, head: &Head, depth: usize) -> Result<Value, CborError> {
        if head.is_indefinite() {
            let mut items = Vec::new();
            while !self.at_break(head.at)? {
                items.push(self.item(depth)?);
            }
            return Ok(Value::Array(items));
        }
        let count = self.count(head, 1)?;
        let mut items = Vec::with_capacity(count.min(MAX_RESERVED_ITEMS));
        for _ in 0..count {
            items.push(self.item(depth)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, head: &Head, depth: usize) -> Result<Value, CborError> {
        if head.is_indefinite() {
            let mut entries = Vec::new();
            while !self.at_break(head.at)? {
                entries.push((self.item(depth)?, self.item(depth)?));
            }
            return unique(head.at, entries);
        }
        let count = self.count(head, 2)?;
        let mut entries = Vec::with_capacity(count.min(MAX_RESERVED_ITEMS));
        let mut last_key: Option<&[u8]> = None;
        for _ in 0..count {
            let key_at = self.position;
            let key = self.item(depth)?;
            if self.canonical {
                let encoded = self.input.get(key_at..self.position).unwrap_or_default();
                match last_key {
                    Some(last) if last == encoded => return Err(CborError::DuplicateKey { at: head.at }),
                    Some(last) if last > encoded => {
                        return Err(CborError::NotCanonical { at: key_at, rule: "map keys must rise" });
                    }
                    _ => last_key = Some(encoded),
                }
            }
            entries.push((key, self.item(depth)?));
        }
        // In canonical form a key has one encoding, and the encodings were seen to rise.
        if self.canonical { Ok(Value::Map(entries)) } else { unique(head.at, entries) }
    }

    fn tagged(&mut self, head: &Head, depth: usize) -> Result<Value, CborError> {
        if matches!(head.argument, 2 | 3) {
            return Err(CborError::Unsupported { at: head.at, what: "a bignum" });
        }
        Ok(Value::Tag(head.argument, Box::new(self.item(depth)?)))
    }

    fn simple_or_float(&self, head: &Head) -> Result<Value, CborError> {
        let value = match head.info {
            20 => return Ok(Value::Bool(false)),
            21 => return Ok(Value::Bool(true)),
            22 => return Ok(Value::Null),
            23 => return Err(CborError::Unsupported { at: head.at, what: "undefined" }),
            // RFC 8949 section 3.3: 0xf8 followed by less than 32 is not well-formed.
            24 if head.argument < 32 => {
                return Err(CborError::Malformed {
                    at: head.at,
                    what: "a simple value in two bytes below 32",
                });
            }
            25 => u16::try_from(head.argument).ok().map(half_to_f64),
            26 => u32::try_from(head.argument).ok().map(|bits| f64::from(f32::from_bits(bits))),
            27 => Some(f64::from_bits(head.argument)),
            31 => {
                return Err(CborError::Malformed { at: head.at, what: "a break outside an indefinite item" });
            }
            _ => None,
        };
        let Some(value) = value else {
            return Err(CborError::Unsupported { at: head.at, what: "a simple value" });
        };
        let is_shortest = match shortest(value) {
            Shortest::Half(bits) => head.info == 25 && head.argument == u64::from(bits),
            Shortest::Single(_) => head.info == 26,
            Shortest::Double(_) => head.info == 27,
        };
        if self.canonical && !is_shortest {
            return Err(CborError::NotCanonical { at: head.at, rule: "a float must have its shortest form" });
        }
        Ok(Value::Float(value))
    }

    /// How many elements of `items_each` items an array or map has; fails unless that many items may follow and
    /// could lie in the bytes that are left, each of which takes a byte at least.
    fn count(&self, head: &Head, items_each: u64) -> Result<usize, CborError> {
        let items = head.argument.saturating_mul(items_each);
        if items > self.left() as u64 {
            return Err(CborError::Truncated { at: head.at });
        }
        if items > self.items_left as u64 {
            return Err(CborError::TooManyItems { at: head.at, max: self.limits.max_items });
        }
        usize::try_from(head.argument).map_err(|_| CborError::Truncated { at: head.at })
    }

    /// Reads a head and takes it off the item budget.
    fn counted_head(&mut self) -> Result<Head, CborError> {
        let head = self.head()?;
        match self.items_left.checked_sub(1) {
            Some(left) => self.items_left = left,
            None => return Err(CborError::TooManyItems { at: head.at, max: self.limits.max_items }),
        }
        Ok(head)
    }

    fn head(&mut self) -> Result<Head, CborError> {
        let at = self.position;
        let first = self.take(1, at)?.first().copied().unwrap_or_default();
        let (major, info) = (first >> 5, first & 0x1f);
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                let bytes = self.take(1 << (info - 24), at)?;
                bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
            }
            31 if (2..=5).contains(&major) && self.canonical => {
                return Err(CborError::NotCanonical { at, rule: "lengths must be definite" });
            }
            31 if (2..=5).contains(&major) || major == 7 => 0,
            31 => return Err(CborError::Malformed { at, what: "this type has no indefinite length" }),
            _ => return Err(CborError::Malformed { at, what: "a reserved additional information value" }),
        };
        // For major type 7 the widths are different kinds of values, not longer forms of one.
        let below = match info {
            24 => 24,
            25 => 1 << 8,
            26 => 1 << 16,
            27 => 1 << 32,
            _ => 0,
        };
        if self.canonical && major != 7 && argument < below {
            return Err(CborError::NotCanonical { at, rule: "heads must be the shortest" });
        }
        Ok(Head { at, major, info, argument })
    }

    /// Skips a break, and says whether there was one; `at` is the start of the item that it would end.
    fn at_break(&mut self, at: usize) -> Result<bool, CborError> {
        match self.input.get(self.position) {
            Some(&BREAK) => {
                self.position += 1;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => Err(CborError::Truncated { at }),
        }
    }

    fn take(&mut self, length: u64, at: usize) -> Result<&'a [u8], CborError> {
        let truncated = CborError::Truncated { at };
        let Some(end) = usize::try_from(length).ok().and_then(|length| self.position.checked_add(length))
        else {
            return Err(truncated);
        };
        let bytes = self.input.get(self.position..end).ok_or(truncated)?;
        self.position = end;
        Ok(bytes)
    }

    fn left(&self) -> usize {
        self.input.len() - self.position
    }
}

fn negative(head: &Head) -> Result<Value, CborError> {
    Integer::try_from(-1 - i128::from(head.argument))
        .map(Value::Integer)
        .map_err(|_| CborError::Unsupported { at: head.at, what: "an integer below -2^64" })
}

/// A map of `entries`, unless two keys are equal. Keys are compared by their deterministic encoding, so that
/// two encodings of one key are one key.
fn unique(at: usize, entries: Vec<(Value, Value)>) -> Result<Value, CborError> {
    let mut keys: Vec<Vec<u8>> = entries.iter().map(|(key, _)| encode(key)).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| matches!(pair, [left, right] if left == right)) {
        return Err(CborError::DuplicateKey { at });
    }
    Ok(Value::Map(entries))
}

fn not_utf8(at: usize) -> CborError {
    CborError::Malformed { at, what: "text that is not UTF-8" }
}
