//! The hosts that functions here reach: what each answers, by the request's path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::world::{Authority, World, connected};

/// Each has a certificate of its own; any other name is answered with the first one's.
const HOSTS: [&str; 3] = ["api.example.com", "geocoding-api.open-meteo.com", "api.open-meteo.com"];

pub(crate) const RATES: &str =
    r#"{"data":{"rate":1.0830,"name":"caf\u00e9","ok":true,"none":null,"list":[{"x":-2e3}]}}"#;
/// In the shape of open-meteo.com/en/docs/geocoding-api.
pub(crate) const PLACES: &str = r#"{"results":[{"id":5128581,"name":"New York","latitude":40.71427,"longitude":-74.00597,
    "elevation":10.0,"country_code":"US","country":"United States","admin1":"New York"}],"generationtime_ms":0.5}"#;
/// In the shape of open-meteo.com/en/docs.
pub(crate) const WEATHER: &str = r#"{"latitude":40.710335,"longitude":-73.99309,"generationtime_ms":0.05,"utc_offset_seconds":0,
    "timezone":"GMT","elevation":32.0,"current_units":{"time":"iso8601","interval":"seconds","temperature_2m":"\u00b0C",
    "relative_humidity_2m":"%","precipitation":"mm","weather_code":"wmo code","wind_speed_10m":"km/h","wind_direction_10m":"\u00b0"},
    "current":{"time":"2026-01-15T00:00","interval":900,"temperature_2m":-3.4,"relative_humidity_2m":57,"precipitation":0.10,
    "weather_code":71,"wind_speed_10m":11.9,"wind_direction_10m":312}}"#;

fn text(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nx-kind: test\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The head of the request that arrives; values may be any bytes.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

fn answered(bytes: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(bytes);
    let path = head.split(' ').nth(1).unwrap_or_default();
    match path.split('?').next().unwrap_or_default() {
        "/rates" => text("200 OK", RATES),
        "/list" => text("200 OK", "[[7]]"),
        "/html" => text("200 OK", "<html><body>1.0830</body></html>"),
        "/twice" => text("200 OK", r#"{"rate":1,"rate":2}"#),
        "/deep" => text("200 OK", "[".repeat(40)),
        "/long" => {
            text("200 OK", format!(r#"{{"rate":"{}","most":"{}"}}"#, "1".repeat(257), "1".repeat(256)))
        }
        "/fails" => text("500 Internal Server Error", RATES),
        "/part" => text("206 Partial Content", RATES),
        "/moved" => b"HTTP/1.1 302 Found\r\nlocation: /rates\r\ncontent-length: 0\r\n\r\n".to_vec(),
        "/bytes" => text("200 OK", b"\x00\xff"),
        "/empty" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        "/most" => text("200 OK", " ".repeat(256 * 1024)),
        "/more" => text("200 OK", " ".repeat(256 * 1024 + 1)),
        "/echo" => text("200 OK", bytes),
        "/v1/search" if path.ends_with("name=Nowhere") => text("200 OK", r#"{"generationtime_ms":0.5}"#),
        "/v1/search" if path.ends_with("name=Odd") => {
            text("200 OK", PLACES.replace("40.71427", "\"1&current=x\""))
        }
        "/v1/search" if path.ends_with("name=South") => text("200 OK", PLACES.replace("40.71427", "-90")),
        "/v1/search" => text("200 OK", PLACES),
        "/v1/forecast" if path.contains("latitude=-90&") => text("200 OK", WEATHER.replace("km/h", "mp/h")),
        "/v1/forecast" => text("200 OK", WEATHER),
        _ => text("200 OK", "hello"),
    }
}

/// The way out, which counts its connections, and the digest of the first host's certificate.
pub(crate) async fn internet(connections: Arc<AtomicU32>) -> (r3e_egress::Egress, [u8; 32]) {
    let authority = Authority::new("test");
    let identities = HOSTS.map(|host| authority.identity(host));
    let certificate = Sha256::digest(&identities[0].certificate).into();
    let acceptors = identities.map(|identity| identity.acceptor(&[&rustls::version::TLS13]));
    let world = World::new(&[&authority], move |stream| {
        connections.fetch_add(1, Ordering::SeqCst);
        let acceptors = acceptors.clone();
        Box::pin(async move {
            let (stream, wish) = connected(stream).await;
            let at = HOSTS.iter().position(|host| *host == wish.host).unwrap_or_default();
            if let Ok(mut tls) = acceptors[at].accept(stream).await {
                let head = read_head(&mut tls).await;
                let _ = tls.write_all(&answered(&head)).await;
                let _ = tls.shutdown().await;
            }
        })
    })
    .await;
    let World { egress, folder, .. } = world;
    // The parent's socket lies in it for as long as this process runs.
    let _kept = folder.keep();
    (egress, certificate)
}
