//! A function's definition, checked and in its one form. It knows nothing of stores and runners.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use r3e_egress::HostAllowList;
use r3e_proto::api::chains::is_network;
use r3e_proto::api::functions::{Deploy, Instance, Limits, Permissions, Runtime};
use r3e_proto::api::is_name;
use r3e_proto::api::modules::{Code, CodeError};
use thiserror::Error;

use crate::limits::{
    CONCURRENCY, CPU_MS, CSHARP_CPU_MS, CSHARP_MEMORY_MIB, HOST_CALLS, MAX_MODULES, MAX_NET_GRANTS,
    MAX_NETWORK_GRANTS, MAX_SECRET_GRANTS, MAX_SOURCE_BYTES, MAX_TOPIC_GRANTS, MAX_WALLET_GRANTS,
    MAX_WASM_SOURCE_BYTES, MEMORY_MIB, OUTPUT_BYTES, PYTHON_MEMORY_MIB, TIMEOUT_MS,
};
use r3e_proto::function_version::{Version, version};

/// What a tenant wants deployed, once nothing in it breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    name: String,
    runtime: Runtime,
    sources: Sources,
    permissions: Permissions,
    limits: Limits,
    instance: Instance,
    version: Version,
}

/// The code as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// One module.
    Single(Arc<str>),
    /// Several.
    Several {
        /// The entry's path.
        entry: String,
        /// Texts by path.
        modules: Arc<BTreeMap<String, String>>,
    },
}

/// The rule that a definition breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The function's name.
    #[error("{0:?} names no function: 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`")]
    Name(String),
    /// The form of the code, or a module's path.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The code is too long.
    #[error("the code has {bytes} bytes; in this language it must have 1 to {max_bytes}")]
    SourceLength {
        /// What it has.
        bytes: usize,
        /// What it may have; of WebAssembly, in base64.
        max_bytes: usize,
    },
    /// Too many modules.
    #[error("{0} modules are more than {MAX_MODULES}: bundle some of them into one")]
    TooManyModules(usize),
    /// The source begins as a compiled program does.
    #[error("the source begins with a NUL character, which no program does")]
    Nul,
    /// A permission that is none.
    #[error("permissions.secrets: {0:?} names no secret")]
    SecretName(String),
    /// A permission that is none.
    #[error("permissions.set_secrets: {0:?} names no secret")]
    SetSecretName(String),
    /// A permission that is none.
    #[error(
        "permissions.publish: {0:?} names no topic: 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`"
    )]
    Topic(String),
    /// A permission that is none.
    #[error("permissions.wallets: {0:?} names no wallet")]
    Wallet(String),
    /// A permission that is none.
    #[error("permissions.networks: {0:?} names no network: eip155:CHAIN_ID or neo-n3:MAGIC")]
    Network(String),
    /// A permission that is none.
    #[error(
        "permissions.net: {0:?} is neither `host` nor `host:port`; an address, a path or a wildcard is no host"
    )]
    Host(String),
    /// Too many permissions of a kind.
    #[error("permissions.{kind}: {count} are more than {max}")]
    TooManyGrants {
        /// `secrets`, `net`, `publish`, `set_secrets`, `networks` or `wallets`.
        kind: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// A limit outside of what the appliance offers.
    #[error("limits.{limit}: {value} is not between {min} and {max}")]
    Limit {
        /// Its name.
        limit: &'static str,
        /// What was asked for.
        value: u32,
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
}

impl Definition {
    /// Checks what a tenant wants deployed under `name`, and brings it into its one form.
    ///
    /// # Errors
    /// [`DefinitionError`]: the first rule it breaks.
    pub fn new(name: &str, deploy: Deploy) -> Result<Self, DefinitionError> {
        if !is_name(name) {
            return Err(DefinitionError::Name(shown(name)));
        }
        let code = deploy.code()?;
        check_code(deploy.runtime, code)?;
        check_limits(deploy.runtime, &deploy.limits)?;
        let permissions = canonical(deploy.permissions.clone())?;
        let version = version(deploy.runtime, code, &permissions, &deploy.limits, deploy.instance);
        let Deploy { runtime, source, entry, modules, limits, instance, .. } = deploy;
        let sources = match entry {
            None => Sources::Single(source.into()),
            Some(entry) => Sources::Several { entry, modules: Arc::new(modules) },
        };
        Ok(Self { name: name.to_owned(), runtime, sources, permissions, limits, instance, version })
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The language.
    pub fn runtime(&self) -> Runtime {
        self.runtime
    }

    /// The length of all code.
    pub fn source_bytes(&self) -> usize {
        match &self.sources {
            Sources::Single(source) => source.len(),
            Sources::Several { modules, .. } => modules.values().map(String::len).sum(),
        }
    }

    /// The code as it was deployed.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What it may reach: sorted, without repetition.
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// What an invocation may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How its processes are used.
    pub fn instance(&self) -> Instance {
        self.instance
    }

    /// Whether its code is compiled before a runner loads it.
    pub(crate) fn is_compiled(&self) -> bool {
        // Python is compiled by its interpreter, where it runs.
        !matches!((&self.sources, self.runtime), (Sources::Single(_), Runtime::Javascript | Runtime::Python))
    }

    /// The digest of all of it but the name.
    pub fn version(&self) -> &Version {
        &self.version
    }
}

/// What an error repeats of a text that someone sent.
const SHOWN_CHARS: usize = 100;

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

fn check_code(runtime: Runtime, code: Code<'_>) -> Result<(), DefinitionError> {
    let bytes = code.bytes();
    let max_bytes = if runtime == Runtime::Wasm { MAX_WASM_SOURCE_BYTES } else { MAX_SOURCE_BYTES };
    if bytes == 0 || bytes > max_bytes {
        return Err(DefinitionError::SourceLength { bytes, max_bytes });
    }
    match code {
        Code::Source(source) if source.starts_with('\0') => Err(DefinitionError::Nul),
        Code::Modules { modules, .. } if modules.len() > MAX_MODULES => {
            Err(DefinitionError::TooManyModules(modules.len()))
        }
        _ => Ok(()),
    }
}

fn canonical(permissions: Permissions) -> Result<Permissions, DefinitionError> {
    let Permissions { mut secrets, net, mut publish, mut set_secrets, triggers, mut networks, mut wallets } =
        permissions;
    for (kind, count, max) in [
        ("secrets", secrets.len(), MAX_SECRET_GRANTS),
        ("net", net.len(), MAX_NET_GRANTS),
        ("publish", publish.len(), MAX_TOPIC_GRANTS),
        ("set_secrets", set_secrets.len(), MAX_SECRET_GRANTS),
        ("networks", networks.len(), MAX_NETWORK_GRANTS),
        ("wallets", wallets.len(), MAX_WALLET_GRANTS),
    ] {
        if count > max {
            return Err(DefinitionError::TooManyGrants { kind, count, max });
        }
    }
    if let Some(wrong) = secrets.iter().find(|name| !is_name(name)) {
        return Err(DefinitionError::SecretName(shown(wrong)));
    }
    if let Some(wrong) = networks.iter().find(|name| !is_network(name)) {
        return Err(DefinitionError::Network(shown(wrong)));
    }
    if let Some(wrong) = wallets.iter().find(|name| !is_name(name)) {
        return Err(DefinitionError::Wallet(shown(wrong)));
    }
    if let Some(wrong) = set_secrets.iter().find(|name| !is_name(name)) {
        return Err(DefinitionError::SetSecretName(shown(wrong)));
    }
    if let Some(wrong) = publish.iter().find(|name| !is_name(name)) {
        return Err(DefinitionError::Topic(shown(wrong)));
    }
    let mut net = net
        .iter()
        .map(|text| host_grant(text).ok_or_else(|| DefinitionError::Host(shown(text))))
        .collect::<Result<Vec<_>, _>>()?;
    for list in [&mut secrets, &mut net, &mut publish, &mut set_secrets, &mut networks, &mut wallets] {
        list.sort_unstable();
        list.dedup();
    }
    Ok(Permissions { secrets, net, publish, set_secrets, triggers, networks, wallets })
}

/// The one form of `host` or `host:port`: lower case, no port where it is 443. None if egress would not connect to it,
/// and for egress's wildcards: who reads a function's permissions must see every host.
fn host_grant(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let exact = !lower.contains('*') && HostAllowList::parse([lower.as_str()]).is_ok();
    exact.then(|| lower.strip_suffix(":443").unwrap_or(&lower).to_owned())
}

fn check_limits(runtime: Runtime, limits: &Limits) -> Result<(), DefinitionError> {
    let memory_mib = match runtime {
        Runtime::Python => PYTHON_MEMORY_MIB,
        Runtime::Csharp => CSHARP_MEMORY_MIB,
        _ => MEMORY_MIB,
    };
    let cpu_ms = if runtime == Runtime::Csharp { CSHARP_CPU_MS } else { CPU_MS };
    let rules: [(&'static str, u32, RangeInclusive<u32>); 6] = [
        ("timeout_ms", limits.timeout_ms, TIMEOUT_MS),
        ("cpu_ms", limits.cpu_ms, cpu_ms),
        ("memory_mib", limits.memory_mib, memory_mib),
        ("output_bytes", limits.output_bytes, OUTPUT_BYTES),
        ("host_calls", limits.host_calls, HOST_CALLS),
        ("concurrency", limits.concurrency, CONCURRENCY),
    ];
    for (limit, value, range) in rules {
        if !range.contains(&value) {
            return Err(DefinitionError::Limit { limit, value, min: *range.start(), max: *range.end() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deploy() -> Deploy {
        Deploy::javascript("export default () => 1;")
    }

    fn granted(secrets: &[&str], net: &[&str]) -> Result<Definition, DefinitionError> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let permissions = Permissions { secrets: texts(secrets), net: texts(net), ..Permissions::default() };
        Definition::new("f", Deploy { permissions, ..deploy() })
    }

    #[test]
    fn one_meaning_has_one_form_and_one_version() {
        let first =
            granted(&["b", "A", "b"], &["X.test:8443", "api.example.com:443", "API.example.com"]).unwrap();
        assert_eq!(first.permissions().secrets, ["A", "b"]);
        assert_eq!(first.permissions().net, ["api.example.com", "x.test:8443"]);
        let second = granted(&["A", "b"], &["api.example.com", "x.test:8443"]).unwrap();
        assert_eq!(first, second);
        let renamed = Definition::new("g", deploy()).unwrap();
        assert_eq!(renamed.version(), Definition::new("f", deploy()).unwrap().version());
    }

    #[test]
    fn topics_are_names() {
        let publishing = |topics: &[&str]| {
            let publish = topics.iter().map(|topic| (*topic).to_owned()).collect();
            let permissions = Permissions { publish, ..Permissions::default() };
            Definition::new("f", Deploy { permissions, ..deploy() })
        };
        assert_eq!(publishing(&["b", "a.b", "b"]).unwrap().permissions().publish, ["a.b", "b"]);
        assert_ne!(publishing(&["a"]).unwrap().version(), publishing(&[]).unwrap().version());
        for wrong in ["", "a/b", ".a", "*", "ä"] {
            assert_eq!(
                publishing(&["a", wrong]).err(),
                Some(DefinitionError::Topic(wrong.into())),
                "{wrong}"
            );
        }
        let many: Vec<String> = (0..=MAX_TOPIC_GRANTS).map(|n| format!("t{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(publishing(&many[1..]).is_ok());
        assert!(matches!(publishing(&many), Err(DefinitionError::TooManyGrants { kind: "publish", .. })));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long_label = format!("{}.test", "a".repeat(64));
        let long_name = format!("{}test", "a.".repeat(125));
        for wrong in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "*.test",
            "*.a.test",
            "a.test:8443:443",
            "a.test:443:443",
            "localhost:8443",
            "a.internal",
            "a b.test",
            "https://a.test",
            "a.test/",
            "a.test:",
            "a.test:0",
            "a.test:065",
            "a.test:65536",
            "a.test:+1",
            "a.test:1:2",
            "127.0.0.1",
            "127.1",
            "0x7f.0x1",
            "[::1]",
            "::1",
            "1",
            "user@a.test",
            "bücher.test",
            "a.test\n",
            "a.test?",
            "a%2etest",
            &long_label,
            &long_name,
        ] {
            assert_eq!(granted(&[], &[wrong]).err(), Some(DefinitionError::Host(shown(wrong))), "{wrong}");
        }
        for right in ["a.b.c.test:4430", "xn--bcher-kva.test", "3.a.test", "a.test:65535", "a1.te-st.x--y"] {
            assert_eq!(granted(&[], &[right]).unwrap().permissions().net, [right]);
        }
    }

    #[test]
    fn names_sources_and_counts_are_bounded() {
        for wrong in ["", "a/b", "../a", "-a", ".a", "ä", &"a".repeat(65)] {
            assert_eq!(Definition::new(wrong, deploy()), Err(DefinitionError::Name(wrong.into())), "{wrong}");
        }
        let of = |runtime, len: usize| {
            Definition::new("f", Deploy { runtime, source: " ".repeat(len), ..deploy() }).err()
        };
        let sized = |len| of(Runtime::Javascript, len);
        let too_long = |bytes, max_bytes| Some(DefinitionError::SourceLength { bytes, max_bytes });
        assert_eq!(sized(0), Some(DefinitionError::Code(CodeError::Form)));
        let nul = Definition::new("f", Deploy::javascript("\0export default () => 1;"));
        assert_eq!(nul, Err(DefinitionError::Nul));
        assert_eq!(sized(MAX_SOURCE_BYTES), None);
        assert_eq!(sized(MAX_SOURCE_BYTES + 1), too_long(MAX_SOURCE_BYTES + 1, MAX_SOURCE_BYTES));
        assert_eq!(of(Runtime::Wasm, MAX_WASM_SOURCE_BYTES), None);
        let beyond = MAX_WASM_SOURCE_BYTES + 1;
        assert_eq!(of(Runtime::Wasm, beyond), too_long(beyond, MAX_WASM_SOURCE_BYTES));
        assert!(of(Runtime::Python, beyond).is_some() && of(Runtime::Csharp, beyond).is_some());
        assert!(matches!(granted(&["a/b"], &[]), Err(DefinitionError::SecretName(_))));
        let many: Vec<String> = (0..=MAX_SECRET_GRANTS).map(|n| format!("s{n}.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(granted(&many[1..], &many[1..]).is_ok());
        assert!(matches!(granted(&many, &[]), Err(DefinitionError::TooManyGrants { kind: "secrets", .. })));
        assert!(matches!(granted(&[], &many), Err(DefinitionError::TooManyGrants { kind: "net", .. })));
    }

    #[test]
    fn several_modules_share_the_limits() {
        let several = |modules: BTreeMap<String, String>| {
            Definition::new("f", Deploy::modules(Runtime::Javascript, "a.js", modules))
        };
        let of = |count: usize, len: usize| -> BTreeMap<String, String> {
            let others = (1..count).map(|n| (format!("m{n}.js"), " ".repeat(len)));
            others.chain([("a.js".to_owned(), " ".repeat(len))]).collect()
        };
        assert!(several(of(MAX_MODULES, 1)).is_ok());
        assert_eq!(several(of(MAX_MODULES + 1, 1)), Err(DefinitionError::TooManyModules(MAX_MODULES + 1)));
        assert!(several(of(2, MAX_SOURCE_BYTES / 2)).is_ok());
        assert_eq!(
            several(of(4, MAX_SOURCE_BYTES / 2)),
            Err(DefinitionError::SourceLength { bytes: 2 * MAX_SOURCE_BYTES, max_bytes: MAX_SOURCE_BYTES })
        );
        assert!(matches!(several(of(2, 0)), Err(DefinitionError::SourceLength { bytes: 0, .. })));
        let escapes =
            BTreeMap::from([("a.js".to_owned(), "1".to_owned()), ("../b.js".to_owned(), "1".to_owned())]);
        assert_eq!(several(escapes), Err(DefinitionError::Code(CodeError::Path("../b.js".into()))));
    }

    #[test]
    fn what_is_one_module_comes_as_one_and_python_has_room_for_itself() {
        let of = |runtime, memory_mib| {
            let limits = Limits { memory_mib, ..Limits::default() };
            Definition::new("f", Deploy { runtime, limits, ..deploy() }).err()
        };
        assert_eq!(of(Runtime::Wasm, 8), None);
        assert_eq!(of(Runtime::Python, 32), None);
        assert!(matches!(of(Runtime::Python, 31), Some(DefinitionError::Limit { min: 32, .. })));
        assert_eq!(of(Runtime::Csharp, 32), None);
        assert!(matches!(of(Runtime::Csharp, 31), Some(DefinitionError::Limit { min: 32, .. })));
        let modules = BTreeMap::from([("a.js".to_owned(), "1".to_owned())]);
        for runtime in [Runtime::Wasm, Runtime::Python] {
            let several = Definition::new("f", Deploy::modules(runtime, "a.js", modules.clone()));
            assert_eq!(several, Err(DefinitionError::Code(CodeError::Single(runtime.name()))));
        }
    }

    #[test]
    fn each_limit_has_a_floor_and_a_ceiling() {
        type Change = fn(&mut Limits, u32);
        let changes: [(&str, RangeInclusive<u32>, Change); 6] = [
            ("timeout_ms", TIMEOUT_MS, |limits, value| limits.timeout_ms = value),
            ("cpu_ms", CPU_MS, |limits, value| limits.cpu_ms = value),
            ("memory_mib", MEMORY_MIB, |limits, value| limits.memory_mib = value),
            ("output_bytes", OUTPUT_BYTES, |limits, value| limits.output_bytes = value),
            ("host_calls", HOST_CALLS, |limits, value| limits.host_calls = value),
            ("concurrency", CONCURRENCY, |limits, value| limits.concurrency = value),
        ];
        for (name, range, change) in changes {
            let with = |value: u32| {
                let mut limits = Limits::default();
                change(&mut limits, value);
                Definition::new("f", Deploy { limits, ..deploy() }).err()
            };
            assert_eq!(with(*range.start()), None);
            assert_eq!(with(*range.end()), None);
            for value in [range.start().checked_sub(1), range.end().checked_add(1)].into_iter().flatten() {
                assert!(matches!(with(value), Some(DefinitionError::Limit { limit, .. }) if limit == name));
            }
        }
    }
}
