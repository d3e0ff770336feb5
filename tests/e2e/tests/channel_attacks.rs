//! Attacks on the attested channel: each is a client or a server that does what the protocol forbids.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use http::Method;
use r3e_attestation::ReferenceValues;
use r3e_client::{Policy, SigningKey};
use r3e_e2e::impostor::Impostor;
use r3e_e2e::raw::{Http, RawSession, tls};
use r3e_e2e::tenant::javascript;
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::{PublicKey, Scope, SignIn, SignInRole, TenantId, sign_in_message};
use r3e_proto::channel::binding::{Digest, pcr_extended_once};
use r3e_proto::channel::{ALPN, CONFIGURATION_PCR};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn another_image_or_another_root_is_refused() {
    let appliance = Appliance::start(Options::default()).await;
    let place = appliance.enclave_place();

    let other = ReferenceValues::new("another", [1; 48], [2; 48], [3; 48]).unwrap();
    let policy =
        Policy::new(Policy::builder().trust(place.test_root()).accept_release(other).any_configuration())
            .unwrap();
    let refused = appliance.connector_with(policy).connect().await.unwrap_err();
    assert_eq!(refused.code(), "pcr_mismatch");

    // The AWS root is what a policy trusts unless it is told otherwise.
    let policy =
        Policy::new(Policy::builder().accept_releases(place.reference_values()).any_configuration()).unwrap();
    let refused = appliance.connector_with(policy).connect().await.unwrap_err();
    assert_eq!(refused.code(), "untrusted_root");

    appliance.connector().connect().await.unwrap();
}

/// A client that believes anyone is heard; so silence of the real one is no fault of the impostor's ears.
#[tokio::test(flavor = "multi_thread")]
async fn an_impostor_hears_who_trusts_it() {
    let appliance = Appliance::start(Options::default()).await;
    let genuine = RawSession::open(&appliance.address(), &[1; 32]).await.unwrap();
    let mut impostor = Impostor::start(move |_| std::future::ready(genuine.frame.clone())).await;
    let mut fooled = RawSession::open(&impostor.address(), &[2; 32]).await.unwrap();
    fooled.stream.write_all(b"GET /v1/status HTTP/1.1\r\n\r\n").await.unwrap();
    fooled.stream.shutdown().await.unwrap();
    assert_eq!(impostor.heard().await, b"GET /v1/status HTTP/1.1\r\n\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_document_is_refused_and_nothing_is_sent() {
    let appliance = Appliance::start(Options::default()).await;
    let genuine = RawSession::open(&appliance.address(), &[1; 32]).await.unwrap();
    let mut impostor = Impostor::start(move |_| std::future::ready(genuine.frame.clone())).await;
    refused_by_the_client(&appliance, &mut impostor).await;
}

/// The strongest relay: the man in the middle opens a session of its own with the client's nonce, so that evidence and
/// nonce fit each other. What does not fit is the TLS session.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_relayed_from_another_session_is_refused_and_nothing_is_sent() {
    let appliance = Appliance::start(Options::default()).await;
    let upstream = appliance.address();
    let mut impostor = Impostor::start(move |nonce| {
        let upstream = upstream.clone();
        async move { RawSession::open(&upstream, &nonce).await.unwrap().frame }
    })
    .await;
    refused_by_the_client(&appliance, &mut impostor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_evidence_opens_no_session() {
    let appliance = Appliance::start(Options::default()).await;
    let upstream = appliance.address();
    let mut impostor = Impostor::start(move |nonce| {
        let upstream = upstream.clone();
        async move {
            let mut http = Http::public(&upstream).await.unwrap();
            let answer = http.get(&format!("/v1/evidence?nonce={}", hex::encode(nonce))).await.unwrap();
            assert_eq!(answer.status, 200);
            answer.body.to_vec()
        }
    })
    .await;
    refused_by_the_client(&appliance, &mut impostor).await;
}

async fn refused_by_the_client(appliance: &Appliance, impostor: &mut Impostor) {
    let connector =
        r3e_client::Connector::new(impostor.address().parse().unwrap(), appliance.enclave_place().policy());
    let refused = connector.unwrap().connect().await.unwrap_err();
    assert_eq!(refused.code(), "other_session", "{refused}");
    assert_eq!(impostor.heard().await, b"", "the client spoke to an impostor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_nonce_is_cut_off_and_hurts_nobody() {
    let appliance = Appliance::start(Options::default()).await;
    let begun = Instant::now();
    let mut silent = tls(&appliance.address(), ALPN).await.unwrap();
    let mut half = tls(&appliance.address(), ALPN).await.unwrap();
    half.write_all(&[9; 31]).await.unwrap();
    half.flush().await.unwrap();
    for _ in 0..5 {
        appliance.connect().await.status().await.unwrap();
    }
    for stream in [&mut silent, &mut half] {
        let mut rest = Vec::new();
        // The limit is 10 s; neither gets a byte, and neither stays.
        let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection without a nonce was kept");
        assert_eq!(rest, b"");
    }
    assert!(begun.elapsed() > Duration::from_secs(8), "slow clients are given no time");
    appliance.connect().await.status().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_there_is_nothing_to_talk_to() {
    let appliance = Appliance::start(Options::default()).await;
    let answer = exchange(&appliance, b"GET /v1/health HTTP/1.1\r\nHost: appliance\r\n\r\n").await;
    // A TLS alert is all: no HTTP in the clear, not even an error.
    assert!(answer.len() <= 7 && !answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(exchange(&appliance, &[0; 64]).await.first().copied().unwrap_or(0x15), 0x15);
    appliance.connect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_2_is_refused() {
    let appliance = Appliance::start(Options::default()).await;
    let answer = exchange(&appliance, &client_hello_of_tls_1_2()).await;
    // RFC 8446 section 6: an alert (21), fatal (2), protocol_version (70).
    assert_eq!((answer.first(), &answer[answer.len() - 2..]), (Some(&21), &[2, 70][..]), "{answer:?}");
}

/// Sends bytes and reads until the end.
async fn exchange(appliance: &Appliance, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(appliance.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    // A reset is an end as well.
    drop(read.unwrap());
    answer
}

/// A well-formed `ClientHello` of RFC 5246 with the suites and curves of its time, and no word of TLS 1.3.
fn client_hello_of_tls_1_2() -> Vec<u8> {
    let extensions: [(u16, &[u8]); 3] = [
        (10, &[0, 4, 0, 23, 0, 24]),           // supported_groups: secp256r1, secp384r1
        (11, &[1, 0]),                         // ec_point_formats: uncompressed
        (13, &[0, 4, 0x04, 0x03, 0x08, 0x04]), // signature_algorithms: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256
    ];
    let mut list = Vec::new();
    for (kind, content) in extensions {
        list.extend(kind.to_be_bytes());
        list.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        list.extend(content);
    }
    let mut hello = vec![3, 3];
    hello.extend([0x5a; 32]);
    hello.push(0);
    hello.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x2f]); // ECDHE-ECDSA and ECDHE-RSA with AES-128-GCM
    hello.extend([1, 0]);
    hello.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
    hello.extend(list);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(hello.len()).unwrap().to_be_bytes());
    message.extend(hello);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_https_gets_the_public_routes_and_no_other() {
    let appliance = Appliance::start(Options::default()).await;
    let mut http = Http::public(&appliance.address()).await.unwrap();
    let nonce = hex::encode([5; 32]);
    for path in ["/v1/health", "/v1/openapi.json", &format!("/v1/evidence?nonce={nonce}")] {
        assert_eq!(http.get(path).await.unwrap().status, 200, "{path}");
    }
    let others = [
        (Method::GET, "/v1/status"),
        (Method::GET, "/v1/configuration"),
        (Method::GET, "/v1/report-key"),
        (Method::POST, "/v1/sign-in"),
        (Method::GET, "/v1/tenants"),
        (Method::POST, "/v1/keys"),
        (Method::PUT, "/v1/secrets/X"),
        (Method::GET, "/v1/functions"),
        (Method::POST, "/v1/functions/f/invocations"),
        (Method::GET, "/elsewhere"),
    ];
    for (method, path) in others {
        let answer = http.send(method.clone(), path, &[], "{}").await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (421, "not_attested"), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_worth_nothing_on_another_session() {
    let appliance = Appliance::start(Options::default()).await;
    let (key, public) = admitted_key(&appliance).await;
    let one = RawSession::open(&appliance.address(), &[1; 32]).await.unwrap();
    let other = RawSession::open(&appliance.address(), &[1; 32]).await.unwrap();
    assert_ne!(one.binding, other.binding, "the same nonce gives another binding on another session");
    let sign_in = |role, binding: &Digest| {
        let message = sign_in_message(role, binding, &public);
        let signature = hex::encode(key.sign(&message));
        serde_json::to_vec(&SignIn { role, public_key: public, signature }).unwrap()
    };
    let good = sign_in(SignInRole::Tenant, &one.binding);
    let for_operator = sign_in(SignInRole::Operator, &other.binding);
    let mut other = other.into_http().await;
    for wrong in [good.clone(), for_operator] {
        let answer = other.send(Method::POST, "/v1/sign-in", &[], wrong).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
        assert_eq!(other.get("/v1/functions").await.unwrap().status, 401);
        assert_eq!(other.get("/v1/tenants").await.unwrap().status, 401);
    }
    let mut one = one.into_http().await;
    assert_eq!(one.send(Method::POST, "/v1/sign-in", &[], good).await.unwrap().status, 200);
    assert_eq!(one.get("/v1/functions").await.unwrap().status, 200);
}

/// A key that this test can sign anything with, admitted as a tenant's.
async fn admitted_key(appliance: &Appliance) -> (Ed25519KeyPair, PublicKey) {
    let key = Ed25519KeyPair::generate().unwrap();
    let public = PublicKey(key.public_key().as_ref().try_into().unwrap());
    let admitted = appliance.operator().await.admit(public, "by hand").await.unwrap();
    assert_eq!(admitted.id, TenantId::of(&public));
    (key, public)
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_an_api_key_end_with_the_session() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut signed_in = tenant.connect().await.sign_in_tenant(tenant.key()).await.unwrap();
    let key = signed_in.create_key("backend", &[Scope::Deploy]).await.unwrap().secret;
    let right = format!("Bearer {key}");
    // One digit off, so that the id is found and the secret is not.
    let last = if key.ends_with('0') { '1' } else { '0' };
    let wrong = format!("Bearer {}{last}", &key[..key.len() - 1]);

    let mut session = Http::attested(&appliance.address()).await.unwrap();
    let mut ask = async |authorization: &str| {
        let headers = [("authorization", authorization)];
        session.send(Method::GET, "/v1/functions", &headers, "").await.unwrap().status
    };
    assert_eq!(ask(&right).await, 200);
    for _ in 0..8 {
        assert_eq!(ask(&wrong).await, 401);
    }
    assert_eq!(ask(&right).await, 401, "a session that guessed is given more guesses");
    let mut fresh = Http::attested(&appliance.address()).await.unwrap();
    let answer = fresh.send(Method::GET, "/v1/functions", &[("authorization", &right)], "").await.unwrap();
    assert_eq!(answer.status, 200);
}

/// The parent hands over the configuration, so it could name itself the operator. It cannot without changing PCR16.
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_the_parent_changed_is_seen() {
    let mut appliance = Appliance::start(Options::default()).await;
    let mut channel = appliance.connect().await;
    let configuration = channel.configuration().await.unwrap();
    let pinned = |appliance: &Appliance| {
        let builder = appliance.enclave_place().policy_builder().pin_configuration_file(&configuration);
        appliance.connector_with(Policy::new(builder).unwrap())
    };
    // By the register itself, as reference values may say it.
    let required = |appliance: &Appliance| {
        let measured = pcr_extended_once(&r3e_proto::channel::binding::configuration_digest(&configuration));
        let builder =
            appliance.enclave_place().policy_builder().require_pcr(CONFIGURATION_PCR, measured).unwrap();
        appliance.connector_with(Policy::new(builder).unwrap())
    };
    pinned(&appliance).connect().await.unwrap();
    required(&appliance).connect().await.unwrap();
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut before = tenant.channel().await;
    before.deploy("f", &javascript("export default () => 1;")).await.unwrap();

    appliance.set_operator_key(SigningKey::generate().unwrap());
    appliance.restart().await;
    let refused = pinned(&appliance).connect().await.unwrap_err();
    assert_eq!(refused.code(), "other_configuration");
    let refused = required(&appliance).connect().await.unwrap_err();
    assert_eq!(refused.code(), "pcr_mismatch");
    // The image is the same, and whoever does not pin the configuration is told which one it is.
    let channel = appliance.connect().await;
    assert_ne!(
        channel.configuration_digest()[..],
        r3e_proto::channel::binding::configuration_digest(&configuration)
    );
}
