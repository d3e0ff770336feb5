//! What the enclave says to its parent about its own life: whom it succeeds, that it serves, or why it does not.

use r3e_proto::host::LIFECYCLE_PORT;
use r3e_proto::host::lifecycle::{MAX_MESSAGE_BYTES, Reply, Request};
use r3e_proto::{WireError, limits::MAX_FAILURE_TEXT_BYTES};
use r3e_transport::frame::{FrameError, read_frame, write_frame};
use r3e_transport::{EnclaveTransport, Stream, TransportError};
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout};

use crate::limits::{LIFECYCLE_ANSWER_TIMEOUT, LIFECYCLE_RETRY, LIFECYCLE_TIMEOUT};

/// Why the parent was not told, or did not say.
#[derive(Debug, Error)]
pub(crate) enum LifecycleError {
    #[error("the port {LIFECYCLE_PORT} cannot be reached: {0}")]
    Dial(#[from] TransportError),
    #[error("the connection broke: {0}")]
    Frame(#[from] FrameError),
    #[error("the answer is none: {0}")]
    Wire(#[from] WireError),
    #[error("the answer is to another question")]
    OtherQuestion,
    #[error("no answer in {} s", LIFECYCLE_ANSWER_TIMEOUT.as_secs())]
    Timeout,
}

/// An appliance that the parent offers to be succeeded: what approves of that, and a way to its channel.
pub(crate) struct Offer {
    /// The signed release.
    pub(crate) manifest: Vec<u8>,
    /// From here on, every byte is the predecessor's.
    pub(crate) stream: Stream,
}

/// Asks whom to succeed, until there is an answer.
///
/// # Errors
/// There was none in [`LIFECYCLE_TIMEOUT`]: the boot must end, since the lost answer may have been an offer, and an enclave
/// that boots alone beside a running one would be a second appliance.
pub(crate) async fn predecessor(transport: &EnclaveTransport) -> Result<Option<Offer>, LifecycleError> {
    let (reply, stream) = insist(transport, &Request::Predecessor).await?;
    match reply {
        Reply::None => Ok(None),
        Reply::Offered { manifest } => Ok(Some(Offer { manifest, stream })),
        Reply::Noted | Reply::RestoreOrder(_) => Err(LifecycleError::OtherQuestion),
    }
}

/// Asks for an order to restore an older state; what is in it, its signatures vouch for.
///
/// # Errors
/// There was no answer.
pub(crate) async fn restore_order(transport: &EnclaveTransport) -> Result<Option<Vec<u8>>, LifecycleError> {
    match insist(transport, &Request::RestoreOrder).await? {
        (Reply::None, _) => Ok(None),
        (Reply::RestoreOrder(order), _) => Ok(Some(order)),
        _ => Err(LifecycleError::OtherQuestion),
    }
}

/// Says that this enclave serves. Nothing rests on it here: a parent that does not hear it leads no clients to it.
pub(crate) async fn serving(transport: &EnclaveTransport) {
    if let Err(error) = insist(transport, &Request::Serving).await {
        tracing::warn!(%error, "the parent does not know that this enclave serves");
    }
}

/// Says why this enclave does not succeed its predecessor: it has no other way to tell its operator.
pub(crate) async fn failed(transport: &EnclaveTransport, why: &str) {
    let end = why.floor_char_boundary(MAX_FAILURE_TEXT_BYTES);
    let why = why.get(..end).unwrap_or_default().to_owned();
    if let Err(error) = once(transport, &Request::Failed(why)).await {
        tracing::warn!(%error, "the parent does not know why this enclave ends");
    }
}

async fn insist(transport: &EnclaveTransport, request: &Request) -> Result<(Reply, Stream), LifecycleError> {
    let deadline = Instant::now() + LIFECYCLE_TIMEOUT;
    loop {
        match once(transport, request).await {
            Err(error) if Instant::now() + LIFECYCLE_RETRY < deadline => {
                tracing::debug!(%error, "asking the parent again");
            }
            answered => return answered,
        }
        sleep(LIFECYCLE_RETRY).await;
    }
}

async fn once(transport: &EnclaveTransport, request: &Request) -> Result<(Reply, Stream), LifecycleError> {
    let ask = async {
        let mut stream = transport.dial_parent(LIFECYCLE_PORT).await?;
        write_frame(&mut stream, &request.encode(), MAX_MESSAGE_BYTES).await?;
        // One frame and no more: what follows it is the predecessor's.
        let reply = Reply::decode(&read_frame(&mut stream, MAX_MESSAGE_BYTES).await?)?;
        let fits = match request {
            Request::Predecessor => matches!(reply, Reply::None | Reply::Offered { .. }),
            Request::RestoreOrder => matches!(reply, Reply::None | Reply::RestoreOrder(_)),
            Request::Serving | Request::Failed(_) => matches!(reply, Reply::Noted),
        };
        if fits { Ok((reply, stream)) } else { Err(LifecycleError::OtherQuestion) }
    };
    timeout(LIFECYCLE_ANSWER_TIMEOUT, ask).await.map_err(|_| LifecycleError::Timeout)?
}
