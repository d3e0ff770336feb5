//! Types of parameters, as a declaration names them.

use std::fmt;

use crate::limits::{MAX_FIXED_ARRAY, MAX_PARAMETERS, MAX_SIGNATURE_BYTES, MAX_TYPE_DEPTH};

/// Why a declaration is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is longer than any that a person would write.
    #[error("a declaration has at most {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// Not of the form `Name(type name, …)`.
    #[error("the declaration must be of the form Name(type name, …): {rule}")]
    Form {
        /// The rule it broke.
        rule: &'static str,
    },
    /// A type that there is not.
    #[error("the declaration names a type that there is not, or one without its width, as in uint256")]
    Type,
    /// Too many of something.
    #[error("the declaration has more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `uint8` to `uint256`.
    Uint(usize),
    /// `int8` to `int256`.
    Int(usize),
    /// `address`.
    Address,
    /// `bool`.
    Bool,
    /// `bytes1` to `bytes32`.
    FixedBytes(usize),
    /// `bytes`.
    Bytes,
    /// `string`.
    Text,
    /// `T[]`.
    Array(Box<Kind>),
    /// `T[n]`.
    FixedArray(Box<Kind>, usize),
    /// `(T, U, …)`.
    Tuple(Vec<Kind>),
}

impl Kind {
    /// Whether its values have no fixed length, so that a place stands where they would.
    pub(super) fn is_dynamic(&self) -> bool {
        match self {
            Self::Bytes | Self::Text | Self::Array(_) => true,
            Self::FixedArray(of, _) => of.is_dynamic(),
            Self::Tuple(parts) => parts.iter().any(Self::is_dynamic),
            _ => false,
        }
    }

    /// Bytes of its head: what stands in its place in a list of values. None where that is over any data that there is.
    pub(super) fn head_bytes(&self) -> Option<usize> {
        match self {
            _ if self.is_dynamic() => Some(32),
            Self::FixedArray(of, count) => of.head_bytes()?.checked_mul(*count),
            Self::Tuple(parts) => {
                parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(part.head_bytes()?))
            }
            _ => Some(32),
        }
    }

    /// Whether a topic holds its value, rather than the value's hash.
    pub(super) fn is_word(&self) -> bool {
        !matches!(self, Self::Bytes | Self::Text | Self::Array(_) | Self::FixedArray(..) | Self::Tuple(_))
    }

    /// Reads a type at the beginning of `text`; gives what is behind it.
    pub(super) fn parse(text: &str, depth: usize) -> Result<(Self, &str), SignatureError> {
        if depth == MAX_TYPE_DEPTH {
            return Err(SignatureError::TooMany { what: "types within each other", max: MAX_TYPE_DEPTH });
        }
        let text = text.trim_start();
        let (mut kind, mut rest) = if let Some(parts) = text.strip_prefix('(') {
            Self::parse_tuple(parts, depth)?
        } else {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            (Self::named(name).ok_or(SignatureError::Type)?, rest)
        };
        let mut nesting = depth;
        while let Some(inside) = rest.strip_prefix('[') {
            nesting += 1;
            if nesting == MAX_TYPE_DEPTH {
                return Err(SignatureError::TooMany { what: "types within each other", max: MAX_TYPE_DEPTH });
            }
            let (count, behind) =
                inside.split_once(']').ok_or(SignatureError::Form { rule: "a [ has no ]" })?;
            kind = match count {
                "" => Self::Array(Box::new(kind)),
                count => Self::FixedArray(Box::new(kind), fixed(count, MAX_FIXED_ARRAY)?),
            };
            rest = behind;
        }
        Ok((kind, rest))
    }

    /// The parts of a tuple, and its closing bracket.
    fn parse_tuple(mut text: &str, depth: usize) -> Result<(Self, &str), SignatureError> {
        let mut parts = Vec::new();
        loop {
            let (part, rest) = Self::parse(text, depth + 1)?;
            if parts.len() == MAX_PARAMETERS {
                return Err(SignatureError::TooMany { what: "parts of a tuple", max: MAX_PARAMETERS });
            }
            parts.push(part);
            // A part may have a name, which counts for nothing.
            let rest = rest.trim_start().trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let rest = rest.trim_start();
            if let Some(behind) = rest.strip_prefix(')') {
                return Ok((Self::Tuple(parts), behind));
            }
            text = rest.strip_prefix(',').ok_or(SignatureError::Form { rule: "a tuple has no end" })?;
        }
    }

    fn named(name: &str) -> Option<Self> {
        let bits = |digits: &str| {
            let bits = fixed(digits, 256).ok()?;
            (bits % 8 == 0).then_some(bits)
        };
        match name {
            "address" => Some(Self::Address),
            "bool" => Some(Self::Bool),
            "bytes" => Some(Self::Bytes),
            "string" => Some(Self::Text),
            _ => {
                if let Some(digits) = name.strip_prefix("uint") {
                    bits(digits).map(Self::Uint)
                } else if let Some(digits) = name.strip_prefix("int") {
                    bits(digits).map(Self::Int)
                } else {
                    fixed(name.strip_prefix("bytes")?, 32).ok().map(Self::FixedBytes)
                }
            }
        }
    }
}

/// A declaration without what may stand around it.
pub(super) fn trimmed(text: &str) -> Result<&str, SignatureError> {
    if text.len() > MAX_SIGNATURE_BYTES {
        return Err(SignatureError::TooLong { max: MAX_SIGNATURE_BYTES });
    }
    Ok(text.trim().trim_end_matches(';').trim_end())
}

/// Reads `Name(one, …)`; gives what is behind it, too.
pub(super) fn named_list<'a, T>(
    text: &'a str,
    parse: impl Fn(&'a str) -> Result<(T, &'a str), SignatureError>,
) -> Result<(&'a str, Vec<T>, &'a str), SignatureError> {
    let (name, rest) = text.split_once('(').ok_or(SignatureError::Form { rule: "there is no (" })?;
    let name = name.trim_end();
    if !is_name(name) {
        return Err(SignatureError::Form { rule: "it must begin with a name" });
    }
    let (list, rest) = list(rest, parse)?;
    Ok((name, list, rest))
}

/// Reads what stands behind a `(`, up to its `)`; gives what is behind that.
pub(super) fn list<'a, T>(
    text: &'a str,
    parse: impl Fn(&'a str) -> Result<(T, &'a str), SignatureError>,
) -> Result<(Vec<T>, &'a str), SignatureError> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    if let Some(behind) = rest.strip_prefix(')') {
        return Ok((all, behind));
    }
    loop {
        if all.len() == MAX_PARAMETERS {
            return Err(SignatureError::TooMany { what: "parameters", max: MAX_PARAMETERS });
        }
        let (one, behind) = parse(rest)?;
        all.push(one);
        if let Some(behind) = behind.strip_prefix(')') {
            return Ok((all, behind));
        }
        rest = behind.strip_prefix(',').ok_or(SignatureError::Form { rule: "there is no )" })?;
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    text.chars().all(plain) && text.starts_with(|c: char| !c.is_ascii_digit())
}

/// A number from 1 to `max`, as it is written in a type's name.
fn fixed(digits: &str, max: usize) -> Result<usize, SignatureError> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let number = digits.parse().ok().filter(|number| plain && (1..=max).contains(number));
    number.ok_or(SignatureError::Type)
}

impl fmt::Display for Kind {
    /// The canonical name, which an event's hash is over.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uint(bits) => write!(formatter, "uint{bits}"),
            Self::Int(bits) => write!(formatter, "int{bits}"),
            Self::Address => formatter.write_str("address"),
            Self::Bool => formatter.write_str("bool"),
            Self::FixedBytes(bytes) => write!(formatter, "bytes{bytes}"),
            Self::Bytes => formatter.write_str("bytes"),
            Self::Text => formatter.write_str("string"),
            Self::Array(of) => write!(formatter, "{of}[]"),
            Self::FixedArray(of, count) => write!(formatter, "{of}[{count}]"),
            Self::Tuple(parts) => {
                formatter.write_str("(")?;
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        formatter.write_str(",")?;
                    }
                    fmt::Display::fmt(part, formatter)?;
                }
                formatter.write_str(")")
            }
        }
    }
}
