//! `POST /upgrade`: takes the order, and tells each step as a line of JSON while it is done. Whoever leaves before the successor
//! took over has cancelled it.

use std::io;

use r3e_transport::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Admin, finish, in_time};
use crate::limits::MAX_ORDER_BYTES;
use crate::upgrade::{Line, Order, UpgradeError};

/// Reads the order behind the request's `head`, of which `rest` has come already, and sees it through.
pub(super) async fn answer(mut stream: Stream, head: &[u8], rest: Vec<u8>, admin: &Admin) -> io::Result<()> {
    let refused = |why: &str| format!("{why}\n");
    let order = match in_time(read_order(&mut stream, head, rest)).await {
        Ok(order) => order,
        Err(error) => {
            let words = refused(&format!("no order to upgrade: {error}"));
            return in_time(finish(&mut stream, "409 Conflict", "text/plain", &words)).await;
        }
    };
    let mut ordered = match admin.watched.upgrades.order(order) {
        Ok(ordered) => ordered,
        Err(error @ (UpgradeError::Busy | UpgradeError::Stopping)) => {
            let words = refused(&error.to_string());
            return in_time(finish(&mut stream, "409 Conflict", "text/plain", &words)).await;
        }
        Err(error) => return Err(io::Error::other(error)),
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n";
    in_time(stream.write_all(head.as_bytes())).await?;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut byte = [0];
    loop {
        let line = tokio::select! {
            line = ordered.lines.recv() => line,
            // Nothing more is to be said: this is the end of whoever ordered it.
            _ = reader.read(&mut byte) => return Ok(()),
        };
        let Some(line) = line else { break };
        in_time(writer.write_all(&encoded(&line)?)).await?;
    }
    writer.shutdown().await
}

fn encoded(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
    text.push(b'\n');
    Ok(text)
}

async fn read_order(stream: &mut Stream, head: &[u8], mut body: Vec<u8>) -> io::Result<Order> {
    let wrong = |why: &'static str| io::Error::new(io::ErrorKind::InvalidData, why);
    let head = String::from_utf8_lossy(head);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let length = length.and_then(Result::ok).ok_or_else(|| wrong("a Content-Length is needed"))?;
    if length > MAX_ORDER_BYTES {
        return Err(wrong("it is too large"));
    }
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    body.truncate(length);
    serde_json::from_slice(&body).map_err(io::Error::other)
}
