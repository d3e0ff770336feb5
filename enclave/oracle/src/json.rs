//! JSON from a venue, within limits that are kept while it is read. A number stays the text that it was: whoever turns it into a
//! binary float has changed the price. That is why this is not the chains' reader, which gives `serde_json`'s values.

use std::borrow::Cow;

use crate::limits::{MAX_ANSWER_DEPTH, MAX_ANSWER_VALUES};

/// Why a text is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Longer than the venue's definition allows.
    #[error("the answer is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// Nested too deeply.
    #[error("the answer is nested more deeply than {MAX_ANSWER_DEPTH}")]
    TooDeep,
    /// Too many values and names.
    #[error("the answer has more than {MAX_ANSWER_VALUES} values")]
    TooMany,
    /// An object has two members of one name: two readers might read two prices.
    #[error("a member stands twice in an object of the answer")]
    Repeated,
    /// No JSON (RFC 8259), or bytes behind it.
    #[error("the answer is not JSON")]
    Malformed,
}

/// A value. Texts are borrowed where they need no decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// An object, in its order; no name stands twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads one JSON text of at most `limit_bytes`, and nothing behind it.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn read(bytes: &'a [u8], limit_bytes: usize) -> Result<Self, JsonError> {
        if bytes.len() > limit_bytes {
            return Err(JsonError::TooLong { limit_bytes });
        }
        let text = str::from_utf8(bytes).map_err(|_| JsonError::Malformed)?;
        let mut reader = Reader { text, at: 0, values_left: MAX_ANSWER_VALUES };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.at == text.len() { Ok(value) } else { Err(JsonError::Malformed) }
    }
}

/// Stands before the next byte. `at` is always at a character's beginning: only ASCII is stepped over by itself.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    values_left: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over `byte`, if it is next.
    fn takes(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn expects(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.takes(byte) { Ok(()) } else { Err(JsonError::Malformed) }
    }

    fn counted(&mut self) -> Result<(), JsonError> {
        self.values_left = self.values_left.checked_sub(1).ok_or(JsonError::TooMany)?;
        Ok(())
    }

    /// The next value, which lies in `depth` lists and objects.
    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.counted()?;
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(deeper(depth)?),
            Some(b'[') => self.list(deeper(depth)?),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json<'a>, JsonError> {
        let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = words.into_iter().find(|(word, _)| rest.starts_with(word));
        let (word, value) = found.ok_or(JsonError::Malformed)?;
        self.at += word.len();
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.takes(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blanks();
            if self.takes(b']') {
                return Ok(Json::List(items));
            }
            self.expects(b',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.blanks();
        if self.takes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            self.counted()?;
            let name = self.string()?;
            self.blanks();
            self.expects(b':')?;
            members.push((name, self.value(depth)?));
            self.blanks();
            if self.takes(b'}') {
                break;
            }
            self.expects(b',')?;
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(JsonError::Repeated);
        }
        Ok(Json::Object(members))
    }

    /// From the opening quote to the closing one.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let start = self.at;
        self.expects(b'"')?;
        let mut escaped = false;
        loop {
            match self.peek().ok_or(JsonError::Malformed)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                ..0x20 => return Err(JsonError::Malformed),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or(JsonError::Malformed)?;
        if escaped {
            // What an escape means is for a reader that many have tested.
            return serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| JsonError::Malformed);
        }
        let inner = quoted.get(1..quoted.len() - 1).ok_or(JsonError::Malformed)?;
        Ok(Cow::Borrowed(inner))
    }

    /// RFC 8259 section 6: a minus, digits without zeros before them, a fraction, an exponent.
    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        self.text.get(start..self.at).ok_or(JsonError::Malformed)
    }

    /// One digit at least.
    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(JsonError::Malformed) }
    }
}

fn deeper(depth: usize) -> Result<usize, JsonError> {
    if depth < MAX_ANSWER_DEPTH { Ok(depth + 1) } else { Err(JsonError::TooDeep) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Result<Json<'_>, JsonError> {
        Json::read(text.as_bytes(), 1 << 20)
    }

    /// The same as `serde_json` has it, numbers apart.
    fn same(ours: &Json<'_>, theirs: &Value) -> bool {
        match (ours, theirs) {
            (Json::Null, Value::Null) => true,
            (Json::Bool(one), Value::Bool(other)) => one == other,
            (Json::Number(text), Value::Number(number)) => {
                serde_json::from_str::<Value>(text).is_ok_and(|value| value == Value::Number(number.clone()))
            }
            (Json::Text(one), Value::String(other)) => one == other,
            (Json::List(ours), Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| same(one, other))
            }
            (Json::Object(ours), Value::Object(theirs)) => {
                let is_there = |(name, value): &(Cow<'_, str>, Json<'_>)| {
                    theirs.get(name.as_ref()).is_some_and(|other| same(value, other))
                };
                ours.len() == theirs.len() && ours.iter().all(is_there)
            }
            _ => false,
        }
    }

    #[test]
    fn numbers_keep_their_text() {
        let text = r#" {"a": [0.10, 1e-7, -0, 0.1000000000000000055511151231257827]} "#;
        let numbers =
            ["0.10", "1e-7", "-0", "0.1000000000000000055511151231257827"].map(Json::Number).to_vec();
        assert_eq!(read(text), Ok(Json::Object(vec![("a".into(), Json::List(numbers))])));
        assert_eq!(read(r#""\u00e9\n""#), Ok(Json::Text("é\n".into())));
    }

    #[test]
    fn limits_are_kept() {
        assert!(read(&format!("{}{}", "[".repeat(16), "]".repeat(16))).is_ok());
        assert_eq!(read(&"[".repeat(17)), Err(JsonError::TooDeep));
        assert_eq!(
            read(&r#"[{"a":"#.repeat(500_000)).err(),
            Some(JsonError::TooLong { limit_bytes: 1 << 20 })
        );
        assert_eq!(read(&format!("[{}0]", "0,".repeat(MAX_ANSWER_VALUES))), Err(JsonError::TooMany));
        assert_eq!(read(r#"{"a":1,"a":1}"#), Err(JsonError::Repeated));
        assert_eq!(read(r#"{"a":1,"\u0061":1}"#), Err(JsonError::Repeated));
        assert_eq!(Json::read(b"[1]", 2), Err(JsonError::TooLong { limit_bytes: 2 }));
        assert_eq!(Json::read(b"\"\xff\"", 9), Err(JsonError::Malformed));
    }

    #[test]
    fn what_is_no_json() {
        for text in [
            "",
            " ",
            "1 2",
            "[1,]",
            "[,1]",
            "{",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "nul",
            "nulll",
            "True",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "01",
            "1.",
            ".1",
            "+1",
            "-",
            "1e",
            "0x1",
            "NaN",
            "Infinity",
            "-Infinity",
            "[1]x",
            "\u{feff}1",
            "<html>",
            "'a'",
            "[1}",
            "/**/1",
        ] {
            assert_eq!(read(text), Err(JsonError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_serde_reads(text in r#"[\[\]{}":,0-9a-c.e \\u+-]{0,64}"#) {
            let plain = serde_json::from_str::<Value>(&text);
            match read(&text) {
                // A number beyond a float is one here, and is none there.
                Ok(value) => prop_assert!(plain.map_or(true, |plain| same(&value, &plain)), "{}", text),
                Err(JsonError::Malformed) => prop_assert!(plain.is_err(), "{}", text),
                Err(_) => {}
            }
        }
    }
}
