//! Zero-knowledge proofs, as a tenant's channel asks for them.

use http::Method;
use r3e_proto::api::zk::{ProveRanges, ProvedRanges, RangeProof, Verdict, VerifyProof};

use super::TenantChannel;
use crate::error::ClientError;

impl TenantChannel {
    /// Has it proved that numbers are in their ranges. Where the appliance need not know the numbers, [`crate::range_proof::prove_asked`] makes the
    /// same here.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where a number is not in its range, or breaks another rule.
    pub async fn prove_ranges(&mut self, asked: &ProveRanges) -> Result<ProvedRanges, ClientError> {
        self.request_json("the range proof", Method::POST, "/v1/zk/range-proofs", asked).await
    }

    /// Has a range proof verified. Whoever holds one verifies it by [`crate::range_proof::verify_document`], without an appliance.
    ///
    /// # Errors
    /// [`ClientError`]; not where it does not hold.
    pub async fn verify_ranges(&mut self, proof: &RangeProof) -> Result<Verdict, ClientError> {
        self.request_json("the verdict", Method::POST, "/v1/zk/range-proofs/verify", proof).await
    }

    /// Has a Groth16 proof verified. [`crate::groth16::verify`] does the same here.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where the key is none; not where the proof does not hold.
    pub async fn verify_proof(&mut self, asked: &VerifyProof) -> Result<Verdict, ClientError> {
        self.request_json("the verdict", Method::POST, "/v1/zk/proofs/verify", asked).await
    }
}
