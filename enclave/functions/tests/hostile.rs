//! Each script under `hostile/` ends as it must, and a good tenant's function works on right after it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use r3e_functions::runner_pool::{Invocation, Limits, RunnerPool};
use support::{AMPLE, Host, REUSED, class, key, pool};

/// Which limit a script is to run into, if any.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// Processor time is short, and time is not.
    Cpu,
    /// Time is short, and processor time is not.
    Wall,
    /// Neither: the script ends by itself, or by its memory.
    None,
}

use Bound::{Cpu, None as Free, Wall};

/// The script, the limit it meets, and every outcome that is right for it.
const TABLE: &[(&str, Bound, &[&str])] = &[
    ("buffers-hostile", Free, &[r#"ok "unharmed""#]),
    ("fetch-malformed", Free, &["ok []"]),
    ("flood-call-size", Free, &[r#"ok "too_large""#]),
    ("flood-calls", Free, &["too_many_host_calls"]),
    ("flood-calls-at-once", Free, &["too_many_host_calls", "memory", "crashed 11"]),
    ("flood-calls-lost", Free, &[r#"ok "left""#]),
    ("flood-finalizers", Cpu, &["cpu_limit", r#"ok "registered""#]),
    ("flood-generators", Free, &["memory"]),
    ("flood-log", Cpu, &["cpu_limit"]),
    ("flood-log-empty", Cpu, &["cpu_limit"]),
    ("flood-log-line", Free, &[r#"ok "printed""#]),
    ("flood-log-objects", Free, &[r#"ok "printed""#]),
    ("flood-timer-left", Free, &[r#"ok "left""#]),
    ("flood-timers", Free, &["function thrown"]),
    ("host-at-top-level", Free, &["load thrown"]),
    ("host-malformed", Free, &["ok []"]),
    ("import-attributes", Free, &["ok []"]),
    ("import-dynamic", Free, &["ok []"]),
    ("import-meta", Free, &["ok []"]),
    ("import-static", Free, &["load module"]),
    ("import-static-internal", Free, &["load module"]),
    ("loop-async", Cpu, &["cpu_limit"]),
    ("loop-bigint", Cpu, &["cpu_limit"]),
    ("loop-concat", Cpu, &["cpu_limit"]),
    ("loop-derive", Cpu, &["cpu_limit"]),
    ("loop-empty", Cpu, &["cpu_limit"]),
    ("loop-getter", Cpu, &["cpu_limit"]),
    ("loop-index-of", Cpu, &["cpu_limit"]),
    ("loop-interval", Wall, &["timeout"]),
    ("loop-microtask", Cpu, &["cpu_limit"]),
    ("loop-proxy-output", Cpu, &["cpu_limit"]),
    ("loop-regexp", Cpu, &["cpu_limit"]),
    ("loop-sort", Cpu, &["cpu_limit"]),
    ("loop-splice", Cpu, &["cpu_limit"]),
    ("loop-thenable", Cpu, &["cpu_limit"]),
    ("loop-timer", Wall, &["timeout"]),
    ("loop-to-json", Cpu, &["cpu_limit"]),
    ("loop-top-level", Cpu, &["cpu_limit"]),
    ("memory-apply", Free, &["function thrown"]),
    ("memory-arrays", Free, &["memory"]),
    ("memory-bigint", Free, &["function thrown"]),
    ("memory-buffers", Free, &["memory"]),
    ("memory-caught", Free, &["memory"]),
    ("memory-clone", Free, &["memory"]),
    ("memory-closures", Free, &["memory"]),
    ("memory-encode", Free, &["memory"]),
    ("memory-finally", Free, &["memory"]),
    ("memory-json-array", Free, &["memory"]),
    ("memory-map", Free, &["memory"]),
    ("memory-one-buffer", Free, &["memory", "function thrown"]),
    ("memory-pad", Free, &["memory"]),
    ("memory-promises", Free, &["memory"]),
    ("memory-repeat", Free, &["memory"]),
    ("memory-resizable", Free, &["memory", "function thrown"]),
    ("memory-spread", Free, &["memory"]),
    ("memory-string", Free, &["memory"]),
    ("memory-symbols", Cpu, &["cpu_limit", "memory"]),
    ("memory-top-level", Free, &["memory"]),
    ("module-default-value", Free, &["load no_handler"]),
    ("module-empty", Free, &["load no_handler"]),
    ("module-no-default", Free, &["load no_handler"]),
    ("parse-arguments", Free, &["function thrown"]),
    ("parse-arrays", Free, &["function thrown"]),
    ("parse-blocks", Free, &["function thrown"]),
    ("parse-cases", Free, &["ok 99999"]),
    ("parse-json", Free, &["function thrown"]),
    ("parse-json-number", Free, &["ok true"]),
    ("parse-locals", Free, &["function thrown"]),
    ("parse-nul", Free, &["ok 4"]),
    ("parse-parens", Free, &["function thrown"]),
    ("parse-regexp", Free, &["function thrown"]),
    ("parse-regexp-class", Cpu, &["cpu_limit"]),
    ("parse-syntax", Free, &["load module"]),
    ("parse-templates", Free, &["function thrown"]),
    ("parse-unary", Free, &["function thrown"]),
    ("pollute-collections", Free, &[r#"ok "s3cret""#]),
    ("pollute-constructor", Free, &["function thrown"]),
    ("pollute-delete", Free, &[r#"ok "s3cret""#]),
    ("pollute-errors", Free, &[r#"ok "a secret's name must be a non-empty string""#]),
    ("pollute-freeze", Free, &[r#"ok "s3cret""#]),
    ("pollute-iterators", Free, &[r#"ok "s3cret""#]),
    ("pollute-json", Free, &[r#"ok ["s3cret"]"#]),
    ("pollute-object", Free, &[r#"ok "s3cret""#]),
    ("pollute-promise", Free, &["function thrown"]),
    ("pollute-web", Free, &[r#"ok """#]),
    ("reach-async-context", Free, &["ok []"]),
    ("reach-by-walking", Free, &[r#"ok {"found":[],"enough":true}"#]),
    ("reach-caller", Free, &["ok []"]),
    ("reach-constructors", Free, &["ok []"]),
    ("reach-globals", Free, &["ok []"]),
    ("reach-stack-hook", Free, &["ok []"]),
    ("reach-web", Free, &[r#"ok {"found":[],"enough":true}"#]),
    ("reject-handled", Free, &[r#"ok "mine""#]),
    ("reject-proxy", Free, &["function thrown"]),
    ("reject-unhandled", Free, &["function unhandled_rejection"]),
    ("reject-unhandled-async", Free, &["function unhandled_rejection"]),
    ("result-bigint", Free, &["function result_not_json"]),
    ("result-cycle", Free, &["function result_not_json"]),
    ("result-deep", Free, &["function result_not_json"]),
    ("result-function", Free, &["function result_not_json"]),
    ("result-getter", Free, &["function result_not_json"]),
    ("result-large", Free, &["output_too_large"]),
    ("result-large-async", Free, &["output_too_large"]),
    ("result-large-utf8", Free, &["output_too_large"]),
    ("result-nested-bigint", Free, &["function result_not_json"]),
    ("result-proxy", Free, &["function result_not_json"]),
    ("result-revoked", Free, &["function thrown"]),
    ("result-revoked-async", Free, &["ok [{}]", "function result_not_json"]),
    ("result-surrogate", Free, &[r#"ok "\ud800""#]),
    ("result-symbol", Free, &["function result_not_json"]),
    ("result-then-throws", Free, &["function thrown"]),
    ("result-then-twice", Free, &["ok 1"]),
    ("result-to-json-deep", Free, &["function result_not_json"]),
    ("result-to-json-function", Free, &["function result_not_json"]),
    // It takes time and memory alike; a loaded machine counts the time first.
    ("result-to-json-wide", Free, &["memory", "output_too_large", "cpu_limit"]),
    ("result-undefined", Free, &["ok null"]),
    ("result-undefined-async", Free, &["ok null"]),
    ("result-very-deep", Free, &["function result_not_json"]),
    ("shared-memory", Free, &["ok []"]),
    ("stack-async", Free, &["function thrown"]),
    ("stack-bound", Free, &["memory", "function thrown"]),
    ("stack-caught", Free, &["ok true"]),
    ("stack-clone", Free, &["ok true"]),
    ("stack-console", Free, &[r#"ok "returned""#]),
    ("stack-dispose", Free, &[r#"ok "dropped""#]),
    ("stack-getter-chain", Free, &["function thrown"]),
    ("stack-host", Free, &[r#"ok "returned""#]),
    ("stack-native", Free, &["function thrown"]),
    ("stack-proxy", Free, &["function thrown"]),
    ("stack-recursion", Free, &["function thrown"]),
    ("stack-replace", Free, &["function thrown"]),
    ("stack-sort", Free, &["function thrown"]),
    ("stack-to-string", Free, &["function thrown"]),
    ("throw-at-top-level", Free, &["load thrown"]),
    ("throw-in-microtask", Free, &["function thrown"]),
    ("throw-in-timer", Free, &["function thrown"]),
    ("throw-long", Free, &["memory", "function thrown"]),
    ("throw-null", Free, &["function thrown"]),
    ("throw-proxy", Free, &["function thrown"]),
    ("throw-revoked", Free, &["function thrown"]),
    ("throw-symbol", Free, &["function thrown"]),
    ("wait-at-top-level", Free, &["load never_settled"]),
    ("wait-for-host", Wall, &["timeout"]),
    ("wait-for-host-forever", Cpu, &["cpu_limit"]),
    ("wait-for-nothing", Free, &["function never_settled"]),
];

fn limits(bound: Bound) -> Limits {
    match bound {
        Cpu => Limits { cpu_ms: 300, ..AMPLE },
        Wall => Limits { wall_ms: 400, ..AMPLE },
        Free => AMPLE,
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

async fn run(pool: &RunnerPool, name: &str, bound: Bound) -> Invocation {
    let source = std::fs::read_to_string(directory().join(format!("{name}.js"))).unwrap();
    pool.invoke(&key("mallory", name), &source, "{}", &limits(bound), &Host::default()).await
}

const GOOD: &str =
    "let count = 0; export default async (e) => ({ e, count: ++count, s: await r3e.secrets.get('n') });";

#[test]
fn the_table_names_every_script_once() {
    let files: BTreeSet<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let named: BTreeSet<String> = TABLE.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(named.len(), TABLE.len());
    assert_eq!(files, named);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_script_ends_as_it_must() {
    let pool = pool();
    let mut wrong = Vec::new();
    for (index, (name, bound, expected)) in TABLE.iter().enumerate() {
        let invocation = run(&pool, name, *bound).await;
        let class = class(&invocation.outcome);
        if !expected.contains(&class.as_str()) {
            wrong.push(format!("{name}: {class}, wanted one of {expected:?}: {:?}", invocation.outcome));
        }
        let log_bytes: usize = invocation.logs.iter().map(|record| record.text.len()).sum();
        assert!(log_bytes <= 10_000, "{name} logged {log_bytes} bytes");
        let good =
            pool.invoke(&key("alice", "good"), GOOD, &index.to_string(), &REUSED, &Host::default()).await;
        let output = good.outcome.unwrap_or_else(|error| panic!("after {name}: {error:?}"));
        // The same process, with the same state: what happened beside it left no trace.
        assert_eq!(output, format!(r#"{{"e":{index},"count":{},"s":"s3cret"}}"#, index + 1), "after {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
