//! The two lines of the hybrid-vsock convention: `CONNECT port\n` and `OK n\n`.
//!
//! Neither is read past its newline: what follows on the same stream is the peers' own (a TLS handshake, say), and a
//! buffer would swallow its first bytes. As many bytes as the shortest line has are read at once, the rest one by one.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits::MAX_LINE_BYTES;

const SHORTEST_REQUEST: &str = "CONNECT 0\n";
const SHORTEST_ANSWER: &str = "OK 0\n";

/// Why the dialling side got no connection.
#[derive(Debug)]
pub(super) enum DialFailure {
    /// The socket failed.
    Io(io::Error),
    /// Closed in place of an answer: nothing listens on the port.
    Refused,
    /// An answer of another form.
    Answer,
}

impl From<io::Error> for DialFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The dialling side: asks for `port` and reads the answer.
pub(super) async fn request<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    port: u32,
) -> Result<(), DialFailure> {
    if let Err(error) = stream.write_all(format!("CONNECT {port}\n").as_bytes()).await {
        return Err(if ended(&error) { DialFailure::Refused } else { error.into() });
    }
    match read_line(stream, SHORTEST_ANSWER.len()).await {
        Ok(Some(line)) if number_after(&line, "OK ").is_some() => Ok(()),
        Ok(Some(_)) => Err(DialFailure::Answer),
        Ok(None) => Err(DialFailure::Refused),
        Err(error) if ended(&error) => Err(DialFailure::Refused),
        Err(error) => Err(error.into()),
    }
}

/// The listening side: the port that the line asks for, or none when it is no such line.
pub(super) async fn requested_port<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<u32>> {
    Ok(read_line(stream, SHORTEST_REQUEST.len()).await?.and_then(|line| number_after(&line, "CONNECT ")))
}

/// The listening side: grants the connection under `number`.
pub(super) async fn grant<S: AsyncWrite + Unpin>(stream: &mut S, number: u32) -> io::Result<()> {
    stream.write_all(format!("OK {number}\n").as_bytes()).await
}

/// The peer left: a listener that turns a connection down may close it before our line is read, or even sent.
fn ended(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// A line without its newline; none when the stream ends first. A line outside the limits comes back empty, which is no
/// valid line: cut, it might read as another one.
async fn read_line<S: AsyncRead + Unpin>(stream: &mut S, shortest: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = [0; MAX_LINE_BYTES];
    let mut have = 0;
    while have < MAX_LINE_BYTES {
        let wanted = shortest.clamp(have + 1, MAX_LINE_BYTES);
        let read = stream.read(&mut line[have..wanted]).await?;
        if read == 0 {
            return Ok(None);
        }
        have += read;
        if let Some(end) = line[..have].iter().position(|byte| *byte == b'\n') {
            // Only the last byte of a line is a newline; one before that has taken bytes that were not the line's.
            let whole = if end + 1 == have { &line[..end] } else { &[] };
            return Ok(Some(whole.to_vec()));
        }
    }
    Ok(Some(Vec::new()))
}

/// The decimal number after `prefix`: digits alone, as `u32::from_str` would also take a sign.
fn number_after(line: &[u8], prefix: &str) -> Option<u32> {
    let digits = std::str::from_utf8(line).ok()?.strip_prefix(prefix)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(bytes: &[u8]) -> Option<u32> {
        let mut input = bytes;
        requested_port(&mut input).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_one_form_is_a_request() {
        assert_eq!(asked(b"CONNECT 5000\n").await, Some(5000));
        assert_eq!(asked(b"CONNECT 4294967295\n").await, Some(u32::MAX));
        for line in [
            "",
            "\n",
            "CONNECT\n",
            "CONNECT \n",
            "CONNECT 5000",
            "CONNECT 5000\r\n",
            "CONNECT 4294967296\n",
            "CONNECT +5\n",
            "CONNECT -5\n",
            "CONNECT 5 \n",
            "CONNECT  5\n",
            "connect 5\n",
            "CONNECT 0x5\n",
            "CONNECT 00000000000005\n",
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT \u{666}\n",
        ] {
            assert_eq!(asked(line.as_bytes()).await, None, "{line:?}");
        }
        assert_eq!(asked(b"CONNECT \xff\n").await, None);
    }

    #[tokio::test]
    async fn nothing_after_the_line_is_taken() {
        let mut input: &[u8] = b"CONNECT 7\n\x16\x03\x01";
        assert_eq!(requested_port(&mut input).await.unwrap(), Some(7));
        assert_eq!(input, b"\x16\x03\x01");
    }

    #[tokio::test]
    async fn answers_are_told_apart() {
        for (answer, accepted) in
            [("OK 1\n", true), ("OK\n", false), ("NO 1\n", false), ("OK 123456789012345678901\n", false)]
        {
            let (mut near, mut far) = tokio::io::duplex(64);
            far.write_all(answer.as_bytes()).await.unwrap();
            let outcome = request(&mut near, 9).await;
            assert_eq!(outcome.is_ok(), accepted, "{answer:?}");
            assert!(accepted || matches!(outcome, Err(DialFailure::Answer)));
        }
        let (mut near, far) = tokio::io::duplex(64);
        drop(far);
        assert!(matches!(request(&mut near, 9).await, Err(DialFailure::Refused)));
    }
}
