//! A small HTTP/1.1 server for Prometheus: `GET /metrics`, and nothing else. Knows nothing of what it serves.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use r3e_proto::api::observations::OPENMETRICS_TEXT;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{sleep, timeout};

use super::source::Source;
use crate::error::CliError;
use crate::limits::{
    ACCEPT_PAUSE, MAX_SCRAPE_HEAD_BYTES, MAX_SCRAPERS, SCRAPE_HEAD_TIMEOUT, SCRAPE_TIMEOUT, SCRAPER_LIFETIME,
};
use crate::output::{note, printable};

/// A socket that scrapers come to.
pub(super) struct Exporter {
    listener: TcpListener,
    is_public: bool,
}

/// What one scrape is answered with.
type Answer = Response<Full<Bytes>>;

impl Exporter {
    /// Opens the socket.
    ///
    /// # Errors
    /// [`CliError::Io`].
    pub(super) async fn bind(address: SocketAddr, is_public: bool) -> Result<Self, CliError> {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.map_err(|source| CliError::Io { what: format!("the address {address}"), source })?;
        Ok(Self { listener, is_public })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`CliError::Io`].
    pub(super) fn address(&self) -> Result<SocketAddr, CliError> {
        let address = self.listener.local_addr();
        address.map_err(|source| CliError::Io { what: "the socket for scrapers".to_owned(), source })
    }

    /// Answers scrapers until the command is ended.
    ///
    /// # Errors
    /// None: what goes wrong with one scraper is its own.
    pub(super) async fn serve(self, source: Source) -> Result<(), CliError> {
        let scrapes = Arc::new(Scrapes { source: Mutex::new(source), is_public: self.is_public });
        let places = Arc::new(Semaphore::new(MAX_SCRAPERS));
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors, for example: it passes, or the next scrape says so.
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // Over the bound a connection is closed at once.
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let scrapes = Arc::clone(&scrapes);
            tokio::spawn(async move {
                scrapes.connection(stream).await;
                drop(place);
            });
        }
    }
}

/// What scrapes share: one channel, and one question on it at a time.
struct Scrapes {
    source: Mutex<Source>,
    is_public: bool,
}

impl Scrapes {
    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| {
            let scrapes = Arc::clone(&self);
            async move { Ok::<_, Infallible>(scrapes.answer(&request).await) }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(SCRAPE_HEAD_TIMEOUT)
                .max_buf_size(MAX_SCRAPE_HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service)
        );
        // One that went away, or stays for ever, is no business of anybody's.
        if timeout(SCRAPER_LIFETIME, connection.as_mut()).await.is_err() {
            // What is being answered still is.
            connection.as_mut().graceful_shutdown();
            drop(timeout(SCRAPE_TIMEOUT, connection).await);
        }
    }

    async fn answer(self: Arc<Self>, request: &Request<Incoming>) -> Answer {
        if !self.is_public && !names_this_machine(request) {
            return plain(StatusCode::MISDIRECTED_REQUEST, "this is served to this machine alone\n");
        }
        if request.uri().path() != "/metrics" {
            return plain(StatusCode::NOT_FOUND, "GET /metrics\n");
        }
        if request.method() != Method::GET {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "GET /metrics\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return answer;
        }
        // A task of its own: where the scraper does not wait for it, the channel is there for the next one all the same.
        let asked = tokio::spawn(async move {
            timeout(SCRAPE_TIMEOUT, async { self.source.lock().await.fetch().await }).await
        });
        match asked.await {
            Ok(Ok(Ok(metrics))) => of_type(StatusCode::OK, OPENMETRICS_TEXT, metrics),
            Ok(Ok(Err(error))) => {
                // The whole story may name files: it is this terminal's.
                note(&format!("r3e: a scrape failed: {}", printable(&error.chain())));
                plain(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("the appliance was not asked: {}\n", error.code()),
                )
            }
            Ok(Err(_)) => plain(StatusCode::SERVICE_UNAVAILABLE, "the appliance did not answer in time\n"),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "this tool broke\n"),
        }
    }
}

/// Whether the request was meant for this machine by its address, not by a name that somebody else's DNS may point here: a page in
/// this machine's browser must not read the metrics.
fn names_this_machine(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(is_loopback)
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<http::uri::Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    of_type(status, "text/plain; charset=utf-8", text)
}

fn of_type(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_are_its() {
        for host in
            ["127.0.0.1:9464", "127.0.0.1", "127.8.9.1:1", "localhost:9464", "LocalHost", "[::1]:9464"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":9464",
            "evil.example",
            "localhost.evil.example:9464",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0:9464",
            "[::]:9464",
            "evil.example#127.0.0.1",
            "a b",
            "::ffff:127.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
