//! The seam over vsock, as far as a machine without an enclave can show it.

use std::time::{Duration, Instant};

use r3e_transport::limits::DIAL_TIMEOUT_MS;
use r3e_transport::{EnclaveTransport, Endpoint, ParentTransport, TransportError};

#[tokio::test]
async fn a_dial_that_nothing_answers_ends_in_an_error_and_in_time() {
    // The highest CID that a guest can have, so that no guest of a test machine is hit by chance.
    let endpoint = Endpoint::Vsock { cid: u32::MAX - 1 };
    let started = Instant::now();
    for dialled in [
        ParentTransport::new(endpoint.clone()).dial_enclave(5000).await,
        EnclaveTransport::new(endpoint).dial_parent(5002).await,
    ] {
        assert!(
            matches!(dialled, Err(TransportError::Dial { .. } | TransportError::DialTimedOut { .. })),
            "{dialled:?}"
        );
    }
    assert!(started.elapsed() < Duration::from_millis(3 * DIAL_TIMEOUT_MS));
}

#[tokio::test]
async fn a_vsock_port_has_one_listener() {
    let transport = EnclaveTransport::new(Endpoint::nitro_parent());
    // A port that this process alone uses. Whoever reaches the machine reaches it, and nobody is there to do so.
    let port = 0x5233_0000 | (std::process::id() & 0xFFFF);
    let listener = transport.listen(port).await.expect("this machine's kernel has vsock");
    assert!(matches!(transport.listen(port).await, Err(TransportError::InUse { .. })));
    drop(listener);
    transport.listen(port).await.expect("the port is free again");
    // A parent listens for two enclaves on one port, and once for each.
    let first = ParentTransport::new(Endpoint::Vsock { cid: 16 });
    let second = first.beside(Endpoint::Vsock { cid: 17 });
    let listeners = (first.listen(port).await.expect("free"), second.listen(port).await.expect("shared"));
    assert!(matches!(first.listen(port).await, Err(TransportError::InUse { .. })));
    assert!(matches!(transport.listen(port).await, Err(TransportError::InUse { .. })));
    drop(listeners);
    transport.listen(port).await.expect("the port is free again");
}
