//! The courier that goes over the enclave's egress: TLS ends here, the host is a public name and granted to the function, and no
//! redirect is followed.

use r3e_egress::{Egress, FetchLimits, HostAllowList, Request};
use r3e_proto::limits::MAX_RECEIPT_CODE_BYTES;
use r3e_proto::notice::NOTICE_HEADER;

use crate::limits::{WEBHOOK_ANSWER_BYTES, WEBHOOK_PHASE_TIMEOUT_MS};
use crate::outside::{BoxFuture, Courier, Telling};

/// Tells webhooks over an [`Egress`] of its own, so that slow ones take no connection from functions.
pub struct EgressCourier(Egress);

impl EgressCourier {
    /// Over this way out.
    pub fn new(egress: Egress) -> Self {
        Self(egress)
    }
}

impl Courier for EgressCourier {
    fn check(&self, url: &str, granted: &[String]) -> Result<(), String> {
        let request = Request::parse("POST", url, [], Vec::new().into())
            .map_err(|error| format!("the webhook's URL: {error}"))?;
        let granted = allowed(granted)?;
        if granted.allows(request.host(), request.port()) {
            return Ok(());
        }
        Err(format!(
            "the function was not granted the webhook's host {}:{}; grant it when you deploy",
            request.host(),
            request.port()
        ))
    }

    fn tell<'a>(&'a self, telling: Telling<'a>) -> BoxFuture<'a, Result<u16, String>> {
        Box::pin(async move {
            let Telling { url, granted, notice, body } = telling;
            let granted = allowed(granted).map_err(|_| "host_not_granted".to_owned())?;
            let headers: [(&str, &[u8]); 2] =
                [("content-type", b"application/json"), (NOTICE_HEADER, notice.as_bytes())];
            let request = Request::parse("POST", url, headers, body.to_vec().into())
                .map_err(|error| short(error.code()))?;
            let limits = FetchLimits {
                connect_timeout_ms: WEBHOOK_PHASE_TIMEOUT_MS,
                tls_timeout_ms: WEBHOOK_PHASE_TIMEOUT_MS,
                header_timeout_ms: WEBHOOK_PHASE_TIMEOUT_MS,
                body_timeout_ms: WEBHOOK_PHASE_TIMEOUT_MS,
                max_response_bytes: WEBHOOK_ANSWER_BYTES,
                ..FetchLimits::default()
            };
            let answered = self.0.fetch(request, &granted, &limits).await;
            answered.map(|response| response.status).map_err(|error| short(error.code()))
        })
    }
}

fn allowed(granted: &[String]) -> Result<HostAllowList, String> {
    HostAllowList::parse(granted.iter().map(String::as_str)).map_err(|error| error.to_string())
}

fn short(code: &str) -> String {
    code.chars().take(MAX_RECEIPT_CODE_BYTES).collect()
}
