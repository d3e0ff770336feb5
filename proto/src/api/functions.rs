//! Functions: what a tenant deploys, invokes and gets back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Deploys a version of a function under the name in the path. Its code is either `source` or `modules` with their `entry`
/// ([`Self::code`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The language.
    pub runtime: Runtime,
    /// One module that imports none of the tenant's: an ES module whose default export is a function, a WebAssembly module or component in
    /// standard base64, a Python module that defines `handler`, or a source in C# whose one public static method `Handle` is called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The path, among `modules`, of the one whose default export is a function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Texts by path ([`is_module_path`](super::modules::is_module_path)): modules that import each other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modules: BTreeMap<String, String>,
    /// What it may reach.
    #[serde(default)]
    pub permissions: Permissions,
    /// What it may use; what is absent is the default.
    #[serde(default)]
    pub limits: Limits,
    /// How its processes are used; what is absent is the default.
    #[serde(default)]
    pub instance: Instance,
}

/// The language of a function's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// ECMAScript modules.
    Javascript,
    /// TypeScript, and what JavaScript has: types are taken away when it is deployed.
    Typescript,
    /// WebAssembly, in standard base64: a module that is a command of WASI preview 1, or a component.
    Wasm,
    /// Python.
    Python,
    /// C#.
    Csharp,
}

impl Runtime {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Javascript => "javascript",
            Self::Typescript => "typescript",
            Self::Wasm => "wasm",
            Self::Python => "python",
            Self::Csharp => "csharp",
        }
    }

    /// Whether its code may be several modules that import, or know, each other.
    pub fn has_modules(self) -> bool {
        matches!(self, Self::Javascript | Self::Typescript | Self::Csharp)
    }
}

impl Deploy {
    /// One module of JavaScript, with no permissions and the default limits.
    pub fn javascript(source: impl Into<String>) -> Self {
        Self {
            runtime: Runtime::Javascript,
            source: source.into(),
            entry: None,
            modules: BTreeMap::new(),
            permissions: Permissions::default(),
            limits: Limits::default(),
            instance: Instance::default(),
        }
    }

    /// Several modules, with no permissions and the default limits.
    pub fn modules(runtime: Runtime, entry: impl Into<String>, modules: BTreeMap<String, String>) -> Self {
        Self { runtime, entry: Some(entry.into()), modules, ..Self::javascript("") }
    }
}

/// What a function may reach; empty is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Names of the tenant's secrets it may read.
    pub secrets: Vec<String>,
    /// Hosts it may fetch from: `host` (port 443) or `host:port`.
    pub net: Vec<String>,
    /// Topics it may publish events of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<String>,
    /// Names of the tenant's secrets it may set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_secrets: Vec<String>,
    /// Whether it may make triggers that invoke it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub triggers: bool,
    /// Networks that it may use, by CAIP-2: `eip155:1`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The tenant's wallets that it may have transactions signed by, on those networks, where the wallet's policy names its version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wallets: Vec<String>,
}

/// What one invocation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall time, from the event's hand-over to the result.
    pub timeout_ms: u32,
    /// CPU time of the runner.
    pub cpu_ms: u32,
    /// The engine's heap.
    pub memory_mib: u32,
    /// The result's JSON.
    pub output_bytes: u32,
    /// Calls to the appliance: secrets, store, fetch, attestation.
    pub host_calls: u32,
    /// Invocations of the function at once; more wait.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout_ms: 5_000,
            cpu_ms: 2_000,
            memory_mib: 64,
            output_bytes: 256 * 1024,
            host_calls: 64,
            concurrency: 8,
        }
    }
}

/// How the processes that handle a function's events are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instance {
    /// Whether a process may handle one event after another. Without it, each event begins with the module as it was when it had
    /// just been loaded, and nothing of an event is there in the next.
    pub reuse: bool,
}

/// A deployed function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// SHA-256 of runtime, code, permissions, limits and instance (see `SPEC.md`), hex.
    pub version: String,
    /// The language.
    pub runtime: Runtime,
    /// What it may reach.
    pub permissions: Permissions,
    /// What it may use.
    pub limits: Limits,
    /// How its processes are used.
    #[serde(default)]
    pub instance: Instance,
    /// The length of all that was deployed as code.
    pub source_bytes: u64,
    /// The entry's path, where it was deployed as several modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The paths of all modules, where it was deployed as several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// When it was deployed, by the appliance's clock.
    pub deployed_at_ms: u64,
}

/// What an invocation gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// 32 hex digits.
    pub id: String,
    /// The function's version, hex.
    pub version: String,
    /// The result, or why there is none.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What the function logged.
    pub logs: Vec<LogLine>,
    /// Whether lines were left out of `logs` for their size.
    pub logs_truncated: bool,
    /// What it used.
    pub usage: Usage,
    /// The signed receipt, a COSE_Sign1, standard base64.
    pub receipt: String,
}

/// The result, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The JSON text that the receipt's output hash is over. Text, not a value: a client that parsed and printed it
    /// again would hash other bytes.
    Output(String),
    /// Why there is none.
    Error(FunctionError),
}

/// The code of an invocation that wrote what was neither confirmed nor refused in time. It may stand or not: look at the
/// state before you invoke again.
pub const STORE_UNCONFIRMED: &str = "store_unconfirmed";

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionError {
    /// Stable: `function_error`, `load_error`, `timeout`, `cpu_limit`, `memory_limit`, `output_limit`,
    /// `host_call_limit`, `crashed`, `protocol`, [`STORE_UNCONFIRMED`].
    pub code: String,
    /// For a person: the exception's name and message, or the limit that was reached.
    pub message: String,
    /// The stack, where the function threw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

/// One line that a function logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text.
    pub text: String,
}

/// The log of one invocation, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The invocation.
    pub invocation: String,
    /// The function's version, hex.
    pub version: String,
    /// When it ended, by the appliance's clock.
    pub at_ms: u64,
    /// `ok`, or the error's code.
    pub outcome: String,
    /// What it logged.
    pub lines: Vec<LogLine>,
}

/// What an invocation used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time of the runner, as the kernel counted it.
    pub cpu_us: u64,
    /// Wall time.
    pub wall_us: u64,
    /// The most memory that the runner had resident.
    pub peak_memory_bytes: u64,
    /// Calls to the appliance.
    pub host_calls: u64,
    /// Bytes of requests that it sent by `fetch`.
    pub bytes_out: u64,
}
