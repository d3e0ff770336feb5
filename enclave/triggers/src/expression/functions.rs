//! The functions and macros that there are.

use super::Failed;
use super::compare::to_int;
use super::meter::Meter;
use super::value::Value;

/// A function, of its target first where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    ToInt,
    ToDouble,
    ToText,
}

/// A macro over the elements of a list, or the keys of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    Map,
    Filter,
}

impl Function {
    /// `target.name(…)`, with so many arguments beside the target.
    pub(super) fn method(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("size", 0) => Self::Size,
            ("startsWith", 1) => Self::StartsWith,
            ("endsWith", 1) => Self::EndsWith,
            ("contains", 1) => Self::Contains,
            _ => return None,
        })
    }

    /// `name(…)`.
    pub(super) fn global(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("size", 1) => Self::Size,
            ("int", 1) => Self::ToInt,
            ("double", 1) => Self::ToDouble,
            ("string", 1) => Self::ToText,
            _ => return None,
        })
    }

    pub(super) fn call<'a>(self, arguments: &[Value<'a>], meter: &Meter) -> Result<Value<'a>, Failed> {
        let [of, rest @ ..] = arguments else { return Err(Failed::Types("nothing to call it for".into())) };
        match self {
            Self::Size => {
                let size = of.size(meter)?.ok_or_else(|| not_for("size", of))?;
                i64::try_from(size).map(Value::Int).map_err(|_| Failed::Range("too long"))
            }
            Self::StartsWith => texts("startsWith", of, rest, meter, |text, part| text.starts_with(part)),
            Self::EndsWith => texts("endsWith", of, rest, meter, |text, part| text.ends_with(part)),
            Self::Contains => texts("contains", of, rest, meter, |text, part| text.contains(part)),
            Self::ToInt => match of {
                Value::Int(number) => Ok(Value::Int(*number)),
                Value::Double(number) => to_int(*number).map(Value::Int).ok_or(Failed::Range("no such int")),
                Value::Text(text) => {
                    text.parse().map(Value::Int).map_err(|_| Failed::Range("the text is no int"))
                }
                other => Err(not_for("int", other)),
            },
            Self::ToDouble => match of {
                Value::Double(number) => Ok(Value::Double(*number)),
                #[expect(clippy::cast_precision_loss, reason = "what the conversion is asked for")]
                Value::Int(number) => Ok(Value::Double(*number as f64)),
                Value::Text(text) => {
                    meter.reads(text.len())?;
                    text.parse().map(Value::Double).map_err(|_| Failed::Range("the text is no double"))
                }
                other => Err(not_for("double", other)),
            },
            Self::ToText => match of {
                Value::Text(_) => Ok(of.clone()),
                Value::Bool(it) => Ok(Value::text(it.to_string())),
                Value::Int(number) => Ok(Value::text(number.to_string())),
                Value::Double(number) => Ok(Value::text(number.to_string())),
                other => Err(not_for("string", other)),
            },
        }
    }
}

impl Macro {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "map" => Self::Map,
            "filter" => Self::Filter,
            _ => return None,
        })
    }
}

fn texts<'a>(
    name: &str,
    of: &Value<'a>,
    rest: &[Value<'a>],
    meter: &Meter,
    holds: impl Fn(&str, &str) -> bool,
) -> Result<Value<'a>, Failed> {
    match (of, rest) {
        (Value::Text(text), [Value::Text(part)]) => {
            meter.reads(text.len() + part.len())?;
            Ok(Value::Bool(holds(text, part)))
        }
        _ => Err(not_for(name, of)),
    }
}

fn not_for(name: &str, value: &Value<'_>) -> Failed {
    Failed::Types(format!("there is no {name} of {}", value.kind()))
}
