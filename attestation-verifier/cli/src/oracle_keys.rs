//! The keys of a tenant's oracle, as a document attests them, and whether they signed.

use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use r3e_attestation::AttestationResult;
use r3e_proto::{
    api::{
        feeds::Target,
        identity::TenantId,
        wallets::{EvmAddress, keccak256},
    },
    channel::statement::Statement,
};

/// The keys that a document attests.
pub(crate) struct OracleKeys {
    pub(crate) tenant: TenantId,
    evm: EvmAddress,
    neo: [u8; 33],
}

impl OracleKeys {
    /// Those of an appraised document; none where it is about something else.
    pub(crate) fn of(result: &AttestationResult) -> Option<Self> {
        match Statement::decode(result.user_data().unwrap_or_default()) {
            Ok(Statement::Oracle { tenant, evm, neo }) => {
                Some(Self { tenant: TenantId(tenant), evm: EvmAddress(evm), neo })
            }
            _ => None,
        }
    }

    /// Whether a signature is of this digest, by the key for its target. What is wrong with it, else.
    pub(crate) fn check(
        &self,
        target: Option<&Target>,
        digest: &[u8; 32],
        signer: &str,
        signature: &[u8],
    ) -> Result<(), &'static str> {
        let (holds, named) = match target {
            None | Some(Target::Evm(_)) => {
                let address = recovered(digest, signature).ok_or("it is no signature")?;
                (address == self.evm, self.evm.to_string())
            }
            Some(Target::Neo(_)) => {
                let bytes =
                    p256::ecdsa::Signature::from_slice(signature).map_err(|_| "it is no signature")?;
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.neo)
                    .map_err(|_| "the document names no key for Neo")?;
                (key.verify_prehash(digest, &bytes).is_ok(), format!("0x{}", hex::encode(self.neo)))
            }
        };
        match (holds, signer == named) {
            (true, true) => Ok(()),
            (true, false) => Err("it names another signer than its own"),
            (false, _) => Err("it is not by the key that the document attests"),
        }
    }
}

/// Whose a signature of Ethereum's form is, with the lower s alone (EIP-2).
fn recovered(digest: &[u8; 32], bytes: &[u8]) -> Option<EvmAddress> {
    let (rs, [v]) = bytes.split_at_checked(64)? else { return None };
    let signature = k256::ecdsa::Signature::from_slice(rs).ok()?;
    let recovery = match v {
        27 => k256::ecdsa::RecoveryId::new(false, false),
        28 => k256::ecdsa::RecoveryId::new(true, false),
        _ => return None,
    };
    if signature.normalize_s() != signature {
        return None;
    }
    let key = k256::ecdsa::VerifyingKey::recover_from_prehash(digest, &signature, recovery).ok()?;
    let hash = keccak256(&[key.to_sec1_point(false).as_bytes().get(1..)?]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Some(EvmAddress(address))
}
