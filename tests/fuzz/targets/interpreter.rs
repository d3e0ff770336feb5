//! What an interpreter writes to the engine around it, which shares it with a function. What is read does not depend on the pieces in
//! which it comes, and is within every limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_runner_api::limits::{MAX_LOG_TEXT_BYTES, MAX_OUTPUT_BYTES};

use orders::{Frames, Said, order};

/// Alone, without the engine that it is part of, which would be most of what is compiled here.
#[path = "../../../enclave/wasm-runner/src/orders.rs"]
mod orders;

fuzz_target!(|data: &[u8]| {
    let whole = Frames::default().push(data);
    let (first, second) = data.split_at(data.first().map_or(0, |at| usize::from(*at).min(data.len())));
    let mut frames = Frames::default();
    let pieces = frames.push(first).and_then(|mut said| {
        said.extend(frames.push(second)?);
        Ok(said)
    });
    assert_eq!(whole, pieces);
    for said in whole.unwrap_or_default() {
        match said {
            // What is no UTF-8 is replaced by what is up to three times as long.
            Said::Log(_, line) => assert!(line.len() <= 3 * (MAX_LOG_TEXT_BYTES + 1)),
            Said::Result(text) => {
                assert!(text.len() <= MAX_OUTPUT_BYTES);
                assert_eq!(order(&text).len(), 4 + text.len());
            }
            Said::Idle | Said::Call(_) | Said::Fault(_) => {}
        }
    }
});
