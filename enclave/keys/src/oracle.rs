//! The oracle's keys of one tenant: they sign reports of its feeds, batches of them, and what the appliance was answered, and nothing else. No wallet has them.

use std::fmt;

use k256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use r3e_proto::api::data::{ObservationSignature, SignedObservation};
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes};
use r3e_proto::observation::Observation;
use r3e_proto::report::{Batch, Report};

use crate::wallet::ethereum;
use crate::{KeyError, KeyPath, RootSecret, scalar};

/// Labels a candidate, before the kind of chain and the number of the attempt.
const CANDIDATE: &str = "r3e/1/oracle-key";

/// One key for Ethereum and chains like it, one for Neo N3. The libraries beneath wipe them when they are dropped.
pub struct OracleKeys {
    evm: k256::ecdsa::SigningKey,
    neo: p256::ecdsa::SigningKey,
    address: EvmAddress,
    public: [u8; 33],
}

/// A signature, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OracleSignature {
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
    pub fn sign(&self, target: &Target, report: &Report) -> Result<OracleSignature, KeyError> {
        let digest = target.digest(report).map_err(|_| KeyError::Library { operation: "sign a report" })?;
        self.sign_digest(Some(target), digest)
    }

    /// Signs a batch of reports for a target. Otherwise as [`Self::sign`].
    ///
    /// # Errors
    /// As there.
    pub fn sign_batch(&self, target: &Target, batch: &Batch) -> Result<OracleSignature, KeyError> {
        let digest = target.batch_digest(batch);
        let digest = digest.map_err(|_| KeyError::Library { operation: "sign a batch of reports" })?;
        self.sign_digest(Some(target), digest)
    }

    /// Signs an observation for each target, or without one for no chain in particular. Otherwise as [`Self::sign`].
    ///
    /// # Errors
    /// [`KeyError::Library`], as there; or it is no observation.
    pub fn sign_observation(
        &self,
        tenant: TenantId,
        observation: Observation,
        targets: &[Target],
    ) -> Result<SignedObservation, KeyError> {
        let refused = || KeyError::Library { operation: "sign an observation" };
        observation.check().map_err(|_| refused())?;
        let sign = |target: Option<&Target>| {
            let made = self.sign_digest(target, observation.digest(target).map_err(|_| refused())?)?;
            Ok(ObservationSignature {
                target: target.copied(),
                digest: Hash32(made.digest),
                signer: self.signer(target),
                signature: HexBytes(made.bytes),
            })
        };
        let signatures = match targets {
            [] => vec![sign(None)?],
            targets => targets.iter().map(|target| sign(Some(target))).collect::<Result<_, KeyError>>()?,
        };
        Ok(SignedObservation::new(tenant, observation, signatures))
    }

    /// Which of the keys signs for a target, as others see it.
    pub fn signer(&self, target: Option<&Target>) -> String {
        match target {
            None | Some(Target::Evm(_)) => self.address.to_string(),
            Some(Target::Neo(_)) => HexBytes(self.public.to_vec()).to_string(),
        }
    }

    fn sign_digest(&self, target: Option<&Target>, digest: [u8; 32]) -> Result<OracleSignature, KeyError> {
        let refused = || KeyError::Library { operation: "sign for a contract" };
        let bytes = match target {
            None | Some(Target::Evm(_)) => {
                scalar::recoverable(&self.evm, &digest, "sign for a contract")?.to_vec()
            }
            Some(Target::Neo(_)) => {
                let signature: p256::ecdsa::Signature =
                    self.neo.sign_prehash(&digest).map_err(|_| refused())?;
                self.neo.verifying_key().verify_prehash(&digest, &signature).map_err(|_| refused())?;
                signature.to_bytes().to_vec()
            }
        };
        Ok(OracleSignature { digest, bytes })
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
