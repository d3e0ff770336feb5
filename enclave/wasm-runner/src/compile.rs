//! Compiling: a program of one module, in base64, to a program of one module of machine code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_runner_api::bundling::{Problem, encode_answer};
use r3e_runner_api::program::{Module, Program, ProgramError};
use wasmtime::Engine;

use crate::artefact;
use crate::settings::engine;

/// The first bytes of WebAssembly, and the version and layer after them.
const MAGIC: &[u8] = b"\0asm";
const MODULE: &[u8] = &[1, 0, 0, 0];
const COMPONENT: &[u8] = &[13, 0, 1, 0];

/// The compiler, ready before the box closes.
#[derive(Debug)]
pub struct Compiler(Engine);

impl Compiler {
    /// A compiler for the machines that the appliance runs on.
    ///
    /// # Errors
    /// The engine's own.
    pub fn new() -> Result<Self, wasmtime::Error> {
        Ok(Self(engine()?))
    }

    /// The answer to a request (`r3e_runner_api::bundling`).
    pub fn answer(&self, request: Vec<u8>) -> Vec<u8> {
        encode_answer(self.compile(request))
    }

    fn compile(&self, request: Vec<u8>) -> Result<String, Problem> {
        let text = String::from_utf8(request).map_err(|_| Problem::of_all("the request is not text"))?;
        let unreadable = |error: ProgramError| Problem::of_all(error.to_string());
        let Program { entry, modules } = Program::decode(&text).map_err(unreadable)?;
        let [module] = modules.try_into().map_err(|_| Problem::of_all("a function is one module"))?;
        let problem = |message: String| Problem::of_module(&entry, message);
        let bytes = STANDARD.decode(module.code).map_err(|error| {
            problem(format!("the source is not the standard base64 of a module: {error}"))
        })?;
        let compiled = match kind(&bytes).map_err(|message| problem(message.to_owned()))? {
            Kind::Module => self.0.precompile_module(&bytes),
            Kind::Component => self.0.precompile_component(&bytes),
        };
        let code = compiled.map_err(|error| problem(format!("{error:#}")))?;
        let code = artefact::encode(&code).map_err(|error| problem(error.to_string()))?;
        let module = Module { path: entry.clone(), code, ..Module::default() };
        let compiled = Program { entry: entry.clone(), modules: vec![module] };
        compiled.encode().map_err(|error| problem(error.to_string()))
    }
}

enum Kind {
    Module,
    Component,
}

/// What the first eight bytes say, in words that help whoever built them.
fn kind(bytes: &[u8]) -> Result<Kind, &'static str> {
    match bytes.split_at_checked(MAGIC.len()) {
        Some((MAGIC, rest)) if rest.starts_with(MODULE) => Ok(Kind::Module),
        Some((MAGIC, rest)) if rest.starts_with(COMPONENT) => Ok(Kind::Component),
        Some((MAGIC, _)) => Err("WebAssembly of another version than a module's 1 and a component's 13"),
        _ => Err("no WebAssembly: a module or a component begins with \\0asm"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use r3e_runner_api::bundling::decode_answer;
    use wasmtime::Precompiled;

    use super::*;

    fn compiled(bytes: &[u8]) -> Result<String, Problem> {
        let sources = BTreeMap::from([("f.wasm".to_owned(), STANDARD.encode(bytes))]);
        let request = Program::of_sources("f.wasm", &sources).encode().unwrap();
        decode_answer(&Compiler::new().unwrap().answer(request.into_bytes())).unwrap()
    }

    #[test]
    fn modules_and_components_become_machine_code() {
        for (text, kind) in [
            ("(module (func (export \"f\")))", Precompiled::Module),
            ("(component (core module (func (export \"f\"))))", Precompiled::Component),
        ] {
            let program = compiled(&wat::parse_str(text).unwrap()).unwrap();
            let code = artefact::decode(&Program::decode(&program).unwrap().modules[0].code).unwrap();
            assert_eq!(Engine::detect_precompiled(&code), Some(kind), "{text}");
        }
    }

    #[test]
    fn what_is_neither_a_module_nor_a_component_is_refused_with_its_reason() {
        let message = |bytes: &[u8]| compiled(bytes).unwrap_err().message;
        assert!(message(b"").contains("no WebAssembly"));
        assert!(message(b"(module)").contains("no WebAssembly"));
        assert!(message(b"\0asm\x02\0\0\0").contains("another version"));
        assert!(message(b"\0asm\x0d\0\x02\0").contains("another version"));
        assert!(message(b"\0asm\x0d\0\x01\0\xff").contains("section"));
        assert!(message(b"\0asm\x01\0\0\0\xff").contains("section"), "{}", message(b"\0asm\x01\0\0\0\xff"));
        let invalid = wat::parse_str("(module (func (result i32)))").unwrap();
        assert!(message(&invalid).contains("type mismatch"), "{}", message(&invalid));
        for refused in
            ["(module (memory i64 1))", "(module (memory 1) (memory 1))", "(module (memory 1 1 shared))"]
        {
            assert!(compiled(&wat::parse_str(refused).unwrap()).is_err(), "{refused}");
        }
    }

    #[test]
    fn requests_that_are_none_are_answered() {
        let compiler = Compiler::new().unwrap();
        for request in [&b""[..], b"\xff", b"\0", b"text"] {
            assert!(decode_answer(&compiler.answer(request.to_vec())).unwrap().is_err());
        }
        let sources = BTreeMap::from([("a".to_owned(), "!".to_owned()), ("b".to_owned(), String::new())]);
        let several = Program::of_sources("a", &sources).encode().unwrap();
        let refused = decode_answer(&compiler.answer(several.into_bytes())).unwrap().unwrap_err();
        assert!(refused.message.contains("one module"));
    }
}
