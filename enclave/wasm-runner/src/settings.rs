//! The one configuration of the WebAssembly engine. What is compiled under it is loaded under it, and under no other.

use wasmtime::{Config, Engine, OptLevel, WasmBacktraceDetails};

use crate::limits::{STACK_BYTES, WASM_STACK_BYTES};

/// The machine that is compiled for, whatever machine compiles: a record of a function outlives the machine it was made on. It is what
/// this program is built for; the engine refuses to load machine code of another.
#[cfg(target_arch = "x86_64")]
const TARGET: &str = "x86_64-unknown-linux-gnu";
#[cfg(target_arch = "aarch64")]
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// What every machine that the appliance runs on has beyond the least of its kind (x86-64-v2, of 2009).
#[cfg(target_arch = "x86_64")]
const FEATURES: &[&str] = &["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];
#[cfg(target_arch = "aarch64")]
const FEATURES: &[&str] = &[];

/// An engine.
///
/// # Errors
/// The engine's own: the machine is not one of the two that are compiled for.
pub fn engine() -> Result<Engine, wasmtime::Error> {
    let mut config = Config::new();
    config.target(TARGET)?;
    for feature in FEATURES {
        // SAFETY: machine code that uses what the machine lacks would be undefined; the engine compares what an artefact uses with
        // what the machine has before it loads one, and refuses.
        unsafe { config.cranelift_flag_enable(feature) };
    }
    config.cranelift_opt_level(OptLevel::Speed);
    config.max_wasm_stack(WASM_STACK_BYTES);
    config.async_stack_size(STACK_BYTES);
    // What needs system calls that the box does not have: images of memory as files, unwinding tables for debuggers.
    config.memory_init_cow(false);
    config.native_unwind_info(false);
    config.guard_before_linear_memory(false);
    // Where in the module code came from, which no trace shows, would be a third of an artefact.
    config.generate_address_map(false);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // The same result on every machine.
    config.relaxed_simd_deterministic(true);
    // One memory of 32 bits, so that the reservation bounds what there is to reserve.
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    Engine::new(&config)
}
