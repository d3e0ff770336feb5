//! A host that answers a function's calls without anything behind it.

use r3e_functions::runner_pool::{
    HostCall, HostCalls, HostError, HostErrorCode, HostFuture, HostValue, SecretText,
};

/// Response body of every fetch of `https://venue.example/large`, in base64: 1 MiB.
const LARGE_BODY_BASE64_BYTES: usize = 1024 * 1024;

/// Has one secret, a store that forgets, and a network on which everyone answers. The key `hang` is never answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl HostCalls for Host {
    fn call(&self, call: HostCall) -> HostFuture<'_> {
        Box::pin(async move {
            match call {
                HostCall::SecretGet { .. } => {
                    Ok(HostValue::SecretGet { value: Some(SecretText::new("s3cret".to_owned().into())) })
                }
                HostCall::StoreGet { key } if key == "hang" => std::future::pending().await,
                HostCall::StoreGet { key } => {
                    Ok(HostValue::StoreGet { value: serde_json::to_string(&key).ok() })
                }
                HostCall::StoreSet { .. } => Ok(HostValue::StoreSet {}),
                HostCall::SecretSet { .. } => Ok(HostValue::SecretSet {}),
                HostCall::TriggerCreate { .. } => {
                    Ok(HostValue::TriggerCreate { name: "t".to_owned(), created: true })
                }
                HostCall::TriggerDelete { .. } => Ok(HostValue::TriggerDelete { deleted: false }),
                HostCall::OraclePrice { .. }
                | HostCall::OracleRandom { .. }
                | HostCall::ZkProveRanges { .. }
                | HostCall::ZkVerifyRanges { .. }
                | HostCall::ZkVerifyProof { .. }
                | HostCall::OracleData { .. }
                | HostCall::OracleWeather { .. }
                | HostCall::ChainRead { .. }
                | HostCall::ChainSend(_)
                | HostCall::ChainSent { .. } => {
                    let message = "no oracle here".to_owned();
                    Err(HostError { code: HostErrorCode::NotFound, message })
                }
                HostCall::Publish { .. } => Ok(HostValue::Publish { queued: 0, failed: 0 }),
                HostCall::Fetch { url, headers, body_base64, .. } => Ok(HostValue::Fetch {
                    status: 200,
                    headers,
                    body_base64: match url.as_str() {
                        "https://venue.example/large" => "QUFB".repeat(LARGE_BODY_BASE64_BYTES / 4),
                        _ => body_base64.unwrap_or_default(),
                    },
                }),
                HostCall::Attestation { .. } => {
                    Err(HostError { code: HostErrorCode::Denied, message: "not granted".to_owned() })
                }
            }
        })
    }
}
