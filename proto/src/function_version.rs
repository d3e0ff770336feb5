//! A function's version: the digest of everything that decides what an invocation may do. The appliance computes it, and
//! so can whoever holds the source, to know what a receipt's version stands for.

use r3e_cbor::{Value, encode};
use sha2::{Digest as _, Sha256};

use crate::api::functions::{Instance, Limits, Permissions, Runtime};
use crate::api::modules::Code;

/// The first element of what is hashed: no other digest of ours is over the same bytes.
pub const VERSION_DOMAIN: &str = "r3e/1/function-version";

/// A function's version.
pub type Version = [u8; 32];

/// SHA-256 over the deterministic CBOR (RFC 8949 section 4.2.1) of the array
///
/// ```cddl
/// [ "r3e/1/function-version",
///   runtime: "javascript" / "typescript" / "wasm" / "python" / "csharp",
///   code: tstr / [entry: tstr, modules: [+ [path: tstr, text: tstr]]],
///   secrets: [* tstr],
///   net: [* tstr],
///   limits: [timeout_ms: uint, cpu_ms: uint, memory_mib: uint, output_bytes: uint, host_calls: uint,
///            concurrency: uint],
///   instance: [reuse: bool],
///   ? publish: [* tstr],
///   ? (set_secrets: [* tstr], triggers: bool),
///   ? (networks: [* tstr], wallets: [* tstr]) ]
/// ```
///
/// `code` is what was deployed: one source, or the entry's path and each module with its path. Modules rise strictly in the
/// order of their paths' bytes. `secrets`, `net`, `publish`, `set_secrets`, `networks` and `wallets` rise strictly in the order of their bytes. What stands
/// behind `instance` is there where it grants something, or something behind it is there: `set_secrets` and `triggers` both where one of them does, `networks` and `wallets` likewise. An element of `net` is in its one form: a host in lower
/// case, and `:port` in decimal unless the port is 443. The appliance brings permissions into this form, and answers with
/// it.
pub fn version(
    runtime: Runtime,
    code: Code<'_>,
    permissions: &Permissions,
    limits: &Limits,
    instance: Instance,
) -> Version {
    let Instance { reuse } = instance;
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|text| text.as_str().into()).collect());
    let Limits { timeout_ms, cpu_ms, memory_mib, output_bytes, host_calls, concurrency } = *limits;
    let limits = [timeout_ms, cpu_ms, memory_mib, output_bytes, host_calls, concurrency].map(Value::from);
    let mut hashed = vec![
        VERSION_DOMAIN.into(),
        runtime.name().into(),
        match code {
            Code::Source(source) => source.into(),
            Code::Modules { entry, modules } => {
                let module = |(path, text): (&String, &String)| {
                    Value::Array(vec![path.as_str().into(), text.as_str().into()])
                };
                Value::Array(vec![entry.into(), Value::Array(modules.iter().map(module).collect())])
            }
        },
        texts(&permissions.secrets),
        texts(&permissions.net),
        Value::Array(limits.to_vec()),
        Value::Array(vec![Value::Bool(reuse)]),
    ];
    let Permissions { secrets: _, net: _, publish, set_secrets, triggers, networks, wallets } = permissions;
    let chains = !networks.is_empty() || !wallets.is_empty();
    let changes = chains || !set_secrets.is_empty() || *triggers;
    if changes || !publish.is_empty() {
        hashed.push(texts(publish));
    }
    if changes {
        hashed.extend([texts(set_secrets), Value::Bool(*triggers)]);
    }
    if chains {
        hashed.extend([texts(networks), texts(wallets)]);
    }
    Sha256::digest(encode(&Value::Array(hashed))).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SOURCE: &str = "export default () => 1;";

    fn permissions() -> Permissions {
        Permissions {
            secrets: vec!["A".into(), "b".into()],
            net: vec!["api.example.com".into(), "x.test:8443".into()],
            ..Permissions::default()
        }
    }

    fn of(source: &str, permissions: &Permissions, limits: Limits) -> Version {
        version(Runtime::Javascript, Code::Source(source), permissions, &limits, Instance::default())
    }

    /// The bytes were written by hand from the definition, not printed by this code.
    #[test]
    fn the_vector_of_the_specification() {
        let mut hashed = vec![0x87];
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
        hashed.extend([
            0x86, 0x19, 0x13, 0x88, 0x19, 0x07, 0xd0, 0x18, 0x40, 0x1a, 0, 4, 0, 0, 0x18, 0x40, 0x08,
        ]);
        hashed.extend([0x81, 0xf4]);
        let expected: Version = Sha256::digest(&hashed).into();
        assert_eq!(of(SOURCE, &permissions(), Limits::default()), expected);
        assert_eq!(hex::encode(expected), "1efbbb571cf350bf288ae93bc658f9eb7691c92c7f226f55c61ded68acdc8cb9");
    }

    fn of_modules(runtime: Runtime, entry: &str, modules: &[(&str, &str)]) -> Version {
        let modules: BTreeMap<_, _> =
            modules.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let code = Code::Modules { entry, modules: &modules };
        version(runtime, code, &Permissions::default(), &Limits::default(), Instance::default())
    }

    /// As above: by hand.
    #[test]
    fn the_vector_of_several_modules() {
        let mut hashed = b"\x87\x76r3e/1/function-version\x6atypescript".to_vec();
        hashed.extend(b"\x82\x67main.ts\x82");
        hashed.extend(b"\x82\x68lib/a.ts\x73export const a = 1;");
        hashed.extend(b"\x82\x67main.ts\x78\x37import { a } from './lib/a.ts'; export default () => a;");
        hashed.extend([0x80, 0x80]);
        hashed.extend([
            0x86, 0x19, 0x13, 0x88, 0x19, 0x07, 0xd0, 0x18, 0x40, 0x1a, 0, 4, 0, 0, 0x18, 0x40, 0x08,
        ]);
        hashed.extend([0x81, 0xf4]);
        let main = "import { a } from './lib/a.ts'; export default () => a;";
        let expected: Version = Sha256::digest(&hashed).into();
        let modules = [("main.ts", main), ("lib/a.ts", "export const a = 1;")];
        assert_eq!(of_modules(Runtime::Typescript, "main.ts", &modules), expected);
    }

    #[test]
    fn no_two_sets_of_modules_have_one_version() {
        let modules = |modules: &[(&str, &str)]| of_modules(Runtime::Javascript, "a.js", modules);
        let base = [("a.js", "1"), ("b.js", "2")];
        let mut all = vec![
            modules(&base),
            modules(&[("a.js", "2"), ("b.js", "1")]),
            modules(&[("a.js", "1"), ("c.js", "2")]),
            modules(&[("a.js", "1")]),
            modules(&[("a.js", "1"), ("b.js", "2"), ("c.js", "")]),
            modules(&[("a.js", "1b.js2")]),
            of_modules(Runtime::Javascript, "b.js", &base),
            of_modules(Runtime::Typescript, "a.js", &base),
            of_modules(Runtime::Javascript, "1", &[]),
            of("1", &Permissions::default(), Limits::default()),
        ];
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
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
            &Permissions { secrets: first.net.clone(), net: first.secrets.clone(), ..Permissions::default() },
            limits,
        ));
        others.push(of(SOURCE, &Permissions { secrets: vec!["Ab".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { publish: vec!["t".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { publish: vec!["tt".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { set_secrets: vec!["t".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { networks: vec!["eip155:1".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { networks: vec!["eip155:2".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { wallets: vec!["eip155:1".into()], ..first.clone() }, limits));
        others.push(of(SOURCE, &Permissions { triggers: true, ..first.clone() }, limits));
        for changed in [
            Limits { timeout_ms: 1, ..limits },
            Limits { cpu_ms: 1, ..limits },
            Limits { memory_mib: 1, ..limits },
            Limits { output_bytes: 1, ..limits },
            Limits { host_calls: 1, ..limits },
            Limits { concurrency: 1, ..limits },
        ] {
            others.push(of(SOURCE, &first, changed));
        }
        let reused = Instance { reuse: true };
        others.push(version(Runtime::Javascript, Code::Source(SOURCE), &first, &limits, reused));
        others.push(base);
        others.sort_unstable();
        let all = others.len();
        others.dedup();
        assert_eq!(others.len(), all);
    }
}
