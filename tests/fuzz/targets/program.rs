//! A compiled program, which comes from a process that a tenant's text may have taken over, and the bundler's whole answer. What is
//! read has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_runner_api::bundling::{decode_answer, encode_answer};
use r3e_runner_api::limits::{MAX_FAULT_TEXT_BYTES, MAX_MODULES, MAX_SOURCE_BYTES};
use r3e_runner_api::program::{Program, is_program, split};

fuzz_target!(|data: &[u8]| {
    if let Ok(answer) = decode_answer(data) {
        if let Err(problem) = &answer {
            assert!(
                problem.path.len() <= MAX_FAULT_TEXT_BYTES && problem.message.len() <= MAX_FAULT_TEXT_BYTES
            );
        }
        let again = decode_answer(&encode_answer(answer.clone())).expect("what was read can be written");
        assert_eq!(again, answer);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok((program, rest)) = split(text) {
        assert!(is_program(program) && format!("{program}{rest}") == text);
    }
    let Ok(program) = Program::decode(text) else { return };
    assert_eq!(split(text).expect("a program"), (text, ""));
    assert!(program.modules.len() <= MAX_MODULES && program.module(&program.entry).is_some());
    let texts: usize = program.modules.iter().map(|module| module.code.len() + module.map.len()).sum();
    assert!(texts <= text.len() && text.len() <= MAX_SOURCE_BYTES);
    let written = program.encode().expect("what was read can be written");
    assert_eq!(Program::decode(&written).expect("and read again"), program);
    assert_eq!(Program::decode(&written).and_then(|program| program.encode()).expect("in one way"), written);
});
