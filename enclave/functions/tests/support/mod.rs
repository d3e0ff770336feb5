//! What the tests of the runner pool share: where the program is, keys, limits, and hosts that answer.
#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use r3e_functions::runner_pool::{
    FunctionKey, HostCall, HostCalls, HostError, HostErrorCode, HostFuture, HostValue, InvocationError,
    Limits, RunnerConfig, RunnerPool, SecretText,
};

/// `r3e-runner`, which `cargo build -p r3e-runner` puts two directories above a test program.
pub(crate) fn runner_path() -> PathBuf {
    let path = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("r3e-runner");
    assert!(path.exists(), "build it first: cargo build -p r3e-runner");
    path
}

pub(crate) fn config() -> RunnerConfig {
    RunnerConfig { spares: 1, max_processes: 6, ..RunnerConfig::new(runner_path()) }
}

pub(crate) fn pool() -> RunnerPool {
    RunnerPool::new(config()).unwrap()
}

pub(crate) fn key(tenant: &str, version: &str) -> FunctionKey {
    FunctionKey { tenant: tenant.into(), version: version.into() }
}

/// Limits that nothing well behaved reaches, however slow the machine.
pub(crate) const AMPLE: Limits = Limits {
    wall_ms: 60_000,
    cpu_ms: 30_000,
    memory_mib: 64,
    output_bytes: 100_000,
    host_calls: 100,
    log_bytes: 10_000,
    reuse: false,
};

/// For functions that keep what their module holds from one event to the next.
pub(crate) const REUSED: Limits = Limits { reuse: true, ..AMPLE };

/// A host with a secret and a store that is a mirror. The key `hang` is never answered.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) calls: AtomicU32,
}

impl HostCalls for Host {
    fn call(&self, call: HostCall) -> HostFuture<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match call {
                HostCall::SecretGet { .. } => {
                    Ok(HostValue::SecretGet { value: Some(SecretText::new("s3cret".to_owned().into())) })
                }
                HostCall::StoreGet { key } if key == "hang" => std::future::pending().await,
                HostCall::StoreGet { key } => Ok(HostValue::StoreGet { value: Some(format!("{key:?}")) }),
                HostCall::StoreSet { .. } => Ok(HostValue::StoreSet {}),
                HostCall::SecretSet { .. } => Ok(HostValue::SecretSet {}),
                HostCall::TriggerCreate { .. } => {
                    Ok(HostValue::TriggerCreate { name: "t".to_owned(), created: true })
                }
                HostCall::TriggerDelete { .. } => Ok(HostValue::TriggerDelete { deleted: false }),
                HostCall::OraclePrice { .. }
                | HostCall::OracleRandom { .. }
                | HostCall::ZkProveRanges { .. }
                | HostCall::ZkVerifyRanges { .. }
                | HostCall::ZkVerifyProof { .. }
                | HostCall::OracleData { .. }
                | HostCall::OracleWeather { .. }
                | HostCall::ChainRead { .. }
                | HostCall::ChainSend(_)
                | HostCall::ChainSent { .. } => {
                    let message = "nothing here".to_owned();
                    Err(HostError { code: HostErrorCode::NotFound, message })
                }
                HostCall::Publish { .. } => Ok(HostValue::Publish { queued: 0, failed: 0 }),
                HostCall::Fetch { url, method, headers, body_base64 } => {
                    let mut echoed = headers;
                    echoed.push(("x-method".to_owned(), method));
                    echoed.push(("x-url".to_owned(), url));
                    Ok(HostValue::Fetch {
                        status: 201,
                        headers: echoed,
                        body_base64: body_base64.unwrap_or_default(),
                    })
                }
                HostCall::Attestation { .. } => {
                    Err(HostError { code: HostErrorCode::Denied, message: "not granted".to_owned() })
                }
            }
        })
    }
}

/// The outcome in one word: its class, with the fault's kind where there is one.
pub(crate) fn class(outcome: &Result<String, InvocationError>) -> String {
    let kind = |fault: &r3e_functions::runner_pool::Fault| {
        serde_json::to_value(fault.kind).unwrap().as_str().unwrap().to_owned()
    };
    match outcome {
        Ok(output) => format!("ok {output}"),
        Err(error @ (InvocationError::Function(fault) | InvocationError::Load(fault))) => {
            format!("{} {}", error.code(), kind(fault))
        }
        Err(InvocationError::Crashed { signal }) => format!("crashed {signal}"),
        Err(error) => error.code().to_owned(),
    }
}

/// Runs one event of a function that nothing else uses.
pub(crate) async fn once(pool: &RunnerPool, source: &str) -> Result<String, InvocationError> {
    let key = key("tenant", source);
    pool.invoke(&key, source, "{}", &AMPLE, &Host::default()).await.outcome
}

/// Waits until the condition holds; a test that waits in vain fails.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..600 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to pass that {what}");
}

/// Runners below this process, by number: those in any state, zombies too. The one that this process started comes first, its
/// copies after it.
pub(crate) fn runners() -> Vec<(u32, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
        if status.starts_with("Name:\tr3e-runner\n") {
            all.push((pid, status));
        }
    }
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut parents = vec![std::process::id()];
    while let Some(parent) = parents.pop() {
        let line = format!("\nPPid:\t{parent}\n");
        for (pid, status) in all.iter().filter(|(_, status)| status.contains(&line)) {
            parents.push(*pid);
            found.push((*pid, status.clone()));
        }
    }
    found.sort_by_key(|(_, status)| generation(status));
    found
}

/// How many namespaces of processes it is in: one for the first, two for copies.
pub(crate) fn generation(status: &str) -> usize {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    line.split_whitespace().count()
}
