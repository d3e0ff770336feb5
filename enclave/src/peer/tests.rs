//! What is no appliance, or none of this session, gets no session. The good case takes a device, and is in the end-to-end
//! tests of the handoff.

use std::sync::Arc;

use r3e_attestation::{AppraisalPolicy, ReferenceValues, inspect};
use r3e_attester::{Attester, AttesterConfig, NsmDriver, Request, Response};
use r3e_proto::channel::evidence::EvidenceReply;
use r3e_transport::frame::write_frame;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::channel::TlsIdentity;

/// A genuine document of another's, with a public key and no `user_data`.
const GENUINE: &[u8] = include_bytes!("../../../attestation-verifier/vectors/r14_base_2024-11-30_pk65.bin");
/// Genuine too, of a debug image.
const DEBUG: &[u8] =
    include_bytes!("../../../attestation-verifier/vectors/r10_evervault_2023-09-18_debug.bin");

/// A device that gives one document, whatever it is asked: its clock starts at the document's time.
struct OneDocument(&'static [u8]);

impl NsmDriver for OneDocument {
    fn process(&self, _: Request) -> Response {
        Response::Attestation { document: self.0.to_vec() }
    }
}

async fn clock(document: &'static [u8]) -> TrustedClock {
    let attester = Attester::start(OneDocument(document), AttesterConfig::default()).unwrap();
    TrustedClock::start(&attester.attest(None, None, None).await.unwrap()).unwrap()
}

/// The policy that accepts the image which `document` is of.
fn policy(document: &[u8]) -> AppraisalPolicy {
    let inspection = inspect(document).unwrap();
    let pcr = |index| inspection.pcrs()[&index];
    let release = ReferenceValues::new("this one", pcr(0), pcr(1), pcr(2)).unwrap();
    Peer::policy(&TrustAnchor::AwsNitroG1).accept_release(release).build().unwrap()
}

fn evidence(document: &[u8]) -> EvidenceReply {
    EvidenceReply::Evidence(Evidence {
        document: document.to_vec(),
        index: 0,
        size: 1,
        path: Vec::new(),
        configuration: [7; 48],
        hpke_public_key: Vec::new(),
    })
}

/// Accepts TLS as the listener does, and answers the nonce with `reply`.
async fn appliance(stream: DuplexStream, reply: Vec<u8>) -> Option<()> {
    let acceptor = TlsAcceptor::from(TlsIdentity::generate().unwrap().config());
    let mut tls = acceptor.accept(stream).await.ok()?;
    tls.read_exact(&mut [0; NONCE_BYTES]).await.ok()?;
    write_frame(&mut tls, &reply, 128 * 1024).await.ok()?;
    // Nothing follows a peer that was refused.
    assert_eq!(tls.read(&mut [0; 1]).await.unwrap_or(0), 0);
    Some(())
}

async fn meet(reply: Vec<u8>, policy: &AppraisalPolicy, clock: &TrustedClock) -> PeerError {
    let (ours, theirs) = duplex(256 * 1024);
    let serving = tokio::spawn(appliance(theirs, reply));
    let met = Peer::connect(ours, &PeerParts { policy, clock }, "appliance.r3e.invalid").await;
    let error = met.err().unwrap();
    serving.await.unwrap();
    error
}

#[tokio::test]
async fn a_genuine_document_of_another_session_opens_nothing() {
    let met = meet(evidence(GENUINE).encode(), &policy(GENUINE), &clock(GENUINE).await).await;
    assert!(matches!(met, PeerError::OtherSession(_)), "{met}");
}

#[tokio::test]
async fn an_image_that_is_not_accepted_or_runs_in_debug_mode_is_refused() {
    let met = meet(evidence(GENUINE).encode(), &policy(DEBUG), &clock(GENUINE).await).await;
    assert!(matches!(met, PeerError::Appraisal(_)), "{met}");
    let met = meet(evidence(DEBUG).encode(), &policy(DEBUG), &clock(DEBUG).await).await;
    assert!(matches!(met, PeerError::Appraisal(r3e_attestation::AppraisalError::Debug)), "{met}");
    let pcr = |index| inspect(DEBUG).unwrap().pcrs()[&index];
    let release = ReferenceValues::new("debug", pcr(0), pcr(1), pcr(2)).unwrap();
    let lax = Peer::policy(&TrustAnchor::AwsNitroG1).accept_release(release).allow_debug().build().unwrap();
    let met = meet(evidence(DEBUG).encode(), &lax, &clock(DEBUG).await).await;
    assert!(matches!(met, PeerError::Debug), "whatever the policy says: {met}");
}

#[tokio::test]
async fn a_document_of_another_time_is_refused() {
    let met = meet(evidence(GENUINE).encode(), &policy(GENUINE), &clock(DEBUG).await).await;
    assert!(matches!(met, PeerError::Appraisal(_)), "{met}");
}

#[tokio::test]
async fn an_answer_without_evidence_opens_nothing() {
    let (policy, clock) = (policy(GENUINE), clock(GENUINE).await);
    let met = meet(EvidenceReply::Unavailable("later".into()).encode(), &policy, &clock).await;
    assert!(matches!(&met, PeerError::Unavailable(why) if why == "later"), "{met}");
    let met = meet(vec![0xff; 40], &policy, &clock).await;
    assert!(matches!(met, PeerError::Evidence(_)), "{met}");
    let met = meet(evidence(&[0xd2; 40]).encode(), &policy, &clock).await;
    assert!(matches!(met, PeerError::Appraisal(_)), "{met}");
}

#[tokio::test]
async fn another_protocol_is_no_appliance() {
    let (policy, clock) = (policy(GENUINE), clock(GENUINE).await);
    let parts = PeerParts { policy: &policy, clock: &clock };
    // A server without the ALPN name.
    let mut config = Arc::unwrap_or_clone(TlsIdentity::generate().unwrap().config());
    config.alpn_protocols.clear();
    let (ours, theirs) = duplex(64 * 1024);
    let serving = tokio::spawn(async move {
        let _ = TlsAcceptor::from(Arc::new(config)).accept(theirs).await;
    });
    let met = Peer::connect(ours, &parts, "appliance.r3e.invalid").await.err().unwrap();
    assert!(matches!(met, PeerError::NotAnAppliance), "{met}");
    serving.await.unwrap();
    // A stream that ends.
    let (ours, theirs) = duplex(64);
    drop(theirs);
    let met = Peer::connect(ours, &parts, "appliance.r3e.invalid").await.err().unwrap();
    assert!(matches!(met, PeerError::Io { during: "the TLS handshake", .. }), "{met}");
    let met = Peer::connect(duplex(64).0, &parts, "no name").await.err().unwrap();
    assert!(matches!(met, PeerError::Name), "{met}");
}
