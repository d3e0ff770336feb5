//! Where a database is and how it is spoken to: a `postgres://` URL, with the rule of when TLS may be left out.
//!
//! A certificate is always checked, and against the host's name: a mode that encrypts without knowing to whom, or that
//! falls back to plaintext, is refused by its name.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode};

/// The port of a server that names none.
const DEFAULT_PORT: u16 = 5432;

/// The address of a database, with the user and, where the URL has one, the password; neither is shown.
#[derive(Clone)]
pub struct PostgresAddress {
    config: Config,
    servers: Vec<Server>,
}

/// One server that the database may be at. They are tried in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Server {
    /// The socket's folder, and the port that its name ends with.
    Unix(PathBuf, u16),
    /// A name or address, its port, and whether it is spoken to by TLS.
    Tcp { host: String, port: u16, tls: bool },
}

/// Why an address is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not a URL of this kind, or with a parameter that is not known.
    #[error("not an address such as postgres://USER@HOST:PORT/DATABASE")]
    Form(#[source] tokio_postgres::Error),
    /// Another scheme.
    #[error("a store's address begins with postgres:// or postgresql://")]
    Scheme,
    /// A part that the address must have.
    #[error("the address names no {0}")]
    Missing(&'static str),
    /// A way of TLS that does not prove who the server is.
    #[error(
        "sslmode={0} does not prove who the server is: use verify-full (the default, except on this machine), or \
         disable on this machine"
    )]
    Mode(String),
    /// Plaintext over a network.
    #[error(
        "sslmode=disable would send the password and all traffic to {0} in plaintext: leave it out, or give \
         --store-plaintext if the network is encrypted by other means"
    )]
    Plaintext(String),
    /// All else of a session is set by this program.
    #[error("the address has the parameter {0:?}, and may have none but sslmode")]
    Parameter(String),
    /// The certificates that shall be trusted stand elsewhere.
    #[error("give the certificates that sign the server's by --store-ca FILE, not in the address")]
    RootInAddress,
}

impl PostgresAddress {
    /// Reads a URL; plaintext to another machine only if `plaintext` says so.
    ///
    /// # Errors
    /// [`AddressError`]: what is wrong with it.
    pub fn parse(url: &str, plaintext: bool) -> Result<Self, AddressError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(AddressError::Scheme);
        }
        let (base, mode) = without_mode(url)?;
        let mut config = Config::from_str(&base).map_err(AddressError::Form)?;
        // TLS is spoken by `connect`, below what this configuration is used for.
        config.ssl_mode(SslMode::Disable).channel_binding(ChannelBinding::Disable);
        for (part, is_there) in
            [("user", config.get_user().is_some()), ("database", config.get_dbname().is_some())]
        {
            if !is_there {
                return Err(AddressError::Missing(part));
            }
        }
        let servers = servers(&config, mode, plaintext)?;
        Ok(Self { config, servers })
    }

    /// Sets the password, over one in the URL.
    pub(super) fn set_password(&mut self, password: &[u8]) {
        self.config.password(password);
    }

    /// What a session is begun with, and the servers to try.
    pub(super) fn into_parts(self) -> (Config, Vec<Server>) {
        (self.config, self.servers)
    }
}

impl fmt::Display for PostgresAddress {
    /// Without user and password.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "postgres://")?;
        for (index, server) in self.servers.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(to, "{comma}{server}")?;
        }
        write!(to, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "PostgresAddress({self})")
    }
}

impl fmt::Display for Server {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(folder, port) => write!(to, "{}:{port}", folder.display()),
            Self::Tcp { host, port, .. } => write!(to, "{host}:{port}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// TLS, but for this machine itself.
    Unsaid,
    Verified,
    Disabled,
}

/// The URL less its parameters, of which there is one.
fn without_mode(url: &str) -> Result<(String, Mode), AddressError> {
    let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), Mode::Unsaid)) };
    let mut mode = Mode::Unsaid;
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("sslmode", "disable")) => mode = Mode::Disabled,
            Some(("sslmode", "require" | "verify-full")) => mode = Mode::Verified,
            Some(("sslmode", other)) => return Err(AddressError::Mode(other.to_owned())),
            Some(("sslrootcert", _)) => return Err(AddressError::RootInAddress),
            _ => return Err(AddressError::Parameter(parameter.to_owned())),
        }
    }
    Ok((base.to_owned(), mode))
}

fn servers(config: &Config, mode: Mode, plaintext: bool) -> Result<Vec<Server>, AddressError> {
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    if hosts.is_empty() {
        return Err(AddressError::Missing("host"));
    }
    // One port is every host's; otherwise each has its own, which the URL's reader has counted.
    let port = |index: usize| ports.get(index).or_else(|| ports.first()).copied().unwrap_or(DEFAULT_PORT);
    let server = |(index, host): (usize, &Host)| match host {
        Host::Unix(folder) => Ok(Server::Unix(folder.clone(), port(index))),
        Host::Tcp(host) => {
            let here = is_this_machine(host);
            if mode == Mode::Disabled && !here && !plaintext {
                return Err(AddressError::Plaintext(host.clone()));
            }
            let tls = mode == Mode::Verified || (mode == Mode::Unsaid && !here);
            Ok(Server::Tcp { host: host.clone(), port: port(index), tls })
        }
    };
    hosts.iter().enumerate().map(server).collect()
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers_of(url: &str) -> Vec<Server> {
        PostgresAddress::parse(url, false).unwrap().servers
    }

    fn tcp(host: &str, port: u16, tls: bool) -> Server {
        Server::Tcp { host: host.into(), port, tls }
    }

    #[test]
    fn tls_is_left_out_on_this_machine_alone() {
        for (url, server) in [
            ("postgres://u@db.example.com/r3e", tcp("db.example.com", 5432, true)),
            ("postgresql://u:p@10.0.0.5:6000/r3e", tcp("10.0.0.5", 6000, true)),
            ("postgres://u@127.0.0.1/r3e", tcp("127.0.0.1", 5432, false)),
            ("postgres://u@localhost/r3e", tcp("localhost", 5432, false)),
            ("postgres://u@localhost/r3e?sslmode=verify-full", tcp("localhost", 5432, true)),
            ("postgres://u@db.example.com/r3e?sslmode=require", tcp("db.example.com", 5432, true)),
            ("postgres://u@127.0.0.1/r3e?sslmode=disable", tcp("127.0.0.1", 5432, false)),
            ("postgres://u@%2Frun%2Fpg/r3e", Server::Unix("/run/pg".into(), 5432)),
            // A name that only looks like this machine is another one.
            ("postgres://u@localhost.example.com/r3e", tcp("localhost.example.com", 5432, true)),
        ] {
            assert_eq!(servers_of(url), [server], "{url}");
        }
        let two = servers_of("postgres://u@a.example.com:1,b.example.com:2/r3e");
        assert_eq!(two, [tcp("a.example.com", 1, true), tcp("b.example.com", 2, true)]);
        let told = PostgresAddress::parse("postgres://u@db.example.com/r3e?sslmode=disable", true).unwrap();
        assert_eq!(told.servers, [tcp("db.example.com", 5432, false)]);
    }

    #[test]
    fn what_does_not_prove_the_server_is_refused_by_its_name() {
        let refused = |url: &str| PostgresAddress::parse(url, false).unwrap_err();
        for mode in ["allow", "prefer", "verify-ca", "VERIFY-FULL", ""] {
            let url = format!("postgres://u@db.example.com/r3e?sslmode={mode}");
            assert!(matches!(refused(&url), AddressError::Mode(said) if said == mode));
        }
        let plain = "postgres://u@db.example.com/r3e?sslmode=disable";
        assert!(matches!(refused(plain), AddressError::Plaintext(host) if host == "db.example.com"));
        assert!(matches!(refused("postgres://u@h/d?sslrootcert=/x"), AddressError::RootInAddress));
        assert!(matches!(refused("host=h user=u dbname=d"), AddressError::Scheme));
        assert!(matches!(refused("postgres://u@h"), AddressError::Missing("database")));
        assert!(matches!(refused("postgres://h/d"), AddressError::Missing("user")));
        assert!(matches!(refused("postgres://u@/d"), AddressError::Missing("host")));
        assert!(matches!(refused("postgres://u@h:x/d"), AddressError::Form(_)));
        for parameter in ["options=-csynchronous_commit=off", "hostaddr=10.0.0.1", "nonsense", ""] {
            let url = format!("postgres://u@h/d?sslmode=require&{parameter}");
            assert!(matches!(refused(&url), AddressError::Parameter(said) if said == parameter));
        }
    }

    #[test]
    fn neither_form_shows_who_and_by_what() {
        let address = PostgresAddress::parse("postgres://alice:s3cret@db.example.com/r3e", false).unwrap();
        assert_eq!(address.to_string(), "postgres://db.example.com:5432/r3e");
        let debug = format!("{address:?}");
        assert!(!debug.contains("s3cret") && !debug.contains("alice"), "{debug}");
    }
}
