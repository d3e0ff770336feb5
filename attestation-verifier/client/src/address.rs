//! Where an appliance is: a host and a port. It says nothing of who is there; that is what attestation is for.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use rustls_pki_types::ServerName;
use thiserror::Error;

/// The port where an address names none.
pub const DEFAULT_PORT: u16 = 443;

/// A host and a port, as `host`, `host:port` or `[IPv6]:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    name: ServerName<'static>,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Something like `https://`, or a path.
    #[error("{0:?} is not HOST:PORT: write the host and the port alone, without a scheme or a path")]
    Form(String),
    /// The host is neither a DNS name nor an IP address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Host(String),
    /// The port is not 1 to 65535.
    #[error("{0:?} is not a port: write a number from 1 to 65535")]
    Port(String),
}

impl Address {
    /// The host: a DNS name or an IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name for TLS's SNI. Whatever certificate comes back, it is not compared with it.
    pub(crate) fn server_name(&self) -> ServerName<'static> {
        self.name.clone()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = split(text)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| AddressError::Host(host.to_owned()))?;
        let port = match port {
            None => DEFAULT_PORT,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(AddressError::Port(digits.to_owned())),
            },
            Some(other) => return Err(AddressError::Port(other.to_owned())),
        };
        Ok(Self { host: host.to_owned(), port, name })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    let form = || AddressError::Form(text.to_owned());
    if text.is_empty() || text.contains(['/', '@', '?', '#']) {
        return Err(form());
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(form)?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(AddressError::Host(host.to_owned()));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(form()),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        // Two colons without brackets: where the host ends and the port begins is anyone's guess.
        Some((_, port)) if port.contains(':') => Err(form()),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for (text, host, port, shown) in [
            ("enclave.example", "enclave.example", 443, "enclave.example:443"),
            ("enclave.example:8443", "enclave.example", 8443, "enclave.example:8443"),
            ("127.0.0.1:1", "127.0.0.1", 1, "127.0.0.1:1"),
            ("[::1]:65535", "::1", 65535, "[::1]:65535"),
            ("[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]:443"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse(), Ok(address));
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for text in ["", "https://a.example", "a.example/x", "user@a.example", "::1", "[::1", "[::1]x"] {
            assert!(matches!(text.parse::<Address>(), Err(AddressError::Form(_))), "{text}");
        }
        for text in ["a b:1", "[a.example]:1", ":1", "-:1"] {
            assert!(matches!(text.parse::<Address>(), Err(AddressError::Host(_))), "{text}");
        }
        for text in ["a.example:", "a.example:0", "a.example:65536", "a.example:+1", "a.example:http"] {
            assert!(matches!(text.parse::<Address>(), Err(AddressError::Port(_))), "{text}");
        }
    }
}
