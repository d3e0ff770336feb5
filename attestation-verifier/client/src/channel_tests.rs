//! What happens on a channel once it is open, with an HTTP server of the test's own at the other end.
//!
//! The appraisal behind these channels is a real one, of a real document; that no channel opens without one is what
//! `tests/hostile_servers.rs` is about.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use r3e_attestation::{AttestationResult, ReferenceValues, inspect};
use r3e_proto::api::functions::{self, Outcome, Usage};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::secrets::Grantee;
use r3e_proto::receipt::{OUTCOME_OK, Receipt};
use serde_json::json;
use sha2_of::sha256;
use zeroize::Zeroizing;

use super::*;
use crate::appliances::{Appliance, AppliancesInMemory};
use crate::clock::SystemClock;
use crate::connector::Timeouts;
use crate::error::ErrorClass;
use crate::invocation::ReceiptMismatch;
use crate::policy::Policy;
use crate::sequences::SequencesInMemory;
use crate::tenant::SetSecret;

const R14: &[u8] = include_bytes!("../../vectors/r14_base_2024-11-30_pk65.bin");
const CONFIGURATION: &[u8] = b"operator = \"key\"\n";
const BINDING: Digest = [4; 48];

mod sha2_of {
    pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        digest.as_ref().try_into().unwrap()
    }
}

/// A request as the server received it.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    authorization: Option<String>,
    body: Bytes,
}

type Log = Arc<Mutex<Vec<Seen>>>;

fn attestation() -> (Policy, AttestationResult) {
    let seen = inspect(R14).unwrap();
    let pcr = |index: u8| seen.pcrs()[&index];
    let release = ReferenceValues::new("real", pcr(0), pcr(1), pcr(2)).unwrap();
    let policy = Policy::new(Policy::builder().accept_release(release).any_configuration()).unwrap();
    let result = policy.appraise(R14, seen.timestamp().as_millis()).unwrap();
    (policy, result)
}

fn shared(policy: Policy, timeouts: Timeouts) -> Shared {
    Shared {
        address: "appliance:443".parse().unwrap(),
        policy: Arc::new(policy),
        clock: Arc::new(SystemClock),
        timeouts,
        sequences: Arc::new(SequencesInMemory::default()),
        appliances: Arc::new(AppliancesInMemory::default()),
        accept_rolled_back: false,
    }
}

/// A channel to a server that answers each request with `answer`.
async fn channel<F>(
    timeouts: Timeouts,
    answer: impl Fn(Seen) -> F + Clone + Send + 'static,
) -> (AttestedChannel, Log)
where
    F: Future<Output = (u16, Vec<u8>)> + Send + 'static,
{
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let log = Log::default();
    let seen = Arc::clone(&log);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (answer, seen) = (answer.clone(), Arc::clone(&seen));
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let authorization =
                request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let one = Seen { line, authorization, body };
            seen.lock().unwrap().push(one.clone());
            let (status, body) = answer(one).await;
            let response =
                http::Response::builder().status(status).body(Full::new(Bytes::from(body))).unwrap();
            Ok::<_, Infallible>(response)
        }
    });
    tokio::spawn(async move {
        // The client may leave in the middle of an answer.
        drop(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service).await,
        );
    });
    let (policy, result) = attestation();
    let evidence = Evidence {
        document: R14.to_vec(),
        index: 0,
        size: 1,
        path: vec![],
        configuration: configuration_digest(CONFIGURATION),
        hpke_public_key: vec![],
    };
    let http = HttpStream::begin(ours, "appliance:443".parse().unwrap()).await.unwrap();
    (AttestedChannel::new(http, result, evidence, BINDING, shared(policy, timeouts)), log)
}

async fn answering(status: u16, body: impl Into<Vec<u8>>) -> AttestedChannel {
    let body = body.into();
    channel(Timeouts::default(), move |_| std::future::ready((status, body.clone()))).await.0
}

fn status_json(sequence: u64) -> Vec<u8> {
    let status = Status {
        version: "1".into(),
        unlock: "ephemeral".into(),
        unlock_adopted: true,
        identity: "ab".repeat(32),
        witness: r3e_proto::api::witness::WitnessStatus {
            provider: "none".into(),
            detail: String::new(),
            key: r3e_proto::api::identity::PublicKey([5; 32]),
            threshold: None,
            peers: Vec::new(),
            restored: None,
            problem: None,
        },
        anchor: None,
        sequence,
        configuration: String::new(),
        time_ms: 0,
        uptime_ms: 0,
        attestation: r3e_proto::api::status::AttestationCalls::default(),
        attested_sessions: 1,
        open_sessions: 1,
        jobs: r3e_proto::api::jobs::JobCounts::default(),
    };
    serde_json::to_vec(&status).unwrap()
}

/// A channel whose status tells one sequence number after the other.
async fn telling(sequences: &'static [u64]) -> AttestedChannel {
    let next = Arc::new(Mutex::new(sequences.iter()));
    channel(Timeouts::default(), move |_| {
        let sequence = *next.lock().unwrap().next().unwrap();
        std::future::ready((200, status_json(sequence)))
    })
    .await
    .0
}

#[tokio::test]
async fn requests_are_those_of_the_api() {
    let (mut channel, log) =
        channel(Timeouts::default(), |_| std::future::ready((200, status_json(1)))).await;
    assert_eq!(channel.status().await.unwrap().sequence, 1);
    let seen = log.lock().unwrap()[0].clone();
    assert_eq!((seen.line.as_str(), seen.authorization, seen.body.len()), ("GET /v1/status", None, 0));
}

#[tokio::test]
async fn the_configuration_is_the_measured_one_or_an_error() {
    assert_eq!(answering(200, CONFIGURATION).await.configuration().await.unwrap(), CONFIGURATION);
    let refused = answering(200, "operator = \"other\"").await.configuration().await.unwrap_err();
    assert!(matches!(refused, ClientError::ConfigurationMismatch));
    let refused = answering(200, vec![b'#'; 65 * 1024]).await.configuration().await.unwrap_err();
    assert_eq!(refused.code(), "answer");
}

#[tokio::test]
async fn the_sign_in_is_signed_over_this_sessions_binding() {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    let key = SigningKey::generate().unwrap();
    for (role, tenant) in
        [(SignInRole::Operator, None), (SignInRole::Tenant, Some(TenantId::of(&key.public_key())))]
    {
        let answer = serde_json::to_vec(&SignedIn { role, tenant }).unwrap();
        let (mut channel, log) =
            channel(Timeouts::default(), move |_| std::future::ready((200, answer.clone()))).await;
        channel.sign_in(role, &key).await.unwrap();
        let seen = log.lock().unwrap()[0].clone();
        assert_eq!(seen.line, "POST /v1/sign-in");
        let sent: SignIn = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!((sent.role, sent.public_key), (role, key.public_key()));
        let signature = hex::decode(sent.signature).unwrap();
        let public = UnparsedPublicKey::new(&ED25519, key.public_key().0);
        public.verify(&sign_in_message(role, &BINDING, &key.public_key()), &signature).unwrap();
        assert!(public.verify(&sign_in_message(role, &[5; 48], &key.public_key()), &signature).is_err());
    }
}

#[tokio::test]
async fn a_sign_in_as_somebody_else_is_no_sign_in() {
    let key = SigningKey::generate().unwrap();
    let other = TenantId::of(&PublicKey([9; 32]));
    for answer in [
        json!({ "role": "tenant", "tenant": other }),
        json!({ "role": "tenant" }),
        json!({ "role": "operator" }),
    ] {
        let mut channel = answering(200, answer.to_string()).await;
        assert_eq!(channel.sign_in(SignInRole::Tenant, &key).await.unwrap_err().code(), "answer");
    }
}

#[tokio::test]
async fn refusals_keep_the_apis_code_and_leave_the_channel_open() {
    let body = json!({ "error": { "code": "conflict", "message": "x".repeat(100_000) } }).to_string();
    let mut channel = answering(409, body).await;
    let refused = channel.status().await.unwrap_err();
    assert!(matches!(&refused, ClientError::Api { status: 409, message, .. } if message.len() == 4096));
    assert_eq!((refused.code(), refused.class()), ("conflict", ErrorClass::Refused));
    assert!(!channel.is_closed());
    assert_eq!(channel.status().await.unwrap_err().code(), "conflict");

    let refused = answering(502, "<html>").await.status().await.unwrap_err();
    assert!(matches!(refused, ClientError::Api { status: 502, code, .. } if code == "http"));
}

#[tokio::test]
async fn answers_out_of_form_are_errors() {
    for body in ["", "{}", "null", "[1", "{\"version\":1}"] {
        assert_eq!(answering(200, body).await.status().await.unwrap_err().code(), "answer", "{body:?}");
    }
    let nested = "[".repeat(100_000);
    assert_eq!(answering(200, nested).await.status().await.unwrap_err().code(), "answer");
}

#[tokio::test]
async fn an_answer_without_end_closes_the_channel() {
    let mut channel = answering(200, vec![b' '; crate::limits::MAX_RESPONSE_BYTES + 1]).await;
    assert_eq!(channel.status().await.unwrap_err().code(), "answer");
    assert!(channel.is_closed());
    assert!(matches!(channel.status().await.unwrap_err(), ClientError::Closed));
}

#[tokio::test]
async fn an_answer_that_does_not_come_closes_the_channel() {
    let quick = Timeouts { request_ms: 50, ..Timeouts::default() };
    let (mut channel, _) = channel(quick, |_| async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        (200, status_json(1))
    })
    .await;
    assert!(matches!(channel.status().await.unwrap_err(), ClientError::Timeout { limit_ms: 50, .. }));
    assert!(matches!(channel.status().await.unwrap_err(), ClientError::Closed));
}

#[tokio::test]
async fn a_request_that_was_given_up_closes_the_channel() {
    let (mut channel, _) = channel(Timeouts::default(), |_| async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        (200, status_json(1))
    })
    .await;
    assert!(tokio::time::timeout(Duration::from_millis(50), channel.status()).await.is_err());
    // The next answer on this stream would be the one to the request before.
    assert!(matches!(channel.status().await.unwrap_err(), ClientError::Closed));
}

#[tokio::test]
async fn a_lower_sequence_number_is_a_rollback_and_an_equal_one_is_not() {
    let key = ReportKey::appraised_for_test([1; 32]);
    let mut channel = telling(&[7, 7, 9, 8, 8, 9]).await;
    for _ in 0..3 {
        channel.check_state_of(&key).await.unwrap();
    }
    for _ in 0..2 {
        let refused = channel.check_state_of(&key).await.unwrap_err();
        assert!(matches!(refused, ClientError::RolledBack { seen: 9, now: 8 }));
        assert_eq!((refused.code(), refused.class()), ("rolled_back", ErrorClass::Attestation));
    }
    channel.check_state_of(&key).await.unwrap();
}

#[tokio::test]
async fn another_appliance_is_refused_and_once_it_is_named_has_a_sequence_of_its_own() {
    let mut channel = telling(&[7, 1, 1, 7]).await;
    let (one, other) = (ReportKey::appraised_for_test([1; 32]), ReportKey::appraised_for_test([2; 32]));
    channel.check_state_of(&one).await.unwrap();
    let refused = channel.check_state_of(&other).await.unwrap_err();
    assert_eq!((refused.code(), refused.class()), ("other_appliance", ErrorClass::Attestation));
    assert_eq!(channel.shared.sequences.highest(other.public_key()).unwrap(), None, "nothing is kept of it");
    let named = Appliance { identity: [0xab; 32], report_key: [2; 32] };
    channel.shared.appliances.replace(&channel.shared.address, &named).unwrap();
    channel.check_state_of(&other).await.unwrap();
    assert_eq!(channel.check_state_of(&one).await.unwrap_err().code(), "other_appliance");
}

#[tokio::test]
async fn a_pinned_identity_is_the_only_one_and_brings_no_other_report_key() {
    let pinned = |identity: [u8; 32]| {
        let seen = inspect(R14).unwrap();
        let pcr = |index: u8| seen.pcrs()[&index];
        let release = ReferenceValues::new("real", pcr(0), pcr(1), pcr(2)).unwrap();
        let builder = Policy::builder().accept_release(release).any_configuration();
        Arc::new(Policy::new(builder.pin_identity(identity)).unwrap())
    };
    let key = |byte| ReportKey::appraised_for_test([byte; 32]);
    let mut channel = telling(&[7; 5]).await;
    channel.check_state_of(&key(1)).await.unwrap();
    channel.shared.policy = pinned([1; 32]);
    let refused = channel.check_state_of(&key(1)).await.unwrap_err();
    assert_eq!((refused.code(), refused.class()), ("other_identity", ErrorClass::Attestation));
    channel.shared.policy = pinned([0xab; 32]);
    channel.check_state_of(&key(1)).await.unwrap();
    // Both come from one root secret: no other key belongs to the same one.
    assert_eq!(channel.check_state_of(&key(2)).await.unwrap_err().code(), "other_appliance");
    // An identity that was known before gives way to the one that is named.
    let before = Appliance { identity: [3; 32], report_key: [3; 32] };
    channel.shared.appliances.replace(&channel.shared.address, &before).unwrap();
    channel.check_state_of(&key(2)).await.unwrap();
    let known = channel.shared.appliances.known(&channel.shared.address).unwrap();
    assert_eq!(known, Some(Appliance { identity: [0xab; 32], report_key: [2; 32] }));
}

#[tokio::test]
async fn a_rolled_back_state_is_accepted_once_where_that_is_asked_for() {
    let key = ReportKey::appraised_for_test([1; 32]);
    let mut channel = telling(&[3, 2]).await;
    channel.shared.sequences.raise(key.public_key(), 9).unwrap();
    channel.shared.accept_rolled_back = true;
    channel.check_state_of(&key).await.unwrap();
    let refused = channel.check_state_of(&key).await.unwrap_err();
    assert!(matches!(refused, ClientError::RolledBack { seen: 3, now: 2 }));
}

#[tokio::test]
async fn answers_that_pass_each_other_are_no_rollback() {
    // Another session of this client sees 9 while this one's answer, 8, is on its way.
    let key = ReportKey::appraised_for_test([1; 32]);
    let mut channel = telling(&[]).await;
    let seen = channel.seen(&key).unwrap();
    channel.shared.sequences.raise(key.public_key(), 9).unwrap();
    channel.remember(&key, seen, 8).unwrap();
    assert_eq!(channel.shared.sequences.highest(key.public_key()).unwrap(), Some(9));
}

/// An appliance that answers invocations with receipts of these sequence numbers.
async fn invoked(sequences: &'static [u64]) -> (TenantChannel, Log) {
    invoked_as(Whose::Known(TENANT), TENANT, TENANT, sequences).await
}

const TENANT: TenantId = TenantId([2; 16]);

/// The same for a client that knows `whose` its API key is, of an appliance that says that the key is `named`'s and
/// makes receipts of `charged`.
async fn invoked_as(
    whose: Whose,
    named: TenantId,
    charged: TenantId,
    sequences: &'static [u64],
) -> (TenantChannel, Log) {
    let key = Arc::new(SigningKey::generate().unwrap());
    let report_key = ReportKey::appraised_for_test(key.public_key().0);
    let next = Arc::new(Mutex::new(sequences.iter()));
    let (channel, log) = channel(Timeouts::default(), move |seen| {
        if seen.line == "GET /v1/whoami" {
            let whoami = json!({ "role": "tenant", "tenant": named }).to_string();
            return std::future::ready((200, whoami.into_bytes()));
        }
        let sequence = *next.lock().unwrap().next().unwrap();
        let receipt = Receipt {
            invocation: [1; 16],
            tenant: charged.0,
            function: "price".into(),
            version: [3; 32],
            input: sha256(&seen.body),
            outcome: OUTCOME_OK.into(),
            output: sha256(b"42"),
            log: sha256(b"\0"),
            usage: Usage::default(),
            sequence,
            time_ms: 0,
            configuration: configuration_digest(CONFIGURATION),
        };
        let signed = receipt.sign(|message| key.sign(message).try_into().unwrap());
        let answer = functions::Invocation {
            id: hex::encode([1; 16]),
            version: hex::encode([3; 32]),
            outcome: Outcome::Output("42".into()),
            logs: vec![],
            logs_truncated: false,
            usage: Usage::default(),
            receipt: STANDARD.encode(signed),
        };
        std::future::ready((200, serde_json::to_vec(&answer).unwrap()))
    })
    .await;
    let api_key =
        ApiKey::parse(Zeroizing::new(format!("r3e_{}_{}", "1".repeat(16), "2".repeat(64)))).unwrap();
    (TenantChannel::new(channel, report_key, whose, Some(api_key.header())), log)
}

#[tokio::test]
async fn an_invocation_sends_the_event_as_it_is_and_checks_the_receipt() {
    let (mut tenant, log) = invoked(&[5]).await;
    let invocation = tenant.invoke("price", "{\"a\" : 1}").await.unwrap();
    assert_eq!(invocation.outcome(), &Outcome::Output("42".into()));
    let seen = log.lock().unwrap()[0].clone();
    assert_eq!(seen.line, "POST /v1/functions/price/invocations");
    assert_eq!(seen.body, "{\"a\" : 1}");
    let bearer = format!("Bearer r3e_{}_{}", "1".repeat(16), "2".repeat(64));
    assert_eq!(seen.authorization, Some(bearer));
}

/// The requests of a log, in order.
fn lines(log: &Log) -> Vec<String> {
    log.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
}

#[tokio::test]
async fn an_api_keys_tenant_is_asked_for_once_and_receipts_must_name_it() {
    let (mut tenant, log) = invoked_as(Whose::Unknown, TENANT, TENANT, &[5, 5]).await;
    assert_eq!(tenant.tenant(), None);
    let _ = tenant.invoke("price", "1").await.unwrap();
    let _ = tenant.invoke("price", "2").await.unwrap();
    assert_eq!(tenant.tenant(), Some(TENANT));
    let invocation = "POST /v1/functions/price/invocations";
    assert_eq!(lines(&log), ["GET /v1/whoami", invocation, invocation]);

    // An appliance that runs the event as another tenant's is found out by its own receipt.
    for whose in [Whose::Unknown, Whose::Claimed(TENANT), Whose::Known(TENANT)] {
        let (mut tenant, _) = invoked_as(whose, TENANT, TenantId([3; 16]), &[5]).await;
        let refused = tenant.invoke("price", "1").await.unwrap_err();
        assert!(
            matches!(
                refused,
                ClientError::Receipt(ReceiptMismatch::Tenant { expected: TENANT, found: TenantId([3, ..]) })
            ),
            "{refused:?}"
        );
        assert_eq!((refused.code(), refused.class()), ("receipt", ErrorClass::Attestation));
    }
}

#[tokio::test]
async fn an_api_key_of_another_tenant_invokes_nothing() {
    let (mut tenant, log) = invoked_as(Whose::Claimed(TenantId([7; 16])), TENANT, TENANT, &[5]).await;
    for _ in 0..2 {
        let refused = tenant.invoke("price", "1").await.unwrap_err();
        assert!(matches!(refused, ClientError::OtherTenant { expected: TenantId([7, ..]), found: TENANT }));
        assert_eq!((refused.code(), refused.class()), ("other_tenant", ErrorClass::Attestation));
    }
    assert_eq!(lines(&log), ["GET /v1/whoami", "GET /v1/whoami"], "the event was never sent");
}

#[tokio::test]
async fn a_whoami_without_a_tenant_is_no_answer() {
    for body in [json!({ "role": "operator" }), json!({ "role": "tenant" }), json!({})] {
        let channel = answering(200, body.to_string()).await;
        let mut tenant =
            TenantChannel::new(channel, ReportKey::appraised_for_test([1; 32]), Whose::Unknown, None);
        assert_eq!(tenant.whoami().await.unwrap_err().code(), "answer", "{body}");
        assert_eq!(tenant.tenant(), None);
    }
}

#[tokio::test]
async fn a_receipt_for_another_function_is_refused() {
    let (mut tenant, _) = invoked(&[5]).await;
    let refused = tenant.invoke("prices", "1").await.unwrap_err();
    assert_eq!((refused.code(), refused.class()), ("receipt", ErrorClass::Attestation));
}

#[tokio::test]
async fn a_receipt_from_an_older_state_is_a_rollback() {
    let (mut tenant, _) = invoked(&[5, 5, 4]).await;
    let _ = tenant.invoke("price", "1").await.unwrap();
    let _ = tenant.invoke("price", "2").await.unwrap();
    let refused = tenant.invoke("price", "3").await.unwrap_err();
    assert!(matches!(refused, ClientError::RolledBack { seen: 5, now: 4 }), "{refused:?}");
}

#[tokio::test]
async fn names_that_would_leave_their_path_are_never_sent() {
    let (mut tenant, log) = invoked(&[]).await;
    for name in ["../tenants", "a/b", "", "a?b=c"] {
        assert_eq!(tenant.invoke(name, "1").await.unwrap_err().code(), "input");
        assert_eq!(tenant.delete_secret(name).await.unwrap_err().code(), "input");
        assert_eq!(tenant.logs(name).await.unwrap_err().code(), "input");
    }
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn secrets_are_sent_byte_for_byte_and_deletions_have_no_answer() {
    let secret = json!({
        "name": "TOKEN", "version": 1, "value_bytes": 3, "updated_at_ms": 1, "expired": false, "grants": [],
    });
    let secret = secret.to_string();
    let (channel, log) = channel(Timeouts::default(), move |seen| {
        let deletion = seen.line.starts_with("DELETE");
        std::future::ready(if deletion { (204, vec![]) } else { (200, secret.clone().into_bytes()) })
    })
    .await;
    let mut tenant =
        TenantChannel::new(channel, ReportKey::appraised_for_test([1; 32]), Whose::Unknown, None);
    let value = Zeroizing::new(vec![0, 255, b'\n']);
    assert_eq!(tenant.set_secret("TOKEN", value).await.unwrap().value_bytes, 3);
    tenant.delete_secret("TOKEN").await.unwrap();
    let mut signed_in = SignedInTenant::new(tenant);
    let options = SetSecret { expires_in_ms: Some(5), keep_previous_ms: Some(0), if_version: Some(7) };
    let grantees = ["f".to_owned(), format!("g@{}", "ab".repeat(32))];
    let grantees = grantees.map(|text| Grantee::parse(&text).unwrap());
    let value = Zeroizing::new(b"x".to_vec());
    signed_in.set_secret_for("TOKEN", value, &options, &grantees).await.unwrap();
    signed_in.grant_secret("TOKEN", &grantees[1]).await.unwrap();
    signed_in.revoke_secret("TOKEN", &grantees[0]).await.unwrap_err();
    let seen = log.lock().unwrap().clone();
    assert_eq!(
        (seen[0].line.as_str(), seen[0].body.as_ref()),
        ("PUT /v1/secrets/TOKEN", &[0, 255, b'\n'][..])
    );
    assert_eq!((seen[1].line.as_str(), seen[1].authorization.as_ref()), ("DELETE /v1/secrets/TOKEN", None));
    let pinned = format!("g@{}", "ab".repeat(32));
    let query = format!("expires_in_ms=5&keep_previous_ms=0&if_version=7&for=f,{pinned}");
    assert_eq!(seen[2].line, format!("PUT /v1/secrets/TOKEN?{query}"));
    assert_eq!(seen[3].line, format!("PUT /v1/secrets/TOKEN/grants/{pinned}"));
    assert_eq!(seen[4].line, "DELETE /v1/secrets/TOKEN/grants/f");
}
