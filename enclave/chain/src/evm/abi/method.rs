//! Declarations of methods, what they are called with, and what they give.

use std::str::FromStr;

use r3e_proto::api::wallets::keccak256;

use super::AbiError;
use super::decode::decode_values;
use super::encode::{ArgumentError, encode_values};
use super::kind::{Kind, SignatureError, is_name, list, named_list, trimmed};
use super::value::Value;

/// Bytes of a call's data that say which method it is of.
const SELECTOR_BYTES: usize = 4;
/// What may stand between a method's parameters and what it gives, and says nothing of either.
const WORDS: [&str; 6] = ["public", "external", "view", "pure", "payable", "virtual"];

/// A method, as Solidity declares it: `balanceOf(address owner) view returns (uint256)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// The types of its parameters.
    pub parameters: Vec<Kind>,
    /// The types of what it gives.
    pub returns: Vec<Kind>,
}

impl Method {
    /// The first bytes of its calls' data: of the hash of its name and its parameters' types.
    pub fn selector(&self) -> [u8; SELECTOR_BYTES] {
        let kinds: Vec<_> = self.parameters.iter().map(ToString::to_string).collect();
        let [a, b, c, d, ..] = keccak256(&[format!("{}({})", self.name, kinds.join(",")).as_bytes()]);
        [a, b, c, d]
    }

    /// The data of a call with these arguments: texts of numbers in decimal, of bytes in hexadecimal behind `0x`, as [`Value::to_json`] gives
    /// them, and small numbers as they are.
    ///
    /// # Errors
    /// [`ArgumentError`].
    pub fn call(&self, arguments: &[serde_json::Value]) -> Result<Vec<u8>, ArgumentError> {
        let mut data = self.selector().to_vec();
        data.extend(encode_values(&self.parameters, arguments)?);
        Ok(data)
    }

    /// The values in what a call gave, in order.
    ///
    /// # Errors
    /// [`AbiError`].
    pub fn decode(&self, data: &[u8]) -> Result<Vec<Value>, AbiError> {
        decode_values(&self.returns, data)
    }
}

impl FromStr for Method {
    type Err = SignatureError;

    /// `name(type name, …) returns (type name, …)`, with or without `function` before it, words like `view` within, and `;` behind it.
    /// `name(type,…)(type,…)`, too.
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let text = trimmed(text)?;
        let text = text.strip_prefix("function ").unwrap_or(text).trim_start();
        let (name, parameters, behind) = named_list(text, parameter)?;
        let mut rest = behind.trim_start();
        while let Some((_, behind)) =
            rest.split_once(|c: char| c.is_ascii_whitespace()).filter(|(word, _)| WORDS.contains(word))
        {
            rest = behind.trim_start();
        }
        let (says, rest) = match rest.strip_prefix("returns") {
            Some(behind) => (true, behind.trim_start()),
            None => (false, rest),
        };
        let returns = match rest.strip_prefix('(') {
            Some(inside) => {
                let (returns, behind) = list(inside, parameter)?;
                if !behind.is_empty() {
                    return Err(SignatureError::Form { rule: "something stands behind what it returns" });
                }
                returns
            }
            None if !says && (rest.is_empty() || WORDS.contains(&rest)) => Vec::new(),
            None => return Err(SignatureError::Form { rule: "something stands behind its )" }),
        };
        Ok(Self { name: name.to_owned(), parameters, returns })
    }
}

/// One parameter; gives what is behind it. Where its value lies and what it is called count for nothing.
fn parameter(text: &str) -> Result<(Kind, &str), SignatureError> {
    let (kind, rest) = Kind::parse(text, 0)?;
    let end = rest.find([',', ')']).ok_or(SignatureError::Form { rule: "there is no )" })?;
    let (words, behind) = rest.split_at(end);
    let mut words = words.split_ascii_whitespace().filter(|word| !matches!(*word, "memory" | "calldata"));
    if !words.next().is_none_or(is_name) || words.next().is_some() {
        return Err(SignatureError::Form { rule: "a parameter is a type and a name" });
    }
    Ok((kind, behind))
}
