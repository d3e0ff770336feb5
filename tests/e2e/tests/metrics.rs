//! What is counted, as those who may see it see it: each tenant its own, the operator totals without a name, a Prometheus what the tool
//! serves on its machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::Method;
use r3e_client::{JobOptions, TenantChannel};
use r3e_e2e::command::Home;
use r3e_e2e::exchanges::{EXCHANGES, Exchanges};
use r3e_e2e::programs::program;
use r3e_e2e::raw::Http;
use r3e_e2e::tenant::{code, ended, javascript};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::billing::Quota;
use r3e_proto::api::functions::Deploy;
use r3e_proto::api::identity::Scope;
use r3e_proto::api::jobs::JobState;
use serde_json::json;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);

/// Does what its event says: `"fail"`, `"sleep"`, or anything else.
const OBEYS: &str = "export default async (event) => {
    if (event === 'fail') throw new Error('as asked');
    if (event === 'sleep') await new Promise((done) => setTimeout(done, 60_000));
    return event;
};";

fn obeys() -> Deploy {
    let mut deploy = javascript(OBEYS);
    deploy.limits.timeout_ms = 3_000;
    deploy
}

/// The value of one sample, `NAME{LABELS}`; none if there is none.
fn value(text: &str, sample: &str) -> Option<f64> {
    let of = |line: &str| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(of)
}

#[track_caller]
fn is(text: &str, sample: &str, expected: u32) {
    assert_eq!(value(text, sample), Some(f64::from(expected)), "{sample} in\n{text}");
}

fn outcome(function: &str, outcome: &str) -> String {
    format!("r3e_function_invocations_total{{function=\"{function}\",outcome=\"{outcome}\"}}")
}

async fn mint(tenant: &Tenant, scope: Scope) -> String {
    let key = tenant.signed_in().await.create_key("a key", &[scope]).await.unwrap();
    format!("Bearer {}", key.secret)
}

async fn invoke(channel: &mut TenantChannel, function: &str, event: &str, expected: &str) {
    let invocation = channel.invoke(function, event.to_owned()).await.unwrap();
    assert_eq!(code(&invocation), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_sees_its_own_and_the_operator_sums_without_a_name() {
    let mut appliance = Appliance::start(Options::default()).await;
    let (alice, bob) = (
        Tenant::admitted(&appliance, "alice-of-names").await,
        Tenant::admitted(&appliance, "bob-of-names").await,
    );
    let (mut hers, mut his) = (alice.channel().await, bob.channel().await);
    // Names that would be something else if they were written anywhere but in a label's value.
    let hers_only = ["le", "outcome", "r3e_function_invocations_total", "_.-", "NaN"];
    for name in hers_only.iter().chain(&["same-name", "doomed"]) {
        hers.deploy(name, &obeys()).await.unwrap();
    }
    for name in ["same-name", "his-alone"] {
        his.deploy(name, &obeys()).await.unwrap();
    }
    for (event, expected) in
        [("1", "ok"), ("2", "ok"), (r#""fail""#, "function_error"), (r#""sleep""#, "timeout")]
    {
        invoke(&mut hers, "same-name", event, expected).await;
    }
    invoke(&mut hers, "le", "1", "ok").await;
    invoke(&mut hers, "doomed", "1", "ok").await;
    invoke(&mut his, "same-name", "1", "ok").await;
    let job = hers.enqueue("same-name", r#""fail""#, &JobOptions::default()).await.unwrap().id;
    assert_eq!(ended(&mut hers, job).await.job.state, JobState::Dead);

    let one = Quota { invocations: Some(1), ..Quota::default() };
    appliance.operator().await.set_quota(bob.id(), Some(one)).await.unwrap();
    assert_eq!(his.invoke("same-name", "1").await.unwrap_err().code(), "quota_exceeded");

    let text = hers.open_metrics().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    is(&text, &outcome("same-name", "ok"), 2);
    is(&text, &outcome("same-name", "timeout"), 1);
    is(&text, &outcome("same-name", "function_error"), 2);
    is(&text, r#"r3e_function_duration_seconds_count{function="same-name"}"#, 5);
    is(&text, r#"r3e_function_duration_seconds_bucket{le="+Inf",function="same-name"}"#, 5);
    assert!(value(&text, r#"r3e_function_cpu_seconds_total{function="same-name"}"#).unwrap() > 0.0);
    is(&text, &outcome("le", "ok"), 1);
    is(&text, "r3e_jobs_dead_letters", 1);
    is(&text, r#"r3e_jobs_ended_total{outcome="dead"}"#, 1);
    is(&text, r#"r3e_jobs{state="queued"}"#, 0);
    // What was not invoked has its zeros, so that its first failure is seen as a rise.
    is(&text, &outcome("_.-", "timeout"), 0);
    assert!(!text.contains("his-alone"), "{text}");
    let text = his.open_metrics().await.unwrap();
    is(&text, &outcome("same-name", "ok"), 1);
    is(&text, &outcome("same-name", "function_error"), 0);
    is(&text, &outcome("his-alone", "ok"), 0);
    is(&text, "r3e_jobs_dead_letters", 0);
    is(&text, r#"r3e_function_rejected_total{function="same-name",reason="quota"}"#, 1);
    assert!(!text.contains("doomed") && !text.contains("_.-"), "{text}");

    // What is no function makes no series, whatever it is called; nor does another tenant's name.
    let bearer = mint(&alice, Scope::Invoke).await;
    let with_key = [("authorization", bearer.as_str())];
    let mut session = Http::attested(&appliance.address()).await.unwrap();
    for name in ["unheard-of", "his-alone", "a%22%7D%201%0Ar3e_jobs%20666", "same-name@unheard-of"] {
        let path = format!("/v1/functions/{name}/invocations");
        let answer = session.send(Method::POST, &path, &with_key, "1").await.unwrap();
        assert!(matches!(answer.status, 400 | 404), "{name}: {}", answer.status);
    }
    // An event that is none is nobody's invocation.
    let answer = session.send(Method::POST, "/v1/functions/le/invocations", &with_key, "{").await.unwrap();
    assert_eq!(answer.status, 400);
    let by_key = session.send(Method::GET, "/v1/metrics", &with_key, "").await.unwrap();
    assert_eq!(by_key.status, 200);
    assert_eq!(by_key.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(by_key.body.to_vec()).unwrap();
    assert!(
        !text.contains("unheard-of") && !text.contains("his-alone") && !text.contains("} 1\nr3e_jobs 666"),
        "{text}"
    );
    is(&text, &outcome("le", "ok"), 1);

    // A deleted function takes its series with it, and one of its name begins anew.
    hers.delete_function("doomed").await.unwrap();
    assert!(!hers.open_metrics().await.unwrap().contains("doomed"));
    hers.deploy("doomed", &obeys()).await.unwrap();
    is(&hers.open_metrics().await.unwrap(), &outcome("doomed", "ok"), 0);

    let totals = appliance.operator().await.open_metrics().await.unwrap();
    is(&totals, r#"r3e_invocations_total{outcome="ok"}"#, 5);
    is(&totals, r#"r3e_invocations_total{outcome="timeout"}"#, 1);
    is(&totals, r#"r3e_jobs_ended_total{outcome="dead"}"#, 1);
    is(&totals, r#"r3e_invocations_rejected_total{reason="quota"}"#, 1);
    is(&totals, "r3e_tenants", 2);
    is(&totals, "r3e_store_tampered", 0);
    assert!(value(&totals, "r3e_http_responses_total{status=\"4xx\"}").unwrap() >= 5.0, "{totals}");
    assert!(value(&totals, "r3e_open_sessions").unwrap() >= 3.0, "{totals}");
    assert!(value(&totals, "process_resident_memory_bytes").unwrap() > 0.0, "{totals}");
    no_name(&totals, &[&alice, &bob]);

    // All of it is of one life of the process.
    drop((hers, his));
    appliance.restart().await;
    let text = alice.channel().await.open_metrics().await.unwrap();
    is(&text, &outcome("same-name", "ok"), 0);
    is(&text, "r3e_jobs_dead_letters", 1);
    is(&text, r#"r3e_jobs_ended_total{outcome="dead"}"#, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_what_is_anothers() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let (bearer, deploys) = (mint(&alice, Scope::Invoke).await, mint(&alice, Scope::Deploy).await);
    let with_key = [("authorization", bearer.as_str())];
    let mut session = Http::attested(&appliance.address()).await.unwrap();
    for (path, headers, status) in [
        ("/v1/metrics", None, 401),
        ("/v1/operator/metrics", None, 401),
        ("/v1/metrics", Some(&deploys), 403),
    ] {
        let headers: Vec<_> = headers.map(|key| ("authorization", key.as_str())).into_iter().collect();
        let answer = session.send(Method::GET, path, &headers, "").await.unwrap();
        assert_eq!(answer.status, status, "{path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("r3e_"));
    }
    // An API key is no operator; neither is a tenant, nor the operator a tenant.
    let answer = session.send(Method::GET, "/v1/operator/metrics", &with_key, "").await.unwrap();
    assert_eq!(answer.status, 401);
    let home = Home::new(&appliance, "mixed");
    alice.key().write_new(&home.operator_key_file()).unwrap();
    assert_ne!(home.r3e(&["metrics", "--operator"]).code, 0);
    appliance.operator_key().write_new(&home.path(".config/r3e/tenant.pem")).unwrap();
    assert_ne!(home.r3e(&["metrics"]).code, 0);
    let mut public = Http::public(&appliance.address()).await.unwrap();
    for path in ["/v1/metrics", "/v1/operator/metrics"] {
        assert_eq!(public.send(Method::GET, path, &with_key, "").await.unwrap().status, 421, "{path}");
    }
}

/// The operator's text holds nothing that anybody has named, and no id.
#[track_caller]
fn no_name(totals: &str, tenants: &[&Tenant]) {
    let of_tenants =
        tenants.iter().flat_map(|tenant| [tenant.id().to_string(), tenant.key().public_key().to_string()]);
    let given =
        ["of-names", "same-name", "his-alone", "doomed", "_.-", "NaN", "=\"le\"", "btc-usd", "unheard-of"];
    for name in of_tenants.chain(given.map(str::to_owned)) {
        assert!(!totals.contains(&name), "{name} in\n{totals}");
    }
    for label in ["function", "tenant", "feed", "name", "id"] {
        assert!(!totals.contains(&format!("{label}=\"")), "{label} in\n{totals}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_seen_by_its_tenant_alone() {
    let exchanges = Exchanges::start("64000").await;
    let options = Options {
        extra_roots: exchanges.authority().to_owned(),
        resolve: exchanges.resolve_rules(),
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let mut hers = alice.channel().await;
    let definition = json!({
        "pair": "BTC/USD", "sources": EXCHANGES.map(|(id, ..)| id), "interval_ms": 1_000, "timeout_ms": 1_000,
    });
    hers.set_feed("btc-usd", &serde_json::from_value(definition).unwrap()).await.unwrap();
    let deadline = Instant::now() + LIMIT;
    let text = loop {
        let text = hers.open_metrics().await.unwrap();
        if value(&text, r#"r3e_feed_sequence{feed="btc-usd"}"#).is_some() {
            break text;
        }
        assert!(Instant::now() < deadline, "no report: {text}");
        sleep(Duration::from_millis(100)).await;
    };
    let report = hers.feed_report("btc-usd").await.unwrap().report;
    let at_s = value(&text, r#"r3e_feed_last_report_timestamp_seconds{feed="btc-usd"}"#).unwrap();
    assert!(at_s > 1.6e9 && report.sequence >= 1, "{text}");
    is(&text, r#"r3e_feed_paused{feed="btc-usd"}"#, 0);
    assert!(!bob.channel().await.open_metrics().await.unwrap().contains("btc-usd"));
    let totals = appliance.operator().await.open_metrics().await.unwrap();
    is(&totals, "r3e_feeds", 1);
    assert!(value(&totals, r#"r3e_feeds_rounds_total{result="published"}"#).unwrap() >= 1.0, "{totals}");
    assert!(value(&totals, "r3e_feeds_report_delay_seconds_count").unwrap() >= 1.0, "{totals}");
    no_name(&totals, &[&alice, &bob]);

    hers.pause_feed("btc-usd", true).await.unwrap();
    is(&hers.open_metrics().await.unwrap(), r#"r3e_feed_paused{feed="btc-usd"}"#, 1);
    hers.delete_feed("btc-usd").await.unwrap();
    assert!(!hers.open_metrics().await.unwrap().contains("btc-usd"));
}

/// `r3e metrics --listen`, until it is dropped.
struct Exporter {
    child: Child,
    address: String,
}

impl Exporter {
    fn start(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(program("r3e"))
            .args(["metrics", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .env("HOME", home.path(""))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on http://").and_then(|url| url.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, address }
    }

    /// Head and body of the answer to one request.
    fn ask(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
        (head.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str, host: &str) -> (String, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }

    fn scrape(&self) -> (String, String) {
        self.get("/metrics", &self.address)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_scrapes_the_tool_on_its_own_machine() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut hers = alice.channel().await;
    hers.deploy("f", &obeys()).await.unwrap();
    invoke(&mut hers, "f", "1", "ok").await;
    let secret = alice.signed_in().await.create_key("prometheus", &[Scope::Invoke]).await.unwrap().secret;
    let variables = [("R3E_API_KEY", secret.as_str())];
    let home = Home::new(&appliance, "prometheus");

    // Once, as text and as JSON.
    let said = home.r3e_with_variables(&["metrics"], &variables).ok();
    is(&said.out, &outcome("f", "ok"), 1);
    let said = home.r3e_with_variables(&["metrics", "--json"], &variables).ok();
    assert!(said.json()["openmetrics"].as_str().unwrap().ends_with("# EOF\n"));

    let exporter = Exporter::start(&home, &[], &variables);
    let (head, body) = exporter.scrape();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"));
    is(&body, &outcome("f", "ok"), 1);
    // On the same channel, what has happened since.
    invoke(&mut hers, "f", r#""fail""#, "function_error").await;
    let (_, body) = exporter.scrape();
    is(&body, &outcome("f", "function_error"), 1);
    let sessions = alice.connect().await.status().await.unwrap().attested_sessions;
    exporter.scrape();
    let after = alice.connect().await.status().await.unwrap().attested_sessions;
    assert_eq!(after, sessions + 1, "a scrape opens no session of its own");

    // A page of a browser on the same machine, whose name somebody's DNS points here; other paths; other methods; a head too long.
    for host in ["rebound.example", "rebound.example:9464", "127.0.0.1.rebound.example", ""] {
        let (head, body) = exporter.get("/metrics", host);
        assert!(head.starts_with("HTTP/1.1 421 "), "{host:?}: {head}");
        assert!(!body.contains("r3e_"));
    }
    let two =
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n";
    assert!(exporter.ask(two).0.starts_with("HTTP/1.1 421 "));
    for path in ["/", "/metrics/", "/v1/metrics", "//metrics"] {
        assert!(exporter.get(path, "localhost").0.starts_with("HTTP/1.1 404 "), "{path}");
    }
    let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert!(exporter.ask(post).0.starts_with("HTTP/1.1 405 "));
    let long = "x".repeat(64 * 1024);
    let mut stream = TcpStream::connect(&exporter.address).unwrap();
    // It may be closed while it is still written to.
    drop(
        stream.write_all(format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n").as_bytes()),
    );
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer}");
    is(&exporter.scrape().1, &outcome("f", "ok"), 1);

    // The channel breaks, and the next scrape has another; while there is no appliance, it says so.
    drop(hers);
    appliance.stop().await;
    let (head, body) = exporter.scrape();
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(!body.contains(&secret) && !body.contains('/'), "{body}");
    appliance.start_parent();
    appliance.start_enclave();
    appliance.ready().await;
    let (head, body) = exporter.scrape();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    is(&body, &outcome("f", "ok"), 0);

    // The operator's, beside it.
    appliance.operator_key().write_new(&home.operator_key_file()).unwrap();
    let operators = Exporter::start(&home, &["--operator"], &[]);
    let (_, body) = operators.scrape();
    is(&body, "r3e_tenants", 1);
    no_name(&body, &[&alice]);
}
