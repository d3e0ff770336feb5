//! The backend: one process, one thread, on a plain unix socket and on the one of a fake enclave. The first byte of a
//! connection says what it does.

use std::path::{Path, PathBuf};

use r3e_proto::host::CHANNEL_PORT;
use r3e_transport::{EnclaveTransport, Endpoint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixListener;

/// Sends back what it gets.
pub const ECHO: u8 = b'E';
/// Sends without end.
pub const DOWNLOAD: u8 = b'D';
/// Takes without end.
pub const UPLOAD: u8 = b'U';

const PIECE_BYTES: usize = 64 * 1024;

/// The plain socket in the folder of a run.
pub fn plain(folder: &Path) -> PathBuf {
    folder.join("plain.sock")
}

/// The fake enclave's socket in the folder of a run.
pub fn enclave(folder: &Path) -> Endpoint {
    Endpoint::Unix { path: folder.join("enclave.sock") }
}

/// Serves until it is killed.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let enclave = EnclaveTransport::new(enclave(folder));
        let mut channel = enclave.listen(CHANNEL_PORT).await?;
        let plain = UnixListener::bind(plain(folder))?;
        loop {
            tokio::select! {
                accepted = channel.accept() => drop(tokio::spawn(serve(accepted?))),
                accepted = plain.accept() => drop(tokio::spawn(serve(accepted?.0))),
            }
        }
    })
}

/// A client that leaves ends its connection.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    match stream.read_u8().await? {
        ECHO => loop {
            match stream.read(&mut piece).await? {
                0 => return Ok(()),
                read => stream.write_all(&piece[..read]).await?,
            }
        },
        DOWNLOAD => loop {
            stream.write_all(&piece).await?;
        },
        UPLOAD => while stream.read(&mut piece).await? > 0 {},
        _ => {}
    }
    Ok(())
}
