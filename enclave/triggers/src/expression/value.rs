//! Values of expressions. Whatever stands in the event is borrowed from it; what is made is shared, so that a copy costs nothing.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::Failed;
use super::meter::Meter;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Rc<Cow<'a, str>>),
    /// Of the event.
    Array(&'a [Json]),
    /// Of the event.
    Object(&'a Map<String, Json>),
    /// Made.
    List(Rc<Vec<Value<'a>>>),
    /// Made: its keys differ.
    Entries(Rc<Vec<(String, Value<'a>)>>),
}

/// What is found in a value.
pub(super) enum Lookup<'a> {
    /// It is there.
    Found(Value<'a>),
    /// It is not.
    Missing,
    /// The value is of a kind that has no such things.
    Unfit,
}

impl<'a> Lookup<'a> {
    fn of(found: Option<Value<'a>>) -> Self {
        found.map_or(Self::Missing, Self::Found)
    }
}

impl<'a> Value<'a> {
    /// A value of the event's.
    pub(super) fn of(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(it) => Self::Bool(*it),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Self::Int(number),
                None => number.as_f64().map_or(Self::Null, Self::Double),
            },
            Json::String(text) => Self::Text(Rc::new(Cow::Borrowed(text))),
            Json::Array(elements) => Self::Array(elements),
            Json::Object(fields) => Self::Object(fields),
        }
    }

    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(Rc::new(text.into()))
    }

    pub(super) fn list(elements: Vec<Self>) -> Self {
        Self::List(Rc::new(elements))
    }

    /// What kind of value it is, for a person.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Array(_) | Self::List(_) => "list",
            Self::Object(_) | Self::Entries(_) => "map",
        }
    }

    /// How many elements, entries or characters.
    pub(super) fn size(&self, meter: &Meter) -> Result<Option<usize>, Failed> {
        Ok(Some(match self {
            Self::Text(text) => {
                meter.reads(text.len())?;
                text.chars().count()
            }
            Self::Array(elements) => elements.len(),
            Self::List(elements) => elements.len(),
            Self::Object(fields) => fields.len(),
            Self::Entries(entries) => entries.len(),
            _ => return Ok(None),
        }))
    }

    /// The elements of a list, or the keys of a map; none of anything else.
    pub(super) fn elements(&self, meter: &Meter) -> Result<Option<Vec<Self>>, Failed> {
        let Some(count) = self.size(meter)? else { return Ok(None) };
        meter.steps(count)?;
        Ok(match self {
            Self::Array(elements) => Some(elements.iter().map(Self::of).collect()),
            Self::List(elements) => Some(elements.as_ref().clone()),
            Self::Object(fields) => Some(fields.keys().map(|key| Self::text(key.as_str())).collect()),
            Self::Entries(entries) => {
                let mut keys = Vec::with_capacity(entries.len());
                for (key, _) in entries.iter() {
                    meter.makes(key.len())?;
                    keys.push(Self::text(key.clone()));
                }
                Some(keys)
            }
            _ => None,
        })
    }

    /// The entry of a map.
    pub(super) fn entry(&self, key: &str, meter: &Meter) -> Result<Lookup<'a>, Failed> {
        meter.reads(key.len())?;
        Ok(match self {
            Self::Object(fields) => Lookup::of(fields.get(key).map(Self::of)),
            Self::Entries(entries) => {
                meter.steps(entries.len())?;
                let found = entries.iter().find(|(name, _)| name == key);
                Lookup::of(found.map(|(_, value)| value.clone()))
            }
            _ => Lookup::Unfit,
        })
    }

    /// The element of a list.
    pub(super) fn element(&self, index: i64) -> Lookup<'a> {
        let index = usize::try_from(index).ok();
        match self {
            Self::Array(elements) => Lookup::of(index.and_then(|index| elements.get(index)).map(Self::of)),
            Self::List(elements) => Lookup::of(index.and_then(|index| elements.get(index)).cloned()),
            _ => Lookup::Unfit,
        }
    }

    /// Writes it as JSON.
    pub(super) fn write(&self, out: &mut String, meter: &Meter) -> Result<(), Failed> {
        meter.steps(1)?;
        match self {
            Self::Null => push(out, "null", meter),
            Self::Bool(true) => push(out, "true", meter),
            Self::Bool(false) => push(out, "false", meter),
            Self::Int(number) => push(out, &number.to_string(), meter),
            Self::Double(number) if number.is_finite() => push(out, &json_text(number)?, meter),
            Self::Double(_) => Err(Failed::Range("JSON has no such number")),
            Self::Text(text) => write_text(text, out, meter),
            Self::Array(elements) => {
                write_all(out, meter, ['[', ']'], elements.iter(), |out, it| Self::of(it).write(out, meter))
            }
            Self::List(elements) => {
                write_all(out, meter, ['[', ']'], elements.iter(), |out, it| it.write(out, meter))
            }
            Self::Object(fields) => write_all(out, meter, ['{', '}'], fields.iter(), |out, (key, value)| {
                write_text(key, out, meter)?;
                out.push(':');
                Self::of(value).write(out, meter)
            }),
            Self::Entries(entries) => {
                write_all(out, meter, ['{', '}'], entries.iter(), |out, (key, value)| {
                    write_text(key, out, meter)?;
                    out.push(':');
                    value.write(out, meter)
                })
            }
        }
    }
}

fn write_all<T>(
    out: &mut String,
    meter: &Meter,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T) -> Result<(), Failed>,
) -> Result<(), Failed> {
    meter.makes(2)?;
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            push(out, ",", meter)?;
        }
        write(out, item)?;
    }
    out.push(close);
    Ok(())
}

fn write_text(text: &str, out: &mut String, meter: &Meter) -> Result<(), Failed> {
    // Before the copy is made; what is escaped is charged with it.
    meter.makes(text.len())?;
    push(out, &json_text(&text)?, meter)
}

fn push(out: &mut String, text: &str, meter: &Meter) -> Result<(), Failed> {
    meter.makes(text.len())?;
    out.push_str(text);
    Ok(())
}

fn json_text(value: &impl serde::Serialize) -> Result<String, Failed> {
    serde_json::to_string(value).map_err(|_| Failed::Range("JSON has no such value"))
}
