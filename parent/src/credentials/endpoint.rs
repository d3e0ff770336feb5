//! Where the metadata service is: an address that only this machine, or its host, can answer at.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// EC2's, over IPv4.
const IPV4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// EC2's, over IPv6. Not link-local, but AWS's own for this.
const IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const HTTP_PORT: u16 = 80;

/// The metadata service: `http://ADDRESS` or `http://ADDRESS:PORT`, where the address is link-local, loopback, or EC2's over
/// IPv6. Plain HTTP, which is all it speaks, so that credentials must not leave the machine on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ImdsEndpoint(SocketAddr);

/// Why a text is no such endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no metadata service: write http://ADDRESS[:PORT] with a link-local or loopback address, such as \
     http://169.254.169.254"
)]
pub struct ImdsEndpointError(String);

impl ImdsEndpoint {
    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.0
    }
}

impl Default for ImdsEndpoint {
    fn default() -> Self {
        Self(SocketAddr::from((IPV4, HTTP_PORT)))
    }
}

impl FromStr for ImdsEndpoint {
    type Err = ImdsEndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ImdsEndpointError(text.into());
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let bare = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(rest);
        let address = match rest.parse::<SocketAddr>() {
            Ok(address) => address,
            Err(_) => SocketAddr::from((bare.parse::<IpAddr>().map_err(|_| wrong())?, HTTP_PORT)),
        };
        let near = match address.ip() {
            IpAddr::V4(ip) => ip.is_link_local() || ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_loopback() || ip == IPV6,
        };
        if near && address.port() != 0 { Ok(Self(address)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for ImdsEndpoint {
    type Error = ImdsEndpointError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for ImdsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_addresses_over_plain_http() {
        for (text, address) in [
            ("http://169.254.169.254", "169.254.169.254:80"),
            ("http://169.254.169.254/", "169.254.169.254:80"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[fd00:ec2::254]", "[fd00:ec2::254]:80"),
            ("http://[fe80::1]:81", "[fe80::1]:81"),
            ("http://[::1]:81", "[::1]:81"),
        ] {
            let endpoint: ImdsEndpoint = text.parse().unwrap();
            assert_eq!(endpoint.address(), address.parse().unwrap());
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
        assert_eq!(ImdsEndpoint::default(), "http://169.254.169.254".parse().unwrap());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "169.254.169.254",
            "https://169.254.169.254",
            "http://10.0.0.1",
            "http://203.0.113.7",
            "http://[2001:db8::1]",
            "http://[::ffff:10.0.0.1]",
            "http://localhost:80",
            "http://metadata.example",
            "http://127.0.0.1:0",
            "http://127.0.0.1:80/latest",
            "http://user@127.0.0.1",
        ] {
            assert!(text.parse::<ImdsEndpoint>().is_err(), "{text}");
        }
    }
}
