//! Every bound of the service, with its reason.

use r3e_functions::runner_pool::Limits;

/// Processes at once that do jobs: proofs take processors whole, and there are few. With what each may come to hold, 160 MiB, they leave room for what is
/// loaded.
pub(crate) const MAX_PROVERS: usize = 2;
/// What is loaded for tenants, who come back for it: a process each, made anew in a few milliseconds.
pub(crate) const MAX_FAMILIES: usize = 8;
/// Processes that wait with nothing loaded.
pub(crate) const SPARES: usize = 1;
/// Jobs of one tenant at once: the next one's turn is another's.
pub(crate) const MAX_JOBS_OF_ONE: usize = 1;
/// Jobs that wait or are done, of all tenants: each holds what it was asked with.
pub(crate) const MAX_WAITING: usize = 256;
/// Those of one tenant that wait.
pub(crate) const MAX_WAITING_OF_ONE: usize = 16;
/// How long one waits for each of what it needs.
pub(crate) const MAX_WAIT_MS: u64 = 10_000;
/// How long whoever asked waits in all.
pub(crate) const MAX_TOTAL_MS: u64 = 30_000;
/// A job as JSON: 16 numbers with their blindings, and a context of whose bytes JSON makes six each.
pub(crate) const MAX_JOB_BYTES: usize = 16 * 1024;
/// Of those that wait or are done, the ones with a key of a circuit: each holds up to 0.7 MiB.
pub(crate) const MAX_WAITING_WITH_KEYS: usize = 64;
/// The longest verification key that is verified by, in bytes of JSON: as snarkjs writes it, of 1,000 public signals over BLS12-381, of 1,400 over BN254.
pub const MAX_VERIFICATION_KEY_BYTES: usize = 256 * 1024;
/// The longest Groth16 proof, as the proofs' crate has it.
pub const MAX_GROTH16_PROOF_BYTES: usize = 8 * 1024;
/// Public signals of one proof.
pub const MAX_SIGNALS: usize = 1_024;
/// The longest text of a signal: no order has more digits.
pub const MAX_SIGNAL_BYTES: usize = 80;
/// Memory of all provers together, in MiB: each job's, what its process is beside it, and what is loaded. It is beside what functions may take.
pub(crate) const MEMORY_MIB: u32 = 512;

/// What one job may use. The largest, 16 numbers with two sides of 64 bits each, takes 0.3 s of an idle
/// processor and 5 MiB.
pub(crate) const PROOF: Limits = Limits {
    wall_ms: 20_000,
    cpu_ms: 5_000,
    memory_mib: 32,
    output_bytes: 64 * 1024,
    host_calls: 0,
    log_bytes: 0,
    reuse: false,
};

/// The longest context, as the proofs' crate has it.
pub const MAX_CONTEXT_BYTES: usize = 1_024;
/// Most numbers of one proof, as the proofs' crate has it.
pub const MAX_NUMBERS: usize = 16;
/// The longest name of an owner, as the proofs' crate has it.
pub const MAX_OWNER_BYTES: usize = 128;
/// The longest proof, as the proofs' crate has it.
pub const MAX_PROOF_BYTES: usize = 992;
