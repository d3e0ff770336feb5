//! Declarations of events.

use std::str::FromStr;

use r3e_proto::api::wallets::{Hash32, keccak256};

use super::AbiError;
use super::decode::{decode_topic, decode_values};
use super::kind::{Kind, SignatureError, is_name, named_list, trimmed};
use super::value::Value;
use crate::evm::log::Log;
use crate::limits::MAX_TOPICS;

/// An event, as Solidity declares it. Anonymous events have no topic of their own and are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
}

/// A parameter of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its type.
    pub kind: Kind,
    /// Whether it is a topic.
    pub indexed: bool,
}

impl Event {
    /// The first topic of its logs: the hash of its name and its parameters' types.
    pub fn topic(&self) -> Hash32 {
        let kinds: Vec<_> = self.parameters.iter().map(|parameter| parameter.kind.to_string()).collect();
        Hash32(keccak256(&[format!("{}({})", self.name, kinds.join(",")).as_bytes()]))
    }

    /// The values in a log, one for each parameter, in order.
    ///
    /// # Errors
    /// [`AbiError`].
    pub fn decode(&self, log: &Log) -> Result<Vec<Value>, AbiError> {
        let (topic, topics) = log.topics.split_first().ok_or(AbiError::OtherEvent)?;
        if *topic != self.topic() {
            return Err(AbiError::OtherEvent);
        }
        let indexed = self.parameters.iter().filter(|parameter| parameter.indexed).count();
        if topics.len() != indexed {
            return Err(AbiError::Topics { expected: indexed + 1, found: log.topics.len() });
        }
        let kinds: Vec<_> =
            self.parameters.iter().filter(|one| !one.indexed).map(|one| one.kind.clone()).collect();
        let mut values = decode_values(&kinds, &log.data)?.into_iter();
        let mut topics = topics.iter();
        let value = |parameter: &Parameter| {
            if parameter.indexed {
                topics
                    .next()
                    .ok_or(AbiError::Truncated)
                    .and_then(|topic| decode_topic(&parameter.kind, topic))
            } else {
                values.next().ok_or(AbiError::Truncated)
            }
        };
        self.parameters.iter().map(value).collect()
    }
}

impl FromStr for Event {
    type Err = SignatureError;

    /// `Name(type indexed name, …)`, with or without `event` before it and `;` behind it.
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let text = trimmed(text)?;
        let text = text.strip_prefix("event ").unwrap_or(text).trim_start();
        let (name, parameters, rest) = named_list(text, Parameter::parse)?;
        if !rest.is_empty() {
            return Err(SignatureError::Form { rule: "something stands behind its )" });
        }
        if parameters.iter().filter(|parameter| parameter.indexed).count() >= MAX_TOPICS {
            return Err(SignatureError::TooMany { what: "indexed parameters", max: MAX_TOPICS - 1 });
        }
        Ok(Self { name: name.to_owned(), parameters })
    }
}

impl Parameter {
    /// One parameter; gives what is behind it.
    fn parse(text: &str) -> Result<(Self, &str), SignatureError> {
        let (kind, rest) = Kind::parse(text, 0)?;
        let end = rest.find([',', ')']).ok_or(SignatureError::Form { rule: "there is no )" })?;
        let (words, behind) = rest.split_at(end);
        let mut words = words.split_ascii_whitespace();
        let mut name = words.next();
        let indexed = name == Some("indexed");
        if indexed {
            name = words.next();
        }
        if words.next().is_some() || !name.is_none_or(is_name) {
            return Err(SignatureError::Form { rule: "a parameter is a type, indexed or not, and a name" });
        }
        Ok((Self { name: name.map(str::to_owned), kind, indexed }, behind))
    }
}
