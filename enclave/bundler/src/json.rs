//! JSON modules: checked here, so that a fault has its place, and read by the runner.

use r3e_runner_api::bundling::Problem;
use r3e_runner_api::json::{JsonError, check};

use crate::place::Place;

/// Checks that a module's text is JSON that a runner can read.
pub(crate) fn check_module(path: &str, text: &str) -> Result<(), Problem> {
    check(text).map_err(|error| match error {
        JsonError::Syntax(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            let column = u32::try_from(error.column()).unwrap_or(u32::MAX);
            Place { line, column }.problem(path, format!("not JSON: {error}"))
        }
        error => Problem::of_module(path, error.to_string()),
    })
}
