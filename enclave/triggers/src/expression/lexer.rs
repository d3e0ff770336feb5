//! Text into tokens.

use super::NotAnExpression;

/// A token, and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Name(String),
    Text(String),
    /// Without its sign, so that the smallest one can be written.
    Int(u64),
    Double(f64),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// The longer ones first.
const SIGNS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}", "=",
];

/// All tokens of a source.
///
/// # Errors
/// [`NotAnExpression`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, NotAnExpression> {
    let characters: Vec<char> = source.chars().collect();
    let mut lexer = Lexer { characters: &characters, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    characters: &'a [char],
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, NotAnExpression> {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let at = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = if first.is_ascii_alphabetic() || first == '_' {
            self.name()?
        } else if first.is_ascii_digit() || (first == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit()))
        {
            self.number()?
        } else if first == '"' || first == '\'' {
            self.text(first)?
        } else {
            self.sign()?
        };
        Ok(Some(Token { at, kind }))
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn taken(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(character) = self.peek(0).filter(|c| belongs(*c)) {
            text.push(character);
            self.at += 1;
        }
        text
    }

    fn wrong(&self, what: &str) -> NotAnExpression {
        NotAnExpression { at: self.at + 1, what: what.to_owned() }
    }

    fn name(&mut self) -> Result<Kind, NotAnExpression> {
        let name = self.taken(|c| c.is_ascii_alphanumeric() || c == '_');
        if matches!(self.peek(0), Some('"' | '\'')) {
            return Err(self.wrong("raw strings and bytes are not among what is understood"));
        }
        Ok(Kind::Name(name))
    }

    fn number(&mut self) -> Result<Kind, NotAnExpression> {
        if self.peek(0) == Some('0') && matches!(self.peek(1), Some('x' | 'X')) {
            self.at += 2;
            let digits = self.taken(|c| c.is_ascii_hexdigit());
            let number = u64::from_str_radix(&digits, 16);
            return number.map(Kind::Int).map_err(|_| self.wrong("no number of 64 bits"));
        }
        let mut text = self.taken(|c| c.is_ascii_digit());
        let mut is_double = false;
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            is_double = true;
            self.at += 1;
            text.push('.');
            text.push_str(&self.taken(|c| c.is_ascii_digit()));
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            is_double = true;
            self.at += 1;
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek(0) {
                self.at += 1;
                text.push(sign);
            }
            let digits = self.taken(|c| c.is_ascii_digit());
            if digits.is_empty() {
                return Err(self.wrong("an exponent has digits"));
            }
            text.push_str(&digits);
        }
        if self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(
                self.wrong("a number ends where a letter begins; unsigned numbers are not understood")
            );
        }
        if is_double {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            return number.map(Kind::Double).ok_or_else(|| self.wrong("no number that a double can have"));
        }
        text.parse().map(Kind::Int).map_err(|_| self.wrong("no number of 64 bits"))
    }

    fn text(&mut self, quote: char) -> Result<Kind, NotAnExpression> {
        if self.peek(1) == Some(quote) && self.peek(2) == Some(quote) {
            return Err(self.wrong("strings in three quotes are not understood"));
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek(0) {
                None | Some('\n' | '\r') => return Err(self.wrong("a string has no end")),
                Some('\\') => {
                    self.at += 1;
                    let escaped = self.escape()?;
                    text.push(escaped);
                }
                Some(character) => {
                    self.at += 1;
                    if character == quote {
                        return Ok(Kind::Text(text));
                    }
                    text.push(character);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotAnExpression> {
        let character = self.peek(0).ok_or_else(|| self.wrong("a string has no end"))?;
        self.at += 1;
        let digits = match character {
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'v' => return Ok('\u{b}'),
            '\\' | '"' | '\'' | '`' | '?' => return Ok(character),
            'x' | 'X' => 2,
            'u' => 4,
            'U' => 8,
            _ => return Err(self.wrong("no such escape")),
        };
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.peek(0).and_then(|c| c.to_digit(16));
            let digit = digit.ok_or_else(|| self.wrong("an escape lacks hex digits"))?;
            code = code << 4 | digit;
            self.at += 1;
        }
        char::from_u32(code).ok_or_else(|| self.wrong("no such character"))
    }

    fn sign(&mut self) -> Result<Kind, NotAnExpression> {
        let stands = |sign: &str| sign.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c));
        let sign = SIGNS.into_iter().find(|sign| stands(sign));
        match sign {
            Some("=") => Err(self.wrong("equality is ==")),
            Some(sign) => {
                self.at += sign.len();
                Ok(Kind::Sign(sign))
            }
            None => Err(self.wrong("no character that an expression has")),
        }
    }
}
