//! Zero-knowledge proofs: what is asked for, and proofs with what they prove.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::{Zeroize as _, Zeroizing};

use super::wallets::{Hash32, HexBytes};

/// A whole number below 2^64: decimal text, since many readers of JSON round numbers from 2^53 on. A JSON number is read too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u64);

/// Asks for a proof that hidden numbers are in their ranges: the body of `POST /v1/zk/range-proofs`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveRanges {
    /// What the proof is for, at most 1,024 bytes of text: it holds for nothing else.
    #[serde(default)]
    pub context: String,
    /// The numbers, 1 to 16.
    pub numbers: Vec<HiddenNumber>,
}

/// A number that is to be proved to be in a range, and stays hidden.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenNumber {
    /// The number.
    pub value: Number,
    /// The least that it may be.
    pub min: Number,
    /// The greatest.
    pub max: Number,
    /// What hides it in its commitment, where that is to be the same as before: a scalar of Ristretto, little-endian. A new
    /// one is made without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blinding: Option<Blinding>,
}

/// What hides a number in its commitment: a scalar of Ristretto, little-endian. Wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Blinding(Zeroizing<[u8; 32]>);

/// A proof that numbers are in ranges, with all that it takes to verify it: the body of `POST /v1/zk/range-proofs/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeProof {
    /// Whose it is: of what an appliance made, the tenant's id.
    pub owner: String,
    /// What it is for.
    pub context: String,
    /// What it proves, in order.
    pub claims: Vec<RangeClaim>,
    /// The proof: points of Ristretto and scalars, 32 bytes each.
    pub proof: HexBytes,
}

/// That the number behind a commitment is in a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeClaim {
    /// The least that it is.
    pub min: Number,
    /// The greatest.
    pub max: Number,
    /// A Pedersen commitment to it: a compressed point of Ristretto.
    pub commitment: Hash32,
}

/// Asks whether a Groth16 proof proves signals by a key: the body of `POST /v1/zk/proofs/verify`. The three are what snarkjs writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyProof {
    /// The verification key: `verification_key.json`.
    pub key: Box<RawValue>,
    /// The public signals, decimal text: `public.json`.
    pub signals: Vec<String>,
    /// The proof: `proof.json`.
    pub proof: Box<RawValue>,
}

/// A proof that was made, with what its maker alone should know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedRanges {
    /// What can be handed on.
    pub proof: RangeProof,
    /// What hides each number, in order: whoever has it can open the commitment.
    pub blindings: Vec<Blinding>,
}

/// Whether a proof holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether it does.
    pub holds: bool,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Blinding {
    /// Of these bytes.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for HiddenNumber {
    fn drop(&mut self) {
        self.value.0.zeroize();
    }
}

impl Serialize for Blinding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = Zeroizing::new([0; 66]);
        digits[..2].copy_from_slice(b"0x");
        hex::encode_to_slice(*self.0, &mut digits[2..]).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(str::from_utf8(&*digits).map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Blinding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut bytes = Zeroizing::new([0; 32]);
        let digits = text.strip_prefix("0x").unwrap_or_default();
        // Never the text: it is a secret.
        let wrong = |_| serde::de::Error::custom("a blinding is 0x and 64 hex digits");
        hex::decode_to_slice(digits, &mut *bytes).map_err(wrong)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(..)")
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number below 2^64, as decimal text without sign or leading zeros")
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Number, E> {
                Err(E::invalid_value(serde::de::Unexpected::Other("a number below 0"), &self))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Number, E> {
                Err(E::invalid_value(serde::de::Unexpected::Other("a fraction"), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                // Never the text: it may be a secret.
                let wrong = || E::invalid_value(serde::de::Unexpected::Other("another text"), &self);
                let number: u64 = text.parse().map_err(|_| wrong())?;
                // One text for each number.
                if number.to_string() == text { Ok(Number(number)) } else { Err(wrong()) }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The numbers are secrets.
impl fmt::Debug for ProveRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProveRanges({} numbers)", self.numbers.len())
    }
}

impl fmt::Debug for HiddenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HiddenNumber(..)")
    }
}

impl fmt::Debug for ProvedRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvedRanges").field("proof", &self.proof).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_text() {
        for (text, number) in [("\"0\"", 0), ("\"18446744073709551615\"", u64::MAX), ("7", 7)] {
            assert_eq!(serde_json::from_str::<Number>(text).unwrap(), Number(number));
        }
        assert_eq!(serde_json::to_string(&Number(u64::MAX)).unwrap(), "\"18446744073709551615\"");
        for wrong in [
            "\"\"",
            "\"+1\"",
            "\"01\"",
            "\" 1\"",
            "\"18446744073709551616\"",
            "-1",
            "1.0",
            "1e3",
            "null",
            "true",
        ] {
            assert!(serde_json::from_str::<Number>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let blinding = Blinding::new(Zeroizing::new([7; 32]));
        let hidden = HiddenNumber {
            value: Number(123_456),
            min: Number(0),
            max: Number(9),
            blinding: Some(blinding.clone()),
        };
        let asked = ProveRanges { context: String::new(), numbers: vec![hidden.clone()] };
        let claim = RangeClaim { min: Number(0), max: Number(9), commitment: Hash32([1; 32]) };
        let proof = RangeProof {
            owner: "a".into(),
            context: String::new(),
            claims: vec![claim],
            proof: HexBytes(vec![2]),
        };
        let made = ProvedRanges { proof, blindings: vec![blinding] };
        let shown = format!("{hidden:?} {asked:?} {made:?}");
        assert!(!shown.contains("123456") && !shown.contains("0707"), "{shown}");
    }

    #[test]
    fn what_is_no_number_or_blinding_is_not_repeated() {
        for wrong in ["\"424242 \"", "-424242", "424242.5", "\"0x424242\""] {
            let error = serde_json::from_str::<Number>(wrong).unwrap_err().to_string();
            assert!(!error.contains("424242"), "{error}");
            let error = serde_json::from_str::<Blinding>(wrong).err().unwrap().to_string();
            assert!(!error.contains("0x424242"), "{error}");
        }
        let text = format!("\"0x{}\"", "ab".repeat(32));
        let blinding: Blinding = serde_json::from_str(&text).unwrap();
        assert_eq!(*blinding.expose(), [0xab; 32]);
        assert_eq!(serde_json::to_string(&blinding).unwrap(), text);
    }
}
