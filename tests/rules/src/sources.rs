//! The files of the repository: those that git tracks, and those that it would track if they were added. A file
//! that is written but not committed yet must keep the rules, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Rust file.
#[derive(Debug)]
pub struct SourceFile {
    /// From the root of the repository.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl SourceFile {
    /// Whether it is code of a test, a bench, an example or a fuzz target, none of which is part of a product.
    pub fn is_test(&self) -> bool {
        let in_test_folder = ["tests", "benches", "examples"].iter().any(|folder| {
            self.path.starts_with(&format!("{folder}/")) || self.path.contains(&format!("/{folder}/"))
        });
        in_test_folder || self.path.ends_with("/tests.rs")
    }

    /// The text up to a test module at its end.
    pub fn without_test_module(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default()
    }

    /// Number and text of the lines of code outside a test module: neither empty nor comments.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.without_test_module().lines().enumerate();
        lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| {
            let line = line.trim_start();
            !line.is_empty() && !line.starts_with("//")
        })
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Every file that git tracks or would track, from the root of the repository. Without git (an unpacked archive),
/// every file outside `target` and `.git`.
pub fn tracked_files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let mut files: Vec<String> = match output {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root(), &mut found);
            found
        }
    };
    // A file that was deleted, but not yet in git, is gone.
    files.retain(|path| root().join(path).is_file());
    files.sort();
    files.dedup();
    files
}

/// Every Rust file among them.
pub fn rust_files() -> Vec<SourceFile> {
    let rust = tracked_files()
        .into_iter()
        .filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| SourceFile { text: read(&path), path }).collect()
}

/// The text of a file; bytes that are no text are replaced.
pub fn read(path: &str) -> String {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" {
            walk(&path, found);
        } else if let Ok(relative) = path.strip_prefix(root()) {
            found.push(relative.display().to_string());
        }
    }
}
