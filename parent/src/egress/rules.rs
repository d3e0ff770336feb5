//! Which hosts the enclave may reach, by the operator's settings. Knows nothing of sockets.

use std::net::SocketAddr;
use std::str::FromStr;

use r3e_proto::limits::MAX_HOST_NAME_BYTES;
use serde::Deserialize;
use thiserror::Error;

use super::network::Network;
use super::public;

/// The rules as one.
#[derive(Debug)]
pub(super) struct Rules {
    allow: Vec<HostRule>,
    allow_private: Vec<Network>,
    resolve: Vec<Resolve>,
}

/// Where a host is to be found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// At this address: the operator says so.
    Fixed(SocketAddr),
    /// By resolving this name.
    Resolve(String),
    /// Nowhere.
    NotAllowed(&'static str),
}

/// Hosts and ports that may be reached: `HOST:PORT`, where `HOST` is a name, `*.suffix` or `*`, and `PORT` a number or
/// `*`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostRule {
    host: HostPattern,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    Name(String),
    /// Any name that ends with a dot and this.
    Below(String),
}

/// A host that is at a given address, public or not, whatever DNS says: `HOST:PORT:ADDRESS:PORT`, an IPv6 address in
/// brackets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Resolve {
    host: String,
    port: u16,
    address: SocketAddr,
}

/// Why a rule's text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// Not a [`HostRule`].
    #[error("{0:?} is no rule: write HOST:PORT, such as api.example.com:443, *.example.com:443 or *:443")]
    Host(String),
    /// Not a [`Resolve`].
    #[error("{0:?} is no fixed address: write HOST:PORT:ADDRESS:PORT, such as api.test:443:127.0.0.1:8443")]
    Resolve(String),
    /// Not a [`Network`].
    #[error(
        "{0:?} is no network: write ADDRESS or ADDRESS/PREFIX, such as 10.0.0.0/8, without bits behind the prefix"
    )]
    Network(String),
}

impl Rules {
    pub(super) fn new(allow: Vec<HostRule>, allow_private: Vec<Network>, resolve: Vec<Resolve>) -> Self {
        Self { allow, allow_private, resolve }
    }

    /// Where `host` is to be found, if it may be reached at all.
    pub(super) fn route(&self, host: &str, port: u16) -> Route {
        let Some(host) = normal_name(host) else {
            return Route::NotAllowed("the host must be a DNS name, not an address");
        };
        if let Some(fixed) = self.resolve.iter().find(|fixed| fixed.host == host && fixed.port == port) {
            return Route::Fixed(fixed.address);
        }
        if self.allow.iter().any(|rule| rule.allows(&host, port)) {
            Route::Resolve(host)
        } else {
            Route::NotAllowed("the parent's rules do not allow this host and port")
        }
    }

    /// The addresses that may be connected to, or why none may.
    pub(super) fn judged(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let mut objections = Vec::new();
        let mut allowed = Vec::new();
        for address in found {
            match public::objection(address.ip()) {
                Some(why) if !self.allow_private.iter().any(|network| network.contains(address.ip())) => {
                    objections.push(format!("{}: {why}", address.ip()));
                }
                _ => allowed.push(address),
            }
        }
        if allowed.is_empty() { Err(objections.join("; ")) } else { Ok(allowed) }
    }
}

impl HostRule {
    /// One port of any host.
    pub fn any_host(port: u16) -> Self {
        Self { host: HostPattern::Any, port: Some(port) }
    }

    fn allows(&self, host: &str, port: u16) -> bool {
        let host_matches = match &self.host {
            HostPattern::Any => true,
            HostPattern::Name(name) => host == name,
            HostPattern::Below(suffix) => host.strip_suffix(suffix).is_some_and(|front| front.ends_with('.')),
        };
        host_matches && self.port.is_none_or(|allowed| allowed == port)
    }
}

impl FromStr for HostRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || RuleError::Host(text.into());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let host = match host {
            "*" => HostPattern::Any,
            _ => match host.strip_prefix("*.") {
                Some(suffix) => HostPattern::Below(normal_name(suffix).ok_or_else(wrong)?),
                None => HostPattern::Name(normal_name(host).ok_or_else(wrong)?),
            },
        };
        let port = if port == "*" { None } else { Some(port_number(port).ok_or_else(wrong)?) };
        Ok(Self { host, port })
    }
}

impl FromStr for Resolve {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (host, rest) = text.split_once(':')?;
            let (port, address) = rest.split_once(':')?;
            Some(Self { host: normal_name(host)?, port: port_number(port)?, address: address.parse().ok()? })
        };
        parts().ok_or_else(|| RuleError::Resolve(text.into()))
    }
}

impl TryFrom<String> for HostRule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for Resolve {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

fn port_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// A DNS name in lower case, without a trailing dot; none for anything else.
///
/// A resolver takes more for an address than one would think (`127.1`, `0x7f000001`, `2130706433`), so a name whose last
/// label begins with a digit is none: no top-level domain does (RFC 3696 section 2).
fn normal_name(host: &str) -> Option<String> {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.is_empty() || name.len() > MAX_HOST_NAME_BYTES {
        return None;
    }
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next()?;
    (name.split('.').all(label_fits) && !last.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(allow: &[&str], private: &[&str], resolve: &[&str]) -> Rules {
        Rules::new(
            allow.iter().map(|text| text.parse().unwrap()).collect(),
            private.iter().map(|text| text.parse().unwrap()).collect(),
            resolve.iter().map(|text| text.parse().unwrap()).collect(),
        )
    }

    #[test]
    fn hosts_are_matched_by_whole_labels_and_ports() {
        let rules = rules(&["api.example.com:443", "*.example.org:443", "files.example.net:*"], &[], &[]);
        for (host, port, allowed) in [
            ("api.example.com", 443, true),
            ("API.Example.COM.", 443, true),
            ("api.example.com", 80, false),
            ("x.api.example.com", 443, false),
            ("evilapi.example.com", 443, false),
            ("a.example.org", 443, true),
            ("a.b.example.org", 443, true),
            ("example.org", 443, false),
            ("notexample.org", 443, false),
            ("files.example.net", 1, true),
            ("elsewhere.example", 443, false),
        ] {
            let route = rules.route(host, port);
            assert_eq!(matches!(route, Route::Resolve(_)), allowed, "{host}:{port} {route:?}");
        }
    }

    #[test]
    fn an_address_is_never_a_host() {
        let rules = rules(&["*:*"], &["0.0.0.0/0", "::/0"], &[]);
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "::1",
            "[::1]",
            "1.2.3.4.",
            "a.1",
            "",
            ".",
            "a..b",
            "-a.example",
            "a-.example",
            "a b.example",
            "a/b",
            "a%00b",
            "a\n.example",
            "ex\u{e4}mple.com",
            "user@host",
            "host:443",
        ] {
            assert!(matches!(rules.route(host, 443), Route::NotAllowed(_)), "{host:?}");
        }
        let label = "a".repeat(63);
        let longest = [label.as_str(), &label, &label, &"a".repeat(61)].join(".");
        assert!(matches!(rules.route(&longest, 443), Route::Resolve(_)));
        assert!(matches!(rules.route(&format!("a{longest}"), 443), Route::NotAllowed(_)));
        assert!(matches!(rules.route(&format!("{label}a.example"), 443), Route::NotAllowed(_)));
    }

    #[test]
    fn a_fixed_address_needs_no_other_rule_and_holds_for_its_port_alone() {
        let rules = rules(&[], &[], &["API.test:443:127.0.0.1:8443", "six.test:443:[::1]:8443"]);
        assert_eq!(rules.route("api.test", 443), Route::Fixed("127.0.0.1:8443".parse().unwrap()));
        assert_eq!(rules.route("six.test", 443), Route::Fixed("[::1]:8443".parse().unwrap()));
        assert!(matches!(rules.route("api.test", 444), Route::NotAllowed(_)));
    }

    #[test]
    fn of_several_addresses_only_the_allowed_are_used() {
        let found =
            || ["10.0.0.1:443", "1.1.1.1:443", "[fd00::1]:443"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(rules(&[], &[], &[]).judged(found()).unwrap(), ["1.1.1.1:443".parse().unwrap()]);
        let open = rules(&[], &["10.0.0.0/8"], &[]).judged(found()).unwrap();
        assert_eq!(open, ["10.0.0.1:443".parse().unwrap(), "1.1.1.1:443".parse().unwrap()]);
        let why = rules(&[], &[], &[]).judged(vec!["169.254.169.254:80".parse().unwrap()]).unwrap_err();
        assert!(why.contains("metadata"), "{why}");
    }

    #[test]
    fn malformed_rules_are_refused() {
        for text in
            ["", "*", "host", "host:", "host:0", "host:65536", "*.:443", "*.*:443", "1.2.3.4:443", "a b:443"]
        {
            assert!(text.parse::<HostRule>().is_err(), "{text}");
        }
        for text in
            ["", "a.test:443", "a.test:443:127.0.0.1", "a.test:443:b.test:443", "1.2.3.4:443:127.0.0.1:1"]
        {
            assert!(text.parse::<Resolve>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_both_an_address_and_a_name(bytes in any::<u128>(), v4 in any::<u32>()) {
            let texts = [
                std::net::Ipv4Addr::from(v4).to_string(), v4.to_string(), format!("{v4:#x}"), format!("0{v4:o}"),
                std::net::Ipv6Addr::from(bytes).to_string(),
            ];
            for text in texts {
                prop_assert!(normal_name(&text).is_none(), "{}", text);
            }
        }
    }
}
