//! The oracle's keys of one tenant: they sign reports of its feeds, and nothing else. No wallet has them.

use std::fmt;

use k256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::EvmAddress;
use r3e_proto::report::Report;

use crate::wallet::ethereum;
use crate::{KeyError, KeyPath, RootSecret, scalar};

/// Labels a candidate, before the kind of chain and the number of the attempt.
const CANDIDATE: &str = "r3e/1/oracle-key";
/// What `v` is of an even point, in the signatures that Ethereum's contracts recover keys from.
const V_EVEN: u8 = 27;

/// One key for Ethereum and chains like it, one for Neo N3. The libraries beneath wipe them when they are dropped.
pub struct OracleKeys {
    evm: k256::ecdsa::SigningKey,
    neo: p256::ecdsa::SigningKey,
    address: EvmAddress,
    public: [u8; 33],
}

/// A report's signature for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSignature {
    /// What was signed.
    pub digest: [u8; 32],
    /// Ethereum: r, s and v, 65 bytes; Neo: r and s, 64.
    pub bytes: Vec<u8>,
}

impl OracleKeys {
    /// The keys of this tenant, under [`KeyPath::oracle`].
    ///
    /// # Errors
    /// [`KeyError::Library`] if the library refuses what cannot fail.
    pub fn of(root: &RootSecret, tenant: TenantId) -> Result<Self, KeyError> {
        let refused = || KeyError::Library { operation: "make an oracle's key" };
        let evm = scalar(root, tenant, "evm", |bytes| k256::ecdsa::SigningKey::from_slice(bytes).ok())?;
        let neo = scalar(root, tenant, "neo", |bytes| p256::ecdsa::SigningKey::from_slice(bytes).ok())?;
        let address = ethereum(evm.verifying_key().to_sec1_point(false).as_bytes());
        let public = neo.verifying_key().to_sec1_point(true).as_bytes().try_into().map_err(|_| refused())?;
        Ok(Self { evm, neo, address, public })
    }

    /// Whom contracts on Ethereum and chains like it see sign.
    pub fn address(&self) -> EvmAddress {
        self.address
    }

    /// Whom contracts on Neo N3 see sign: a compressed point (SEC 1).
    pub fn neo_public_key(&self) -> [u8; 33] {
        self.public
    }

    /// Signs a report for a target. Nonces are RFC 6979's: the same report has the same signature, and no generator's fault gives the key away.
    /// Each signature is verified before it is given out.
    ///
    /// # Errors
    /// [`KeyError::Library`]: chain 0 is none; or the library refused, or its signature does not hold.
    pub fn sign(&self, target: &Target, report: &Report) -> Result<ReportSignature, KeyError> {
        let refused = || KeyError::Library { operation: "sign a report" };
        let digest = target.digest(report).map_err(|_| refused())?;
        let bytes = match target {
            Target::Evm(_) => {
                let (signature, recovery) = self.evm.sign_prehash_recoverable(&digest);
                self.evm.verifying_key().verify_prehash(&digest, &signature).map_err(|_| refused())?;
                // EIP-2; and an r over the group's order has no place in `v`.
                if recovery.is_x_reduced() || signature.normalize_s() != signature {
                    return Err(refused());
                }
                let v = V_EVEN + u8::from(recovery.is_y_odd());
                [signature.to_bytes().as_slice(), &[v]].concat()
            }
            Target::Neo(_) => {
                let signature: p256::ecdsa::Signature =
                    self.neo.sign_prehash(&digest).map_err(|_| refused())?;
                self.neo.verifying_key().verify_prehash(&digest, &signature).map_err(|_| refused())?;
                signature.to_bytes().to_vec()
            }
        };
        Ok(ReportSignature { digest, bytes })
    }
}

fn scalar<K>(
    root: &RootSecret,
    tenant: TenantId,
    chain: &'static str,
    key: impl Fn(&[u8]) -> Option<K>,
) -> Result<K, KeyError> {
    let seed = root.derive(&KeyPath::oracle(&tenant.to_string(), chain)?)?;
    let label = format!("{CANDIDATE}/{chain}");
    scalar::drawn(&seed, &label, "derive an oracle's key", |bytes| key(bytes.as_slice()))
}

impl fmt::Debug for OracleKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OracleKeys").field("address", &self.address).finish_non_exhaustive()
    }
}
