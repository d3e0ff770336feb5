//! The command-line tools as a person uses them: with a home of their own, a profile in it, and nothing else.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::appliance::Appliance;
use crate::enclave::{Place, Trust};
use crate::programs::program;

/// A person's home folder, with a profile for one appliance.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Done {
    /// The command line, for messages.
    pub line: String,
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Home {
    /// The home of `person`, beside the appliance's own folders.
    pub fn new<P: Place>(appliance: &Appliance<P>, person: &str) -> Self {
        Self::at(appliance.folder(), person, &appliance.address(), &appliance.trust())
    }

    /// The home of `person` in a folder, for an appliance at an address.
    pub fn at(folder: &Path, person: &str, address: &str, trust: &Trust) -> Self {
        let home = Self { folder: folder.join("home").join(person) };
        home.write_profile_for(address, trust);
        home
    }

    /// Writes the profile anew, for this appliance as it is now.
    pub fn write_profile<P: Place>(&self, appliance: &Appliance<P>) {
        self.write_profile_for(&appliance.address(), &appliance.trust());
    }

    fn write_profile_for(&self, address: &str, trust: &Trust) {
        let settings = self.folder.join(".config/r3e");
        std::fs::create_dir_all(&settings).expect("the settings folder");
        let text = format!(
            "[profiles.default]\naddress = \"{address}\"\nreference_values = \"{}\"\ntest_root = \"{}\"\n\
             key_file = \"tenant.pem\"\noperator_key_file = \"operator.pem\"\n",
            trust.reference_values_file.display(),
            trust.test_root_file.display(),
        );
        std::fs::write(settings.join("config.toml"), text).expect("the profile");
    }

    /// A path in this home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The operator's key file of the profile.
    pub fn operator_key_file(&self) -> PathBuf {
        self.path(".config/r3e/operator.pem")
    }

    /// Runs `r3e`.
    pub fn r3e(&self, arguments: &[&str]) -> Done {
        self.run("r3e", arguments, &[], b"")
    }

    /// Runs `r3e` with something on its standard input.
    pub fn r3e_with_input(&self, arguments: &[&str], input: &[u8]) -> Done {
        self.run("r3e", arguments, &[], input)
    }

    /// Runs `r3e` with more variables.
    pub fn r3e_with_variables(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
        self.run("r3e", arguments, variables, b"")
    }

    /// Runs `r3e-verify`.
    pub fn verify(&self, arguments: &[&str]) -> Done {
        self.run("r3e-verify", arguments, &[], b"")
    }

    fn run(&self, name: &str, arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Done {
        let mut child = Command::new(program(name))
            .args(arguments)
            .env_clear()
            .env("HOME", &self.folder)
            .envs(variables.iter().copied())
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        // A tool that takes no input may have ended already.
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        let output = child.wait_with_output().expect("the end of a tool");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("tools speak UTF-8");
        Done {
            line: format!("{name} {}", arguments.join(" ")),
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Done {
    /// The same, if it succeeded.
    ///
    /// # Panics
    /// It did not.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "often the exit code is all that a test asks")]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// The same, if it ended with this code.
    ///
    /// # Panics
    /// It did not.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "often the exit code is all that a test asks")]
    pub fn exits(self, code: i32) -> Self {
        assert!(
            self.code == code,
            "`{}` ended with {} instead of {code}\n{}{}",
            self.line,
            self.code,
            self.out,
            self.err
        );
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| {
            panic!("`{}` printed no JSON: {error}\n{}{}", self.line, self.out, self.err)
        })
    }

    /// Whether it failed with the API's or the client's error code, as `--json` shows it.
    #[track_caller]
    pub fn fails_with(&self, code: &str) {
        assert!(self.code != 0, "`{}` succeeded\n{}", self.line, self.out);
        assert_eq!(self.json()["error"]["code"], code, "`{}`\n{}{}", self.line, self.out, self.err);
    }
}

/// A path as an argument.
///
/// # Panics
/// It is not UTF-8.
pub fn argument(path: &Path) -> &str {
    path.to_str().expect("a path of UTF-8")
}
