//! Text from an image, made safe for a terminal: whoever wrote it may want to hide or forge lines.

/// Bytes as a line: what is not printable is escaped.
pub(crate) fn line(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.extend(chunk.valid().chars().flat_map(escaped));
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out
}

/// The same over several lines, as they are.
pub(crate) fn lines(text: &str) -> String {
    text.chars().flat_map(|c| if c == '\n' { vec![c] } else { escaped(c) }).collect()
}

/// Quotes stay as they are: nothing here stands between quotes.
fn escaped(c: char) -> Vec<char> {
    match c {
        '"' | '\'' => vec![c],
        _ => c.escape_debug().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_turns_the_text() {
        assert_eq!(line(b"a \"b\" 'c'\n\x1b[2J\xff"), "a \"b\" 'c'\\n\\u{1b}[2J\\xff");
        assert_eq!(line("\u{202e}gnp.\r".as_bytes()), "\\u{202e}gnp.\\r");
        assert_eq!(lines("{\n \"k\": \"\u{202e}\"\n}"), "{\n \"k\": \"\\u{202e}\"\n}");
        assert_eq!(line("é 漢".as_bytes()), "é 漢");
    }
}
