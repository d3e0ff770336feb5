//! Deployments of WebAssembly that is written as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::api::functions::{Deploy, Runtime};

use crate::appliance::ample;

pub(crate) fn of_bytes(module: &[u8]) -> Deploy {
    Deploy { runtime: Runtime::Wasm, limits: ample(), ..Deploy::javascript(STANDARD.encode(module)) }
}

/// A module that begins by reading its event to 1024, and whose `$put` writes to a stream.
pub(crate) fn command(imports: &str, rest: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  {imports}
  (memory (export "memory") 2)
  (func $event (result i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 60000))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.load (i32.const 8)))
  (func $put (param $stream i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))
  {rest})"#
    );
    wat::parse_str(text).unwrap()
}
