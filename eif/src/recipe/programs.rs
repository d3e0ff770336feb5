//! The programs, compiled so that the folder, the user and the machine leave no trace in them.
//!
//! Static, by the GNU C library: the image holds no other file. Cargo names our own sources relative to the workspace,
//! so only what lies elsewhere is renamed: dependencies, what their build scripts write, the standard library.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{RecipeError, Source, Toolchain, Workplace, read};

const TARGET: &str = "x86_64-unknown-linux-gnu";
const PROFILE: &str = "image";
const PACKAGES: [&str; 6] =
    ["r3e-init", "r3e-bundler", "r3e-enclave", "r3e-prover", "r3e-runner", "r3e-wasm-runner"];
/// The package of the program that C#'s runtime is linked into, and what says where that is. Without that layer it is not built.
const CSHARP: (&str, &str) = ("r3e-csharp-runner", "R3E_MONO");
const INIT: &str = "r3e-init";
/// Those below `/usr/bin`, in the order of their names.
const PROGRAMS: [&str; 6] =
    ["r3e-bundler", "r3e-enclave", "r3e-prover", "r3e-runner", "r3e-wasm-compiler", "r3e-wasm-runner"];

/// Static; and random bytes by the system call alone: a static C library does not tell whether it has the call, and what
/// asks it would open a device instead.
const FLAGS: [&str; 2] = ["-Ctarget-feature=+crt-static", "--cfg=getrandom_backend=\"linux_getrandom\""];

/// What a compiler may learn of the user's environment: where tools and downloads are, nothing that changes what
/// they make.
const ENVIRONMENT: [&str; 12] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TERM",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "CARGO_BUILD_JOBS",
];

/// The image's programs.
pub(super) struct Built {
    pub(super) init: Vec<u8>,
    pub(super) programs: Vec<(&'static str, Vec<u8>)>,
    /// Where they are, beside what makes layers.
    pub(super) folder: PathBuf,
}

/// Compiles them, in the source's locked versions.
///
/// # Errors
/// [`RecipeError`].
pub(super) fn build(
    source: &Source,
    workplace: &Workplace,
    toolchain: &Toolchain,
    csharp: Option<&Path>,
) -> Result<Built, RecipeError> {
    let target = std::path::absolute(&workplace.target)
        .map_err(|error| RecipeError::Read { file: workplace.target.clone(), source: error })?;
    // Downloads come first: a folder must be there to be renamed.
    let mut fetch = cargo(source, &["fetch", "--locked", "--target", TARGET]);
    run(fetch.env("CARGO_TARGET_DIR", &target), "the download of dependencies")?;

    let renames = renames(&target, toolchain)?;
    let mut flags: Vec<String> = FLAGS.map(str::to_owned).into();
    flags.extend(renames.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")));
    let c_flags: Vec<String> =
        renames.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
    let c_flags = c_flags.join(" ");

    let mut compile = cargo(source, &["build", "--locked", "--bins", "--profile", PROFILE]);
    compile
        .args(["--target", TARGET])
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CFLAGS", &c_flags)
        .env("CXXFLAGS", &c_flags)
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    if let Some(runtime) = csharp {
        let (package, variable) = CSHARP;
        compile.args(["--package", package]).env(variable, runtime);
    }
    run(&mut compile, "the programs' build")?;

    let folder = target.join(TARGET).join(PROFILE);
    let program = |name: &'static str| read_static(&folder, name);
    Ok(Built {
        init: program(INIT)?,
        programs: PROGRAMS
            .into_iter()
            .map(|name| Ok((name, program(name)?)))
            .collect::<Result<_, RecipeError>>()?,
        folder,
    })
}

/// A program that was built, and needs no library.
///
/// # Errors
/// [`RecipeError`].
pub(super) fn read_static(folder: &Path, name: &'static str) -> Result<Vec<u8>, RecipeError> {
    let bytes = read(&folder.join(name))?;
    if is_static(&bytes) { Ok(bytes) } else { Err(RecipeError::NotStatic { program: name }) }
}

fn cargo(source: &Source, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .current_dir(source.root())
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((*name, env::var_os(name)?))))
        .stdin(Stdio::null());
    command
}

/// Runs a tool whose output is the user's to see; our own standard output stays clean.
fn run(command: &mut Command, step: &'static str) -> Result<(), RecipeError> {
    let status = command.stdout(Stdio::null()).status().map_err(|source| RecipeError::Start {
        program: "cargo".to_owned(),
        hint: "install Rust by rustup (https://rustup.rs)",
        source,
    })?;
    if status.success() { Ok(()) } else { Err(RecipeError::Failed { step, status }) }
}

/// The folders whose names must not reach the programs, and what stands for each.
fn renames(target: &Path, toolchain: &Toolchain) -> Result<Vec<(String, String)>, RecipeError> {
    let mut renames = vec![
        (text(target)?, "/target".to_owned()),
        (format!("{}/lib/rustlib/src/rust", toolchain.sysroot), format!("/rustc/{}", toolchain.commit)),
    ];
    // The folder of a registry carries a hash of the registry's address, which differs behind a mirror.
    let registries = cargo_home().join("registry/src");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&registries)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|source| RecipeError::Read { file: registries, source })?;
    folders.sort();
    for folder in folders {
        renames.push((text(&folder)?, "/crates".to_owned()));
    }
    Ok(renames)
}

fn cargo_home() -> PathBuf {
    let home = || env::var_os("HOME").unwrap_or_else(|| OsString::from("/"));
    env::var_os("CARGO_HOME").map_or_else(|| PathBuf::from(home()).join(".cargo"), PathBuf::from)
}

/// A path as a compiler's option can hold it.
fn text(path: &Path) -> Result<String, RecipeError> {
    path.to_str()
        .filter(|text| !text.contains([' ', '=', '\t', '\n']))
        .map(str::to_owned)
        .ok_or_else(|| RecipeError::Path(path.to_owned()))
}

/// Whether an ELF program asks for no interpreter: then it needs no library (ELF-64, section "Program Header").
fn is_static(program: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let half = |at: usize| program.get(at..at + 2).map(|field| u16::from_le_bytes([field[0], field[1]]));
    let word = |at: usize| {
        program.get(at..at + 4).map(|field| u32::from_le_bytes([field[0], field[1], field[2], field[3]]))
    };
    let headers = program
        .get(32..40)
        .and_then(|field| <[u8; 8]>::try_from(field).ok())
        .and_then(|field| usize::try_from(u64::from_le_bytes(field)).ok());
    let (Some(headers), Some(size), Some(count)) = (headers, half(54), half(56)) else {
        return false;
    };
    program.starts_with(b"\x7fELF\x02\x01")
        && (0..usize::from(count)).all(|index| {
            let at = headers.checked_add(index * usize::from(size));
            at.and_then(word).is_some_and(|kind| kind != INTERPRETER)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_an_interpreter_is_not_static() {
        // The test itself is one.
        let program = std::fs::read(env::current_exe().unwrap()).unwrap();
        assert!(!is_static(&program));
        assert!(!is_static(b"#!/bin/sh\n"));
        assert!(!is_static(&program[..60]));
        assert!(!is_static(b""));
    }

    #[test]
    fn a_folder_that_would_end_an_option_is_refused() {
        assert!(text(Path::new("/srv/a b")).is_err());
        assert!(text(Path::new("/srv/a=b")).is_err());
        assert_eq!(text(Path::new("/srv/ab")).unwrap(), "/srv/ab");
    }
}
