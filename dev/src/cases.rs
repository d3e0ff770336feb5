//! Tests as their author writes them: files `tests/*.test.toml` of a function's folder, each with cases.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::DevError;
use crate::given::{Answer, SecretValues};
use crate::limits::{MAX_CASES, MAX_TEST_FILE_BYTES, MAX_TEST_FILES};

/// One event, what stands around it, and what must come of it.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file's name.
    pub(crate) file: String,
    pub(crate) name: String,
    /// JSON text.
    pub(crate) event: String,
    pub(crate) secrets: SecretValues,
    pub(crate) store: BTreeMap<String, Value>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) expect: Expect,
}

/// What must come of an event. What is absent may be anything.
#[derive(Debug)]
pub(crate) struct Expect {
    pub(crate) outcome: Option<Outcome>,
    /// Texts that lines of the log hold, in this order.
    pub(crate) logs: Vec<String>,
    /// Values that it must have kept; none where the key must not be there.
    pub(crate) store: BTreeMap<String, Option<Value>>,
}

/// How it must end.
#[derive(Debug)]
pub(crate) enum Outcome {
    Output(Value),
    /// An error with this code, and this text in its message.
    Error {
        code: String,
        message: String,
    },
}

/// The cases of a folder, by file and place.
///
/// # Errors
/// [`DevError`] names the file and what is wrong with it.
pub(crate) fn read(folder: &Path) -> Result<Vec<Case>, DevError> {
    let tests = folder.join("tests");
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| DevError::Read { path, source }
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(&tests).map_err(unreadable(&tests))? {
        let path = entry.map_err(unreadable(&tests))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".test.toml")) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(DevError::NoTests(tests));
    }
    if files.len() > MAX_TEST_FILES {
        let what = format!("it holds more than {MAX_TEST_FILES} files of tests");
        return Err(DevError::Malformed { path: tests, what });
    }
    let mut cases = Vec::new();
    for path in files {
        let text = read_text(&path, MAX_TEST_FILE_BYTES)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let parsed = parse(&name, &text).map_err(|what| DevError::Malformed { path, what })?;
        cases.extend(parsed);
    }
    Ok(cases)
}

/// A text file that is not too large.
///
/// # Errors
/// [`DevError::Read`], [`DevError::TooLarge`].
pub(crate) fn read_text(path: &Path, max_bytes: u64) -> Result<String, DevError> {
    let unreadable = |source| DevError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(max_bytes + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > max_bytes {
        return Err(DevError::TooLarge { path: PathBuf::from(path), max_bytes });
    }
    Ok(text)
}

/// Secrets as a file has them: `NAME = "value"` lines.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn secrets(text: &str) -> Result<SecretValues, String> {
    let values: BTreeMap<String, String> = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(values.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<CaseTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTable {
    name: String,
    event: Option<toml::Value>,
    /// What TOML cannot say: `null`, and numbers of many digits.
    event_json: Option<String>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    #[serde(default)]
    store: BTreeMap<String, toml::Value>,
    #[serde(default)]
    fetch: Vec<FetchTable>,
    expect: ExpectTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FetchTable {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    text: Option<String>,
    json: Option<toml::Value>,
}

fn get() -> String {
    "GET".to_owned()
}

const fn ok() -> u16 {
    200
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectTable {
    output: Option<toml::Value>,
    output_json: Option<String>,
    error: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    logs: Vec<String>,
    #[serde(default)]
    store: BTreeMap<String, toml::Value>,
    /// Keys that must not be there.
    #[serde(default)]
    store_absent: Vec<String>,
}

fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let File { case } = toml::from_str(text).map_err(|error| error.to_string())?;
    if case.len() > MAX_CASES {
        return Err(format!("it has more than {MAX_CASES} cases"));
    }
    case.into_iter()
        .map(|table| {
            let name = table.name.clone();
            self::case(file, table).map_err(|what| format!("the case {name:?}: {what}"))
        })
        .collect()
}

fn case(file: &str, table: CaseTable) -> Result<Case, String> {
    let CaseTable { name, event, event_json, secrets, store, fetch, expect } = table;
    let event = one_of("event", event, event_json)?.unwrap_or(Value::Null).to_string();
    Ok(Case {
        file: file.to_owned(),
        name,
        event,
        secrets: secrets.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect(),
        store: store
            .into_iter()
            .map(|(key, value)| Ok((key, json(value)?)))
            .collect::<Result<_, String>>()?,
        answers: fetch.into_iter().map(answer).collect::<Result<_, _>>()?,
        expect: self::expect(expect)?,
    })
}

fn expect(table: ExpectTable) -> Result<Expect, String> {
    let ExpectTable { output, output_json, error, message, logs, store, store_absent } = table;
    let outcome = match (one_of("output", output, output_json)?, error) {
        (Some(_), Some(_)) => return Err("it expects an output and an error; one of them can be".to_owned()),
        (Some(output), None) => Some(Outcome::Output(output)),
        (None, Some(code)) => Some(Outcome::Error { code, message }),
        (None, None) => None,
    };
    let mut values: BTreeMap<String, Option<Value>> = BTreeMap::new();
    for (key, value) in store {
        values.insert(key, Some(json(value)?));
    }
    for key in store_absent {
        if values.insert(key.clone(), None).is_some() {
            return Err(format!("it expects {key:?} both in the store and not"));
        }
    }
    if outcome.is_none() && logs.is_empty() && values.is_empty() {
        return Err("it expects nothing: give output, error, logs or store".to_owned());
    }
    Ok(Expect { outcome, logs, store: values })
}

fn answer(table: FetchTable) -> Result<Answer, String> {
    let FetchTable { method, url, status, headers: fields, text, json: value } = table;
    let mut headers = HeaderMap::new();
    for (name, value) in &fields {
        let broken = || format!("the header {name:?} of {url} is not of HTTP's form");
        let name = HeaderName::try_from(name.as_str()).map_err(|_| broken())?;
        headers.insert(name, HeaderValue::try_from(value.as_str()).map_err(|_| broken())?);
    }
    let body = match (text, value) {
        (Some(_), Some(_)) => {
            return Err(format!("{url} answers with text and with json; one of them can be"));
        }
        (Some(text), None) => text,
        (None, Some(value)) => {
            headers.entry(http::header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            json(value)?.to_string()
        }
        (None, None) => String::new(),
    };
    Ok(Answer { method, url, status, headers, body: Bytes::from(body), asked: 0 })
}

/// A value that is written as TOML or as JSON text.
fn one_of(name: &str, value: Option<toml::Value>, text: Option<String>) -> Result<Option<Value>, String> {
    match (value, text) {
        (Some(_), Some(_)) => Err(format!("it has {name} and {name}_json; one of them can be")),
        (Some(value), None) => json(value).map(Some),
        (None, Some(text)) => {
            serde_json::from_str(&text).map(Some).map_err(|error| format!("{name}_json is no JSON: {error}"))
        }
        (None, None) => Ok(None),
    }
}

/// TOML as JSON, which has no dates.
fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("JSON has no {number}"))?,
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(date) => return Err(format!("JSON has no dates: write {date} in quotes")),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(json).collect::<Result<_, _>>()?),
        toml::Value::Table(fields) => Value::Object(
            fields.into_iter().map(|(key, value)| Ok((key, json(value)?))).collect::<Result<_, String>>()?,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse("t", text).unwrap_err()
    }

    #[test]
    fn a_case_says_what_it_gives_and_what_it_expects() {
        let text = r#"
            [[case]]
            name = "one"
            event = { pair = "NEO-USD", n = 1, half = 0.5, list = [true] }
            secrets = { KEY = "v" }
            store = { last = { n = 2 } }
            [[case.fetch]]
            url = "https://venue.example/"
            json = { price = "1" }
            [case.expect]
            error = "function_error"
            message = "no"
            logs = ["a"]
            store = { last = 3 }
            store_absent = ["other"]
        "#;
        let [case] = parse("t", text).unwrap().try_into().unwrap();
        assert_eq!(case.event, r#"{"half":0.5,"list":[true],"n":1,"pair":"NEO-USD"}"#);
        assert_eq!(case.secrets["KEY"].as_str(), "v");
        let answer = &case.answers[0];
        assert_eq!(
            (answer.method.as_str(), answer.status, &*answer.body),
            ("GET", 200, &br#"{"price":"1"}"#[..])
        );
        assert_eq!(answer.headers["content-type"], "application/json");
        assert!(
            matches!(&case.expect.outcome, Some(Outcome::Error { code, message }) if code == "function_error" && message == "no")
        );
        assert_eq!(case.expect.store["other"], None);
        let null =
            parse("t", "[[case]]\nname='n'\nevent_json='[null]'\nexpect={output_json='null'}").unwrap();
        assert_eq!(null[0].event, "[null]");
        assert!(matches!(null[0].expect.outcome, Some(Outcome::Output(Value::Null))));
    }

    #[test]
    fn what_says_nothing_or_two_things_is_refused() {
        assert!(refusal("[[case]]\nname='n'\nexpect={}").contains("it expects nothing"));
        assert!(
            refusal("[[case]]\nname='n'\nevent=1\nevent_json='1'\nexpect={output=1}").contains("event_json")
        );
        assert!(refusal("[[case]]\nname='n'\nexpect={output=1,error='x'}").contains("one of them"));
        assert!(refusal("[[case]]\nname='n'\nevent=1979-05-27\nexpect={output=1}").contains("in quotes"));
        assert!(refusal("[[case]]\nname='n'\nevents=1\nexpect={output=1}").contains("events"));
        assert!(refusal("[[case]]\nname='n'\nevent=nan\nexpect={output=1}").contains("NaN"));
        assert!(refusal("[[case]]\nname='n'\nexpect={store={a=1},store_absent=['a']}").contains("both"));
        let many = "[[case]]\nname='n'\nexpect={output=1}\n".repeat(MAX_CASES + 1);
        assert!(refusal(&many).contains("more than"));
    }
}
