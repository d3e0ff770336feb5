//! Data from any HTTPS endpoint, as functions are given it: what was answered, with what proves that the appliance was answered so.

use serde::{Deserialize, Serialize};

use super::feeds::Target;
use super::identity::TenantId;
use super::wallets::{Hash32, HexBytes};
use crate::observation::Observation;

/// An observation with its signatures: what `getCustomData` gives, and what `r3e-verify data` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedObservation {
    /// Whose function asked.
    pub tenant: TenantId,
    /// The function.
    pub function: String,
    /// Whom it asked.
    pub url: String,
    /// Where in the answer the value stands; empty where none was picked.
    #[serde(default)]
    pub path: String,
    /// What stands there, as it was written.
    #[serde(default)]
    pub value: String,
    /// The answer's status.
    pub status: u16,
    /// When the answer was there, in Unix seconds.
    pub observed_at_s: u64,
    /// SHA-256 of the certificate with which the server proved its name.
    pub certificate: Hash32,
    /// SHA-256 of the body.
    pub response_hash: Hash32,
    /// What was asked ([`crate::observation::request_hash`]).
    pub request_hash: Hash32,
    /// One for each target, or one for none.
    pub signatures: Vec<ObservationSignature>,
    /// The body, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in standard base64, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The document that attests the signers, standard base64: in files. The appliance gives it by `GET /v1/oracle-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// A signature of an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationSignature {
    /// The contract that it holds for; without one, it is bound to no chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What was signed.
    pub digest: Hash32,
    /// Who: an address of Ethereum's, or for Neo a compressed point, with `0x`.
    pub signer: String,
    /// Ethereum, and without a target: r, s, v, 65 bytes. Neo: r, s, 64 bytes.
    pub signature: HexBytes,
}

impl SignedObservation {
    /// An observation with its signatures, and without the body.
    pub fn new(tenant: TenantId, observation: Observation, signatures: Vec<ObservationSignature>) -> Self {
        let Observation {
            function,
            url,
            path,
            value,
            status,
            observed_at_s,
            certificate,
            response_hash,
            request_hash,
        } = observation;
        Self {
            tenant,
            function,
            url,
            path,
            value,
            status,
            observed_at_s,
            certificate,
            response_hash,
            request_hash,
            signatures,
            body: None,
            body_base64: None,
            document: None,
        }
    }

    /// What is signed.
    pub fn observation(&self) -> Observation {
        Observation {
            function: self.function.clone(),
            url: self.url.clone(),
            path: self.path.clone(),
            value: self.value.clone(),
            status: self.status,
            observed_at_s: self.observed_at_s,
            certificate: self.certificate,
            response_hash: self.response_hash,
            request_hash: self.request_hash,
        }
    }
}
