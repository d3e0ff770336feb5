//! Signers: whose signature a transaction carries, and where it counts.

use crate::bytes::{CodecError, Reader, Writer};
use crate::hash::{Hash160, PublicKey};
use crate::limits::{MAX_NEO_CONDITION_DEPTH, MAX_NEO_SUBITEMS};

/// Where a signature counts (`WitnessScope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Nowhere: it pays the fee.
    pub const NONE: Self = Self(0);
    /// In the contracts that the script itself calls.
    pub const CALLED_BY_ENTRY: Self = Self(0x01);
    /// In certain contracts.
    pub const CUSTOM_CONTRACTS: Self = Self(0x10);
    /// In contracts of certain groups.
    pub const CUSTOM_GROUPS: Self = Self(0x20);
    /// Where rules say.
    pub const WITNESS_RULES: Self = Self(0x40);
    /// Everywhere. With no other.
    pub const GLOBAL: Self = Self(0x80);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn checked(self) -> Result<Self, CodecError> {
        let known = 0x01 | 0x10 | 0x20 | 0x40 | 0x80;
        let lonely = self.has(Self::GLOBAL) && self != Self::GLOBAL;
        if self.0 & !known != 0 || lonely {
            return Err(CodecError::Value { what: "a signer's scopes" });
        }
        Ok(self)
    }
}

/// One signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Whose signature.
    pub account: Hash160,
    /// Where it counts.
    pub scopes: Scopes,
    /// With [`Scopes::CUSTOM_CONTRACTS`]: which.
    pub contracts: Vec<Hash160>,
    /// With [`Scopes::CUSTOM_GROUPS`]: which.
    pub groups: Vec<PublicKey>,
    /// With [`Scopes::WITNESS_RULES`]: the first rule whose condition holds decides.
    pub rules: Vec<Rule>,
}

/// One rule of a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether the signature counts where the condition holds.
    pub allow: bool,
    /// The condition.
    pub condition: Condition,
}

/// A rule's condition (`WitnessCondition`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Always or never.
    Boolean(bool),
    /// Where another does not hold.
    Not(Box<Condition>),
    /// Where all hold.
    And(Vec<Condition>),
    /// Where one holds.
    Or(Vec<Condition>),
    /// In this contract.
    ScriptHash(Hash160),
    /// In contracts of this group.
    Group(PublicKey),
    /// In contracts that the script itself calls.
    CalledByEntry,
    /// In what this contract calls.
    CalledByContract(Hash160),
    /// In what contracts of this group call.
    CalledByGroup(PublicKey),
}

impl Signer {
    /// One whose signature counts in the contracts that the script itself calls.
    pub fn called_by_entry(account: Hash160) -> Self {
        Self {
            account,
            scopes: Scopes::CALLED_BY_ENTRY,
            contracts: Vec::new(),
            groups: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let account = Hash160(reader.array("a signer's account")?);
        let scopes = Scopes(reader.byte("a signer's scopes")?).checked()?;
        let (mut contracts, mut groups, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        if scopes.has(Scopes::CUSTOM_CONTRACTS) {
            contracts = reader.list(MAX_NEO_SUBITEMS, "a signer's contracts", |reader| {
                reader.array("a signer's contract").map(Hash160)
            })?;
        }
        if scopes.has(Scopes::CUSTOM_GROUPS) {
            groups = reader.list(MAX_NEO_SUBITEMS, "a signer's groups", read_key)?;
        }
        if scopes.has(Scopes::WITNESS_RULES) {
            rules = reader.list(MAX_NEO_SUBITEMS, "a signer's rules", Rule::read)?;
        }
        Ok(Self { account, scopes, contracts, groups, rules })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.raw(&self.account.0).raw(&[self.scopes.0]);
        if self.scopes.has(Scopes::CUSTOM_CONTRACTS) {
            writer.list(&self.contracts, |writer, contract| {
                writer.raw(&contract.0);
            });
        }
        if self.scopes.has(Scopes::CUSTOM_GROUPS) {
            writer.list(&self.groups, |writer, group| {
                writer.raw(&group.0);
            });
        }
        if self.scopes.has(Scopes::WITNESS_RULES) {
            writer.list(&self.rules, |writer, rule| rule.write(writer));
        }
    }

    /// That the scopes and the lists say the same, so that nothing is dropped unseen when it is written.
    pub(super) fn check(&self) -> Result<(), CodecError> {
        self.scopes.checked()?;
        for (length, scope, what) in [
            (self.contracts.len(), Scopes::CUSTOM_CONTRACTS, "a signer's contracts"),
            (self.groups.len(), Scopes::CUSTOM_GROUPS, "a signer's groups"),
            (self.rules.len(), Scopes::WITNESS_RULES, "a signer's rules"),
        ] {
            if length > MAX_NEO_SUBITEMS {
                return Err(CodecError::TooLong { what, max: MAX_NEO_SUBITEMS });
            }
            if length > 0 && !self.scopes.has(scope) {
                return Err(CodecError::Value { what });
            }
        }
        self.groups.iter().try_for_each(check_key)?;
        self.rules.iter().try_for_each(|rule| rule.condition.check(0))
    }
}

impl Rule {
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let allow = truth(reader.byte("a rule's action")?, "a rule's action")?;
        Ok(Self { allow, condition: Condition::read(reader, 0)? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.raw(&[u8::from(self.allow)]);
        self.condition.write(writer);
    }
}

impl Condition {
    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, CodecError> {
        if depth == MAX_NEO_CONDITION_DEPTH {
            return Err(CodecError::TooLong { what: "nesting of a condition", max: MAX_NEO_CONDITION_DEPTH });
        }
        let several = |reader: &mut Reader<'_>| {
            let what = "conditions of a condition";
            let list = reader.list(MAX_NEO_SUBITEMS, what, |reader| Self::read(reader, depth + 1))?;
            if list.is_empty() { Err(CodecError::Value { what }) } else { Ok(list) }
        };
        Ok(match reader.byte("a condition")? {
            0x00 => Self::Boolean(truth(reader.byte("a condition")?, "a truth value")?),
            0x01 => Self::Not(Box::new(Self::read(reader, depth + 1)?)),
            0x02 => Self::And(several(reader)?),
            0x03 => Self::Or(several(reader)?),
            0x18 => Self::ScriptHash(Hash160(reader.array("a condition's contract")?)),
            0x19 => Self::Group(read_key(reader)?),
            0x20 => Self::CalledByEntry,
            0x28 => Self::CalledByContract(Hash160(reader.array("a condition's contract")?)),
            0x29 => Self::CalledByGroup(read_key(reader)?),
            _ => return Err(CodecError::Value { what: "a condition's kind" }),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Boolean(value) => writer.raw(&[0x00, u8::from(*value)]),
            Self::Not(inner) => {
                inner.write(writer.raw(&[0x01]));
                writer
            }
            Self::And(list) => writer.raw(&[0x02]).list(list, |writer, inner| inner.write(writer)),
            Self::Or(list) => writer.raw(&[0x03]).list(list, |writer, inner| inner.write(writer)),
            Self::ScriptHash(hash) => writer.raw(&[0x18]).raw(&hash.0),
            Self::Group(key) => writer.raw(&[0x19]).raw(&key.0),
            Self::CalledByEntry => writer.raw(&[0x20]),
            Self::CalledByContract(hash) => writer.raw(&[0x28]).raw(&hash.0),
            Self::CalledByGroup(key) => writer.raw(&[0x29]).raw(&key.0),
        };
    }

    fn check(&self, depth: usize) -> Result<(), CodecError> {
        if depth == MAX_NEO_CONDITION_DEPTH {
            return Err(CodecError::TooLong { what: "nesting of a condition", max: MAX_NEO_CONDITION_DEPTH });
        }
        match self {
            Self::Not(inner) => inner.check(depth + 1),
            Self::And(list) | Self::Or(list) => {
                if list.is_empty() || list.len() > MAX_NEO_SUBITEMS {
                    return Err(CodecError::Value { what: "conditions of a condition" });
                }
                list.iter().try_for_each(|inner| inner.check(depth + 1))
            }
            Self::Group(key) | Self::CalledByGroup(key) => check_key(key),
            _ => Ok(()),
        }
    }
}

fn truth(byte: u8, what: &'static str) -> Result<bool, CodecError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CodecError::Value { what }),
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<PublicKey, CodecError> {
    let key = PublicKey(reader.array("a public key")?);
    check_key(&key).map(|()| key)
}

/// A compressed point; another first byte would begin a key of another length.
fn check_key(key: &PublicKey) -> Result<(), CodecError> {
    if matches!(key.0[0], 2 | 3) { Ok(()) } else { Err(CodecError::Value { what: "a public key's form" }) }
}
