//! Evidence for many sessions from one device call.
//!
//! The device is slow and serial, so it must not bound handshakes: while one call runs, bindings gather; when it
//! returns, all that gathered become the leaves of the next document's Merkle tree.

use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_proto::channel::binding::Digest;
use r3e_proto::channel::evidence::Evidence;
use r3e_proto::channel::merkle::Tree;
use r3e_proto::channel::statement::Statement;
use r3e_proto::limits::MAX_BATCH_LEAVES;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::limits::MAX_WAITING_FOR_EVIDENCE;

/// Gives evidence for bindings. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EvidenceSource {
    waiting: mpsc::Sender<Waiting>,
}

/// Why there is no evidence now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum EvidenceUnavailable {
    /// Too many sessions wait already.
    #[error("too many sessions wait for evidence; try again in a second")]
    Busy,
    /// The device failed.
    #[error("the attestation device gives no evidence now ({0}); try again in a second")]
    Device(String),
}

struct Waiting {
    binding: Digest,
    answer: oneshot::Sender<Result<Evidence, EvidenceUnavailable>>,
}

impl EvidenceSource {
    /// Starts the task that makes the batches. It ends when the last handle is dropped.
    pub(crate) fn start(attester: Attester, clock: TrustedClock, configuration: Digest) -> Self {
        let (waiting, gathered) = mpsc::channel(MAX_WAITING_FOR_EVIDENCE);
        tokio::spawn(make_batches(gathered, attester, clock, configuration));
        Self { waiting }
    }

    /// Evidence whose document was made after this call.
    ///
    /// # Errors
    /// [`EvidenceUnavailable`]: there is none now.
    pub(crate) async fn evidence(&self, binding: Digest) -> Result<Evidence, EvidenceUnavailable> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(Waiting { binding, answer }).map_err(|_| EvidenceUnavailable::Busy)?;
        let stopped = || EvidenceUnavailable::Device("it stopped".to_owned());
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

async fn make_batches(
    mut gathered: mpsc::Receiver<Waiting>,
    attester: Attester,
    clock: TrustedClock,
    configuration: Digest,
) {
    let mut batch = Vec::new();
    while gathered.recv_many(&mut batch, MAX_BATCH_LEAVES).await > 0 {
        // Who gave up meanwhile needs no leaf.
        batch.retain(|waiting: &Waiting| !waiting.answer.is_closed());
        let bindings: Vec<Digest> = batch.iter().map(|waiting| waiting.binding).collect();
        let Ok(tree) = Tree::new(&bindings) else { continue };
        let statement = Statement::Sessions { root: tree.root(), size: tree.size() };
        let document = attest(&attester, &clock, &statement).await;
        for (index, waiting) in batch.drain(..).enumerate() {
            let evidence = document.clone().map(|document| Evidence {
                document,
                index: index as u64,
                size: tree.size(),
                path: tree.path(index).unwrap_or_default(),
                configuration,
                hpke_public_key: Vec::new(),
            });
            // A client that went away needs no answer.
            drop(waiting.answer.send(evidence));
        }
    }
}

async fn attest(
    attester: &Attester,
    clock: &TrustedClock,
    statement: &Statement,
) -> Result<Vec<u8>, EvidenceUnavailable> {
    let failed = |error: AttesterError| EvidenceUnavailable::Device(error.to_string());
    let document = attester.attest(Some(&statement.encode()), None, None).await.map_err(failed)?;
    clock.anchor(&document).map_err(failed)?;
    Ok(document.into_bytes())
}
