//! Random numbers: what a tenant's key draws one for, as the bytes that a verifiable random function (RFC 9381) takes.
//!
//! What it is for decides what it is: the same again gives the same number. `SPEC.md`, section 5.13, has the bytes. This module draws nothing
//! and knows no key.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};

use crate::api::is_name;
use crate::wire::{WireError, limits, within};

/// The first element of every message.
pub const RANDOM_DOMAIN: &str = "r3e/1/random";
/// A seed: a block's hash, a request's identifier, a sentence.
pub const MAX_SEED_BYTES: usize = 256;
/// A message: a domain, a name, a seed, and their lengths.
pub const MAX_MESSAGE_BYTES: usize = 512;
/// The greatest number that can be asked for: what a JSON number holds exactly in every language (RFC 8259, section 6).
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What a random number is drawn for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// A seed that came by the API: `[domain, 1, seed]`.
    Seed {
        /// What the caller gave.
        seed: String,
    },
    /// A seed that a function gave: `[domain, 2, function, seed]`.
    FunctionSeed {
        /// The function's name.
        function: String,
        /// What it gave.
        seed: String,
    },
    /// An invocation, which gave none: `[domain, 3, function, invocation, index]`.
    Invocation {
        /// The function's name.
        function: String,
        /// The invocation's id, as its receipt names it.
        invocation: [u8; 16],
        /// How many the invocation had before.
        index: u32,
    },
    /// A job, whose every attempt has the same: `[domain, 4, function, job, index]`.
    Job {
        /// The function's name.
        function: String,
        /// The job's id.
        job: [u8; 16],
        /// How many the attempt had before.
        index: u32,
    },
}

/// Whether a number may be drawn from `min` to `max`.
///
/// # Errors
/// Why not, in words.
pub fn check_range(min: u64, max: u64) -> Result<(), String> {
    if min <= max && max <= MAX_NUMBER {
        return Ok(());
    }
    Err(format!(
        "{min} to {max} is no range: the first must not be the greater one, and neither over {MAX_NUMBER}"
    ))
}

impl Occasion {
    /// The message of which a number is drawn.
    pub fn encode(&self) -> Vec<u8> {
        let text = |text: &String| Value::Text(text.clone());
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let mut array = vec![Value::from(RANDOM_DOMAIN), Value::from(self.kind())];
        array.extend(match self {
            Self::Seed { seed } => vec![text(seed)],
            Self::FunctionSeed { function, seed } => vec![text(function), text(seed)],
            Self::Invocation { function, invocation: id, index } | Self::Job { function, job: id, index } => {
                vec![text(function), bytes(id), (*index).into()]
            }
        });
        encode(&Value::Array(array))
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`WireError`]: no message of a random number's, or over a limit.
    pub fn decode(message: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(message, &limits(MAX_MESSAGE_BYTES, 8))?;
        let mut elements = from_value::<Vec<Value>>("random message", value)?;
        if elements.len() < 2 {
            return Err(WireError::Invalid { what: "random message", why: "it has no domain and kind" });
        }
        let rest = Value::Array(elements.split_off(2));
        let [domain, kind]: [Value; 2] = from_value("random message", Value::Array(elements))?;
        if from_value::<String>("domain", domain)? != RANDOM_DOMAIN {
            return Err(WireError::Domain { what: "random message", expected: RANDOM_DOMAIN });
        }
        let occasion = match from_value::<u64>("kind", kind)? {
            1 => {
                let [seed]: [Value; 1] = from_value("seeded message", rest)?;
                Self::Seed { seed: from_value("seed", seed)? }
            }
            2 => {
                let [function, seed]: [Value; 2] = from_value("seeded message", rest)?;
                let (function, seed) = (from_value("function", function)?, from_value("seed", seed)?);
                Self::FunctionSeed { function, seed }
            }
            3 => {
                let (function, invocation, index) = of_run(rest)?;
                Self::Invocation { function, invocation, index }
            }
            4 => {
                let (function, job, index) = of_run(rest)?;
                Self::Job { function, job, index }
            }
            value => return Err(WireError::Unknown { what: "kind", value }),
        };
        occasion.check()?;
        Ok(occasion)
    }

    /// Whether its texts are what they may be.
    ///
    /// # Errors
    /// [`WireError`]: an empty seed or one that is too long, a name that is none.
    pub fn check(&self) -> Result<(), WireError> {
        let (function, seed) = match self {
            Self::Seed { seed } => (None, Some(seed)),
            Self::FunctionSeed { function, seed } => (Some(function), Some(seed)),
            Self::Invocation { function, .. } | Self::Job { function, .. } => (Some(function), None),
        };
        if function.is_some_and(|function| !is_name(function)) {
            return Err(WireError::Invalid { what: "function", why: "it is no function's name" });
        }
        let Some(seed) = seed else { return Ok(()) };
        if seed.is_empty() {
            return Err(WireError::Invalid { what: "seed", why: "it is empty" });
        }
        within("seed", seed.len(), MAX_SEED_BYTES)
    }

    fn kind(&self) -> u64 {
        match self {
            Self::Seed { .. } => 1,
            Self::FunctionSeed { .. } => 2,
            Self::Invocation { .. } => 3,
            Self::Job { .. } => 4,
        }
    }
}

fn of_run(rest: Value) -> Result<(String, [u8; 16], u32), WireError> {
    let [function, id, index]: [Value; 3] = from_value("message of a run", rest)?;
    let index: u64 = from_value("index", index)?;
    let index = u32::try_from(index)
        .map_err(|_| WireError::Invalid { what: "index", why: "it has more than 32 bits" })?;
    Ok((from_value("function", function)?, from_value("id", id)?, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Occasion; 4] {
        let function = || "f".repeat(crate::limits::MAX_NAME_BYTES);
        let seed = || "s".repeat(MAX_SEED_BYTES);
        [
            Occasion::Seed { seed: "block 7".to_owned() },
            Occasion::FunctionSeed { function: function(), seed: seed() },
            Occasion::Invocation { function: function(), invocation: [7; 16], index: u32::MAX },
            Occasion::Job { function: "f".to_owned(), job: [7; 16], index: 0 },
        ]
    }

    #[test]
    fn messages_come_back_as_they_were() {
        for occasion in all() {
            let message = occasion.encode();
            assert!(message.len() <= MAX_MESSAGE_BYTES);
            assert_eq!(Occasion::decode(&message), Ok(occasion));
            for cut in 0..message.len() {
                assert!(Occasion::decode(&message[..cut]).is_err(), "cut at {cut}");
            }
            assert!(Occasion::decode(&[&message[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn no_two_occasions_have_one_message() {
        // The id that an invocation and a job may share, and the name that a seed may repeat.
        let (function, id) = ("f".to_owned(), [7; 16]);
        let invocation = Occasion::Invocation { function: function.clone(), invocation: id, index: 0 };
        assert_ne!(
            invocation.encode(),
            Occasion::Job { function: function.clone(), job: id, index: 0 }.encode()
        );
        let by_function = Occasion::FunctionSeed { function, seed: "s".to_owned() };
        assert_ne!(by_function.encode(), Occasion::Seed { seed: "s".to_owned() }.encode());
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let text = |text: &str| Value::Text(text.to_owned());
        let message = |elements: Vec<Value>| encode(&Value::Array(elements));
        let decode = |elements| Occasion::decode(&message(elements)).unwrap_err();
        let domain = || text(RANDOM_DOMAIN);
        assert!(matches!(decode(vec![]), WireError::Invalid { .. }));
        assert!(matches!(decode(vec![domain()]), WireError::Invalid { .. }));
        assert!(matches!(decode(vec![text("r3e/2/random"), 1.into(), text("s")]), WireError::Domain { .. }));
        assert!(matches!(decode(vec![domain(), 5.into(), text("s")]), WireError::Unknown { value: 5, .. }));
        assert!(matches!(decode(vec![domain(), 1.into(), text("")]), WireError::Invalid { .. }));
        let long = text(&"s".repeat(MAX_SEED_BYTES + 1));
        assert!(matches!(decode(vec![domain(), 1.into(), long]), WireError::TooLarge { .. }));
        let named = |name| vec![domain(), 2.into(), text(name), text("s")];
        assert!(matches!(decode(named("no name")), WireError::Invalid { what: "function", .. }));
        let run = vec![domain(), 3.into(), text("f"), Value::Bytes(vec![0; 16]), (1_u64 << 32).into()];
        assert!(matches!(decode(run), WireError::Invalid { what: "index", .. }));
        assert!(Occasion::decode(&message(vec![domain(), 1.into(), text("s"), text("s")])).is_err());
        assert!(Occasion::decode(&encode(&domain())).is_err());
    }
}
