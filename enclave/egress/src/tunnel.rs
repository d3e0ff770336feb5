//! Asks the parent for a connection. What comes back is a stream of bytes that the parent may read and change.

use r3e_proto::host::{
    EGRESS_PORT,
    egress::{Connect, MAX_MESSAGE_BYTES, Reply},
};
use r3e_transport::{
    EnclaveTransport, Stream,
    frame::{read_frame, write_frame},
};

use crate::error::{FetchError, TunnelError};

/// A stream to `host` and `port`, as the parent claims.
///
/// # Errors
/// [`FetchError::Refused`] in the parent's words, [`FetchError::Parent`] if it cannot be asked.
pub async fn open(transport: &EnclaveTransport, host: &str, port: u16) -> Result<Stream, FetchError> {
    let (stream, reply) = ask(transport, host, port).await.map_err(FetchError::Parent)?;
    match reply {
        Reply::Connected => Ok(stream),
        Reply::Refused { code, message } => Err(FetchError::Refused { code, message }),
    }
}

async fn ask(transport: &EnclaveTransport, host: &str, port: u16) -> Result<(Stream, Reply), TunnelError> {
    let mut stream = transport.dial_parent(EGRESS_PORT).await?;
    let connect = Connect { host: host.to_owned(), port };
    write_frame(&mut stream, &connect.encode(), MAX_MESSAGE_BYTES).await?;
    let reply = Reply::decode(&read_frame(&mut stream, MAX_MESSAGE_BYTES).await?)?;
    Ok((stream, reply))
}
