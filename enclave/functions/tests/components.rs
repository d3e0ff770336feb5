//! Components: commands of WASI 0.2, as the adapter of the Bytecode Alliance makes them of older modules, and functions by the interface
//! description. The compiler and the runner are the real programs, boxed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
mod webassembly;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use r3e_proto::api::functions::{Deploy, Instance, Limits, Outcome, Permissions};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME,
    WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND_ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

use appliance::{Appliance, ample, output};
use webassembly::of_bytes;

const DESCRIPTION: &str = include_str!("../../runner-api/wit/functions.wit");

/// A component that is a command, of an older module.
fn command(imports: &str, rest: &str) -> Deploy {
    let module = webassembly::command(imports, rest);
    let encoder = ComponentEncoder::default().validate(true).module(&module).unwrap();
    of_bytes(&encoder.adapter(ADAPTER_NAME, COMMAND_ADAPTER).unwrap().encode().unwrap())
}

/// A component of a world, from a module that imports and exports by the canonical ABI. Memory is handed out from 4096 on.
fn component(description: &str, world: &str, rest: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
  {rest}
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at)))"#
    );
    described(wat::parse_str(text).unwrap(), description, world, None)
}

/// A component of a module, and of an adapter where it is an older one.
fn described(mut module: Vec<u8>, description: &str, world: &str, adapter: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("functions.wit", description).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).unwrap();
    if let Some((name, bytes)) = adapter {
        encoder = encoder.adapter(name, bytes).unwrap();
    }
    encoder.encode().unwrap()
}

fn function(rest: &str) -> Deploy {
    of_bytes(&component(DESCRIPTION, "function", rest))
}

/// Its event is a key, and its result what is kept under it. Where there is no such thing, `null`; where it may not, the error's words.
const LOOKS_UP: &str = r#"
  (import "r3e:functions/store@1.0.0" "get" (func $get (param i32 i32 i32)))
  (import "r3e:functions/log@1.0.0" "warn" (func $warn (param i32 i32)))
  (data (i32.const 16) "null")
  (func (export "handle") (param $at i32) (param $length i32) (result i32)
    (call $warn (local.get $at) (local.get $length))
    ;; 64: of the result's two cases, which; 68: of the option's; 72 and 76: the text. For an error 68 is its code.
    (call $get (i32.add (local.get $at) (i32.const 1)) (i32.sub (local.get $length) (i32.const 2)) (i32.const 64))
    (i32.store8 (i32.const 128) (i32.load8_u (i32.const 64)))
    (i32.store (i32.const 132) (i32.load (i32.const 72)))
    (i32.store (i32.const 136) (i32.load (i32.const 76)))
    (if (i32.eqz (i32.or (i32.load8_u (i32.const 64)) (i32.load8_u (i32.const 68))))
      (then
        (i32.store (i32.const 132) (i32.const 16))
        (i32.store (i32.const 136) (i32.const 4))))
    (i32.const 128))"#;

/// Its result is its event.
const ECHOES: &str = r#"
  (func (export "handle") (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 132) (local.get $at))
    (i32.store (i32.const 136) (local.get $length))
    (i32.const 128))"#;

#[tokio::test]
async fn a_command_is_given_its_event_and_gives_its_result() {
    let appliance = Appliance::new().await;
    let echo = r#"(data (i32.const 100) "one\ntwo\n\nlast")
      (func (export "_start")
        (call $put (i32.const 2) (i32.const 100) (i32.const 13))
        (call $put (i32.const 1) (i32.const 1024) (call $event)))"#;
    for reuse in [false, true] {
        appliance.deploy("echo", Deploy { instance: Instance { reuse }, ..command("", echo) }).await;
        for event in [r#"{"a":[1,"ä"]}"#, "null", "42"] {
            let done = appliance.invoke("echo", event).await.unwrap();
            assert_eq!(output(&done), event);
            let lines: Vec<&str> = done.logs.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(lines, ["one", "two", "last"]);
        }
    }
    let silent = command("", r#"(func (export "_start"))"#);
    assert_eq!(appliance.output(silent, "1").await, "null");
}

#[tokio::test]
async fn a_command_has_time_randomness_and_an_end_of_its_own() {
    let appliance = Appliance::new().await;
    // Sleeps for 30 ms by a clock, and says whether the clock thinks so; and whether 16 random bytes are not all zero.
    let sleeps = command(
        r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
           (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
           (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
           (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#,
        r#"(data (i32.const 100) "truefalse")
           (data (i32.const 120) "/etc/passwd")
           (func (export "_start")
             (local $is_well i32)
             (drop (call $now (i32.const 1) (i64.const 0) (i32.const 200)))
             (i32.store8 (i32.const 308) (i32.const 0))
             (i32.store (i32.const 316) (i32.const 1))
             (i64.store (i32.const 324) (i64.const 30000000))
             (drop (call $poll (i32.const 300) (i32.const 400) (i32.const 1) (i32.const 500)))
             (drop (call $now (i32.const 1) (i64.const 0) (i32.const 208)))
             (drop (call $random (i32.const 600) (i32.const 16)))
             (local.set $is_well (i32.and
               (i64.ge_u (i64.sub (i64.load (i32.const 208)) (i64.load (i32.const 200))) (i64.const 29000000))
               (i64.ne (i64.const 0) (i64.or (i64.load (i32.const 600)) (i64.load (i32.const 608))))))
             ;; There is no folder to open a file in.
             (local.set $is_well (i32.and (local.get $is_well) (i32.ne (i32.const 0)
               (call $open (i32.const 3) (i32.const 0) (i32.const 120) (i32.const 11) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 700)))))
             (if (local.get $is_well)
               (then (call $put (i32.const 1) (i32.const 100) (i32.const 4)))
               (else (call $put (i32.const 1) (i32.const 104) (i32.const 5)))))"#,
    );
    // The layout of a subscription: the mark, then from 308 the kind, the clock at 316, the time at 324, the flags at 340.
    assert_eq!(appliance.output(sleeps, "1").await, "true");
    let exits = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
    let fails = command(exits, r#"(func (export "_start") (call $exit (i32.const 3)))"#);
    assert!(appliance.output(fails, "1").await.contains("status 1"));
    let ends = command(exits, r#"(func (export "_start") (call $exit (i32.const 0)) unreachable)"#);
    assert_eq!(appliance.output(ends, "1").await, "null");
}

#[tokio::test]
async fn a_function_asks_by_types_and_returns_its_result() {
    let appliance = Appliance::new().await;
    let keeps = r#"export default async (event) => { await r3e.store.set("a", event) }"#;
    appliance.deploy("f", Deploy { limits: ample(), ..Deploy::javascript(keeps) }).await;
    appliance.invoke("f", r#"{"b":["ä"]}"#).await.unwrap();
    appliance.deploy("f", function(LOOKS_UP)).await;
    let done = appliance.invoke("f", r#""a""#).await.unwrap();
    assert_eq!(output(&done), r#"{"b":["ä"]}"#);
    assert_eq!((done.logs[0].level.as_str(), done.logs[0].text.as_str()), ("warn", r#""a""#));
    assert_eq!(done.usage.host_calls, 1);
    assert_eq!(output(&appliance.invoke("f", r#""none""#).await.unwrap()), "null");
    // What the appliance refuses, the function is told, and here it gives up with those words.
    let done = appliance.invoke("f", &format!("\"{}\"", "k".repeat(2_000))).await.unwrap();
    let Outcome::Error(error) = done.outcome else { panic!("{:?}", done.outcome) };
    assert_eq!(error.code, "function_error");
    assert!(error.message.contains("key"), "{}", error.message);
    assert_eq!(error.stack, None);
}

#[tokio::test]
async fn what_a_function_was_not_granted_it_does_not_get() {
    let appliance = Appliance::new().await;
    let asks = LOOKS_UP.replace("r3e:functions/store@1.0.0", "r3e:functions/secrets@1.0.0");
    let told = appliance.output(function(&asks), r#""TOKEN""#).await;
    assert!(told.contains("does not name that secret"), "{told}");
    let permissions = Permissions { secrets: vec!["TOKEN".into()], ..Permissions::default() };
    let granted = Deploy { permissions, ..function(&asks) };
    assert_eq!(appliance.output(granted, r#""TOKEN""#).await, "null");
}

/// Asks the endpoint that its event names, and fails by what that says.
const FETCHES: &str = r#"
  (import "r3e:functions/http@1.0.0" "fetch" (func $fetch (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (data (i32.const 16) "POSTx-abody")
  (func (export "handle") (param $at i32) (param $length i32) (result i32)
    ;; One header, x-a: b. The body is "body".
    (i32.store (i32.const 32) (i32.const 20))
    (i32.store (i32.const 36) (i32.const 3))
    (i32.store (i32.const 40) (i32.const 23))
    (i32.store (i32.const 44) (i32.const 1))
    (call $fetch
      (i32.add (local.get $at) (i32.const 1)) (i32.sub (local.get $length) (i32.const 2))
      (i32.const 16) (i32.const 4)
      (i32.const 32) (i32.const 1)
      (i32.const 1) (i32.const 23) (i32.const 4)
      (i32.const 64))
    (i32.store8 (i32.const 128) (i32.const 1))
    (if (i32.load8_u (i32.const 64))
      (then
        (i32.store (i32.const 132) (i32.load (i32.const 72)))
        (i32.store (i32.const 136) (i32.load (i32.const 76))))
      (else
        (i32.store (i32.const 132) (i32.load (i32.const 80)))
        (i32.store (i32.const 136) (i32.load (i32.const 84)))))
    (i32.const 128))"#;

#[tokio::test]
async fn bytes_and_headers_go_out_and_come_in() {
    let appliance = Appliance::new().await;
    let permissions = Permissions { net: vec!["api.example.com".into()], ..Permissions::default() };
    appliance.deploy("f", Deploy { permissions, ..function(FETCHES) }).await;
    let said = async |url: &str| match appliance.invoke("f", url).await.unwrap().outcome {
        Outcome::Error(error) => error.message,
        Outcome::Output(output) => panic!("{output}"),
    };
    let sent = said(r#""https://api.example.com/echo""#).await;
    assert!(sent.contains("POST /echo HTTP/1.1"), "{sent}");
    assert!(sent.contains("\r\nx-a: b\r\n") && sent.contains("\r\ncontent-length: 4\r\n"), "{sent}");
    let refused = said(r#""https://elsewhere.test/""#).await;
    assert!(refused.contains("not granted that host"), "{refused}");
}

/// A component that imports every function of every interface, and never calls one.
#[tokio::test]
async fn everything_that_is_described_is_there() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("functions.wit", DESCRIPTION).unwrap();
    let world = resolve.select_world(&[package], Some("function")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap();
    let appliance = Appliance::new().await;
    let told = appliance.output(of_bytes(&component), "1").await;
    assert!(told.contains("unreachable"), "{told}");
}

#[tokio::test]
async fn each_event_begins_anew_and_is_bounded() {
    let appliance = Appliance::new().await;
    for reuse in [false, true] {
        appliance.deploy("f", Deploy { instance: Instance { reuse }, ..function(ECHOES) }).await;
        for event in ["7", r#"{"a":1}"#] {
            assert_eq!(output(&appliance.invoke("f", event).await.unwrap()), event);
        }
    }
    let counts = r#"
      (func (export "handle") (param $at i32) (param $length i32) (result i32)
        (i32.store8 (i32.const 200) (i32.add (i32.const 1) (i32.load8_u (i32.const 200))))
        (i32.store8 (i32.const 201) (i32.add (i32.const 48) (i32.load8_u (i32.const 200))))
        (i32.store (i32.const 132) (i32.const 201))
        (i32.store (i32.const 136) (i32.const 1))
        (i32.const 128))"#;
    appliance.deploy("f", Deploy { instance: Instance { reuse: true }, ..function(counts) }).await;
    for _ in 0..3 {
        assert_eq!(output(&appliance.invoke("f", "1").await.unwrap()), "1");
    }
    let short = Deploy { limits: Limits { output_bytes: 8, ..ample() }, ..function(ECHOES) };
    let told = appliance.output(short, r#""0123456789""#).await;
    assert!(told.contains("longer than 8 bytes"), "{told}");
    let no_json = ECHOES.replace("(local.get $length)", "(i32.sub (local.get $length) (i32.const 1))");
    let told = appliance.output(function(&no_json), "[1]").await;
    assert!(told.contains("no JSON"), "{told}");
    let traps = r#"(func (export "handle") (param i32 i32) (result i32) unreachable)"#;
    let told = appliance.output(function(traps), "1").await;
    assert!(told.contains("unreachable"), "{told}");
    // A text that lies outside of its memory.
    let lies = ECHOES
        .replace("(i32.store (i32.const 132) (local.get $at))", "(i32.store (i32.const 132) (i32.const -9))");
    let told = appliance.output(function(&lies), "1").await;
    assert!(told.starts_with("function_error"), "{told}");
}

#[tokio::test]
async fn memory_is_the_functions_limit() {
    let appliance = Appliance::new().await;
    let takes = |pages: u32| {
        let grows = format!(
            r#"(func (export "handle") (param $at i32) (param $length i32) (result i32)
              (if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))"#
        );
        let handle = r#"(func (export "handle") (param $at i32) (param $length i32) (result i32)"#;
        let deploy = function(&ECHOES.replace(handle, &grows));
        Deploy { limits: Limits { memory_mib: 16, ..ample() }, ..deploy }
    };
    assert_eq!(appliance.output(takes(250), "1").await, "1");
    let told = appliance.output(takes(255), "1").await;
    assert!(told.starts_with("memory_limit"), "{told}");
    // Who copes with the refusal speaks for itself.
    let copes = r#"(func (export "handle") (param $at i32) (param $length i32) (result i32)
          (drop (memory.grow (i32.const 255)))
          (i32.store8 (i32.const 128) (i32.const 1))"#;
    let handle = r#"(func (export "handle") (param $at i32) (param $length i32) (result i32)"#;
    let deploy = function(&ECHOES.replace(handle, copes));
    let deploy = Deploy { limits: Limits { memory_mib: 16, ..ample() }, ..deploy };
    assert_eq!(appliance.output(deploy, r#""no""#).await, r#"function_error: Error: "no""#);
}

/// A world of the user's own, with types of others and of its own in it, and what a toolchain needs of WASI.
#[tokio::test]
async fn a_world_of_ones_own_includes_what_it_needs() {
    let appliance = Appliance::new().await;
    let (_, described) = DESCRIPTION.split_once("package r3e:functions@1.0.0;").unwrap();
    let description = format!(
        "package acme:orders; \
         package r3e:functions@1.0.0 {{ {described} }} \
         package wasi:cli@0.2.3 {{ interface stdout {{ use wasi:io/streams@0.2.3.{{output-stream}}; get-stdout: func() -> output-stream; }} }} \
         package wasi:io@0.2.3 {{ interface streams {{ resource output-stream {{ blocking-flush: func(); }} }} }} \
         world w {{ \
           use r3e:functions/types@1.0.0.{{host-error}}; use wasi:io/streams@0.2.3.{{output-stream}}; record order {{ error: host-error }} \
           include r3e:functions/imports@1.0.0; import wasi:cli/stdout@0.2.3; \
           export handle: func(event: string) -> result<string, string>; }}"
    );
    let asks =
        format!(r#"(import "wasi:cli/stdout@0.2.3" "get-stdout" (func $stdout (result i32))) {LOOKS_UP}"#);
    assert_eq!(appliance.output(of_bytes(&component(&description, "w", &asks)), r#""none""#).await, "null");
}

/// A component that is a function and, for the rest, what the adapter makes of an older module.
#[tokio::test]
async fn what_a_function_prints_goes_to_its_log() {
    let appliance = Appliance::new().await;
    let module = webassembly::command(
        "",
        r#"(global $free (mut i32) (i32.const 4096))
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
             (local $at i32)
             (if (i32.lt_u (memory.size) (i32.const 16)) (then (drop (memory.grow (i32.const 16)))))
             (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
             (global.set $free (i32.add (local.get $at) (local.get 3)))
             (local.get $at))
           (data (i32.const 100) "printed\nhalf")
           (func (export "handle") (param $at i32) (param $length i32) (result i32)
             (call $put (i32.const 1) (i32.const 100) (i32.const 12))
             (call $put (i32.const 2) (i32.const 100) (i32.const 8))
             (i32.store (i32.const 132) (local.get $at))
             (i32.store (i32.const 136) (local.get $length))
             (i32.const 128))"#,
    );
    let adapter = (ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER);
    appliance.deploy("f", of_bytes(&described(module, DESCRIPTION, "function", Some(adapter)))).await;
    let done = appliance.invoke("f", "7").await.unwrap();
    assert_eq!(output(&done), "7");
    let lines: Vec<&str> = done.logs.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["printed", "half", "printed"]);
}

#[tokio::test]
async fn what_nobody_gives_is_refused_when_it_is_deployed() {
    let appliance = Appliance::new().await;
    let of = |package: &str, import: &str| {
        let world = format!(
            "package {package}; interface api {{ f: func(); }} world w {{ import api; export handle: func(event: string) -> result<string, string>; }}"
        );
        let module = format!(r#"(import "{import}" "f" (func $f)) {ECHOES}"#);
        of_bytes(&component(&world, "w", &module))
    };
    for (package, import, why) in [
        ("acme:things@1.0.0", "acme:things/api@1.0.0", "nobody gives acme:things/api"),
        ("r3e:functions@2.0.0", "r3e:functions/api@2.0.0", "nobody gives r3e:functions/api@2.0.0"),
        ("r3e:functions@1.0.0", "r3e:functions/api@1.0.0", "no interface r3e:functions/api"),
        ("wasi:sockets@0.3.0", "wasi:sockets/api@0.3.0", "is not of WASI 0.2"),
    ] {
        let refused = appliance.refusal_of(of(package, import)).await;
        assert!(refused.contains(why), "{why}: {refused}");
    }
    // Of WASI's own, what means nothing here is there, and whoever calls it is ended.
    assert_eq!(appliance.output(of("wasi:sockets@0.2.9", "wasi:sockets/api@0.2.9"), "1").await, "1");
    let connects = component(
        "package wasi:sockets@0.2.9; interface api { f: func(); } world w { import api; export handle: func(event: string) -> result<string, string>; }",
        "w",
        r#"(import "wasi:sockets/api@0.2.9" "f" (func $f))
           (func (export "handle") (param i32 i32) (result i32) (call $f) (i32.const 128))"#,
    );
    let told = appliance.output(of_bytes(&connects), "1").await;
    assert!(told.contains("wasi:sockets/api@0.2.9#f"), "{told}");
    let another = "package a:b; world w { export handle: func(event: u32) -> u32; }";
    let handle = r#"(func (export "handle") (param i32) (result i32) (local.get 0))"#;
    let refused = appliance.refusal_of(of_bytes(&component(another, "w", handle))).await;
    assert!(refused.contains("handle"), "{refused}");
    let nothing = component("package a:b; world w { export run: func(); }", "w", r#"(func (export "run"))"#);
    let refused = appliance.refusal_of(of_bytes(&nothing)).await;
    assert!(refused.contains("neither `handle`"), "{refused}");
}

/// Components of components, ten of each in the next: a few hundred bytes that are a thousand million instances.
#[tokio::test]
async fn the_compiler_bears_what_multiplies_and_what_is_deep() {
    let appliance = Appliance::new().await;
    let of = |text: &str| of_bytes(&wat::parse_str(text).unwrap());
    let ten = "(instance (instantiate $before))".repeat(10);
    let next = |level: u32| {
        let before = level - 1;
        format!("(component $c{level} (alias outer 1 $c{before} (component $before)) {ten})")
    };
    let levels: String = (1..=9).map(next).collect();
    let multiplies = format!(
        "(component (component $c0 (core module $m) (core instance (instantiate $m))) {levels} (instance (instantiate $c9)))"
    );
    let refused = appliance.refusal_of(of(&multiplies)).await;
    assert!(refused.contains("too large"), "{refused}");
    assert!(appliance.refusal_of(of_bytes(&nested(90))).await.contains("neither `handle`"));
    let refused = appliance.refusal_of(of_bytes(&nested(5_000))).await;
    assert!(refused.contains("too deep"), "{refused}");
    // The next tenant is served.
    assert_eq!(appliance.output(function(ECHOES), "1").await, "1");
}

/// A component in a component, and so on (Component Model, Binary.md: section 4).
fn nested(depth: u32) -> Vec<u8> {
    let header = b"\0asm\x0d\0\x01\0";
    (0..depth).fold(header.to_vec(), |inner, _| {
        let mut length = Vec::new();
        let mut left = inner.len();
        while left > 0x7f {
            length.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        length.push(u8::try_from(left).unwrap());
        [header.as_slice(), &[4], &length, &inner].concat()
    })
}
