//! The engine: jobs in, answers out, each JSON text.

use std::convert::Infallible;

use r3e_groth16::{Proof, VerificationKey, verify};
use r3e_proto::proving::{Answer, Backend, Job};
use r3e_range_proof::{prove_asked, verify_document, warm_up};
use r3e_runner_api::{Fault, FaultKind, FunctionLimits, HostReply};
use r3e_sandbox::{Progress, Sender};

/// Makes and verifies proofs of what it has loaded.
#[derive(Debug, Default)]
pub(crate) struct Prover {
    backend: Option<Backend>,
    job: Option<Job>,
}

impl r3e_sandbox::Engine for Prover {
    type Error = Infallible;
    type Loading = ();

    fn start(_sender: Sender) -> Result<Self, Infallible> {
        // Once, for all copies of this process.
        warm_up();
        Ok(Self::default())
    }

    /// All randomness is the kernel's, drawn where it is used: none was drawn ahead.
    fn reseed(&mut self) {}

    fn limit(&mut self, _heap_bytes: u64, _limits: FunctionLimits) {}

    fn begin_load(&mut self, source: String) -> Result<(), Fault> {
        self.backend = Some(Backend::named(&source).ok_or_else(|| fault("no backend of this name"))?);
        Ok(())
    }

    fn progress_load(&mut self, _loading: &mut ()) -> Progress<()> {
        Progress::Settled(Ok(()))
    }

    fn begin(&mut self, event: String) -> Result<(), Fault> {
        let job: Job = serde_json::from_str(&event).map_err(|_| fault("a job of no known form"))?;
        self.job = Some(job);
        Ok(())
    }

    fn progress(&mut self) -> Progress<String> {
        let answer = match (self.backend, self.job.take()) {
            (Some(Backend::Proofs), Some(job)) => answer(&job),
            (None, _) | (_, None) => return Progress::Settled(Err(fault("no job to do"))),
        };
        Progress::Settled(serde_json::to_string(&answer).map_err(|_| fault("an answer that is no JSON")))
    }

    /// It calls nobody.
    fn deliver(&mut self, _call_id: u32, _reply: HostReply) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

fn answer(job: &Job) -> Answer {
    match job {
        Job::ProveRanges { owner, asked } => match prove_asked(owner, asked) {
            Ok(made) => Answer::ProvedRanges { made },
            Err(error) => Answer::Refused { reason: error.to_string() },
        },
        Job::VerifyRanges { proof } => match verify_document(proof) {
            Ok(()) => Answer::Holds {},
            Err(error) => Answer::DoesNotHold { reason: error.to_string() },
        },
        Job::VerifyProof { key, signals, proof } => groth16(key, signals, proof),
    }
}

/// A key that is none is the mistake of whoever asks; a proof that is none does not hold.
fn groth16(key: &str, signals: &[String], proof: &str) -> Answer {
    let key = match VerificationKey::from_json(key.as_bytes()) {
        Ok(key) => key,
        Err(error) => return Answer::Refused { reason: error.to_string() },
    };
    match Proof::from_json(proof.as_bytes()).and_then(|proof| verify(&key, signals, &proof)) {
        Ok(()) => Answer::Holds {},
        Err(error) => Answer::DoesNotHold { reason: error.to_string() },
    }
}

fn fault(message: &str) -> Fault {
    Fault::new(FaultKind::Thrown, "ProverError", message, None)
}
