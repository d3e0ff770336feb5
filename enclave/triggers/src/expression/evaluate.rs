//! The value of a tree. As deep as the tree is, and no longer than the meter lets it.

use std::rc::Rc;

use super::Failed;
use super::compare::{equal, order};
use super::functions::Macro;
use super::meter::Meter;
use super::parser::{Node, Operator};
use super::value::{Lookup, Value};

/// What names stand for; the last one of a name counts.
pub(super) struct Scope<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Scope<'a> {
    pub(super) fn new(name: &'a str, value: Value<'a>) -> Self {
        Self(vec![(name, value)])
    }

    fn find(&self, name: &str) -> Option<Value<'a>> {
        self.0.iter().rev().find(|(bound, _)| *bound == name).map(|(_, value)| value.clone())
    }
}

/// The value of `node`.
pub(super) fn evaluate<'a>(
    node: &'a Node,
    scope: &mut Scope<'a>,
    meter: &Meter,
) -> Result<Value<'a>, Failed> {
    meter.steps(1)?;
    match node {
        Node::Null => Ok(Value::Null),
        Node::Bool(it) => Ok(Value::Bool(*it)),
        Node::Int(number) => Ok(Value::Int(*number)),
        Node::Double(number) => Ok(Value::Double(*number)),
        Node::Text(text) => Ok(Value::text(text.as_str())),
        Node::Name(name) => scope.find(name).ok_or_else(|| Failed::Missing(name.clone())),
        Node::Field(of, name) => {
            let of = evaluate(of, scope, meter)?;
            field(&of, name, meter)?.ok_or_else(|| Failed::Missing(name.clone()))
        }
        Node::Has(of, name) => {
            let of = evaluate(of, scope, meter)?;
            Ok(Value::Bool(field(&of, name, meter)?.is_some()))
        }
        Node::Index(of, at) => {
            let (of, at) = (evaluate(of, scope, meter)?, evaluate(at, scope, meter)?);
            index(&of, &at, meter)
        }
        Node::Not(of) => match evaluate(of, scope, meter)? {
            Value::Bool(it) => Ok(Value::Bool(!it)),
            other => Err(Failed::Types(format!("there is no ! of {}", other.kind()))),
        },
        Node::Negate(of) => match evaluate(of, scope, meter)? {
            Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(OVERFLOW),
            Value::Double(number) => Ok(Value::Double(-number)),
            other => Err(Failed::Types(format!("there is no - of {}", other.kind()))),
        },
        Node::Binary(operator, left, right) => {
            let (left, right) = (evaluate(left, scope, meter)?, evaluate(right, scope, meter)?);
            binary(*operator, &left, &right, meter)
        }
        Node::All(parts) => joined(parts, scope, meter, false),
        Node::Any(parts) => joined(parts, scope, meter, true),
        Node::Choice(condition, yes, no) => match evaluate(condition, scope, meter)? {
            Value::Bool(true) => evaluate(yes, scope, meter),
            Value::Bool(false) => evaluate(no, scope, meter),
            other => Err(Failed::Types(format!("a condition is true or false, and not {}", other.kind()))),
        },
        Node::List(elements) => {
            let mut list = Vec::with_capacity(elements.len());
            for element in elements {
                list.push(evaluate(element, scope, meter)?);
            }
            Ok(Value::list(list))
        }
        Node::Map(entries) => map(entries, scope, meter),
        Node::Call(function, arguments) => {
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(evaluate(argument, scope, meter)?);
            }
            function.call(&values, meter)
        }
        Node::Macro(it, of, name, body) => over(*it, of, name, body, scope, meter),
    }
}

const OVERFLOW: Failed = Failed::Range("a number is out of range");

fn field<'a>(of: &Value<'a>, name: &str, meter: &Meter) -> Result<Option<Value<'a>>, Failed> {
    match of.entry(name, meter)? {
        Lookup::Found(value) => Ok(Some(value)),
        Lookup::Missing => Ok(None),
        Lookup::Unfit => Err(Failed::Types(format!("{} has no fields", of.kind()))),
    }
}

fn index<'a>(of: &Value<'a>, at: &Value<'a>, meter: &Meter) -> Result<Value<'a>, Failed> {
    let (found, name) = match at {
        Value::Int(number) => (of.element(*number), number.to_string()),
        Value::Text(key) => (of.entry(key, meter)?, named(key)),
        _ => (Lookup::Unfit, String::new()),
    };
    match found {
        Lookup::Found(value) => Ok(value),
        Lookup::Missing => Err(Failed::Missing(name)),
        Lookup::Unfit => Err(Failed::Types(format!("there is no element of {} at {}", of.kind(), at.kind()))),
    }
}

/// As much of a key as a person reads.
fn named(key: &str) -> String {
    key.chars().take(64).collect()
}

/// `&&` and `||`: one part that settles it is enough, also where others fail.
fn joined<'a>(
    parts: &'a [Node],
    scope: &mut Scope<'a>,
    meter: &Meter,
    settles: bool,
) -> Result<Value<'a>, Failed> {
    let mut failed = None;
    for part in parts {
        match evaluate(part, scope, meter) {
            Ok(Value::Bool(it)) if it == settles => return Ok(Value::Bool(it)),
            Ok(Value::Bool(_)) => {}
            Ok(other) => {
                let what = format!("&& and || join what is true or false, and not {}", other.kind());
                failed = failed.or(Some(Failed::Types(what)));
            }
            Err(Failed::Spent) => return Err(Failed::Spent),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(Value::Bool(!settles)), Err)
}

fn map<'a>(entries: &'a [(Node, Node)], scope: &mut Scope<'a>, meter: &Meter) -> Result<Value<'a>, Failed> {
    let mut map: Vec<(String, Value<'a>)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let Value::Text(key) = evaluate(key, scope, meter)? else {
            return Err(Failed::Types("the keys of a map are strings".into()));
        };
        meter.steps(map.len())?;
        if map.iter().any(|(other, _)| *other == **key) {
            return Err(Failed::Types(format!("the key {:?} stands twice", named(&key))));
        }
        meter.makes(key.len())?;
        map.push((key.to_string(), evaluate(value, scope, meter)?));
    }
    Ok(Value::Entries(Rc::new(map)))
}

fn over<'a>(
    it: Macro,
    of: &'a Node,
    name: &'a str,
    body: &'a Node,
    scope: &mut Scope<'a>,
    meter: &Meter,
) -> Result<Value<'a>, Failed> {
    let of = evaluate(of, scope, meter)?;
    let elements = match &of {
        Value::Text(_) => None,
        of => of.elements(meter)?,
    };
    let elements =
        elements.ok_or_else(|| Failed::Types(format!("there are no elements of {}", of.kind())))?;
    let mut made = Vec::new();
    let mut failed = None;
    for element in elements {
        scope.0.push((name, element.clone()));
        let value = evaluate(body, scope, meter);
        scope.0.pop();
        match (it, value) {
            (_, Err(Failed::Spent)) => return Err(Failed::Spent),
            (Macro::All, Ok(Value::Bool(false))) => return Ok(Value::Bool(false)),
            (Macro::Exists, Ok(Value::Bool(true))) => return Ok(Value::Bool(true)),
            (Macro::All | Macro::Exists, Err(error)) => failed = failed.or(Some(error)),
            (_, Err(error)) => return Err(error),
            (Macro::Map, Ok(value)) => made.push(value),
            (Macro::Filter, Ok(Value::Bool(true))) => made.push(element),
            (_, Ok(Value::Bool(_))) => {}
            (_, Ok(other)) => {
                return Err(Failed::Types(format!(
                    "the macro asks for true or false, and not {}",
                    other.kind()
                )));
            }
        }
    }
    match (it, failed) {
        (Macro::Map | Macro::Filter, _) => Ok(Value::list(made)),
        (_, Some(error)) => Err(error),
        (_, None) => Ok(Value::Bool(it == Macro::All)),
    }
}

fn binary<'a>(
    operator: Operator,
    left: &Value<'a>,
    right: &Value<'a>,
    meter: &Meter,
) -> Result<Value<'a>, Failed> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let none = || Failed::Types(format!("{operator:?} is not for {} and {}", left.kind(), right.kind()));
    let ordered = |among: &[std::cmp::Ordering]| {
        let both_numbers = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::Double(_));
        match order(left, right, meter)? {
            Some(order) => Ok(Value::Bool(among.contains(&order))),
            // One of them is no number.
            None if both_numbers(left) && both_numbers(right) => Ok(Value::Bool(false)),
            None => Err(none()),
        }
    };
    match operator {
        Operator::Equal => Ok(Value::Bool(equal(left, right, meter)?)),
        Operator::NotEqual => Ok(Value::Bool(!equal(left, right, meter)?)),
        Operator::Less => ordered(&[Less]),
        Operator::LessOrEqual => ordered(&[Less, Equal]),
        Operator::More => ordered(&[Greater]),
        Operator::MoreOrEqual => ordered(&[Greater, Equal]),
        Operator::In => contains(left, right, meter)?.map(Value::Bool).ok_or_else(none),
        Operator::Add => match (left, right) {
            (Value::Text(left), Value::Text(right)) => {
                meter.makes(left.len() + right.len())?;
                Ok(Value::text(format!("{left}{right}")))
            }
            (Value::Array(_) | Value::List(_), Value::Array(_) | Value::List(_)) => {
                let mut all = left.elements(meter)?.unwrap_or_default();
                all.extend(right.elements(meter)?.unwrap_or_default());
                Ok(Value::list(all))
            }
            _ => arithmetic(operator, left, right)?.ok_or_else(none),
        },
        _ => arithmetic(operator, left, right)?.ok_or_else(none),
    }
}

fn contains(needle: &Value<'_>, of: &Value<'_>, meter: &Meter) -> Result<Option<bool>, Failed> {
    match (of, needle) {
        (Value::Object(_) | Value::Entries(_), Value::Text(key)) => {
            Ok(Some(matches!(of.entry(key, meter)?, Lookup::Found(_))))
        }
        (Value::Array(_) | Value::List(_), _) => {
            for element in of.elements(meter)?.into_iter().flatten() {
                if equal(&element, needle, meter)? {
                    return Ok(Some(true));
                }
            }
            Ok(Some(false))
        }
        _ => Ok(None),
    }
}

fn arithmetic<'a>(
    operator: Operator,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<Value<'a>>, Failed> {
    Ok(Some(match (left, right) {
        (Value::Int(_), Value::Int(0)) if matches!(operator, Operator::Divide | Operator::Remainder) => {
            return Err(Failed::Range("a division by zero"));
        }
        (Value::Int(left), Value::Int(right)) => {
            let result = match operator {
                Operator::Add => left.checked_add(*right),
                Operator::Subtract => left.checked_sub(*right),
                Operator::Multiply => left.checked_mul(*right),
                Operator::Divide => left.checked_div(*right),
                Operator::Remainder => left.checked_rem(*right),
                _ => return Ok(None),
            };
            Value::Int(result.ok_or(OVERFLOW)?)
        }
        (Value::Double(left), Value::Double(right)) => Value::Double(match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            _ => return Ok(None),
        }),
        _ => return Ok(None),
    }))
}
