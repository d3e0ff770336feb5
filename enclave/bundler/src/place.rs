//! Where something stands in a source: line and column, both from 1, as editors count them.

use r3e_runner_api::bundling::Problem;

/// A line and a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// Of a byte of `text`; the end where there is no such byte.
    pub(crate) fn of_byte(text: &str, byte: usize) -> Self {
        let before = text.get(..text.floor_char_boundary(byte)).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self { line: counted(line), column: counted(column) }
    }

    /// A problem here, in the module of this path.
    pub(crate) fn problem(self, path: &str, message: impl Into<String>) -> Problem {
        Problem { path: path.to_owned(), line: self.line, column: self.column, message: message.into() }
    }
}

fn counted(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "ab\r\nä\tc\n";
        for (byte, line, column) in
            [(0, 1, 1), (1, 1, 2), (4, 2, 1), (6, 2, 2), (7, 2, 3), (9, 3, 1), (99, 3, 1)]
        {
            assert_eq!(Place::of_byte(text, byte), Place { line, column }, "{byte}");
        }
    }
}
