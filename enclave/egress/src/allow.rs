//! Where a caller may connect: exact hosts, and one form of wildcard.

use crate::{error::FetchError, host::is_public_name, limits::MAX_ALLOWED_HOSTS};

/// The port of HTTPS, meant where a pattern names none.
const HTTPS_PORT: u16 = 443;

/// A list of host patterns. Empty, it allows nothing.
///
/// | pattern | allows |
/// |---|---|
/// | `api.example.com` | that host on port 443 |
/// | `api.example.com:8443` | that host on port 8443, and not on 443 |
/// | `*.example.com` | any host one label below, on port 443: `a.example.com`, neither `example.com` nor `a.b.example.com` |
///
/// The wildcard is the one of certificates (RFC 9525 section 6.3): one whole label, the first, over at least two
/// more, so that no pattern spans a top-level domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostAllowList(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// Whether one label stands before `host`.
    wildcard: bool,
    host: String,
    port: u16,
}

impl HostAllowList {
    /// Reads patterns; letters may be in either case.
    ///
    /// # Errors
    /// [`FetchError::RequestTooLarge`] for more than [`MAX_ALLOWED_HOSTS`]; [`FetchError::HostNotPublic`] naming a
    /// pattern that is none.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, FetchError> {
        let mut list = Vec::new();
        for pattern in patterns {
            if list.len() == MAX_ALLOWED_HOSTS {
                return Err(FetchError::RequestTooLarge {
                    what: "the list of allowed hosts",
                    limit: MAX_ALLOWED_HOSTS,
                });
            }
            let refused = || FetchError::HostNotPublic { host: pattern.chars().take(256).collect() };
            list.push(Pattern::parse(pattern).ok_or_else(refused)?);
        }
        Ok(Self(list))
    }

    /// Whether `host`, in lower case, may be connected to on `port`.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|pattern| pattern.port == port && pattern.matches(host))
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Option<Self> {
        let pattern = pattern.to_ascii_lowercase();
        let (host, port) = match pattern.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (pattern.as_str(), HTTPS_PORT),
        };
        let (wildcard, host) = match host.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, host),
        };
        is_public_name(host).then(|| Self { wildcard, host: host.to_owned(), port })
    }

    fn matches(&self, host: &str) -> bool {
        if self.wildcard {
            host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == self.host)
        } else {
            host == self.host
        }
    }
}

/// Digits alone, without a sign or leading zeros, not 0.
fn parse_port(port: &str) -> Option<u16> {
    let plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    plain.then(|| port.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_allow_what_they_say_and_no_more() {
        let list =
            HostAllowList::parse(["API.example.com", "alt.example.com:8443", "*.feeds.example.com"]).unwrap();
        let table = [
            ("api.example.com", 443, true),
            ("api.example.com", 8443, false),
            ("xapi.example.com", 443, false),
            ("a.api.example.com", 443, false),
            ("api.example.com.evil.com", 443, false),
            ("example.com", 443, false),
            ("alt.example.com", 8443, true),
            ("alt.example.com", 443, false),
            ("a.feeds.example.com", 443, true),
            ("feeds.example.com", 443, false),
            ("a.b.feeds.example.com", 443, false),
            (".feeds.example.com", 443, false),
            ("a.feeds.example.com", 8443, false),
            ("afeeds.example.com", 443, false),
        ];
        for (host, port, allowed) in table {
            assert_eq!(list.allows(host, port), allowed, "{host}:{port}");
        }
        assert!(!HostAllowList::default().allows("api.example.com", 443));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "",
            "*",
            "*.com",
            "*.*.example.com",
            "a.*.com",
            "*example.com",
            "https://example.com",
            "example.com/",
            "example.com:",
            "example.com:0",
            "example.com:70000",
            "example.com:+443",
            "example.com:0443",
            "example.com:443:443",
            "1.2.3.4",
            "[::1]:443",
            "localhost",
            "user@example.com",
            "example.com ",
        ] {
            assert!(HostAllowList::parse([pattern]).is_err(), "{pattern:?}");
        }
        assert!(HostAllowList::parse(std::iter::repeat_n("a.example.com", MAX_ALLOWED_HOSTS)).is_ok());
        assert!(HostAllowList::parse(std::iter::repeat_n("a.example.com", MAX_ALLOWED_HOSTS + 1)).is_err());
    }
}
