//! What is printed of a signed answer.

use r3e_attestation::UnixTime;
use r3e_proto::api::data::{ObservationSignature, SignedObservation};
use serde::Serialize;

use super::Page;

/// What stands for the target of a signature that is bound to none.
pub(crate) const NO_CHAIN: &str = "no chain in particular";

/// What an endpoint answered.
#[derive(Debug, Serialize)]
pub(crate) struct SeenData {
    tenant: String,
    function: String,
    url: String,
    path: String,
    value: String,
    status: u16,
    observed_at: String,
    certificate: String,
    response_hash: String,
    request_hash: String,
    /// Whether the file has the body, which is the answered one then.
    has_body: bool,
    targets: Vec<String>,
    /// Whether the certificate was asked for.
    certificate_is_settled: bool,
    /// Whether the request's headers were.
    headers_are_settled: bool,
}

/// What was required of what a function's author or an operator chooses.
#[derive(Clone, Copy)]
pub(crate) struct Settled {
    pub(crate) certificate: bool,
    pub(crate) headers: bool,
}

impl SeenData {
    pub(crate) fn new(signed: &SignedObservation, settled: Settled) -> Self {
        let target = |signature: &ObservationSignature| {
            signature.target.map_or_else(|| NO_CHAIN.to_owned(), |target| target.to_string())
        };
        Self {
            tenant: signed.tenant.to_string(),
            function: signed.function.clone(),
            url: signed.url.clone(),
            path: signed.path.clone(),
            value: signed.value.clone(),
            status: signed.status,
            observed_at: UnixTime::from_secs(signed.observed_at_s).to_string(),
            certificate: signed.certificate.to_string(),
            response_hash: signed.response_hash.to_string(),
            request_hash: signed.request_hash.to_string(),
            has_body: signed.body.is_some() || signed.body_base64.is_some(),
            targets: signed.signatures.iter().map(target).collect(),
            certificate_is_settled: settled.certificate,
            headers_are_settled: settled.headers,
        }
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.field("URL", &format!("{:?}", self.url));
        page.field("path", &format!("{:?}", self.path));
        page.field("value", &format!("{:?}", self.value));
        page.field("status", &self.status.to_string());
        page.field("observed at", &self.observed_at);
        page.field("function", &format!("{:?}", self.function));
        page.field("tenant", &self.tenant);
        page.field("certificate", &self.certificate);
        page.field("body SHA-256", &self.response_hash);
        page.field("request SHA-256", &self.request_hash);
        for target in &self.targets {
            page.field("signed for", target);
        }
        if !self.certificate_is_settled {
            page.line(
                "Whoever configured the appliance may have named roots that can answer for any host: require --certificate.",
            );
        }
        if !self.headers_are_settled {
            page.line(
                "Headers that the function chose may have chosen the answer: require --no-headers, or each --header.",
            );
        }
    }
}
