//! The appliance: its pool of runners alone, and the whole of it through the attested channel.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use r3e_client::TenantChannel;
use r3e_e2e::programs::program;
use r3e_e2e::tenant::{code, javascript};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_functions::runner_pool::{
    FunctionKey, HostCall, HostCalls, HostError, HostErrorCode, HostFuture, Limits, RunnerConfig, RunnerPool,
};
use tokio::time::sleep;

use crate::load::{Client, load};
use crate::measured::{Held, Load, Times};
use crate::processes;
use crate::settings::{ANSWER, EVENT, FUNCTION, REST, Settings};

const LIMITS: Limits = Limits {
    wall_ms: 10_000,
    cpu_ms: 10_000,
    memory_mib: 64,
    output_bytes: 100_000,
    host_calls: 0,
    log_bytes: 10_000,
    reuse: false,
};

/// Memory that loaded functions may hold: more than a thousand of them do.
const MEMORY_MIB: u32 = 16_384;

/// The pool of runners in this process.
pub(crate) struct Pool(Arc<RunnerPool>);

impl Pool {
    pub(crate) fn start(settings: &Settings) -> anyhow::Result<Self> {
        let config = RunnerConfig::new(program("r3e-runner"));
        let max_processes = config.max_processes.max(settings.starts);
        let config = RunnerConfig { memory_mib: MEMORY_MIB, max_processes, ..config };
        Ok(Self(Arc::new(RunnerPool::new(config)?)))
    }

    /// Of as many functions, each for the first time.
    pub(crate) async fn first_answers(&self, count: usize) -> anyhow::Result<Times> {
        let mut times = Vec::new();
        for number in 0..count {
            // What the one before has left is cleared away beside it.
            sleep(REST / 10).await;
            let begun = Instant::now();
            self.client(number, LIMITS).ask().await?;
            times.push(begun.elapsed());
        }
        Times::of(times)
    }

    pub(crate) async fn load(&self, reuse: bool, clients: usize, span: Duration) -> anyhow::Result<Load> {
        let limits = Limits { reuse, ..LIMITS };
        let clients = (0..clients).map(|_| self.client(0, limits)).collect();
        load(clients, &[std::process::id()], span).await
    }

    /// What so many functions hold that were called once. This process, which is the client as well, is not counted.
    pub(crate) async fn idle(&self, functions: usize) -> anyhow::Result<Held> {
        for number in 0..functions {
            self.client(number, LIMITS).ask().await?;
        }
        sleep(REST).await;
        let loaded = self.0.loaded_functions();
        anyhow::ensure!(loaded == functions, "{loaded} of {functions} functions are still loaded");
        let own = processes::held_alone(std::process::id())?;
        let all = processes::held(&[std::process::id()])?;
        Ok(Held { kib: all.kib - own, processes: all.processes - 1 })
    }

    fn client(&self, number: usize, limits: Limits) -> PoolClient {
        let key = FunctionKey { tenant: "bench".into(), version: number.to_string().into() };
        PoolClient { pool: Arc::clone(&self.0), key, limits }
    }
}

struct PoolClient {
    pool: Arc<RunnerPool>,
    key: FunctionKey,
    limits: Limits,
}

impl Client for PoolClient {
    async fn ask(&mut self) -> anyhow::Result<()> {
        let done = self.pool.invoke(&self.key, FUNCTION, EVENT, &self.limits, &NoHost).await;
        anyhow::ensure!(done.outcome? == ANSWER, "the function answered something else");
        Ok(())
    }
}

/// The function asks nothing of the appliance.
struct NoHost;

impl HostCalls for NoHost {
    fn call(&self, _: HostCall) -> HostFuture<'_> {
        let refused =
            HostError { code: HostErrorCode::Denied, message: "nothing is to be asked here".into() };
        Box::pin(std::future::ready(Err(refused)))
    }
}

/// A parent and an enclave, processes of their own, and a tenant with the function.
pub(crate) struct Ours {
    appliance: Appliance,
    tenant: Tenant,
}

impl Ours {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let appliance = Appliance::start(Options { max_runners: 16, ..Options::default() }).await;
        let tenant = Tenant::admitted(&appliance, "bench").await;
        let mut channel = tenant.channel().await;
        for (name, reuse) in [("fresh", false), ("reused", true)] {
            let mut deploy = javascript(FUNCTION);
            deploy.instance.reuse = reuse;
            deploy.limits.concurrency = 16;
            channel.deploy(name, &deploy).await?;
        }
        Ok(Self { appliance, tenant })
    }

    /// Load over attested sessions; every receipt is verified by its client. The enclave is the server, with its runners.
    pub(crate) async fn load(&self, reuse: bool, clients: usize, span: Duration) -> anyhow::Result<Load> {
        let function = if reuse { "reused" } else { "fresh" };
        let mut sessions = Vec::new();
        for _ in 0..clients {
            sessions.push(Session { channel: self.tenant.channel().await, function });
        }
        load(sessions, &[self.appliance.enclave_id()], span).await
    }
}

struct Session {
    channel: TenantChannel,
    function: &'static str,
}

impl Client for Session {
    async fn ask(&mut self) -> anyhow::Result<()> {
        let invocation = self.channel.invoke(self.function, EVENT).await.context("an invocation")?;
        anyhow::ensure!(code(&invocation) == "ok", "the function failed: {:?}", invocation.outcome());
        Ok(())
    }
}
