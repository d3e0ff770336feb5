//! Where the other side is, as one value with one text form. Knows nothing of sockets.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

/// The parent's CID as a Nitro Enclave sees it.
pub const PARENT_CID: u32 = 3;

/// Where the other side is.
///
/// Text forms: `vsock:CID` and `unix:PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Over vsock. `cid` is the peer's: the enclave's for the parent, [`PARENT_CID`] for an enclave. Connections
    /// from any other CID are closed unread.
    Vsock {
        /// The peer's context id.
        cid: u32,
    },
    /// Over unix sockets, by the hybrid-vsock convention. `path` is the enclave's socket; the parent's are
    /// `path_PORT`. Both sides name the same `path`.
    Unix {
        /// The enclave's socket.
        path: PathBuf,
    },
}

/// Why a text is no [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Neither scheme.
    #[error("{0:?} is no endpoint: write vsock:CID or unix:PATH")]
    Scheme(String),
    /// Not a CID that a peer can have: 0 to 2 and 4294967295 are reserved (`vsock(7)`), but for 1, the local one.
    #[error("{0:?} is no peer's CID: write a number from 3 to 4294967294, or 1 for this machine")]
    Cid(String),
    /// An empty path.
    #[error("unix: needs the path of a socket")]
    Path,
}

impl Endpoint {
    /// The vsock endpoint of the parent, for an enclave.
    pub const fn nitro_parent() -> Self {
        Self::Vsock { cid: PARENT_CID }
    }

    /// The path at which the parent listens for `port`: `path_PORT`.
    pub(crate) fn parent_socket(path: &Path, port: u32) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("_{port}"));
        PathBuf::from(name)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("vsock", number)) => {
                let cid = number.parse().map_err(|_| EndpointError::Cid(number.into()))?;
                if matches!(cid, 0 | 2 | u32::MAX) {
                    return Err(EndpointError::Cid(number.into()));
                }
                Ok(Self::Vsock { cid })
            }
            Some(("unix", "")) => Err(EndpointError::Path),
            Some(("unix", path)) => Ok(Self::Unix { path: path.into() }),
            _ => Err(EndpointError::Scheme(text.into())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vsock { cid } => write!(f, "vsock:{cid}"),
            Self::Unix { path } => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        for text in ["vsock:16", "vsock:3", "vsock:1", "unix:/run/r3e/enclave.sock", "unix:a:b"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "vsock", "vsock:", "vsock:0", "vsock:2", "vsock:4294967295", "vsock:-1", "vsock:x"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
        for text in ["unix:", "unix", "tcp:1", "/run/x", "VSOCK:3"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn parent_sockets_stand_beside_the_enclaves() {
        assert_eq!(Endpoint::parent_socket(Path::new("/run/e.sock"), 5002), Path::new("/run/e.sock_5002"));
    }
}
