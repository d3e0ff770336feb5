//! Filters and transforms: expressions in a part of the Common Expression Language.
//!
//! Who wrote one is a tenant, and it is read in the process that holds keys. So there is no engine here: the language has no
//! loops but the four macros, no regular expressions, no functions of its own making, and no text of a program is ever run. A
//! source has at most [`MAX_SOURCE_BYTES`] and is at most [`MAX_DEPTH`](crate::limits::MAX_DEPTH) deep; an evaluation ends after [`MAX_STEPS`], or once it has made
//! [`MAX_MADE_BYTES`] of text.
//!
//! The part of the language: the literals of null, bool, int, double, string, list and map; `. [] ! - * / % + < <= > >= == !=
//! in && || ?:`; `has`, `size`, `int`, `double`, `string`, `startsWith`, `endsWith`, `contains`; the macros `all`, `exists`,
//! `map` and `filter`. Semantics are the language's, absorption of errors by `&&` and `||` among them; what is left out is
//! refused when it is read.
//!
//! Knows nothing of triggers.

mod compare;
mod evaluate;
mod functions;
mod lexer;
mod meter;
mod parser;
mod value;

use serde_json::Value as Json;
use thiserror::Error;

use crate::limits::{MAX_MADE_BYTES, MAX_SOURCE_BYTES, MAX_STEPS};
use evaluate::Scope;
use meter::Meter;
use parser::Node;
use value::Value;

/// The one name that an expression finds bound.
pub const VARIABLE: &str = "event";

/// An expression that was read.
#[derive(Debug)]
pub struct Expression {
    root: Node,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at character {at}: {what}")]
pub struct NotAnExpression {
    /// Where, from 1.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Failed {
    /// A field or an element that is not there.
    #[error("there is no {0:?}; `has(…)` asks whether there is")]
    Missing(String),
    /// An operation that there is not for values of these types.
    #[error("{0}")]
    Types(String),
    /// A number out of range, or a division by zero.
    #[error("{0}")]
    Range(&'static str),
    /// More than an evaluation may do.
    #[error("more than {MAX_STEPS} steps, or {MAX_MADE_BYTES} bytes of text")]
    Spent,
}

impl Expression {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotAnExpression`]: where, and what is wrong.
    pub fn parse(source: &str) -> Result<Self, NotAnExpression> {
        if source.len() > MAX_SOURCE_BYTES {
            let what = format!("an expression has at most {MAX_SOURCE_BYTES} bytes");
            return Err(NotAnExpression { at: MAX_SOURCE_BYTES, what });
        }
        Ok(Self { root: parser::parse(&lexer::tokens(source)?)? })
    }

    /// Whether it is true of `event`.
    ///
    /// # Errors
    /// [`Failed`]; also where its value is neither true nor false.
    pub fn holds(&self, event: &Json) -> Result<bool, Failed> {
        let meter = Meter::new();
        match self.value(event, &meter)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(Failed::Types(format!("a filter is true or false, and not {}", other.kind()))),
        }
    }

    /// Its value of `event`, as JSON text.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn json(&self, event: &Json) -> Result<String, Failed> {
        let meter = Meter::new();
        let value = self.value(event, &meter)?;
        let mut text = String::new();
        value.write(&mut text, &meter)?;
        Ok(text)
    }

    fn value<'a>(&'a self, event: &'a Json, meter: &Meter) -> Result<Value<'a>, Failed> {
        let mut scope = Scope::new(VARIABLE, Value::of(event));
        evaluate::evaluate(&self.root, &mut scope, meter)
    }
}

#[cfg(test)]
mod tests;
