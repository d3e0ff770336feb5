//! The packages of the workspace as Cargo sees them, and what they link.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::sources::root;

/// One package of the workspace.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The packages that it names in its manifest, in all sections.
    pub dependencies: BTreeSet<String>,
    /// The names of the features that it defines.
    pub features: BTreeSet<String>,
    /// The folder of its manifest, from the root of the repository.
    pub folder: String,
}

/// The workspace.
#[derive(Debug)]
pub struct Workspace {
    /// The members.
    pub members: Vec<Package>,
}

impl Workspace {
    /// Reads the workspace that this crate belongs to.
    ///
    /// # Panics
    /// If `cargo metadata` fails or says something else than it does.
    pub fn load() -> Self {
        let metadata = cargo(&["metadata", "--format-version=1", "--locked", "--no-deps"]);
        let metadata: Value = serde_json::from_str(&metadata)
            .unwrap_or_else(|error| panic!("cargo metadata is not JSON: {error}"));
        Self { members: array(&metadata["packages"]).map(Package::read).collect() }
    }

    /// A member by its name.
    pub fn member(&self, name: &str) -> Option<&Package> {
        self.members.iter().find(|package| package.name == name)
    }
}

/// Each package that ends up in what is built of the member `name` for Linux on x86-64, as `name version`, itself
/// apart. What only runs while it is built, macros and build scripts, is not among them.
///
/// This asks `cargo tree` and not `cargo metadata`, which counts optional dependencies that nothing turns on.
///
/// # Panics
/// If `cargo tree` fails.
pub fn linked_by(name: &str) -> BTreeSet<String> {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--package",
        name,
        "--edges=normal,no-proc-macro",
        "--target=x86_64-unknown-linux-gnu",
        "--prefix=none",
        "--format={p}",
    ]);
    // A line is `name vVERSION`, then perhaps a path or a star in brackets.
    let packages = tree.lines().filter_map(|line| line.split_once(" v"));
    packages
        .map(|(package, rest)| format!("{package} {}", rest.split(' ').next().unwrap_or_default()))
        .filter(|package| package.split(' ').next() != Some(name))
        .collect()
}

/// The output of a cargo command at the root of the repository.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cargo cannot be run: {error}"));
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Package {
    fn read(package: &Value) -> Self {
        let manifest = text(&package["manifest_path"]);
        let folder = manifest.strip_suffix("/Cargo.toml").unwrap_or(manifest);
        let root = root().display().to_string();
        Self {
            name: text(&package["name"]).to_owned(),
            dependencies: array(&package["dependencies"])
                .map(|dependency| text(&dependency["name"]).to_owned())
                .collect(),
            features: package["features"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
            folder: folder.strip_prefix(&root).unwrap_or(folder).trim_start_matches('/').to_owned(),
        }
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("cargo metadata has {value} where a text was expected"))
}
