//! What compiles the image. Other versions make other bytes, so an auditor whose PCRs differ looks here first.

use std::fmt;
use std::process::Command;

use serde::Serialize;

use super::{RecipeError, Source};

/// The versions of what compiles the image, as each names itself.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Toolchain {
    /// `rustc --version`.
    pub(crate) rustc: String,
    /// `cc --version`, its first line.
    pub(crate) cc: String,
    /// `ld --version`, its first line.
    pub(crate) ld: String,
    /// The C library that is linked in, by the first line of `ldd --version`.
    pub(crate) libc: String,
    /// Where the toolchain keeps the standard library's source, which panics name.
    #[serde(skip)]
    pub(super) sysroot: String,
    /// The commit of the standard library.
    #[serde(skip)]
    pub(super) commit: String,
}

const RUST_HINT: &str = "install Rust by rustup (https://rustup.rs)";
const C_HINT: &str = "install Debian's gcc, g++ and binutils";

impl Toolchain {
    /// The toolchain that builds in `source` use.
    ///
    /// # Errors
    /// [`RecipeError`]: a tool is missing, or does not say its version.
    pub(crate) fn find(source: &Source) -> Result<Self, RecipeError> {
        let ask = |program: &str, arguments: &[&str], hint| -> Result<String, RecipeError> {
            let output = Command::new(program)
                .args(arguments)
                .env("LC_ALL", "C")
                .current_dir(source.root())
                .output()
                .map_err(|source| RecipeError::Start { program: program.to_owned(), hint, source })?;
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if !output.status.success() || text.is_empty() {
                return Err(RecipeError::Output { program: program.to_owned(), text });
            }
            Ok(text)
        };
        let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();
        let verbose = ask("rustc", &["--version", "--verbose"], RUST_HINT)?;
        let commit = verbose.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or_default();
        Ok(Self {
            commit: commit.to_owned(),
            sysroot: ask("rustc", &["--print", "sysroot"], RUST_HINT)?,
            rustc: first_line(verbose),
            cc: first_line(ask("cc", &["--version"], C_HINT)?),
            ld: first_line(ask("ld", &["--version"], C_HINT)?),
            libc: first_line(ask("ldd", &["--version"], C_HINT)?),
        })
    }
}

/// On one line, as the image's description carries it.
impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rustc, cc, ld, libc, .. } = self;
        write!(f, "{}; {rustc}; {cc}; {ld}; {libc}", env!("CARGO_PKG_VERSION"))
    }
}

#[cfg(test)]
impl Toolchain {
    /// Some toolchain, for tests that compile nothing.
    pub(super) fn example() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            rustc: text("rustc 1.95.0"),
            cc: text("cc 12.2.0"),
            ld: text("ld 2.40"),
            libc: text("ldd 2.36"),
            sysroot: text("/rust"),
            commit: text("0000"),
        }
    }
}
