//! What an attestation document's `user_data` says. Every kind of document has its own domain, so that one made for
//! one purpose never serves another. A statement is a deterministic CBOR array whose first element is the domain.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};

use super::binding::Digest;
use crate::limits::MAX_BATCH_LEAVES;
use crate::wire::{WireError, limits, within};

/// The domain of [`Statement::Sessions`].
pub const SESSIONS_DOMAIN: &str = "r3e/1/sessions";
/// The domain of [`Statement::ReportKey`].
pub const REPORT_KEY_DOMAIN: &str = "r3e/1/report-key";
/// The domain of [`Statement::Function`].
pub const FUNCTION_DOMAIN: &str = "r3e/1/function";
/// The domain of [`Statement::KmsRecipient`].
pub const KMS_RECIPIENT_DOMAIN: &str = "r3e/1/kms-recipient";
/// The domain of [`Statement::UnlockSetup`].
pub const UNLOCK_SETUP_DOMAIN: &str = crate::unlock::SETUP_DOMAIN;

/// The domain of [`Statement::Successor`].
pub const SUCCESSOR_DOMAIN: &str = "r3e/1/handoff-successor";

/// The domain of [`Statement::Oracle`].
pub const ORACLE_DOMAIN: &str = "r3e/1/oracle";

/// The domain of [`Statement::RandomKey`].
pub const RANDOM_KEY_DOMAIN: &str = "r3e/1/random-key";

/// The NSM takes at most so many bytes of `user_data`.
pub const MAX_USER_DATA_BYTES: usize = 512;
/// What a function may have attested: a digest of its choice, or a short text.
pub const MAX_FUNCTION_DATA_BYTES: usize = 256;

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A batch of bindings was attested: `[domain, root, size]`.
    Sessions {
        /// The Merkle root of the batch.
        root: Digest,
        /// Its number of leaves.
        size: u64,
    },
    /// Receipts are signed by this key: `[domain, key]`.
    ReportKey {
        /// Ed25519.
        public_key: [u8; 32],
    },
    /// A function of a tenant's asked for this: `[domain, tenant, version, data]`. It says that this code ran with
    /// this data inside, not that the appliance vouches for what the data means.
    Function {
        /// The tenant's id.
        tenant: [u8; 16],
        /// The function's version.
        version: [u8; 32],
        /// The function's own bytes.
        data: Vec<u8>,
    },
    /// The document's public key is one that AWS KMS shall encrypt to, under this unlock policy: `[domain, policy]`.
    KmsRecipient {
        /// SHA-384 of the policy bytes: what PCR17 was extended with.
        policy: Digest,
    },
    /// This enclave made a quorum's setup, and measured the policy in it: `[domain, digest]`.
    UnlockSetup {
        /// `crate::unlock::setup::Setup::digest`.
        setup: Digest,
    },
    /// This enclave asks to succeed the appliance at the other end of a session: `[domain, binding]`.
    Successor {
        /// `crate::handoff::successor_binding`.
        binding: Digest,
    },
    /// Reports of this tenant's feeds are signed by these keys: `[domain, tenant, evm, neo]`.
    Oracle {
        /// The tenant's id.
        tenant: [u8; 16],
        /// The address of the key for Ethereum and chains like it.
        evm: [u8; 20],
        /// The key for Neo N3: a point of secp256r1, compressed (SEC 1).
        neo: [u8; 33],
    },
    /// Random numbers for this tenant are drawn with this key: `[domain, tenant, key]`.
    RandomKey {
        /// The tenant's id.
        tenant: [u8; 16],
        /// A point of secp256r1, compressed (SEC 1).
        key: [u8; 33],
    },
}

impl Statement {
    /// The statement as `user_data`.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = |slice: &[u8]| Value::Bytes(slice.to_vec());
        let array = match self {
            Self::Sessions { root, size } => vec![SESSIONS_DOMAIN.into(), bytes(root), (*size).into()],
            Self::ReportKey { public_key } => vec![REPORT_KEY_DOMAIN.into(), bytes(public_key)],
            Self::KmsRecipient { policy } => vec![KMS_RECIPIENT_DOMAIN.into(), bytes(policy)],
            Self::UnlockSetup { setup } => vec![UNLOCK_SETUP_DOMAIN.into(), bytes(setup)],
            Self::Successor { binding } => vec![SUCCESSOR_DOMAIN.into(), bytes(binding)],
            Self::Oracle { tenant, evm, neo } => {
                vec![ORACLE_DOMAIN.into(), bytes(tenant), bytes(evm), bytes(neo)]
            }
            Self::RandomKey { tenant, key } => {
                vec![RANDOM_KEY_DOMAIN.into(), bytes(tenant), bytes(key)]
            }
            Self::Function { tenant, version, data } => {
                vec![FUNCTION_DOMAIN.into(), bytes(tenant), bytes(version), bytes(data)]
            }
        };
        encode(&Value::Array(array))
    }

    /// Reads `user_data`.
    ///
    /// # Errors
    /// [`WireError`]: no statement of ours, or over a limit.
    pub fn decode(user_data: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(user_data, &limits(MAX_USER_DATA_BYTES, 8))?;
        let mut elements = from_value::<Vec<Value>>("statement", value)?;
        if elements.is_empty() {
            return Err(WireError::Invalid { what: "statement", why: "it has no domain" });
        }
        let domain: String = from_value("statement domain", elements.remove(0))?;
        let array = Value::Array(elements);
        match domain.as_str() {
            SESSIONS_DOMAIN => {
                let [root, size]: [Value; 2] = from_value("sessions statement", array)?;
                let (root, size) = (from_value("root", root)?, from_value::<u64>("size", size)?);
                if size == 0 || size > MAX_BATCH_LEAVES as u64 {
                    return Err(WireError::Invalid { what: "size", why: "no batch has that many leaves" });
                }
                Ok(Self::Sessions { root, size })
            }
            REPORT_KEY_DOMAIN => {
                let [key]: [Value; 1] = from_value("report-key statement", array)?;
                Ok(Self::ReportKey { public_key: from_value("report key", key)? })
            }
            KMS_RECIPIENT_DOMAIN => {
                let [policy]: [Value; 1] = from_value("kms-recipient statement", array)?;
                Ok(Self::KmsRecipient { policy: from_value("policy", policy)? })
            }
            UNLOCK_SETUP_DOMAIN => {
                let [setup]: [Value; 1] = from_value("unlock-setup statement", array)?;
                Ok(Self::UnlockSetup { setup: from_value("setup", setup)? })
            }
            SUCCESSOR_DOMAIN => {
                let [binding]: [Value; 1] = from_value("successor statement", array)?;
                Ok(Self::Successor { binding: from_value("binding", binding)? })
            }
            ORACLE_DOMAIN => {
                let [tenant, evm, neo]: [Value; 3] = from_value("oracle statement", array)?;
                Ok(Self::Oracle {
                    tenant: from_value("tenant", tenant)?,
                    evm: from_value("address", evm)?,
                    neo: from_value("public key", neo)?,
                })
            }
            RANDOM_KEY_DOMAIN => {
                let [tenant, key]: [Value; 2] = from_value("random-key statement", array)?;
                Ok(Self::RandomKey {
                    tenant: from_value("tenant", tenant)?,
                    key: from_value("public key", key)?,
                })
            }
            FUNCTION_DOMAIN => {
                let [tenant, version, data]: [Value; 3] = from_value("function statement", array)?;
                let data: Vec<u8> = from_value("data", data)?;
                within("data", data.len(), MAX_FUNCTION_DATA_BYTES)?;
                Ok(Self::Function {
                    tenant: from_value("tenant", tenant)?,
                    version: from_value("version", version)?,
                    data,
                })
            }
            _ => Err(WireError::Domain { what: "statement", expected: "one of R3E's" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Statement; 8] {
        [
            Statement::Sessions { root: [7; 48], size: 3 },
            Statement::ReportKey { public_key: [9; 32] },
            Statement::KmsRecipient { policy: [5; 48] },
            Statement::UnlockSetup { setup: [6; 48] },
            Statement::Successor { binding: [8; 48] },
            Statement::Oracle { tenant: [1; 16], evm: [4; 20], neo: [2; 33] },
            Statement::RandomKey { tenant: [1; 16], key: [2; 33] },
            Statement::Function { tenant: [1; 16], version: [2; 32], data: vec![3; MAX_FUNCTION_DATA_BYTES] },
        ]
    }

    #[test]
    fn statements_come_back_as_they_were_and_fit_the_device() {
        for statement in all() {
            let encoded = statement.encode();
            assert!(encoded.len() <= MAX_USER_DATA_BYTES);
            assert_eq!(Statement::decode(&encoded), Ok(statement));
        }
    }

    #[test]
    fn foreign_and_damaged_user_data_is_refused() {
        for statement in all() {
            let encoded = statement.encode();
            for cut in 0..encoded.len() {
                assert!(Statement::decode(&encoded[..cut]).is_err(), "cut at {cut}");
            }
            let mut longer = encoded.clone();
            longer.push(0);
            assert!(Statement::decode(&longer).is_err());
        }
        let foreign = encode(&Value::Array(vec!["r3e/2/sessions".into()]));
        assert!(matches!(Statement::decode(&foreign), Err(WireError::Domain { .. })));
        assert!(Statement::decode(&encode(&Value::Array(vec![]))).is_err());
        assert!(Statement::decode(&Statement::Sessions { root: [0; 48], size: 0 }.encode()).is_err());
        let most = MAX_BATCH_LEAVES as u64;
        assert!(Statement::decode(&Statement::Sessions { root: [0; 48], size: most + 1 }.encode()).is_err());
    }
}
