//! Secrets from end to end: who is given what, who is refused, what is written down of it, and what nobody learns.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::signature::Ed25519KeyPair;
use http::Method;
use r3e_client::{ApiKey, ClientError, SetSecret, TenantChannel};
use r3e_e2e::command::{Home, argument};
use r3e_e2e::main_job::Town;
use r3e_e2e::raw::{Http, RawSession};
use r3e_e2e::tenant::{granted, grantee, javascript, output, secret};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::functions::Function;
use r3e_proto::api::identity::{Scope, SignIn, SignInRole, sign_in_message};
use r3e_proto::api::secrets::{Action, Actor, AuditEntry, Outcome, VersionState};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

/// Tells each secret it is asked for, or the code of the refusal.
const TELL: &str = "export default async (names) => {
    const told = {};
    for (const name of names) {
        try { told[name] = await r3e.secrets.get(name); } catch (error) { told[name] = { refused: error.code }; }
    }
    return told;
};";

/// Keeps the first value it is given in a variable, and asks for no other.
const KEEP: &str = "let kept = null;
export default async (ask) => {
    if (ask) kept = await r3e.secrets.get('TOKEN');
    return kept;
};";

/// One process serves its events, so that what it was given stays in its memory.
async fn deploy(tenant: &Tenant, name: &str, source: &str, secrets: &[&str]) -> Function {
    let mut deploy = granted(javascript(source), secrets, &[]);
    deploy.instance.reuse = true;
    tenant.channel().await.deploy(name, &deploy).await.unwrap()
}

async fn tell(channel: &mut TenantChannel, function: &str, names: &[&str]) -> Value {
    output(&channel.invoke(function, json!(names).to_string()).await.unwrap())
}

async fn log(channel: &mut TenantChannel, secret: &str) -> Vec<AuditEntry> {
    channel.secret_audit(Some(secret), 0).await.unwrap().entries
}

async fn with_scopes(tenant: &Tenant, scopes: &[Scope]) -> TenantChannel {
    let minted = tenant.signed_in().await.create_key("backend", scopes).await.unwrap();
    let key = ApiKey::parse(Zeroizing::new(minted.secret)).unwrap();
    tenant.connect().await.with_api_key(&key).await.unwrap()
}

fn refused_with<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> String {
    outcome.unwrap_err().code().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_sets_rotates_restores_and_reads_its_log_with_the_tool() {
    let mut town = Town::new().await;
    let (alice, id) = town.admit("alice");
    let source = alice.path("tell.js");
    std::fs::write(&source, TELL).unwrap();
    let with = |arguments: &[&str], value: &str| {
        let arguments = [&["secrets"], arguments, &["--json"]].concat();
        alice.r3e_with_input(&arguments, value.as_bytes())
    };
    let told = || {
        let done = alice.r3e(&["functions", "invoke", "tell", "--input", r#"["TOKEN"]"#]).ok();
        serde_json::from_str::<Value>(&done.out).unwrap()["TOKEN"].clone()
    };

    // Two commands, and it runs.
    let first = with(&["set", "TOKEN", "--for", "tell"], "one").ok().json();
    assert_eq!((&first["version"], &first["grants"][0]["function"]), (&json!(1), &json!("tell")));
    alice.r3e(&["functions", "deploy", argument(&source), "--name", "tell", "--secret", "TOKEN"]).ok();
    assert_eq!(told(), "one");

    assert_eq!(with(&["rotate", "TOKEN", "--keep-previous-for", "7d"], "two").ok().json()["version"], 2);
    assert_eq!(told(), "two");
    with(&["rotate", "ABSENT"], "x").fails_with("not_found");
    with(&["set", "TOKEN", "--if-version", "1"], "lost update").fails_with("conflict");
    with(&["set", "TOKEN", "--if-version", "0"], "not new").fails_with("conflict");
    assert_eq!(told(), "two");

    town.appliance.restart().await;
    let versions = with(&["versions", "TOKEN"], "").ok().json();
    let states: Vec<_> = versions.as_array().unwrap().iter().map(|version| &version["state"]).collect();
    assert_eq!(states, [&json!("kept"), &json!("current")]);
    assert!(versions[0]["destroy_at_ms"].as_u64() > versions[0]["set_at_ms"].as_u64());
    let restored = with(&["rollback", "TOKEN", "1", "--if-version", "2"], "").ok().json();
    assert_eq!((&restored["version"], told()), (&json!(3), json!("one")));
    with(&["rollback", "TOKEN", "3"], "").fails_with("conflict");
    with(&["rollback", "TOKEN", "9"], "").fails_with("not_found");
    // What leaked is gone with the commit that replaces it.
    with(&["rotate", "TOKEN", "--keep-previous-for", "0"], "three").ok();
    with(&["rollback", "TOKEN", "1"], "").fails_with("conflict");
    assert_eq!(told(), "three");

    with(&["revoke", "TOKEN", "tell"], "").ok();
    assert_eq!(told(), json!({ "refused": "denied" }));
    let version = alice.r3e(&["functions", "show", "tell", "--json"]).ok().json()["version"].clone();
    let pinned = format!("tell@{}", version.as_str().unwrap());
    with(&["grant", "TOKEN", &pinned], "").ok();
    assert_eq!(told(), "three");
    assert_eq!(with(&["show", "TOKEN"], "").ok().json()["grants"][0]["version"], version);
    with(&["delete", "TOKEN"], "").ok();
    assert_eq!(told(), Value::Null);
    assert_eq!(with(&["list"], "").ok().json(), json!([]));

    let audit = with(&["audit", "TOKEN"], "").ok().json();
    let said: Vec<String> = audit["entries"].as_array().unwrap().iter().map(in_words).collect();
    let expected = [
        "set 1 done",
        "read 1 done",
        "set 2 done",
        "read 2 done",
        "read 2 done",
        "rollback 3 done",
        "read 3 done",
        "set 4 done",
        "read 4 done",
        "revoke - done",
        "read 4 not_granted",
        "grant - done",
        "read 4 done",
        "delete 4 done",
        "read - absent",
    ];
    assert_eq!(said, expected);
    assert_eq!((&audit["dropped"], &audit["entries"][9]["functions"]), (&json!(0), &json!(["tell"])));
    assert_eq!(audit["entries"][1]["by"]["version"], version);
    let human = alice.r3e(&["secrets", "audit"]).ok().out;
    assert!(human.contains("REFUSED, not granted") && !human.contains("three"), "{human}");
    // The log is the tenant's: the same tenant at another desk sees the same.
    let desk = Home::new(&town.appliance, "desk");
    let key = alice.path(".config/r3e/tenant.pem");
    let there = desk.r3e(&["secrets", "audit", "TOKEN", "--json", "--key-file", argument(&key)]).ok().json();
    assert_eq!(there, audit, "{id}");
}

fn in_words(entry: &Value) -> String {
    let version = entry["version"].as_u64().map_or_else(|| "-".to_owned(), |version| version.to_string());
    format!("{} {version} {}", entry["action"].as_str().unwrap(), entry["outcome"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_read_is_logged_once_with_the_invocation_that_made_it() {
    const READS: usize = 60;
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let deployed = deploy(&alice, "tell", TELL, &["TOKEN"]).await;
    alice.set_secret_for("TOKEN", "one", "tell").await;
    let mut invoking = JoinSet::new();
    for _ in 0..6 {
        let mut channel = alice.channel().await;
        invoking.spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..READS / 6 {
                let invocation = channel.invoke("tell", r#"["TOKEN","TOKEN"]"#).await.unwrap();
                assert_eq!(output(&invocation), json!({ "TOKEN": "one" }));
                assert_eq!(hex::encode(invocation.receipt().invocation), invocation.id());
                ids.push(invocation.id().to_owned());
            }
            ids
        });
    }
    let invoked: BTreeSet<String> = invoking.join_all().await.into_iter().flatten().collect();
    assert_eq!(invoked.len(), READS);
    // Without warning: what was logged was durable before it was acted on.
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let entries = log(&mut alice.channel().await, "TOKEN").await;
    let reads: Vec<&AuditEntry> = entries.iter().filter(|entry| entry.action == Action::Read).collect();
    assert_eq!(reads.len(), READS, "each invocation once, though it asked twice");
    let mut logged = BTreeSet::new();
    for read in reads {
        assert_eq!((read.outcome, read.version), (Outcome::Done, Some(1)));
        let Actor::Function { name, version, invocation } = &read.by else { panic!("{read:?}") };
        assert_eq!((name.as_str(), version), ("tell", &deployed.version));
        logged.insert(invocation.clone());
    }
    assert_eq!(logged, invoked);
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=entries.len() as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_kept_in_a_variable_ends_with_the_right_to_it() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    deploy(&alice, "keep", KEEP, &["TOKEN"]).await;
    let mut channel = alice.channel().await;
    let mut signed_in = alice.signed_in().await;
    let mut kept = async |ask: bool| output(&channel.invoke("keep", ask.to_string()).await.unwrap());

    alice.set_secret_for("TOKEN", "one", "keep").await;
    assert_eq!(kept(true).await, "one");
    assert_eq!(kept(false).await, "one", "it has it in a variable");
    signed_in.tenant().set_secret("TOKEN", secret("two")).await.unwrap();
    assert_eq!(kept(false).await, Value::Null, "a new version ends who has the old one");
    assert_eq!(kept(true).await, "two");
    signed_in.revoke_secret("TOKEN", &grantee("keep")).await.unwrap();
    assert_eq!(kept(false).await, Value::Null, "a revocation does");
    signed_in.grant_secret("TOKEN", &grantee("keep")).await.unwrap();
    assert_eq!(kept(true).await, "two");
    signed_in.tenant().delete_secret("TOKEN").await.unwrap();
    assert_eq!(kept(false).await, Value::Null, "a deletion does");

    let entries = log(signed_in.tenant(), "TOKEN").await;
    let held: Vec<_> = entries.iter().filter(|entry| entry.action == Action::Held).collect();
    assert_eq!(held.len(), 1, "the one invocation that had it without asking");
    assert_eq!((held[0].version, held[0].outcome), (Some(1), Outcome::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_refused_shown_and_deleted() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    deploy(&alice, "tell", TELL, &["SHORT", "LONG"]).await;
    let lives = |ms| SetSecret { expires_in_ms: Some(ms), ..SetSecret::default() };
    let for_it = [grantee("tell")];
    let mut signed_in = alice.signed_in().await;
    signed_in.set_secret_for("LONG", secret("long"), &lives(3_600_000), &for_it).await.unwrap();
    let short = signed_in.set_secret_for("SHORT", secret("short"), &lives(1_500), &for_it).await.unwrap();
    let (set, ends) = (short.updated_at_ms, short.expires_at_ms.unwrap());
    assert_eq!(ends - set, 1_500, "by the appliance's clock");
    let mut channel = alice.channel().await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let expired = json!({ "SHORT": { "refused": "expired" }, "LONG": "long" });
    loop {
        let told = tell(&mut channel, "tell", &["SHORT", "LONG"]).await;
        let now = channel.channel().status().await.unwrap().time_ms;
        if told == expired {
            assert!(now >= ends, "refused before its time");
            break;
        }
        assert_eq!(told, json!({ "SHORT": "short", "LONG": "long" }));
        assert!(Instant::now() < deadline, "it does not expire");
        sleep(Duration::from_millis(100)).await;
    }
    let listed = channel.secrets().await.unwrap();
    assert_eq!([listed[0].expired, listed[1].expired], [false, true]);
    assert_eq!(channel.secret("SHORT").await.unwrap().versions[0].state, VersionState::Expired);

    // Values whose time is over go in the background, and at the latest when an appliance boots.
    appliance.restart().await;
    let mut channel = alice.channel().await;
    let deadline = Instant::now() + Duration::from_mins(1);
    while !log(&mut channel, "SHORT").await.iter().any(|entry| entry.action == Action::Destroy) {
        assert!(Instant::now() < deadline, "its value stays");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(tell(&mut channel, "tell", &["SHORT", "LONG"]).await, expired);
    assert_eq!(
        channel.rollback_secret("SHORT", 1, None).await.map_err(|e| e.code().to_owned()),
        Err("conflict".into())
    );
    channel.set_secret("SHORT", secret("anew")).await.unwrap();
    assert_eq!(tell(&mut channel, "tell", &["SHORT"]).await, json!({ "SHORT": "anew" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_deploy_reads_no_secret_that_was_not_granted() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let good = deploy(&alice, "good", TELL, &["TOKEN"]).await;
    let mut signed_in = alice.signed_in().await;
    let pinned = grantee(&format!("good@{}", good.version));
    let for_it = [pinned.clone()];
    signed_in.set_secret_for("TOKEN", secret("prized"), &SetSecret::default(), &for_it).await.unwrap();
    assert_eq!(tell(signed_in.tenant(), "good", &["TOKEN"]).await, json!({ "TOKEN": "prized" }));

    // All that an API key can have.
    let mut thief = with_scopes(&alice, &[Scope::Deploy, Scope::Invoke, Scope::Secrets]).await;
    let steal = format!("{TELL}\n// the thief's");
    let denied = json!({ "TOKEN": { "refused": "denied" } });
    thief.deploy("bad", &granted(javascript(&steal), &["TOKEN"], &[])).await.unwrap();
    assert_eq!(tell(&mut thief, "bad", &["TOKEN"]).await, denied, "under a name of its own");
    thief.deploy("same", &granted(javascript(TELL), &["TOKEN"], &[])).await.unwrap();
    assert_eq!(tell(&mut thief, "same", &["TOKEN"]).await, denied, "the same code under another name");
    thief.deploy("good", &granted(javascript(&steal), &["TOKEN"], &[])).await.unwrap();
    assert_eq!(tell(&mut thief, "good", &["TOKEN"]).await, denied, "in the place of the function it is for");
    thief.deploy("bad", &javascript(&steal)).await.unwrap();
    assert_eq!(tell(&mut thief, "bad", &["TOKEN", "OTHER"]).await["TOKEN"], json!({ "refused": "denied" }));
    // It may replace the value, and learns nothing of the one before.
    thief.set_secret("TOKEN", secret("its own")).await.unwrap();
    thief.rollback_secret("TOKEN", 1, None).await.unwrap();
    assert_eq!(tell(&mut thief, "good", &["TOKEN"]).await, denied);

    let entries = log(signed_in.tenant(), "TOKEN").await;
    let by = |name: &str| {
        let is_by =
            |entry: &&AuditEntry| matches!(&entry.by, Actor::Function { name: other, .. } if other == name);
        entries.iter().filter(is_by).map(|entry| entry.outcome).collect::<Vec<_>>()
    };
    assert_eq!(by("bad"), [Outcome::NotGranted, Outcome::Undeclared]);
    assert_eq!(by("same"), [Outcome::NotGranted]);
    assert_eq!(by("good"), [Outcome::Done, Outcome::NotGranted, Outcome::NotGranted]);
    assert!(entries.iter().any(|entry| matches!(entry.by, Actor::ApiKey { .. })), "who replaced it is known");

    // A grant of the name alone is one for whoever may deploy under it: that is what it says, and the pin is why it exists.
    signed_in.grant_secret("TOKEN", &grantee("good")).await.unwrap();
    assert_eq!(tell(&mut thief, "good", &["TOKEN"]).await, json!({ "TOKEN": "prized" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_api_key_decides_who_reads_a_secret() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    alice.set_secret_for("TOKEN", "one", "f").await;
    for scopes in [&[Scope::Invoke][..], &[Scope::Deploy], &[Scope::Invoke, Scope::Deploy]] {
        let mut channel = with_scopes(&alice, scopes).await;
        assert_eq!(refused_with(channel.secrets().await), "forbidden");
        assert_eq!(refused_with(channel.secret("TOKEN").await), "forbidden");
        assert_eq!(refused_with(channel.secret_audit(None, 0).await), "forbidden");
        assert_eq!(refused_with(channel.set_secret("NEW", secret("x")).await), "forbidden");
        assert_eq!(refused_with(channel.rollback_secret("TOKEN", 1, None).await), "forbidden");
        assert_eq!(refused_with(channel.delete_secret("TOKEN").await), "forbidden");
    }
    // The scope `secrets` sets and lists, and grants nothing, by any of the ways.
    let minted = alice.signed_in().await.create_key("backend", &[Scope::Secrets]).await.unwrap();
    let bearer = format!("Bearer {}", minted.secret);
    let headers = [("authorization", bearer.as_str())];
    let mut http = Http::attested(&appliance.address()).await.unwrap();
    let asked = [
        (Method::PUT, "/v1/secrets/TOKEN/grants/f", 401),
        (Method::DELETE, "/v1/secrets/TOKEN/grants/f", 401),
        (Method::PUT, "/v1/secrets/TOKEN?for=g", 403),
        (Method::PUT, "/v1/secrets/NEW?for=g", 403),
        (Method::GET, "/v1/secrets", 200),
        (Method::PUT, "/v1/secrets/NEW", 200),
        (Method::PUT, "/v1/secrets/NEW?grants=g", 400),
        (Method::PUT, "/v1/secrets/NEW?if_version=one", 400),
    ];
    for (method, path, status) in asked {
        let answer = http.send(method.clone(), path, &headers, "value").await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {:?}", answer.body);
    }
    let mut channel = alice.channel().await;
    assert_eq!(channel.secret("NEW").await.unwrap().secret.grants, []);
    assert_eq!(channel.secret("TOKEN").await.unwrap().secret.grants.len(), 1);
    // A session that is the tenant's takes no API key's word for it either, and no name that is none.
    let mut signed_in = alice.signed_in().await;
    assert_eq!(refused_with(signed_in.grant_secret("ABSENT", &grantee("f")).await), "not_found");
    assert_eq!(refused_with(signed_in.revoke_secret("TOKEN", &grantee("g")).await), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_operator_nor_another_tenant_learns_a_name() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    alice.set_secret_for("PAYROLL_BANK_TOKEN", "one", "pay").await;
    deploy(&alice, "pay", TELL, &["PAYROLL_BANK_TOKEN"]).await;
    tell(&mut alice.channel().await, "pay", &["PAYROLL_BANK_TOKEN"]).await;

    let routes = [
        (Method::GET, "/v1/secrets"),
        (Method::GET, "/v1/secrets/PAYROLL_BANK_TOKEN"),
        (Method::PUT, "/v1/secrets/PAYROLL_BANK_TOKEN"),
        (Method::POST, "/v1/secrets/PAYROLL_BANK_TOKEN/rollback"),
        (Method::PUT, "/v1/secrets/PAYROLL_BANK_TOKEN/grants/f"),
        (Method::DELETE, "/v1/secrets/PAYROLL_BANK_TOKEN/grants/f"),
        (Method::DELETE, "/v1/secrets/PAYROLL_BANK_TOKEN"),
        (Method::GET, "/v1/secret-audit"),
    ];
    // The operator, signed in on a session of its own; and nobody at all.
    let mut operator = operator_session(&appliance).await;
    let mut nobody = Http::attested(&appliance.address()).await.unwrap();
    let tenants = operator.get("/v1/tenants").await.unwrap();
    assert_eq!(tenants.status, 200, "it is the operator");
    assert!(!String::from_utf8_lossy(&tenants.body).contains("PAYROLL"));
    for (method, path) in routes {
        let body = r#"{"to":1}"#;
        let answer = operator.send(method.clone(), path, &[], body).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{method} {path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("PAYROLL"));
        assert_eq!(nobody.send(method, path, &[], body).await.unwrap().status, 401);
    }

    // Another tenant: of it there is nothing, and nothing says that there is something elsewhere.
    let mut other = bob.signed_in().await;
    assert_eq!(other.tenant().secrets().await.unwrap(), []);
    assert_eq!(other.tenant().secret_audit(None, 0).await.unwrap().entries, []);
    for name in ["PAYROLL_BANK_TOKEN", "NEVER_SET"] {
        assert_eq!(refused_with(other.tenant().secret(name).await), "not_found", "{name}");
        assert_eq!(refused_with(other.tenant().rollback_secret(name, 1, None).await), "not_found");
        assert_eq!(refused_with(other.tenant().delete_secret(name).await), "not_found");
        assert_eq!(refused_with(other.grant_secret(name, &grantee("f")).await), "not_found");
        assert_eq!(refused_with(other.revoke_secret(name, &grantee("f")).await), "not_found");
    }
    deploy(&bob, "pay", TELL, &["PAYROLL_BANK_TOKEN", "NEVER_SET"]).await;
    let told = tell(other.tenant(), "pay", &["PAYROLL_BANK_TOKEN", "NEVER_SET"]).await;
    assert_eq!(told, json!({ "PAYROLL_BANK_TOKEN": null, "NEVER_SET": null }));
    assert_eq!(
        log(&mut alice.channel().await, "PAYROLL_BANK_TOKEN").await.len(),
        2,
        "a stranger's reads are not here"
    );
}

/// A session on which the operator is signed in, with no client that would keep it from asking.
async fn operator_session(appliance: &Appliance) -> Http {
    let file = appliance.folder().join("operator-copy.pem");
    appliance.operator_key().write_new(&file).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_file(&file).unwrap();
    let key = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public_key = appliance.operator_key().public_key();
    let session = RawSession::open(&appliance.address(), &[3; 32]).await.unwrap();
    let message = sign_in_message(SignInRole::Operator, &session.binding, &public_key);
    let signature = hex::encode(key.sign(&message));
    let request = SignIn { role: SignInRole::Operator, public_key, signature };
    let mut http = session.into_http().await;
    let body = serde_json::to_vec(&request).unwrap();
    assert_eq!(http.send(Method::POST, "/v1/sign-in", &[], body).await.unwrap().status, 200);
    http
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_keeps_no_name_value_or_log_in_the_clear() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let clear =
        ["PAYROLL_BANK_TOKEN", "the-value-itself-7f3a", "pay-the-salaries", "not_granted", "secret-audit"];
    let [name, value, function, ..] = clear;
    deploy(&alice, function, TELL, &[name]).await;
    alice.set_secret_for(name, value, function).await;
    let mut channel = alice.channel().await;
    assert_eq!(tell(&mut channel, function, &[name]).await[name], value);
    let mut signed_in = alice.signed_in().await;
    signed_in.revoke_secret(name, &grantee(function)).await.unwrap();
    tell(&mut channel, function, &[name]).await;
    assert_eq!(log(&mut channel, name).await.last().unwrap().outcome, Outcome::NotGranted);
    appliance.stop().await;

    let mut kept = Vec::new();
    files(&appliance.folder().join("data"), &mut kept);
    let bytes: usize = kept.iter().map(Vec::len).sum();
    assert!(bytes > 10_000, "{bytes} bytes: the parent keeps its records elsewhere");
    let holds =
        |text: &str| kept.iter().any(|file| file.windows(text.len()).any(|found| found == text.as_bytes()));
    for text in clear {
        assert!(!holds(text), "the parent can read {text:?}");
    }
    // What the enclave prints goes through the parent as well.
    for text in [value, name] {
        assert!(!appliance.enclave_place().logged(text), "the enclave prints {text:?}");
    }
}

/// The content of every file below a folder.
fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(std::fs::read(entry.path()).unwrap());
        }
    }
}
