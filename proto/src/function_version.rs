//! A function's version: the digest of everything that decides what an invocation may do. The appliance computes it, and
//! so can whoever holds the source, to know what a receipt's version stands for.

use r3e_cbor::{Value, encode};
use sha2::{Digest as _, Sha256};

use crate::api::functions::{Limits, Permissions, Runtime};

/// The first element of what is hashed: no other digest of ours is over the same bytes.
pub const VERSION_DOMAIN: &str = "r3e/1/function-version";

/// A function's version.
pub type Version = [u8; 32];

/// SHA-256 over the deterministic CBOR (RFC 8949 section 4.2.1) of the array
///
/// ```cddl
/// [ "r3e/1/function-version",
///   runtime: "javascript",
///   source: tstr,
///   secrets: [* tstr],
///   net: [* tstr],
///   limits: [timeout_ms: uint, cpu_ms: uint, memory_mib: uint, output_bytes: uint, host_calls: uint] ]
/// ```
///
/// `secrets` and `net` rise strictly in the order of their bytes. An element of `net` is in its one form: a host in lower
/// case, and `:port` in decimal unless the port is 443. The appliance brings permissions into this form, and answers with
/// it.
pub fn version(runtime: Runtime, source: &str, permissions: &Permissions, limits: &Limits) -> Version {
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|text| text.as_str().into()).collect());
    let Limits { timeout_ms, cpu_ms, memory_mib, output_bytes, host_calls } = *limits;
    let limits = [timeout_ms, cpu_ms, memory_mib, output_bytes, host_calls].map(Value::from);
    let hashed = Value::Array(vec![
        VERSION_DOMAIN.into(),
        match runtime {
            Runtime::Javascript => "javascript".into(),
        },
        source.into(),
        texts(&permissions.secrets),
        texts(&permissions.net),
        Value::Array(limits.to_vec()),
    ]);
    Sha256::digest(encode(&hashed)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "export default () => 1;";

    fn permissions() -> Permissions {
        Permissions {
            secrets: vec!["A".into(), "b".into()],
            net: vec!["api.example.com".into(), "x.test:8443".into()],
        }
    }

    fn of(source: &str, permissions: &Permissions, limits: Limits) -> Version {
        version(Runtime::Javascript, source, permissions, &limits)
    }

    /// The bytes were written by hand from the definition, not printed by this code.
    #[test]
    fn the_vector_of_the_specification() {
        let mut hashed = vec![0x86];
        let mut text = |text: &str| {
            let len = u8::try_from(text.len()).unwrap();
            if len < 24 {
                hashed.push(0x60 | len);
            } else {
                hashed.extend([0x78, len]);
            }
            hashed.extend(text.as_bytes());
        };
        text("r3e/1/function-version");
        text("javascript");
        text(SOURCE);
        hashed.extend(b"\x82\x61A\x61b");
        hashed.extend(b"\x82\x6fapi.example.com\x6bx.test:8443");
        hashed.extend([0x85, 0x19, 0x13, 0x88, 0x19, 0x07, 0xd0, 0x18, 0x40, 0x1a, 0, 4, 0, 0, 0x18, 0x40]);
        let expected: Version = Sha256::digest(&hashed).into();
        assert_eq!(of(SOURCE, &permissions(), Limits::default()), expected);
        assert_eq!(hex::encode(expected), "5d393eb429641b7250f74b1da75514fbb9b218c806b1b0ffaca720370a18cde5");
    }

    #[test]
    fn whatever_decides_what_runs_changes_the_version() {
        let (first, limits) = (permissions(), Limits::default());
        let base = of(SOURCE, &first, limits);
        let mut others = vec![of("export default () => 2;", &first, limits)];
        others.push(of(SOURCE, &Permissions::default(), limits));
        // The same words, granted as something else.
        others.push(of(
            SOURCE,
            &Permissions { secrets: first.net.clone(), net: first.secrets.clone() },
            limits,
        ));
        others.push(of(SOURCE, &Permissions { secrets: vec!["Ab".into()], ..first.clone() }, limits));
        for changed in [
            Limits { timeout_ms: 1, ..limits },
            Limits { cpu_ms: 1, ..limits },
            Limits { memory_mib: 1, ..limits },
            Limits { output_bytes: 1, ..limits },
            Limits { host_calls: 1, ..limits },
        ] {
            others.push(of(SOURCE, &first, changed));
        }
        others.push(base);
        others.sort_unstable();
        let all = others.len();
        others.dedup();
        assert_eq!(others.len(), all);
    }
}
