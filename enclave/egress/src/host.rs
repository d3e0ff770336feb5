//! Names that may be asked for. The parent resolves them and could connect anywhere, so this guards no secret; it
//! keeps a function from naming what is plainly not a public server, such as a cloud's metadata service.

use crate::error::FetchError;
use r3e_proto::limits::MAX_HOST_NAME_BYTES;

/// Last labels that no public server has: RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what clouds use inside.
const PRIVATE_SUFFIXES: [&str; 8] =
    ["localhost", "localdomain", "local", "internal", "alt", "onion", "arpa", "invalid"];
/// RFC 1035 section 2.3.4.
const MAX_LABEL_BYTES: usize = 63;

/// A public DNS name in lower case, from a URL's host in lower case.
///
/// # Errors
/// [`FetchError::HostNotPublic`].
pub(crate) fn public_name(host: &str) -> Result<&str, FetchError> {
    if is_public_name(host) {
        Ok(host)
    } else {
        Err(FetchError::HostNotPublic { host: host.chars().take(MAX_HOST_NAME_BYTES).collect() })
    }
}

/// Two labels or more, each of letters, digits, hyphens and underscores, the last one not a number and not private.
pub(crate) fn is_public_name(host: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    let label =
        |label: &str| !label.is_empty() && label.len() <= MAX_LABEL_BYTES && label.bytes().all(allowed);
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    host.len() <= MAX_HOST_NAME_BYTES
        && host.split('.').all(label)
        && !PRIVATE_SUFFIXES.contains(&last)
        // An address in any of its spellings ends in a number; no top-level domain starts with one.
        && !last.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_names() {
        for host in
            ["example.com", "a.b.c.example.co.uk", "xn--bcher-kva.example", "_x.example.com", "1.example.com"]
        {
            assert!(is_public_name(host), "{host}");
        }
    }

    #[test]
    fn everything_else() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = format!("{}com", "abcdefg.".repeat(32));
        for host in [
            "",
            ".",
            "localhost",
            "a.localhost",
            "db",
            "printer.local",
            "metadata.google.internal",
            "1.2.3.4",
            "127.1",
            "x.0x7f",
            "[::1]",
            "example.com.",
            ".example.com",
            "a..com",
            "a b.com",
            "EXAMPLE.com",
            "1.0.0.127.in-addr.arpa",
            "x.onion",
            "bücher.example",
            &long_label,
            &long_name,
        ] {
            assert!(!is_public_name(host), "{host}");
        }
    }
}
