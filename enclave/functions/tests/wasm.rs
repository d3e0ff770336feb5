//! Functions in WebAssembly: what they are given and what they give, what is refused when they are deployed, and what they cannot
//! reach. The compiler and the runner are the real programs, boxed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
mod webassembly;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::Arc;

use keeper::Keeper;
use r3e_functions::runner_pool::{RunnerConfig, RunnerPool};
use r3e_functions::{Bundler, CheckError, Definition, Loadable};
use r3e_proto::api::functions::{Deploy, Instance, Limits, Outcome, Permissions, Runtime};

use appliance::{ALICE, Appliance, ample, output};
use support::runner_path;
use webassembly::of_bytes;

fn wasm(text: &str) -> Deploy {
    of_bytes(&wat::parse_str(text).unwrap())
}

fn command(imports: &str, rest: &str) -> Deploy {
    of_bytes(&webassembly::command(imports, rest))
}

const CALL: &str = r#"(import "r3e" "call" (func $call (param i32 i32) (result i32)))
  (import "r3e" "read" (func $answer (param i32 i32) (result i32)))"#;

/// Makes the host call that its event is, and gives the answer.
const ASKS: &str = r#"(func (export "_start")
    (call $put (i32.const 1) (i32.const 65536)
      (call $answer (i32.const 65536) (call $call (i32.const 1024) (call $event)))))"#;

#[tokio::test]
async fn the_event_comes_in_and_the_result_goes_out() {
    let appliance = Appliance::new().await;
    let echo = r#"(data (i32.const 100) "one\ntwo\n\nlast")
      (func (export "_start")
        (call $put (i32.const 2) (i32.const 100) (i32.const 13))
        (call $put (i32.const 1) (i32.const 1024) (call $event)))"#;
    appliance.deploy("echo", command("", echo)).await;
    for event in [r#"{"a":[1,"ä"]}"#, "null", "42"] {
        let done = appliance.invoke("echo", event).await.unwrap();
        assert_eq!(output(&done), event);
        let lines: Vec<&str> = done.logs.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, ["one", "two", "last"]);
        assert!(done.logs.iter().all(|line| line.level == "info"));
    }
    let silent = command("", r#"(func (export "_start"))"#);
    assert_eq!(appliance.output(silent, "1").await, "null");
}

#[tokio::test]
async fn what_a_function_may_ask_for_it_asks_for_by_one_call() {
    let appliance = Appliance::new().await;
    let permissions = Permissions { secrets: vec!["TOKEN".into()], ..Permissions::default() };
    appliance.deploy("asks", Deploy { permissions, ..command(CALL, ASKS) }).await;
    for (call, answer) in [
        (r#"{"op":"store_set","key":"a","value":"[1]"}"#, r#"{"ok":{"op":"store_set"}}"#),
        (r#"{"op":"store_get","key":"a"}"#, r#"{"ok":{"op":"store_get","value":"[1]"}}"#),
        (r#"{"op":"store_get","key":"b"}"#, r#"{"ok":{"op":"store_get","value":null}}"#),
    ] {
        assert_eq!(output(&appliance.invoke("asks", call).await.unwrap()), answer);
    }
    for (call, code) in [
        (r#"{"op":"secret_get","name":"OTHER"}"#, "denied"),
        (r#"{"op":"fetch","url":"https://elsewhere.test/","method":"GET","headers":[]}"#, "denied"),
        (r#"{"op":"exec"}"#, "invalid"),
        ("7", "invalid"),
    ] {
        let told = output(&appliance.invoke("asks", call).await.unwrap());
        assert!(told.starts_with(&format!(r#"{{"err":{{"code":"{code}""#)), "{call}: {told}");
    }
    assert_eq!(
        appliance.invoke("asks", r#"{"op":"store_get","key":"a"}"#).await.unwrap().usage.host_calls,
        1
    );
}

#[tokio::test]
async fn every_event_begins_with_the_module_as_it_was() {
    let appliance = Appliance::new().await;
    let counts = r#"(func (export "_start")
        (i32.store8 (i32.const 200) (i32.add (i32.const 1) (i32.load8_u (i32.const 200))))
        (i32.store8 (i32.const 201) (i32.add (i32.const 48) (i32.load8_u (i32.const 200))))
        (call $put (i32.const 1) (i32.const 201) (i32.const 1)))"#;
    for reuse in [false, true] {
        appliance.deploy("f", Deploy { instance: Instance { reuse }, ..command("", counts) }).await;
        for _ in 0..3 {
            assert_eq!(output(&appliance.invoke("f", "1").await.unwrap()), "1", "{reuse}");
        }
    }
}

#[tokio::test]
async fn a_trap_names_the_functions_that_were_being_called() {
    let appliance = Appliance::new().await;
    let traps = r#"(func $deepest unreachable) (func $between call $deepest) (func $entry (export "_start") call $between)"#;
    appliance.deploy("f", command("", traps)).await;
    let done = appliance.invoke("f", "1").await.unwrap();
    let Outcome::Error(error) = done.outcome else { panic!("{:?}", done.outcome) };
    assert_eq!(error.code, "function_error");
    assert!(error.message.contains("unreachable"), "{}", error.message);
    assert_eq!(error.stack.unwrap(), "    at deepest\n    at between\n    at entry\n");
}

#[tokio::test]
async fn memory_is_the_functions_limit() {
    let appliance = Appliance::new().await;
    let takes = |pages: u32| {
        format!(
            r#"(func (export "_start")
              (if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))
              (memory.fill (i32.const 0) (i32.const 49) (i32.mul (i32.const 65536) (i32.const {pages})))
              (call $put (i32.const 1) (i32.const 9) (i32.const 1)))"#
        )
    };
    let limited = |deploy: Deploy| Deploy { limits: Limits { memory_mib: 16, ..ample() }, ..deploy };
    assert_eq!(appliance.output(limited(command("", &takes(250))), "1").await, "1");
    let told = appliance.output(limited(command("", &takes(255))), "1").await;
    assert!(told.starts_with("memory_limit"), "{told}");
    let begins = wasm(r#"(module (memory (export "memory") 300) (func (export "_start")))"#);
    let refused = appliance.refusal_of(limited(begins)).await;
    assert!(refused.contains("16 MiB"), "{refused}");
}

#[tokio::test]
async fn what_is_no_command_is_refused_when_it_is_deployed() {
    let appliance = Appliance::new().await;
    let memory = r#"(memory (export "memory") 1)"#;
    for (deploy, why) in [
        (of_bytes(b"no module"), "no WebAssembly"),
        (of_bytes(b"\0asm\x0d\0\x01\0"), "handle"),
        (of_bytes(b"\0asm\x0d\0\x01\0\xff"), "function.wasm"),
        (of_bytes(b"\0asm\x01\0\0\0\x0a\xff\xff\xff\xff\xff"), "function.wasm"),
        (Deploy { runtime: Runtime::Wasm, ..Deploy::javascript("AGFzb!") }, "base64"),
        (wasm("(module (func (export \"_start\")))"), "memory"),
        (wasm(&format!("(module {memory})")), "_start"),
        (
            wasm(&format!("(module (import \"env\" \"f\" (func)) {memory} (func (export \"_start\")))")),
            "env::f",
        ),
        (wasm("(module (memory i64 1) (func (export \"_start\")))"), "memory64"),
    ] {
        let refused = appliance.refusal_of(deploy).await;
        assert!(refused.contains(why), "{why}: {refused}");
    }
}

/// Nested blocks, which a compiler of another kind would follow by calling itself.
#[tokio::test]
async fn the_compiler_bears_what_is_deep_and_long() {
    let appliance = Appliance::new().await;
    let deep = format!("{}{}", "(block ".repeat(5_000), ")".repeat(5_000));
    let text = format!(r#"(module (memory (export "memory") 1) (func (export "_start") {deep}))"#);
    assert_eq!(appliance.output(wasm(&text), "1").await, "null");
    let many = "(func (result i32) i32.const 7)".repeat(5_000);
    let text = format!(r#"(module {many} (memory (export "memory") 1) (func (export "_start")))"#);
    assert_eq!(appliance.output(wasm(&text), "1").await, "null");
}

/// A module that the store keeps in parts, and that is loaded again after the appliance was started anew.
#[tokio::test]
async fn a_module_of_megabytes_is_deployed_and_run() {
    // What does not deflate: a generator's, as it is everywhere the same.
    let mut state = 7_u32;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("\\{:02x}", state >> 24)
    })
    .take(5 << 20)
    .collect();
    let text = format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 100)
  (data (i32.const 65536) "{noise}")
  (func (export "_start") (local $at i32) (local $sum i32)
    (local.set $at (i32.const 65536))
    (loop $next
      (local.set $sum (i32.xor (local.get $sum) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const {end}))))
    (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.rem_u (local.get $sum) (i32.const 10))))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 1))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        end = 65_536 + (5 << 20)
    );
    let keeper = Keeper::new();
    let appliance = Appliance::over(Arc::clone(&keeper)).await;
    let deployed = appliance.deploy("f", wasm(&text)).await;
    assert!(deployed.source_bytes > 6 << 20);
    let first = output(&appliance.invoke("f", "null").await.unwrap());
    assert_eq!(first.len(), 1);
    drop(appliance);
    let appliance = Appliance::over(keeper).await;
    assert_eq!(output(&appliance.invoke("f", "null").await.unwrap()), first);
}

#[tokio::test]
async fn an_appliance_too_small_to_compile_says_so() {
    let config = RunnerConfig { spares: 0, memory_mib: 300, ..RunnerConfig::new(runner_path()) };
    let pool = RunnerPool::new(config).unwrap();
    let bundler = Bundler::new(runner_path().with_file_name("r3e-bundler")).with_compilers_beside();
    let definition = Definition::new("f", command("", r#"(func (export "_start"))"#)).unwrap();
    match Loadable::check(&pool, &bundler, ALICE, definition).await {
        Err(CheckError::NoRuntime(why)) => assert!(why.starts_with("compiling may take"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_appliance_without_the_layer_says_so() {
    let empty = command("", r#"(func (export "_start"))"#);
    let python = Deploy { runtime: Runtime::Python, ..Deploy::javascript("def handler(event): pass") };
    let pool = RunnerPool::new(RunnerConfig { spares: 0, ..RunnerConfig::new(runner_path()) }).unwrap();
    let bundler = Bundler::new(runner_path().with_file_name("r3e-bundler"));
    for (deploy, language) in [(empty, "WebAssembly"), (python, "Python")] {
        let definition = Definition::new("f", deploy).unwrap();
        match Loadable::check(&pool, &bundler, ALICE, definition).await {
            Err(CheckError::NoRuntime(why)) => assert!(why.contains(language), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
