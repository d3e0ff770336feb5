//! Random numbers, as a tenant's channel asks for them.

use http::Method;
use r3e_proto::api::random::{DrawRandom, Random, RandomKey};

use super::TenantChannel;
use crate::error::ClientError;

impl TenantChannel {
    /// Draws the number for a seed: the same again gives the same.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where the range or the seed breaks a rule.
    pub async fn draw_random(&mut self, draw: &DrawRandom) -> Result<Random, ClientError> {
        self.request_json("the random number", Method::POST, "/v1/random", draw).await
    }

    /// The key that this tenant's numbers are drawn with, with the document that attests it. It is for those who were not there, and is to be
    /// appraised by them: `r3e-verify random`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn random_key(&mut self) -> Result<RandomKey, ClientError> {
        self.get("the key for random numbers", "/v1/random-key").await
    }
}
