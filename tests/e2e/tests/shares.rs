//! A greedy tenant: whatever it holds, what is left serves the others, and its own are told to come again later.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use http::Method;
use r3e_e2e::raw::{Http, RawSession};
use r3e_e2e::tenant::{javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::Scope;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

const LENGTH: &str = "export default (event) => String(event).length;";
/// The longest event there is, as JSON.
const EVENT_BYTES: usize = 1024 * 1024;
/// What runs and waits for one tenant at most: a third of six runners, and its queue.
const RUNNING: usize = 2;
const WAITING: usize = 64;
/// Bodies of such events that are taken in for one tenant at once.
const BODIES: usize = 80;
/// The longest time that anybody is told to wait.
const MAX_RETRY_AFTER_S: u64 = 60;
/// How many more are tried. Few: all must be answered while the others still hang, on a slow machine too.
const MORE: usize = 6;

/// The value of the `Authorization` field for everything that a tenant may do.
async fn bearer(tenant: &Tenant) -> String {
    let mut signed_in = tenant.connect().await.sign_in_tenant(tenant.key()).await.unwrap();
    let scopes = [Scope::Invoke, Scope::Deploy, Scope::Secrets];
    format!("Bearer {}", signed_in.create_key("test", &scopes).await.unwrap().secret)
}

fn large_event() -> String {
    format!("\"{}\"", "x".repeat(EVENT_BYTES - 2))
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_hang_keep_no_other_tenant_waiting() {
    let appliance = Appliance::start(Options::default()).await;
    let (greedy, alice) =
        (Tenant::admitted(&appliance, "greedy").await, Tenant::admitted(&appliance, "alice").await);
    let mut hang = javascript("export default () => new Promise((done) => setTimeout(done, 1e9));");
    hang.limits.timeout_ms = 60_000;
    let mut channel = greedy.channel().await;
    for name in ["one", "two", "three"] {
        channel.deploy(name, &hang).await.unwrap();
    }
    let mut other = alice.channel().await;
    other.deploy("length", &javascript(LENGTH)).await.unwrap();

    // More than its runners and its places in the queue can take, with the largest events there are.
    let authorization = bearer(&greedy).await;
    let mut refused = JoinSet::new();
    for number in 0..RUNNING + WAITING + MORE {
        let (address, authorization) = (appliance.address(), authorization.clone());
        refused.spawn(async move {
            let mut http = Http::attested(&address).await.unwrap();
            let path = format!("/v1/functions/{}/invocations", ["one", "two", "three"][number % 3]);
            let headers = [("authorization", authorization.as_str())];
            let answer = http.send(Method::POST, &path, &headers, large_event()).await.unwrap();
            assert_eq!((answer.status, answer.code().as_str()), (429, "busy"));
            // As long as those before it are expected to take: some of them end at their time.
            let wait_s: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=MAX_RETRY_AFTER_S).contains(&wait_s), "{wait_s} s");
        });
    }
    // Some are turned away at once: the others hold or await all that the tenant may have.
    refused.join_next().await.unwrap().unwrap();
    for round in 0..3 {
        let invocation = other.invoke("length", large_event()).await.unwrap();
        assert_eq!(output(&invocation), json!(EVENT_BYTES - 2), "round {round}");
        other.deploy("more", &javascript(&format!("{LENGTH} // {round}"))).await.unwrap();
    }
    // All that waited are told the same; only those that run do not end before their time.
    while refused.len() > RUNNING {
        refused.join_next().await.unwrap().unwrap();
    }
    assert!(refused.try_join_next().is_none(), "two run on");
    assert_eq!(output(&other.invoke("length", "1").await.unwrap()), json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_leave_room_for_other_tenants() {
    let appliance = Appliance::start(Options::default()).await;
    let (greedy, alice) =
        (Tenant::admitted(&appliance, "greedy").await, Tenant::admitted(&appliance, "alice").await);
    let mut other = alice.channel().await;
    other.deploy("length", &javascript(LENGTH)).await.unwrap();
    let authorization = bearer(&greedy).await;
    let head = format!(
        "POST /v1/functions/any/invocations HTTP/1.1\r\nhost: a\r\nauthorization: {authorization}\r\n\
         content-length: {EVENT_BYTES}\r\n\r\n["
    );
    // More than its bodies may take.
    let mut opening = JoinSet::new();
    for number in 0..BODIES + MORE {
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        let address = appliance.address();
        opening.spawn(async move { RawSession::open(&address, &nonce).await.unwrap().stream });
    }
    let mut answers = JoinSet::new();
    for mut stream in opening.join_all().await {
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        answers.spawn(async move {
            let mut line = [0; 12];
            stream.read_exact(&mut line).await.unwrap();
            (line, stream)
        });
    }
    // Whoever comes after them is answered at once, and the rest when their time is over.
    let mut turned_away = Vec::new();
    while turned_away.len() < MORE {
        let (line, stream) = answers.join_next().await.unwrap().unwrap();
        assert_eq!(line, *b"HTTP/1.1 429", "after {} sessions", turned_away.len());
        turned_away.push(stream);
    }
    let invocation = other.invoke("length", large_event()).await.unwrap();
    assert_eq!(output(&invocation), json!(EVENT_BYTES - 2));
    assert!(answers.try_join_next().is_none(), "the others are still awaited");
}
