//! Hostile functions in the image: those that attack the pool of runners in `r3e-hostile` attack here as a tenant deploys them, over the
//! attested channel, under the image's own kernel. Another tenant is served beside each attack and after it.
//!
//! Software emulation makes a machine some twenty times slower, so one script in [`EVERY`] is tried; `R3E_TEST_CORPUS=all` tries each,
//! and `R3E_TEST_CORPUS=NAME` those of a name's beginning. When the next tenant is served is measured elsewhere, by a real clock.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::env;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_client::{ClientError, TenantChannel};
use r3e_e2e::tenant::{granted, javascript, output};
use r3e_e2e::{Appliance, Tenant};
use r3e_functions::runner_pool::Engine;
use r3e_hostile::{Bound, Ending, Script, corpus};
use r3e_proto::api::functions::{Deploy, Limits, Outcome, Runtime};
use r3e_qemu::{Image, MachinePlace, options};
use serde_json::json;

/// A prime, so that each kind of attack is met, whose names begin alike.
const EVERY: usize = 13;

const CANARY: &str = "export default async (n) => [n, await r3e.secrets.get('n')];";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn another_tenant_is_served_beside_each_attack_and_after_it() {
    let image = Image::under_test();
    let appliance = Appliance::start_at(options(), |folder| MachinePlace::new(folder, &image)).await;
    let (mallory, alice) =
        (Tenant::admitted(&appliance, "mallory").await, Tenant::admitted(&appliance, "alice").await);
    let mut canary = alice.channel().await;
    canary.deploy("canary", &ample(granted(javascript(CANARY), &["n"], &[]))).await.unwrap();
    alice.set_secret_for("n", "s3cret", "canary").await;

    let scripts = chosen();
    assert!(!scripts.is_empty(), "R3E_TEST_CORPUS names no script");
    let mut wrong = Vec::new();
    for script in &scripts {
        // An attack may take longer than a channel waits, which ends the channel.
        let mut channel = mallory.channel().await;
        let (ended, ()) = tokio::join!(attack(&mut channel, script), serve(&mut canary, script));
        serve(&mut canary, script).await;
        let expected = script.ends.iter().any(|end| end.code == ended.code || may_be_refused(end, &ended))
            || is_otherwise_here(script, &ended);
        println!("{:<32} {}", script.name, ended.said);
        if !expected {
            wrong.push(format!("{}: {}", script.name, ended.said));
        }
        // Refused deployments are not there to be deleted.
        drop(channel.delete_function("attack").await);
    }
    assert!(wrong.is_empty(), "{} of {} ended otherwise:\n{}", wrong.len(), scripts.len(), wrong.join("\n"));
}

/// The scripts that this image can run, and that the environment asks for.
fn chosen() -> Vec<Script> {
    let mut scripts = corpus::read().unwrap();
    scripts.retain(|script| !matches!(script.engine, Engine::Python | Engine::CSharp));
    match env::var("R3E_TEST_CORPUS").as_deref() {
        Ok("all") => {}
        Ok(name) => scripts.retain(|script| script.name.starts_with(name)),
        Err(_) => scripts = scripts.into_iter().step_by(EVERY).collect(),
    }
    scripts
}

/// How an attack ended.
struct Ended {
    /// The API's code, or `output`.
    code: String,
    said: String,
}

async fn attack(channel: &mut TenantChannel, script: &Script) -> Ended {
    let ended = |code: &str, said: String| Ended { code: code.to_owned(), said };
    match channel.deploy("attack", &deployment(script)).await {
        Ok(_) => {}
        // It attacks when it is loaded, which a deployment does.
        Err(ClientError::Api { code, message, .. }) => {
            return ended(&code, format!("refused, {code}: {message:.60}"));
        }
        Err(error) => return ended("", format!("deploying: {error}")),
    }
    match channel.invoke("attack", "{}").await {
        Ok(invocation) => match invocation.outcome() {
            Outcome::Output(text) => ended("output", format!("output {text:.60}")),
            Outcome::Error(error) => ended(&error.code, format!("{}: {:.60}", error.code, error.message)),
        },
        Err(error) => ended("", format!("invoking: {error}")),
    }
}

/// What does not load is not deployed.
fn may_be_refused(end: &Ending, ended: &Ended) -> bool {
    ended.code == "invalid_function" && !["output", "function_error"].contains(&end.code.as_str())
}

/// In `r3e-hostile` a host grants what is asked for, and here nobody did; or it never answers, and here it does; and what ends by itself
/// there may be out of processor time here.
fn is_otherwise_here(script: &Script, ended: &Ended) -> bool {
    let asks = ["r3e.", "fetch("].iter().any(|call| script.source.contains(call));
    let is_answered = script.bound == Bound::Wall && ended.code == "output";
    (asks && (ended.code == "function_error" || is_answered))
        || (script.bound == Bound::None && ended.code == "cpu_limit")
}

/// The other tenant's function gives what it gives.
async fn serve(canary: &mut TenantChannel, script: &Script) {
    let served = canary.invoke("canary", "7").await;
    let served = served.unwrap_or_else(|error| panic!("{}: the next tenant: {error}", script.name));
    assert_eq!(output(&served), json!([7, "s3cret"]), "{}", script.name);
}

fn deployment(script: &Script) -> Deploy {
    let deploy = match script.engine {
        Engine::Wasm => {
            let module = wat::parse_file(corpus::folder().join(format!("{}.wat", script.name))).unwrap();
            Deploy { runtime: Runtime::Wasm, ..javascript(&STANDARD.encode(module)) }
        }
        _ => javascript(&script.source),
    };
    let mut deploy = ample(deploy);
    match script.bound {
        Bound::Cpu => deploy.limits.cpu_ms = 1_000,
        Bound::Wall => deploy.limits.timeout_ms = 5_000,
        Bound::None => {}
    }
    deploy
}

/// Limits that nothing well behaved reaches in an emulated machine; memory, output and calls as in `r3e-hostile`, since scripts run into
/// those.
fn ample(mut deploy: Deploy) -> Deploy {
    deploy.limits = Limits {
        timeout_ms: 60_000,
        cpu_ms: 30_000,
        memory_mib: 32,
        output_bytes: 100_000,
        host_calls: 100,
        ..Limits::default()
    };
    deploy
}
