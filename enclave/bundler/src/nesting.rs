//! Refuses sources whose brackets stand too deep in each other, before the parser recurses into them.
//!
//! This is for the words and the place of the refusal, and a scan, not a parser: where it cannot tell a division from a regular
//! expression it may count a bracket too many, which the bound leaves room for. Depth without brackets (operators, arrows,
//! types, `else if`) is not counted; where that is too much, the parser ends the process.

use r3e_runner_api::bundling::Problem;

use crate::limits::MAX_NESTING;
use crate::place::Place;

/// Words after which a slash begins a regular expression.
const BEFORE_REGEX: [&str; 16] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "instanceof",
    "do",
    "else",
    "yield",
    "await",
    "default",
    "extends",
];

/// Checks the depth of a module's brackets.
pub(crate) fn check(path: &str, text: &str) -> Result<(), Problem> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, open: Vec::new(), after_value: false };
    while scan.step().is_some() {
        if scan.open.len() > MAX_NESTING {
            let place = Place::of_byte(text, scan.at.saturating_sub(1));
            let message = format!("brackets are nested deeper than {MAX_NESTING}: nest them less");
            return Err(place.problem(path, message));
        }
    }
    Ok(())
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What is open: brackets, `` ` `` for a template and `$` for an expression in one.
    open: Vec<u8>,
    /// Whether a slash here divides.
    after_value: bool,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Goes on by one token. None at the end.
    fn step(&mut self) -> Option<()> {
        let byte = self.next()?;
        if self.open.last() == Some(&b'`') {
            self.in_template(byte);
            return Some(());
        }
        match byte {
            b'(' | b'[' | b'{' => {
                self.open.push(byte);
                self.after_value = false;
            }
            b')' | b']' | b'}' => {
                let closed = self.open.pop();
                // The end of an expression in a template, in which a slash is a slash.
                self.after_value = closed != Some(b'$');
            }
            b'`' => self.open.push(b'`'),
            b'"' | b'\'' => {
                self.skip_until(byte, false);
                self.after_value = true;
            }
            b'/' => self.slash(),
            byte if byte.is_ascii_whitespace() => {}
            byte if is_word(byte) => self.word(),
            _ => self.after_value = false,
        }
        Some(())
    }

    fn in_template(&mut self, byte: u8) {
        match byte {
            b'\\' => self.at += 1,
            b'`' => {
                self.open.pop();
                self.after_value = true;
            }
            b'$' if self.peek() == Some(b'{') => {
                self.at += 1;
                self.open.push(b'$');
                self.after_value = false;
            }
            _ => {}
        }
    }

    fn slash(&mut self) {
        match self.peek() {
            Some(b'/') => while self.next().is_some_and(|byte| byte != b'\n') {},
            Some(b'*') => {
                self.at += 1;
                while let Some(byte) = self.next() {
                    if byte == b'*' && self.peek() == Some(b'/') {
                        self.at += 1;
                        break;
                    }
                }
            }
            _ if self.after_value => self.after_value = false,
            _ => {
                self.skip_until(b'/', true);
                self.after_value = true;
            }
        }
    }

    /// Skips a text that ends with `end`, and with its line in any case.
    fn skip_until(&mut self, end: u8, has_classes: bool) {
        let mut in_class = false;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                b'\n' => return,
                b'[' if has_classes => in_class = true,
                b']' if has_classes => in_class = false,
                byte if byte == end && !in_class => return,
                _ => {}
            }
        }
    }

    fn word(&mut self) {
        let start = self.at.saturating_sub(1);
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        self.after_value = !BEFORE_REGEX.iter().any(|before| before.as_bytes() == word);
    }
}

/// Part of a name or a number; every byte of a letter that is not ASCII is.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<(u32, u32)> {
        check("a.ts", text).err().map(|problem| (problem.line, problem.column))
    }

    #[test]
    fn brackets_of_every_kind_are_counted() {
        for open in ["(", "[", "{", "`${", "f(", "[{", "a[", "=>{", "x=>(", "if(", "/* ( */ ("] {
            let found = place(&open.repeat(100_000));
            let (line, at) = found.unwrap_or_else(|| panic!("{open} was not counted"));
            assert!(line == 1 && at as usize <= (MAX_NESTING + 1) * open.len(), "{open}: {at}");
        }
        let column = u32::try_from(MAX_NESTING + 1).unwrap();
        assert_eq!(place(&format!("\n\n{}", "(".repeat(MAX_NESTING + 1))), Some((3, column)));
    }

    #[test]
    fn what_is_closed_or_no_bracket_does_not_count() {
        for fine in [
            "f();".repeat(10_000),
            "a = [1, { b: `x${c}{{{(([` }];\n".repeat(2_000),
            "`a${`b${`c`}(`}(`;".repeat(2_000),
            "'(((((';// ((((\n/* [[[[ */\"{{{\\\"((\"".repeat(2_000),
            "if (a < b) {}\n".repeat(2_000),
            "let x = /[({/]\\/(/.test(y); let z = a / b / c; return /(((/;\n".repeat(2_000),
            "x = (a) / 2; y = b[0] / (c); w = 1 / (2)\n".repeat(2_000),
            "let m: Map<string, Set<number>>;\n".repeat(2_000),
            "`\\`(((${a}`;\n".repeat(2_000),
            "'it''s (\n".repeat(2_000),
            format!("{}1{}", "(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING)),
        ] {
            assert_eq!(place(&fine), None, "{}", fine.get(..30).unwrap_or_default());
        }
    }

    #[test]
    fn any_text_is_scanned_to_its_end() {
        for odd in ["\\", "`\\", "`${", "'\\", "/", "/[", "/*", "//", "))))", "}`}`}", "\u{feff}\u{2028}é`"]
        {
            assert_eq!(place(odd), None, "{odd}");
        }
    }
}
