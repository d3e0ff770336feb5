//! What a client does when something else than an honest appliance answers. In each case it must name the right error,
//! and the server must have received nothing beyond the nonce.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod servers;

use std::sync::Arc;
use std::time::Duration;

use r3e_attestation::{AppraisalPolicy, ReferenceValues, UnixTime, appraise, inspect};
use r3e_client::{ClientError, Connector, ErrorClass, FixedClock, NotR3e, Policy, Timeouts};
use r3e_proto::channel::evidence::{Evidence, EvidenceReply};
use r3e_proto::limits::{MAX_EVIDENCE_BYTES, NONCE_BYTES};
use rustls::{HandshakeKind, NamedGroup};
use servers::{Received, TlsPeer, raw};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const R04: &[u8] = include_bytes!("../../vectors/r04_qos_2022-07-06.bin");
const R10_DEBUG: &[u8] = include_bytes!("../../vectors/r10_evervault_2023-09-18_debug.bin");
const R14: &[u8] = include_bytes!("../../vectors/r14_base_2024-11-30_pk65.bin");
const R19: &[u8] = include_bytes!("../../vectors/r19_dstack_2025-12-25_indef.bin");
const DOCUMENTS: [&[u8]; 3] = [R04, R14, R19];

/// A policy that accepts the image of a real document.
fn policy_for(document: &[u8]) -> Policy {
    Policy::new(Policy::builder().accept_release(release_of(document)).any_configuration()).unwrap()
}

fn release_of(document: &[u8]) -> ReferenceValues {
    let seen = inspect(document).unwrap();
    let pcr = |index: u8| seen.pcrs()[&index];
    ReferenceValues::new("real", pcr(0), pcr(1), pcr(2)).unwrap()
}

fn time_of(document: &[u8]) -> UnixTime {
    inspect(document).unwrap().timestamp()
}

fn connector(port: u16, policy: Policy) -> Connector {
    let short = Timeouts { handshake_ms: 2_000, evidence_ms: 2_000, ..Timeouts::default() };
    Connector::new(format!("127.0.0.1:{port}").parse().unwrap(), policy).unwrap().with_timeouts(short)
}

/// Connects to a TLS server that speaks `r3e/1` and answers the nonce with `answer`.
async fn answered_with(answer: Vec<u8>) -> (ClientError, Received) {
    let peer = TlsPeer::start(&[b"r3e/1"], answer).await;
    let refused = connector(peer.port(), policy_for(R14)).connect().await.unwrap_err();
    (refused, peer.finish().await)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(body);
    frame
}

fn only_the_nonce(received: &Received) {
    assert!(received.handshake_done);
    assert_eq!(received.bytes.len(), NONCE_BYTES, "beyond the nonce: {:?}", &received.bytes);
}

fn evidence_with(document: &[u8]) -> Vec<u8> {
    let evidence = Evidence {
        document: document.to_vec(),
        index: 0,
        size: 1,
        path: vec![],
        configuration: [7; 48],
        hpke_public_key: vec![],
    };
    framed(&EvidenceReply::Evidence(evidence).encode())
}

#[tokio::test]
async fn no_server_is_a_connection_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = connector(port, policy_for(R14)).connect().await.unwrap_err();
    assert!(matches!(refused, ClientError::Connect { .. }), "{refused:?}");
    assert_eq!(refused.class(), ErrorClass::Connection);
}

#[tokio::test]
async fn a_tls_server_without_alpn_gets_not_even_a_nonce() {
    let peer = TlsPeer::start(&[], vec![]).await;
    let refused = connector(peer.port(), policy_for(R14)).connect().await.unwrap_err();
    assert!(matches!(refused, ClientError::NotR3e(NotR3e::NoProtocol)), "{refused:?}");
    assert_eq!(refused.code(), "not_r3e");
    let received = peer.finish().await;
    assert!(received.handshake_done && received.bytes.is_empty(), "{received:?}");
}

#[tokio::test]
async fn a_tls_server_of_other_protocols_gets_no_handshake() {
    for protocols in [[b"h2".as_slice(), b"http/1.1"], [b"r3e/2", b"r3e"]] {
        let peer = TlsPeer::start(&protocols, vec![]).await;
        let refused = connector(peer.port(), policy_for(R14)).connect().await.unwrap_err();
        assert!(matches!(refused, ClientError::NotR3e(NotR3e::OtherProtocol)), "{refused:?}");
        assert!(!peer.finish().await.handshake_done);
    }
}

#[tokio::test]
async fn a_server_that_does_not_hold_its_certificates_key_gets_no_handshake() {
    let peer = TlsPeer::start_with_stolen_certificate(b"r3e/1").await;
    let refused = connector(peer.port(), policy_for(R14)).connect().await.unwrap_err();
    assert!(
        matches!(
            &refused,
            ClientError::Tls(rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature))
        ),
        "{refused:?}"
    );
    assert!(peer.finish().await.bytes.is_empty());
}

#[tokio::test]
async fn servers_that_speak_no_tls_1_3_are_named() {
    // A TLS 1.2 server that is told which versions there are refuses by an alert (RFC 8446 section 4.2.1) ...
    let protocol_version_alert = [0x15, 3, 3, 0, 2, 2, 70].to_vec();
    // ... and one that never heard of the extension answers with a ServerHello of TLS 1.2.
    let server_hello = servers::server_hello_tls12();
    let http = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let ssh = b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec();
    for (answer, expected) in [
        (protocol_version_alert, NotR3e::OldTls),
        (server_hello, NotR3e::OldTls),
        (http, NotR3e::NotTls),
        (ssh, NotR3e::NotTls),
    ] {
        let (port, server) = raw(answer).await;
        let refused = connector(port, policy_for(R14)).connect().await.unwrap_err();
        assert!(
            matches!(&refused, ClientError::NotR3e(why) if *why == expected),
            "{expected:?}: {refused:?}"
        );
        let records = servers::record_types(&server.await.unwrap());
        // Handshake (22), change_cipher_spec (20), alert (21): never application data (23).
        assert!(
            records.first() == Some(&22) && records.iter().all(|kind| (20..=22).contains(kind)),
            "{records:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_closes_or_is_silent_during_the_handshake_is_a_connection_error() {
    let (port, server) = raw(vec![]).await;
    let refused = connector(port, policy_for(R14)).connect().await.unwrap_err();
    assert!(matches!(refused, ClientError::Transport { .. }), "{refused:?}");
    server.await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let quick = Timeouts { handshake_ms: 50, ..Timeouts::default() };
    let refused = connector(port, policy_for(R14)).with_timeouts(quick).connect().await.unwrap_err();
    assert!(matches!(refused, ClientError::Timeout { awaited: "TLS handshake", .. }), "{refused:?}");
}

#[tokio::test]
async fn a_server_without_evidence_gets_nothing_more() {
    let (refused, received) = answered_with(vec![]).await;
    assert!(matches!(refused, ClientError::NoEvidence), "{refused:?}");
    only_the_nonce(&received);
}

#[tokio::test]
async fn every_handshake_is_a_full_one_with_post_quantum_key_exchange() {
    let (port, server) = TlsPeer::start_twice_with_tickets(b"r3e/1").await;
    let connector = connector(port, policy_for(R14));
    for _ in 0..2 {
        assert!(matches!(connector.connect().await.unwrap_err(), ClientError::NoEvidence));
    }
    for received in server.await.unwrap() {
        assert_eq!(received.group, Some(NamedGroup::X25519MLKEM768));
        assert_eq!(received.kind, Some(HandshakeKind::Full), "no retry, no resumption");
        only_the_nonce(&received);
    }
}

#[tokio::test]
async fn every_nonce_is_another() {
    let (_, first) = answered_with(vec![]).await;
    let (_, second) = answered_with(vec![]).await;
    assert_ne!(first.bytes, second.bytes);
    assert!(first.bytes.iter().any(|byte| *byte != 0));
}

#[tokio::test]
async fn garbage_in_place_of_evidence_is_refused() {
    let oversized = u32::try_from(MAX_EVIDENCE_BYTES + 1).unwrap().to_be_bytes().to_vec();
    for answer in [
        framed(b"garbage"),
        framed(&[0xa0]),
        framed(&[0xbf, 0xff]),
        framed(&vec![0; MAX_EVIDENCE_BYTES]),
        oversized,
        vec![0; 4],
        vec![0xff; 100],
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
    ] {
        let (refused, received) = answered_with(answer.clone()).await;
        assert_eq!(refused.code(), "evidence_malformed", "{refused:?}");
        assert_eq!(refused.class(), ErrorClass::Attestation);
        only_the_nonce(&received);
    }
}

#[tokio::test]
async fn truncated_evidence_is_refused() {
    let whole = evidence_with(R14);
    for cut in [1, 3, 4, 5, whole.len() / 2, whole.len() - 1] {
        let (refused, received) = answered_with(whole[..cut].to_vec()).await;
        assert!(matches!(refused, ClientError::NoEvidence), "cut at {cut}: {refused:?}");
        only_the_nonce(&received);
    }
}

#[tokio::test]
async fn an_appliance_without_evidence_now_is_named() {
    let (refused, received) =
        answered_with(framed(&EvidenceReply::Unavailable("busy".into()).encode())).await;
    assert!(matches!(&refused, ClientError::EvidenceUnavailable { why } if why == "busy"), "{refused:?}");
    assert_eq!(refused.class(), ErrorClass::Connection);
    only_the_nonce(&received);
}

#[tokio::test]
async fn evidence_that_trickles_does_not_hold_the_client() {
    let peer = TlsPeer::start_with(&[b"r3e/1"], |mut stream| async move {
        for byte in evidence_with(R14) {
            let sent = stream.write_all(&[byte]).await;
            let sent = match sent {
                Ok(()) => stream.flush().await,
                error => error,
            };
            if sent.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stream
    })
    .await;
    let quick = Timeouts { evidence_ms: 200, ..Timeouts::default() };
    let refused = connector(peer.port(), policy_for(R14)).with_timeouts(quick).connect().await.unwrap_err();
    assert!(matches!(refused, ClientError::Timeout { awaited: "evidence", limit_ms: 200 }), "{refused:?}");
    only_the_nonce(&peer.finish().await);
}

#[tokio::test]
async fn genuine_documents_that_were_not_made_for_this_session_are_refused() {
    for document in DOCUMENTS {
        // Every check of the appraisal holds for them at their time ...
        let at = time_of(document);
        let accepting = AppraisalPolicy::builder().accept_release(release_of(document)).build().unwrap();
        let _ = appraise(document, &accepting, at).unwrap();
        // ... so what refuses them is that they are of no session, or of another.
        let peer = TlsPeer::start(&[b"r3e/1"], evidence_with(document)).await;
        let clock = Arc::new(FixedClock { unix_ms: at.as_millis() });
        let connector = connector(peer.port(), policy_for(document)).with_clock(clock);
        let refused = connector.connect().await.unwrap_err();
        assert!(matches!(refused, ClientError::OtherSession(_)), "{refused:?}");
        assert_eq!((refused.code(), refused.class()), ("other_session", ErrorClass::Attestation));
        only_the_nonce(&peer.finish().await);
    }
}

#[tokio::test]
async fn documents_that_the_policy_refuses_are_refused_by_its_reason() {
    let at = |document| FixedClock { unix_ms: time_of(document).as_millis() };
    let mut forged = R14.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    for (document, policy, clock, code) in [
        (R14, policy_for(R19), at(R14), "pcr_mismatch"),
        (R10_DEBUG, policy_for(R10_DEBUG), at(R10_DEBUG), "debug"),
        (&forged, policy_for(R14), at(R14), "signature"),
        (R14, policy_for(R14), at(R04), "not_yet_valid"),
        (R14, policy_for(R14), at(R19), "expired"),
    ] {
        let peer = TlsPeer::start(&[b"r3e/1"], evidence_with(document)).await;
        let connector = connector(peer.port(), policy).with_clock(Arc::new(clock));
        let refused = connector.connect().await.unwrap_err();
        assert_eq!((refused.code(), refused.class()), (code, ErrorClass::Attestation), "{refused:?}");
        only_the_nonce(&peer.finish().await);
    }
}

#[tokio::test]
async fn by_the_machines_own_clock_old_documents_are_refused() {
    let (refused, received) = answered_with(evidence_with(R14)).await;
    assert_eq!(refused.code(), "expired");
    only_the_nonce(&received);
}
