//! Parsing one module, and the parser's complaints as problems.

use std::sync::Arc;

use deno_ast::diagnostics::Diagnostic as _;
use deno_ast::{
    MediaType, ModuleSpecifier, ParseDiagnostic, ParseParams, ParsedSource, SourcePos, StartSourcePos,
    TranspileError, parse_module,
};
use r3e_runner_api::bundling::Problem;

use crate::nesting;
use crate::place::Place;

/// Where a runner says that a module of this path is.
const ROOT: &str = "file:///";

/// The name of a module's frames in stack traces, and of its source in its map.
pub(crate) fn address(path: &str) -> Result<ModuleSpecifier, Problem> {
    ModuleSpecifier::parse(&format!("{ROOT}{path}"))
        .map_err(|error| Problem::of_module(path, format!("the path names no module: {error}")))
}

/// A text without the mark that some editors put before it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Parses a module.
pub(crate) fn parse(path: &str, text: &str, media_type: MediaType) -> Result<ParsedSource, Problem> {
    let text = without_mark(text);
    nesting::check(path, text)?;
    let params = ParseParams {
        specifier: address(path)?,
        text: Arc::from(text),
        media_type,
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    };
    parse_module(params).map_err(|diagnostic| problem_of(path, text, &diagnostic))
}

/// The parser's complaint.
pub(crate) fn problem_of(path: &str, text: &str, diagnostic: &ParseDiagnostic) -> Problem {
    Place::of_byte(text, byte_of(diagnostic.range().start)).problem(path, diagnostic.message().to_string())
}

/// Why a module whose text parsed has no JavaScript.
pub(crate) fn problem_of_transpiling(path: &str, text: &str, error: &TranspileError) -> Problem {
    use deno_ast::FoldProgramError::ParseDiagnostics;
    let first = match error {
        TranspileError::ParseErrors(errors) | TranspileError::FoldProgram(ParseDiagnostics(errors)) => {
            errors.0.first()
        }
        _ => None,
    };
    match first {
        Some(diagnostic) => problem_of(path, text, diagnostic),
        None => Problem::of_module(path, error.to_string()),
    }
}

/// How many bytes of its text stand before a position.
pub(crate) fn byte_of(position: SourcePos) -> usize {
    let bytes = position.as_byte_pos().0.saturating_sub(StartSourcePos::START_SOURCE_POS.as_byte_pos().0);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
