//! A pool in which one script after another attacks, beside a canary: a function of another tenant's that must be served
//! while the attack goes on and right after it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use r3e_functions::runner_pool::{
    Code, Engine, FunctionKey, Invocation, InvocationError, Layers, Limits, RunnerConfig, RunnerPool,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::sleep;

use crate::census::Census;
use crate::corpus::{Again, Bound, Script, Way};
use crate::ending::Ending;
use crate::host::Host;
use crate::limits::{AMPLE, LOADED_MIB, PATIENCE, POLL, POOL_MEMORY_MIB, REST, SHORT_CPU_MS, SHORT_WALL_MS};

const CANARY: &str = "export default async (n) => [n, await r3e.secrets.get('n')];";

/// More heap than there is memory in the pool.
const TOO_MUCH_MIB: u32 = 1 << 20;

/// Why there is no arena.
#[derive(Debug, Error)]
pub enum ArenaError {
    /// The runner is not where cargo puts it.
    #[error("there is no {0} beside this program: cargo build -p r3e-runner -p r3e-hostile --bins")]
    NoRunner(&'static str),
    /// The pool does not start.
    #[error("the pool does not start")]
    Pool(#[from] std::io::Error),
    /// The canary is not served even without an attack.
    #[error("the canary is not served before any attack: {0}")]
    Canary(String),
    /// The pool does not say how much room there is.
    #[error("a function larger than the pool gave {0}")]
    Room(String),
}

/// What one attack came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The script.
    pub name: String,
    /// How it ended.
    pub ended: String,
    /// What it took, in microseconds, with its load.
    pub wall_us: u64,
    /// Processor time of it.
    pub cpu_us: u64,
    /// How long after its limit it was ended; nothing if it did not end by one.
    pub late_us: Option<u64>,
    /// What the canary took when nothing attacked.
    pub control_us: u64,
    /// What it took at the attack's beginning.
    pub beside_us: u64,
    /// What it took right after the attack's end.
    pub after_us: u64,
    /// What was not as it must be.
    pub wrong: Vec<String>,
}

/// The pool, and how it looks at rest.
#[derive(Debug)]
pub struct Arena {
    /// Where a function's first event is handled by the process that loads it.
    pool: RunnerPool,
    /// Where it is handled by a copy of that.
    copies: RunnerPool,
    /// The heap of a function that takes all of the pool's memory.
    all_mib: u32,
    at_rest: Census,
}

fn key(tenant: &str, version: &str) -> FunctionKey {
    FunctionKey { tenant: tenant.into(), version: version.into() }
}

impl Arena {
    /// A pool of these runners, at rest. Nothing else may run in this process meanwhile: its descriptors and children are
    /// counted.
    ///
    /// # Errors
    /// [`ArenaError`].
    pub async fn open(runner: PathBuf) -> Result<Self, ArenaError> {
        let config = RunnerConfig {
            spares: 1,
            max_processes: 6,
            memory_mib: POOL_MEMORY_MIB,
            max_memory_mib_per_tenant: POOL_MEMORY_MIB,
            layers: Layers::beside(&runner),
            ..RunnerConfig::new(runner)
        };
        let copies = RunnerPool::new(RunnerConfig { spares: 0, ..config.clone() })?;
        let pool = RunnerPool::new(config)?;
        let all_mib = room(&pool).await?;
        let mut arena = Self { pool, copies, all_mib, at_rest: Census::take() };
        // What an attack's round does is done once, so that what is kept for good is there before anything is counted.
        let mut wrong = Vec::new();
        arena.whole_memory(&arena.pool, &mut wrong).await;
        arena.whole_memory(&arena.copies, &mut wrong).await;
        arena.canary(&mut wrong).await;
        arena.start_others().await;
        if !wrong.is_empty() {
            return Err(ArenaError::Canary(wrong.join("; ")));
        }
        arena.at_rest = rest().await;
        Ok(arena)
    }

    /// Starts the processes that runners of other languages are copies of, if there are any; what they are given is no function.
    async fn start_others(&self) {
        for engine in [Engine::Wasm, Engine::Python, Engine::CSharp] {
            let _refused = self.pool.check(&"mallory".into(), engine, "none", &AMPLE).await;
        }
    }

    /// Has a script attack, and looks at what is left.
    pub async fn run(&self, script: &Script) -> Row {
        let mut wrong = Vec::new();
        let control_us = self.canary(&mut wrong).await;
        let is_copied = script.way == Way::Copied;
        let pool = if is_copied { &self.copies } else { self.ready(&mut wrong).await };
        let limits = limits(script.bound);
        let (attack, beside_us) =
            tokio::join!(event(pool, "mallory", script, &limits), self.canary(&mut wrong));
        let ending = Ending::of(&attack.outcome);
        // At once, before anything else is looked at.
        let after_us = self.canary(&mut wrong).await;
        expect(script, "", &ending, &attack, &mut wrong);
        bounded_logs(&attack, &limits, &mut wrong);
        if script.again != Again::Not {
            self.again(script, &limits, &ending, &mut wrong).await;
        }
        // What meets a limit takes its time; the others can be had twice.
        if script.engine == Engine::JavaScript && script.bound == Bound::None && script.way == Way::Both {
            let done = event(&self.copies, "mallory", script, &limits).await;
            expect(script, "in a copy", &Ending::of(&done.outcome), &done, &mut wrong);
        }
        for tenant in ["mallory", "eve"] {
            self.pool.forget(&key(tenant, &script.name));
            self.copies.forget(&key(tenant, &script.name));
        }
        self.whole_memory(pool, &mut wrong).await;
        // Warm again, as it was at rest.
        self.canary(&mut wrong).await;
        self.nothing_left(&mut wrong).await;
        Row {
            name: script.name.clone(),
            ended: ending.to_string(),
            wall_us: attack.usage.wall_us,
            cpu_us: attack.usage.cpu_us,
            late_us: late(&attack, &limits),
            control_us,
            beside_us,
            after_us,
            wrong,
        }
    }

    /// The pool in which a process waits for a function.
    async fn ready(&self, wrong: &mut Vec<String>) -> &RunnerPool {
        let deadline = Instant::now() + PATIENCE;
        while self.pool.spare_processes() == 0 {
            if Instant::now() >= deadline {
                wrong.push("no process waits for a function".to_owned());
                break;
            }
            sleep(POLL).await;
        }
        &self.pool
    }

    /// An event of the canary's, and how long it took.
    async fn canary(&self, wrong: &mut Vec<String>) -> u64 {
        let begun = Instant::now();
        let done = self.pool.invoke(&key("alice", "canary"), CANARY, "7", &AMPLE, &Host).await;
        if done.outcome.as_deref().ok() != Some(r#"[7,"s3cret"]"#) {
            wrong.push(format!("the canary gave {}", Ending::of(&done.outcome)));
        }
        micros(begun.elapsed())
    }

    /// The next event of the same function, and one of the same source for another tenant.
    async fn again(&self, script: &Script, limits: &Limits, first: &Ending, wrong: &mut Vec<String>) {
        let mut seen = vec![first.clone()];
        for tenant in ["mallory", "eve"] {
            let done = event(&self.pool, tenant, script, limits).await;
            let ending = Ending::of(&done.outcome);
            match script.again {
                Again::Differ if seen.contains(&ending) => {
                    wrong.push(format!("{tenant}'s next event gave {ending} too"));
                }
                Again::Differ if ending.code == "output" => {}
                _ => expect(script, tenant, &ending, &done, wrong),
            }
            seen.push(ending);
        }
    }

    /// A function that needs all memory that there is can have it: none is charged to what is gone.
    async fn whole_memory(&self, pool: &RunnerPool, wrong: &mut Vec<String>) {
        let limits = Limits { memory_mib: self.all_mib, ..AMPLE };
        let needs_all = key("bob", "needs all");
        let done = pool.invoke(&needs_all, "export default () => 1;", "{}", &limits, &Host).await;
        if let Err(error) = done.outcome {
            wrong.push(format!("a function that needs all memory: {error}"));
        }
        pool.forget(&needs_all);
    }

    /// Waits until the kernel counts no more than at rest.
    async fn nothing_left(&self, wrong: &mut Vec<String>) {
        let deadline = Instant::now() + PATIENCE;
        while let Some(more) = Census::take().more_than(&self.at_rest) {
            if Instant::now() >= deadline {
                wrong.push(more);
                return;
            }
            sleep(POLL).await;
        }
    }
}

async fn event(pool: &RunnerPool, tenant: &str, script: &Script, limits: &Limits) -> Invocation {
    let code = Code { engine: script.engine, source: script.source.as_str().into() };
    pool.invoke(&key(tenant, &script.name), code, "{}", limits, &Host).await
}

/// The heap of the largest function that the pool has room for.
async fn room(pool: &RunnerPool) -> Result<u32, ArenaError> {
    let limits = Limits { memory_mib: TOO_MUCH_MIB, ..AMPLE };
    let refused = pool.invoke(&key("bob", "too large"), CANARY, "7", &limits, &Host).await.outcome;
    // The tenant's share is all of the budget, less what the spares hold: the appliance's own bound is asked for by
    // a function of just that size.
    let Err(InvocationError::NoRoom { needed_mib, max_mib }) = refused else {
        return Err(ArenaError::Room(Ending::of(&refused).to_string()));
    };
    let beside_heap = needed_mib - TOO_MUCH_MIB;
    let all = |max_mib: u32| max_mib.saturating_sub(beside_heap + LOADED_MIB);
    let limits = Limits { memory_mib: max_mib - beside_heap, ..AMPLE };
    match pool.invoke(&key("bob", "too large"), CANARY, "7", &limits, &Host).await.outcome {
        Err(InvocationError::NoRoom { max_mib, .. }) => Ok(all(max_mib)),
        Ok(_) | Err(InvocationError::Busy { .. }) => Ok(all(max_mib)),
        other => Err(ArenaError::Room(Ending::of(&other).to_string())),
    }
}

/// Waits until two counts are alike that are far enough apart.
async fn rest() -> Census {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = Census::take();
        sleep(REST).await;
        let now = Census::take();
        if now == before || Instant::now() >= deadline {
            return now;
        }
    }
}

fn limits(bound: Bound) -> Limits {
    match bound {
        Bound::Cpu => Limits { cpu_ms: SHORT_CPU_MS, ..AMPLE },
        Bound::Wall => Limits { wall_ms: SHORT_WALL_MS, ..AMPLE },
        Bound::None => AMPLE,
    }
}

fn expect(script: &Script, who: &str, ending: &Ending, done: &Invocation, wrong: &mut Vec<String>) {
    if !script.ends.iter().any(|expected| ending.is(expected)) {
        let wanted: Vec<String> = script.ends.iter().map(ToString::to_string).collect();
        let told = done.outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        wrong.push(format!("{who} {ending}; wanted {}; {told}", wanted.join(" or ")));
    }
}

fn bounded_logs(attack: &Invocation, limits: &Limits, wrong: &mut Vec<String>) {
    let bytes: usize = attack.logs.iter().map(|record| record.text.len()).sum();
    if bytes > usize::try_from(limits.log_bytes).unwrap_or(usize::MAX) {
        wrong.push(format!("{bytes} bytes of logs"));
    }
}

/// How long after its limit an event was ended by it.
fn late(attack: &Invocation, limits: &Limits) -> Option<u64> {
    match attack.outcome {
        Err(InvocationError::Timeout { .. }) => {
            Some(attack.usage.wall_us.saturating_sub(limits.wall_ms * 1000))
        }
        Err(InvocationError::CpuLimit { .. }) => {
            Some(attack.usage.cpu_us.saturating_sub(limits.cpu_ms * 1000))
        }
        _ => None,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
