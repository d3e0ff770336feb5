//! Between the pool's words and the API's: keys, limits, errors and log lines.

use std::sync::Arc;

use r3e_proto::api::functions::{FunctionError, Instance, Limits, LogLine, Runtime};
use r3e_proto::api::identity::TenantId;
use r3e_runner_api::{Fault, LogLevel, LogRecord};

use crate::limits::MAX_LOG_BYTES;
use crate::runner_pool::{self, Engine, FunctionKey, InvocationError};

pub(crate) fn tenant_key(tenant: TenantId) -> Arc<str> {
    tenant.to_string().into()
}

/// The name is part of the key: two functions of the same code still share no runner. So is whether the version is in service:
/// what a process was given under an alias is not in the memory of one that serves the version without.
pub(crate) fn function_key(tenant: TenantId, name: &str, version_hex: &str, in_service: bool) -> FunctionKey {
    let version =
        if in_service { format!("{name}/{version_hex}") } else { format!("{name}/{version_hex}/aside") };
    FunctionKey { tenant: tenant_key(tenant), version: version.into() }
}

/// What runs functions of a language.
pub(crate) fn engine_of(runtime: Runtime) -> Engine {
    match runtime {
        Runtime::Javascript | Runtime::Typescript => Engine::JavaScript,
        Runtime::Wasm => Engine::Wasm,
        Runtime::Python => Engine::Python,
        Runtime::Csharp => Engine::CSharp,
    }
}

pub(crate) fn pool_limits(limits: &Limits, instance: Instance) -> runner_pool::Limits {
    runner_pool::Limits {
        wall_ms: u64::from(limits.timeout_ms),
        cpu_ms: u64::from(limits.cpu_ms),
        memory_mib: limits.memory_mib,
        output_bytes: limits.output_bytes,
        host_calls: limits.host_calls,
        log_bytes: MAX_LOG_BYTES,
        reuse: instance.reuse,
    }
}

pub(crate) fn log_line(record: LogRecord) -> LogLine {
    let level = match record.level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    };
    LogLine { level: level.to_owned(), text: record.text }
}

/// What a function is told of its own failure; the error itself where the failure is the appliance's.
pub(crate) fn explained(error: InvocationError) -> Result<FunctionError, InvocationError> {
    let message = error.to_string();
    let (code, message, stack) = match error {
        InvocationError::Load(fault) => told("load_error", fault),
        InvocationError::Function(fault) => told("function_error", fault),
        InvocationError::OutputTooLarge { .. } => ("output_limit", message, None),
        InvocationError::Memory { .. } | InvocationError::NoRoom { .. } => ("memory_limit", message, None),
        InvocationError::NoEngine { .. } => ("load_error", message, None),
        InvocationError::Timeout { .. } => ("timeout", message, None),
        InvocationError::CpuLimit { .. } => ("cpu_limit", message, None),
        InvocationError::TooManyHostCalls { .. } => ("host_call_limit", message, None),
        InvocationError::Crashed { .. } | InvocationError::Exited { .. } => ("crashed", message, None),
        InvocationError::Protocol(_) => ("protocol", message, None),
        InvocationError::Busy { .. }
        | InvocationError::Event(_)
        | InvocationError::NotReady
        | InvocationError::TooLarge(_)
        | InvocationError::Start(_)
        | InvocationError::Io(_) => return Err(error),
    };
    Ok(FunctionError { code: code.to_owned(), message, stack })
}

/// An exception as its author would print it.
fn told(code: &'static str, fault: Fault) -> (&'static str, String, Option<String>) {
    let Fault { name, message, stack, .. } = fault;
    let message = match (name.is_empty(), message.is_empty()) {
        (false, false) => format!("{name}: {message}"),
        (_, true) => name,
        (true, _) => message,
    };
    (code, message, stack)
}

#[cfg(test)]
mod tests {
    use r3e_proto::limits::MAX_RECEIPT_CODE_BYTES;
    use r3e_runner_api::{FaultKind, ProtocolError};

    use super::*;
    use crate::counts::OUTCOMES;

    #[test]
    fn every_failure_of_a_function_has_the_code_that_the_api_documents() {
        let fault = |name: &str, message: &str| Fault::new(FaultKind::Thrown, name, message, Some("at f"));
        for (error, code, message) in [
            (InvocationError::Load(fault("SyntaxError", "no")), "load_error", "SyntaxError: no"),
            (InvocationError::Function(fault("", "no")), "function_error", "no"),
            (InvocationError::Function(fault("Error", "")), "function_error", "Error"),
            (InvocationError::OutputTooLarge { max_bytes: 7 }, "output_limit", "7"),
            (InvocationError::Memory { max_mib: 7 }, "memory_limit", "7"),
            (InvocationError::NoRoom { needed_mib: 7, max_mib: 6 }, "memory_limit", "7"),
            (InvocationError::NoEngine { name: "Python" }, "load_error", "Python"),
            (InvocationError::Timeout { max_ms: 7 }, "timeout", "7"),
            (InvocationError::CpuLimit { max_ms: 7 }, "cpu_limit", "7"),
            (InvocationError::TooManyHostCalls { max: 7 }, "host_call_limit", "7"),
            (InvocationError::Crashed { signal: 31 }, "crashed", "31"),
            (InvocationError::Exited { status: 7 }, "crashed", "7"),
            (InvocationError::Protocol(ProtocolError::EmptyFrame), "protocol", "protocol"),
        ] {
            let told = explained(error).unwrap();
            assert_eq!(told.code, code);
            assert!(OUTCOMES.contains(&code), "{code} has no counter");
            assert!(told.message.contains(message), "{}", told.message);
            assert!(told.code.len() <= MAX_RECEIPT_CODE_BYTES);
        }
        assert!(explained(InvocationError::Busy { scope: "tenant" }).is_err());
        assert!(explained(InvocationError::Io(std::io::ErrorKind::Other.into())).is_err());
    }

    #[test]
    fn functions_of_the_same_code_have_keys_of_their_own() {
        let tenant = TenantId([1; 16]);
        let key = |tenant, name, in_service| function_key(tenant, name, "00", in_service);
        assert_ne!(key(tenant, "f", true), key(tenant, "g", true));
        assert_ne!(key(tenant, "f", true), key(TenantId([2; 16]), "f", true));
        assert_ne!(key(tenant, "f", true), key(tenant, "f", false));
        assert_eq!(key(tenant, "f", true), key(tenant, "f", true));
    }
}
