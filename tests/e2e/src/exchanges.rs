//! Seven exchanges on this machine, under their own names and in the shapes that they answer in, and an authority that vouches for them. Each
//! may lie, freeze, talk nonsense, or say nothing. What is said of one asset is said of every other, in dollars.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::TestAuthority;

/// Each one's id, its host, and its answer, here about BTC/USD: `{price}`, the time in three forms, and a number that rises with each answer.
pub const EXCHANGES: [(&str, &str, &str); 7] = [
    (
        "binance",
        "api.binance.com",
        r#"{"symbol":"BTCUSD","lastPrice":"{price}","volume":"8913.3","quoteVolume":"571524480.153","closeTime":{ms}}"#,
    ),
    ("bitstamp", "www.bitstamp.net", r#"{"timestamp":"{s}","last":"{price}","volume":"213.26801100"}"#),
    (
        "coinbase",
        "api.exchange.coinbase.com",
        r#"{"volume":"53602.03940154","price":"{price}","size":"0.00698254","time":"{rfc3339}"}"#,
    ),
    (
        "gemini",
        "api.gemini.com",
        r#"{"last":"{price}","volume":{"BTC":"2210.505328803","USD":"142331477.46","timestamp":{ms}}}"#,
    ),
    (
        "kraken",
        "api.kraken.com",
        r#"{"error":[],"result":{"XXBTZUSD":{"c":["{price}","0.00067643"],"v":["1083.6","{count}"]}}}"#,
    ),
    (
        "kucoin",
        "api.kucoin.com",
        r#"{"code":"200000","data":{"time":{ms},"symbol":"BTC-USD","vol":"2282.7","volValue":"146984946.15","last":"{price}"}}"#,
    ),
    (
        "okx",
        "www.okx.com",
        r#"{"code":"0","msg":"","data":[{"instType":"SPOT","instId":"BTC-USD","last":"{price}","vol24h":"2222","ts":"{ms}"}]}"#,
    ),
];
/// More than any answer may have.
const HUGE_BYTES: usize = 10 * 1024 * 1024;

/// What an exchange does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Says the price that all say.
    Honest,
    /// Says another price.
    Lying(&'static str),
    /// Says the same for ever, of the same moment.
    Frozen,
    /// Says a page for people.
    Html,
    /// Says that the price is no number.
    Nan,
    /// Says 10 MiB.
    Huge,
    /// Sends whoever asks to an address of the machine's own network.
    Redirect,
    /// Takes the question, and says nothing.
    Stalled,
}

/// Exchanges that serve until they are dropped.
pub struct Exchanges {
    authority: String,
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    serving: Vec<JoinHandle<()>>,
}

struct Shared {
    price: Mutex<String>,
    manners: Mutex<[Manner; EXCHANGES.len()]>,
    frozen: Mutex<Option<String>>,
    asked: Mutex<[u64; EXCHANGES.len()]>,
}

impl Exchanges {
    /// All of them, honest, at this price.
    pub async fn start(price: &str) -> Self {
        let authority = TestAuthority::new("exchanges' test CA");
        let shared = Arc::new(Shared {
            price: Mutex::new(price.to_owned()),
            manners: Mutex::new([const { Manner::Honest }; EXCHANGES.len()]),
            frozen: Mutex::default(),
            asked: Mutex::default(),
        });
        let (mut addresses, mut serving) = (Vec::new(), Vec::new());
        for (at, (_, host, _)) in EXCHANGES.iter().enumerate() {
            let acceptor = TlsAcceptor::from(authority.server(host));
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
            addresses.push(listener.local_addr().expect("its address"));
            serving.push(tokio::spawn(accept(listener, acceptor, at, Arc::clone(&shared))));
        }
        Self { authority: authority.pem(), addresses, shared, serving }
    }

    /// The root certificate of their authority, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The parent's rules that bring port 443 of their hosts here.
    pub fn resolve_rules(&self) -> Vec<String> {
        let rule =
            |(address, (_, host, _)): (&SocketAddr, &(&str, &str, &str))| format!("{host}:443:{address}");
        self.addresses.iter().zip(&EXCHANGES).map(rule).collect()
    }

    /// From here on, the honest ones say this.
    pub fn all_say(&self, price: &str) {
        price.clone_into(&mut self.shared.price.lock().expect("no exchange panicked"));
    }

    /// From here on, one does this.
    pub fn behaves(&self, id: &str, manner: Manner) {
        let at = EXCHANGES.iter().position(|(known, ..)| *known == id).expect("an exchange");
        self.shared.manners.lock().expect("no exchange panicked")[at] = manner;
    }

    /// How often they were asked, all together.
    pub fn asked(&self) -> u64 {
        self.shared.asked.lock().expect("no exchange panicked").iter().sum()
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        for serving in &self.serving {
            serving.abort();
        }
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, at: usize, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(Arc::clone(&shared), at, request));
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    at: usize,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let manner = shared.manners.lock().expect("no exchange panicked")[at].clone();
    let price = shared.price.lock().expect("no exchange panicked").clone();
    let count = {
        let mut asked = shared.asked.lock().expect("no exchange panicked");
        asked[at] += 1;
        asked[at]
    };
    let asset = asset(request.uri());
    let said = |at: usize, price: &str, count: u64| said(at, price, count).replace("BTC", &asset);
    let mut answer = Response::builder().header("content-type", "application/json");
    let body = match manner {
        Manner::Honest => said(at, &price, count),
        Manner::Lying(price) => said(at, price, count),
        Manner::Frozen => {
            let mut frozen = shared.frozen.lock().expect("no exchange panicked");
            frozen.get_or_insert_with(|| said(at, &price, count)).clone()
        }
        Manner::Html => "<html><body>Checking your browser</body></html>".to_owned(),
        Manner::Nan => said(at, "NaN", count),
        Manner::Huge => format!("{{\"symbol\":\"{}\"}}", "x".repeat(HUGE_BYTES)),
        Manner::Redirect => {
            answer = answer.status(302).header("location", "https://169.254.169.254/latest/meta-data/");
            String::new()
        }
        Manner::Stalled => std::future::pending().await,
    };
    Ok(answer.body(Full::new(Bytes::from(body))).expect("an answer"))
}

/// The asset that is asked about, in capitals: what stands before USD.
fn asset(uri: &Uri) -> String {
    let asked = uri.to_string().to_uppercase();
    let before = asked.rsplit_once("USD").map_or("", |(before, _)| before).trim_end_matches(['-', '_']);
    let asset = before.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    // Kraken's name.
    asset.replace("XBT", "BTC")
}

fn said(at: usize, price: &str, count: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let day_s = now.as_secs() % 86_400;
    let (year, month, day) = date(now.as_secs() / 86_400);
    let rfc3339 = format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        day_s / 3_600,
        day_s / 60 % 60,
        day_s % 60,
        now.subsec_millis()
    );
    EXCHANGES[at]
        .2
        .replace("{price}", price)
        .replace("{ms}", &now.as_millis().to_string())
        .replace("{s}", &now.as_secs().to_string())
        .replace("{rfc3339}", &rfc3339)
        .replace("{count}", &(2_000 + count).to_string())
}

/// The date of a day since 1970 (Howard Hinnant's algorithm).
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        assert_eq!(super::date(0), (1970, 1, 1));
        assert_eq!(super::date(19_782), (2024, 2, 29));
        assert_eq!(super::date(20_779), (2026, 11, 22));
    }
}
