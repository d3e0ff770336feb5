//! What the `aws-kms` unlock provider needs of the world, made of what the enclave has: HTTPS through the parent's egress
//! with TLS ended here, credentials that the parent fetches, the attestation device's time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use r3e_attester::TrustedClock;
use r3e_egress::{Egress, FetchError, FetchLimits, HostAllowList, Request, TrustRoots};
use r3e_keys::kms::{Credentials, CredentialsFuture, Https, HttpsAnswer, HttpsError, HttpsFuture, KmsPolicy};
use r3e_keys::{BoxError, Clock};
use r3e_proto::host::CREDENTIALS_PORT;
use r3e_proto::host::credentials::{
    AwsCredentials, MAX_MESSAGE_BYTES, Reply, Request as CredentialsRequest, Service,
};
use r3e_transport::EnclaveTransport;
use r3e_transport::frame::{read_frame, write_frame};
use rustls_pki_types::CertificateDer;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::limits::{CREDENTIALS_TIMEOUT, KMS_PHASE_TIMEOUT};

/// HTTPS to one policy's server.
pub(crate) struct KmsHttps {
    egress: Egress,
    allowed: HostAllowList,
}

impl KmsHttps {
    /// To the server of `policy`, which must prove its name under `roots`, or where there are none, under Amazon's. No other
    /// authority of the public web is believed here: whoever could answer as KMS could give a data key of its own.
    ///
    /// # Errors
    /// One of `roots` is none; the policy's host is no public name.
    pub(crate) fn new(
        transport: EnclaveTransport,
        clock: TrustedClock,
        policy: &KmsPolicy,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, BoxError> {
        let trusted =
            if roots.is_empty() { TrustRoots::amazon() } else { TrustRoots::none().with_extra(roots)? };
        let time = r3e_egress::TrustedClock::new(move || Some(clock.now_ms()));
        let egress = Egress::new(transport, trusted, time)?;
        let pattern = format!("{}:{}", policy.host(), policy.port());
        Ok(Self { egress, allowed: HostAllowList::parse([pattern.as_str()])? })
    }

    async fn send(
        &self,
        host: &str,
        port: u16,
        headers: &[(String, Zeroizing<String>)],
        body: &[u8],
        max_bytes: usize,
    ) -> Result<HttpsAnswer, FetchError> {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let url = format!("https://{host}:{port}/");
        let request = Request::parse("POST", &url, headers, Bytes::copy_from_slice(body))?;
        let phase_ms = u64::try_from(KMS_PHASE_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
        let limits = FetchLimits {
            connect_timeout_ms: phase_ms,
            tls_timeout_ms: phase_ms,
            header_timeout_ms: phase_ms,
            body_timeout_ms: phase_ms,
            max_response_bytes: max_bytes,
            ..FetchLimits::default()
        };
        let response = self.egress.fetch(request, &self.allowed, &limits).await?;
        let headers = response
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = Zeroizing::new(response.body.to_vec());
        Ok(HttpsAnswer { status: response.status, headers, body })
    }
}

impl Https for KmsHttps {
    fn post<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        headers: &'a [(String, Zeroizing<String>)],
        body: &'a [u8],
        max_bytes: usize,
    ) -> HttpsFuture<'a> {
        Box::pin(async move {
            self.send(host, port, headers, body, max_bytes).await.map_err(|error| match error {
                FetchError::Certificate(_) => HttpsError::NotTrusted(error.into()),
                error => HttpsError::Failed(error.into()),
            })
        })
    }
}

/// The parent's credentials, asked for anew each time: the parent knows how long they hold.
pub(crate) struct ParentCredentials(pub(crate) EnclaveTransport);

impl ParentCredentials {
    async fn ask(&self) -> Result<AwsCredentials, BoxError> {
        let mut stream = self.0.dial_parent(CREDENTIALS_PORT).await?;
        let request = CredentialsRequest { service: Service::Kms }.encode();
        write_frame(&mut stream, &request, MAX_MESSAGE_BYTES).await?;
        let reply = Zeroizing::new(read_frame(&mut stream, MAX_MESSAGE_BYTES).await?);
        match Reply::decode(&reply)? {
            Reply::Credentials(credentials) => Ok(credentials),
            Reply::Failed(text) => Err(format!("the parent says: {}", text.escape_debug()).into()),
        }
    }
}

impl Credentials for ParentCredentials {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            let limit: Duration = CREDENTIALS_TIMEOUT;
            timeout(limit, self.ask()).await.map_err(|_| "the parent did not answer in time")?
        })
    }
}

/// The device's time.
pub(crate) struct DeviceClock(pub(crate) TrustedClock);

impl Clock for DeviceClock {
    fn unix_ms(&self) -> u64 {
        self.0.now_ms()
    }
}

/// The parts as the provider takes them, beside the slot and the documents that every provider shares.
pub(crate) type Seams = (Arc<dyn Https>, Arc<dyn Credentials>, Arc<dyn Clock>);

/// All three for `policy`.
///
/// # Errors
/// As [`KmsHttps::new`].
pub(crate) fn seams(
    transport: &EnclaveTransport,
    clock: &TrustedClock,
    policy: &KmsPolicy,
    roots: &[CertificateDer<'static>],
) -> Result<Seams, BoxError> {
    let https = KmsHttps::new(transport.clone(), clock.clone(), policy, roots)?;
    Ok((
        Arc::new(https),
        Arc::new(ParentCredentials(transport.clone())),
        Arc::new(DeviceClock(clock.clone())),
    ))
}
