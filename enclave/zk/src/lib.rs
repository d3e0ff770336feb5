//! Zero-knowledge proofs for tenants.
//!
//! Whatever is proved or verified is a job for a process of its own, which ends with it (`r3e-prover`): the arithmetic over what a tenant sent runs where
//! there are no keys, no other tenant's data, no network and no files, gives way to what is due, and ends by SIGKILL where it takes too long or
//! nobody waits for it any more. This crate gives jobs their turns, fairly by tenant, and reads the answers.
//!
//! It knows nothing of how a proof is made, of HTTP, of functions' permissions, and of billing.

#![forbid(unsafe_code)]

mod error;
pub mod limits;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use r3e_functions::runner_pool::{
    Code, Engine, FunctionKey, HostCall, HostCalls, HostError, HostErrorCode, HostFuture, RunnerConfig,
    RunnerPool,
};
use r3e_functions::{ProofError, ProofFuture, ProofSource};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::zk::{
    Blinding, HiddenNumber, ProveRanges, ProvedRanges, RangeClaim, RangeProof, Verdict, VerifyProof,
};
use r3e_proto::proving::{Answer, Backend, Job};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub use error::ZkError;
use limits::{
    MAX_CONTEXT_BYTES, MAX_FAMILIES, MAX_GROTH16_PROOF_BYTES, MAX_JOB_BYTES, MAX_JOBS_OF_ONE, MAX_NUMBERS,
    MAX_OWNER_BYTES, MAX_PROOF_BYTES, MAX_PROVERS, MAX_SIGNAL_BYTES, MAX_SIGNALS, MAX_TOTAL_MS,
    MAX_VERIFICATION_KEY_BYTES, MAX_WAIT_MS, MAX_WAITING, MAX_WAITING_OF_ONE, MAX_WAITING_WITH_KEYS,
    MEMORY_MIB, PROOF, SPARES,
};

/// The program, beside that which runs functions.
const PROVER: &str = "r3e-prover";

/// Makes and verifies proofs.
#[derive(Debug)]
pub struct Zk {
    /// None where there is no program.
    pool: Option<RunnerPool>,
    /// Places for all jobs, whoever's they are and however far.
    places: Semaphore,
    /// Of those, places for jobs with keys of circuits, which are long.
    places_for_circuits: Semaphore,
}

impl Zk {
    /// With processes of the program that stands beside `runner`; where none does, whatever is asked for is refused with that reason.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ZkError::Start`].
    pub fn open_beside(runner: &Path) -> Result<Self, ZkError> {
        let program = runner.with_file_name(PROVER);
        let pool = program
            .is_file()
            .then(|| RunnerPool::new(config(program)))
            .transpose()
            .map_err(ZkError::Start)?;
        Ok(Self {
            pool,
            places: Semaphore::new(MAX_WAITING),
            places_for_circuits: Semaphore::new(MAX_WAITING_WITH_KEYS),
        })
    }

    /// Proves that numbers are in their ranges, as the tenant's.
    ///
    /// # Errors
    /// [`ZkError`].
    pub async fn prove_ranges(&self, tenant: TenantId, asked: ProveRanges) -> Result<ProvedRanges, ZkError> {
        check(asked.numbers.len(), &asked.context).map_err(ZkError::Refused)?;
        let job = Job::ProveRanges { owner: tenant.to_string(), asked };
        let answer = self.ask(tenant, &event(&job, MAX_JOB_BYTES)?).await?;
        let Job::ProveRanges { owner, asked } = &job else { return Err(ZkError::Answer) };
        match answer {
            Answer::ProvedRanges { made } if is_of(&made, owner, asked) => Ok(made),
            Answer::Refused { reason } => Err(ZkError::Refused(reason)),
            _ => Err(ZkError::Answer),
        }
    }

    /// Whether a proof proves what it comes with. Whose it is matters not.
    ///
    /// # Errors
    /// [`ZkError`]; not where it does not hold.
    pub async fn verify_ranges(&self, tenant: TenantId, proof: RangeProof) -> Result<Verdict, ZkError> {
        let does_not = |reason: String| Verdict { holds: false, reason: Some(reason) };
        if let Err(reason) = check(proof.claims.len(), &proof.context).and_then(|()| check_lengths(&proof)) {
            return Ok(does_not(reason));
        }
        match self.ask(tenant, &event(&Job::VerifyRanges { proof }, MAX_JOB_BYTES)?).await? {
            Answer::Holds {} => Ok(Verdict { holds: true, reason: None }),
            Answer::DoesNotHold { reason } => Ok(does_not(reason)),
            Answer::Refused { .. } | Answer::ProvedRanges { .. } => Err(ZkError::Answer),
        }
    }

    /// Whether a Groth16 proof proves its signals by its key. Whose it is, and what the key is worth, matters not.
    ///
    /// # Errors
    /// [`ZkError`]; [`ZkError::Refused`] where the key is none; not where the proof does not hold.
    pub async fn verify_proof(&self, tenant: TenantId, asked: VerifyProof) -> Result<Verdict, ZkError> {
        check_proof(&asked).map_err(ZkError::Refused)?;
        let _place = self.places_for_circuits.try_acquire().map_err(|_| ZkError::Busy)?;
        let VerifyProof { key, signals, proof } = asked;
        let room = 2 * (key.get().len() + proof.get().len()) + signals.len() * (MAX_SIGNAL_BYTES + 4) + 256;
        let job = Job::VerifyProof { key: text(key), signals, proof: text(proof) };
        let event = event(&job, room)?;
        // It may wait for its turn, and need not be held twice.
        drop(job);
        match self.ask(tenant, &event).await? {
            Answer::Holds {} => Ok(Verdict { holds: true, reason: None }),
            Answer::DoesNotHold { reason } => Ok(Verdict { holds: false, reason: Some(reason) }),
            Answer::Refused { reason } => Err(ZkError::Refused(reason)),
            Answer::ProvedRanges { .. } => Err(ZkError::Answer),
        }
    }

    async fn ask(&self, tenant: TenantId, event: &[u8]) -> Result<Answer, ZkError> {
        let pool = self.pool.as_ref().ok_or(ZkError::NoProver)?;
        let _place = self.places.try_acquire().map_err(|_| ZkError::Busy)?;
        let event = std::str::from_utf8(event).map_err(|_| ZkError::Answer)?;
        let backend = Backend::Proofs;
        let tenant: Arc<str> = tenant.to_string().into();
        let lease = pool.lease(&tenant);
        // A process of its own for each tenant, too: turns are by tenant, and what is loaded is kept for it.
        let key = FunctionKey { tenant, version: backend.name().into() };
        let code = Code { engine: Engine::Prover, source: backend.name().into() };
        let done = pool.invoke_under(&lease, &key, code, event, &PROOF, &Nothing);
        let done = timeout(Duration::from_millis(MAX_TOTAL_MS), done).await.map_err(|_| ZkError::TimedOut)?;
        let answer = Zeroizing::new(done.outcome?);
        serde_json::from_str(&answer).map_err(|_| ZkError::Answer)
    }
}

impl ProofSource for Zk {
    fn prove_ranges(&self, tenant: TenantId, asked: ProveRanges) -> ProofFuture<'_, ProvedRanges> {
        Box::pin(async move { self.prove_ranges(tenant, asked).await.map_err(ProofError::from) })
    }

    fn verify_ranges(&self, tenant: TenantId, proof: RangeProof) -> ProofFuture<'_, Verdict> {
        Box::pin(async move { self.verify_ranges(tenant, proof).await.map_err(ProofError::from) })
    }

    fn verify_proof(&self, tenant: TenantId, asked: VerifyProof) -> ProofFuture<'_, Verdict> {
        Box::pin(async move { self.verify_proof(tenant, asked).await.map_err(ProofError::from) })
    }
}

/// What is so long that no prover need be asked.
fn check(numbers: usize, context: &str) -> Result<(), String> {
    if !(1..=MAX_NUMBERS).contains(&numbers) {
        return Err(format!("{numbers} numbers; a proof is of 1 to {MAX_NUMBERS}"));
    }
    if context.len() > MAX_CONTEXT_BYTES {
        let bytes = context.len();
        return Err(format!("a context of {bytes} bytes; at most {MAX_CONTEXT_BYTES} are allowed"));
    }
    Ok(())
}

/// The same of what only a proof has.
fn check_lengths(proof: &RangeProof) -> Result<(), String> {
    let (owner, bytes) = (proof.owner.len(), proof.proof.0.len());
    if owner > MAX_OWNER_BYTES {
        return Err(format!("an owner's name of {owner} bytes; at most {MAX_OWNER_BYTES} are allowed"));
    }
    if bytes > MAX_PROOF_BYTES {
        return Err(format!("a proof of {bytes} bytes; at most {MAX_PROOF_BYTES} are allowed"));
    }
    Ok(())
}

/// What is so long that no prover need be asked.
fn check_proof(asked: &VerifyProof) -> Result<(), String> {
    let at_most = |what: &str, bytes: usize, max: usize| {
        if bytes > max { Err(format!("{what} of {bytes} bytes; at most {max} are allowed")) } else { Ok(()) }
    };
    at_most("a verification key", asked.key.get().len(), MAX_VERIFICATION_KEY_BYTES)?;
    at_most("a proof", asked.proof.get().len(), MAX_GROTH16_PROOF_BYTES)?;
    let signals = asked.signals.len();
    if signals > MAX_SIGNALS {
        return Err(format!("{signals} public signals; at most {MAX_SIGNALS} are allowed"));
    }
    for signal in &asked.signals {
        at_most("a public signal", signal.len(), MAX_SIGNAL_BYTES)?;
        // What is no digit could be escaped to six times its length.
        if !signal.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("a public signal is decimal text, digits alone".to_owned());
        }
    }
    Ok(())
}

fn text(json: Box<RawValue>) -> String {
    String::from(Box::<str>::from(json))
}

/// A job as a prover reads it. With room for all of it at once: a text that grows leaves copies behind, and some jobs are secret.
fn event(job: &Job, room: usize) -> Result<Zeroizing<Vec<u8>>, ZkError> {
    let mut event = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *event, job).map_err(|_| ZkError::Answer)?;
    Ok(event)
}

/// Whether what a prover made is what it was asked for, as far as that is seen without its arithmetic: it need not be what we started.
fn is_of(made: &ProvedRanges, owner: &str, asked: &ProveRanges) -> bool {
    let bounds =
        |(claim, number): (&RangeClaim, &HiddenNumber)| claim.min == number.min && claim.max == number.max;
    let kept = |(made, number): (&Blinding, &HiddenNumber)| {
        number.blinding.as_ref().is_none_or(|given| given == made)
    };
    let RangeProof { owner: of, context, claims, .. } = &made.proof;
    of == owner
        && *context == asked.context
        && claims.len() == asked.numbers.len()
        && made.blindings.len() == asked.numbers.len()
        && claims.iter().zip(&asked.numbers).all(bounds)
        && made.blindings.iter().zip(&asked.numbers).all(kept)
}

fn config(program: PathBuf) -> RunnerConfig {
    RunnerConfig {
        engine: Engine::Prover,
        max_processes: MAX_PROVERS + SPARES,
        spares: SPARES,
        max_families: MAX_FAMILIES,
        max_per_function: MAX_JOBS_OF_ONE,
        max_per_tenant: MAX_JOBS_OF_ONE,
        memory_mib: MEMORY_MIB,
        max_memory_mib_per_tenant: MEMORY_MIB,
        max_waiting: MAX_WAITING,
        max_waiting_per_tenant: MAX_WAITING_OF_ONE,
        max_wait_ms: MAX_WAIT_MS,
        ..RunnerConfig::new(program)
    }
}

/// A prover calls nobody: one that does was taken over.
struct Nothing;

impl HostCalls for Nothing {
    fn call(&self, _call: HostCall) -> HostFuture<'_> {
        Box::pin(async {
            Err(HostError { code: HostErrorCode::Denied, message: "a prover reaches nothing".to_owned() })
        })
    }
}
