//! The `r3e` tool from outside: its words, its settings, its exit codes. No appliance is needed for any of it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::fs::Permissions;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The tool with a home of its own and none of the caller's variables.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_r3e"));
        command.args(arguments).env_clear().env("HOME", self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs and expects an exit code.
    fn expect(&self, code: i32, arguments: &[&str]) -> Output {
        expect(code, &mut self.command(arguments))
    }

    fn config(&self, text: &str) {
        let folder = self.path(".config/r3e");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    /// Reference values and the address of a port where nothing listens, and a key.
    fn unreachable(&self) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let pcr = "11".repeat(48);
        let release =
            format!(r#"{{"releases":[{{"name":"1","pcrs":{{"0":"{pcr}","1":"{pcr}","2":"{pcr}"}}}}]}}"#);
        std::fs::create_dir_all(self.path(".config/r3e")).unwrap();
        std::fs::write(self.path(".config/r3e/release.json"), release).unwrap();
        self.config(&format!(
            "[profiles.default]\naddress = '127.0.0.1:{port}'\nreference_values = 'release.json'\n"
        ));
        self.expect(0, &["tenants", "keygen"]);
        self.expect(0, &["operator", "keygen"]);
        Self::clone_of(self)
    }

    fn clone_of(other: &Self) -> Self {
        let home = Self::new();
        copy(other.0.path(), home.0.path());
        home
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn expect(code: i32, command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{command:?}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

const EVERY_COMMAND: &[&[&str]] = &[
    &[],
    &["enclave"],
    &["enclave", "status"],
    &["enclave", "attest"],
    &["secrets"],
    &["secrets", "set"],
    &["secrets", "rotate"],
    &["secrets", "list"],
    &["secrets", "show"],
    &["secrets", "versions"],
    &["secrets", "rollback"],
    &["secrets", "grant"],
    &["secrets", "revoke"],
    &["secrets", "delete"],
    &["secrets", "audit"],
    &["functions"],
    &["functions", "deploy"],
    &["functions", "list"],
    &["functions", "show"],
    &["functions", "delete"],
    &["functions", "interface"],
    &["functions", "logs"],
    &["functions", "invoke"],
    &["metrics"],
    &["login"],
    &["whoami"],
    &["keys"],
    &["keys", "create"],
    &["keys", "list"],
    &["keys", "revoke"],
    &["operator"],
    &["operator", "keygen"],
    &["operator", "init"],
    &["operator", "approve"],
    &["operator", "status"],
    &["tenants"],
    &["tenants", "keygen"],
    &["tenants", "admit"],
    &["tenants", "list"],
    &["tenants", "suspend"],
    &["tenants", "resume"],
    &["release"],
    &["release", "keygen"],
    &["release", "new"],
    &["release", "sign"],
    &["release", "show"],
    &["release", "verify"],
    &["profile"],
    &["profile", "show"],
    &["completions"],
];

#[test]
fn every_command_has_help() {
    let home = Home::new();
    for command in EVERY_COMMAND {
        let help = home.expect(0, &[command, &["--help"][..]].concat());
        assert!(text(&help.stdout).contains("Usage: r3e"), "{command:?}");
    }
    assert!(text(&home.expect(0, &["--version"]).stdout).starts_with("r3e "));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let home = Home::new();
    for arguments in [
        &[][..],
        &["nonsense"],
        &["enclave", "attest", "--nonsense"],
        &["secrets", "set"],
        &["secrets", "set", "TOKEN", "the value itself"],
        &["secrets", "set", "TOKEN", "--for", "../f"],
        &["secrets", "set", "TOKEN", "--for", "f@0011"],
        &["secrets", "set", "TOKEN", "--expires-in", "soon"],
        &["secrets", "rollback", "TOKEN"],
        &["secrets", "rollback", "TOKEN", "first"],
        &["secrets", "grant", "TOKEN"],
        &["secrets", "revoke", "TOKEN", "a/b"],
        &["functions", "deploy", "f.js"],
        &["functions", "deploy", "f.js", "--name", "f", "--timeout-ms", "soon"],
        &["keys", "create", "backend"],
        &["keys", "create", "backend", "--scope", "everything"],
        &["tenants", "admit", "abc", "--name", "x"],
        &["tenants", "suspend", "abc"],
        &["functions", "invoke", "f", "--input", "not json"],
        &["functions", "invoke", "f", "--input", "@/nonexistent"],
        &["--profile", "nowhere", "profile", "show"],
    ] {
        home.expect(2, arguments);
    }
}

#[test]
fn without_settings_each_error_says_what_to_do() {
    let home = Home::new();
    let refused = home.expect(2, &["enclave", "attest"]);
    let said = text(&refused.stderr);
    assert!(
        said.contains("--address") && said.contains("R3E_ADDRESS") && said.contains("config.toml"),
        "{said}"
    );

    let refused = home.expect(2, &["--address", "127.0.0.1:1", "enclave", "attest", "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "no_policy");
    assert!(text(&refused.stderr).contains("--reference-values"));

    let refused = home.expect(2, &["secrets", "list", "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "no_setting");
    assert!(text(&refused.stderr).contains("R3E_KEY_FILE"));

    let refused = home.expect(2, &["tenants", "list"]);
    assert!(text(&refused.stderr).contains("R3E_OPERATOR_KEY_FILE"));
}

#[test]
fn unreadable_policies_are_exit_code_2() {
    let home = Home::new().unreachable();
    let file = home.path("bad");
    std::fs::write(&file, "{}").unwrap();
    let bad = file.to_str().unwrap();
    for (arguments, code) in [
        (["--reference-values", bad], "bad_reference_values"),
        (["--reference-values", "/nonexistent"], "io"),
        (["--test-root", bad], "bad_test_root"),
        (["--test-root", "/nonexistent"], "io"),
        (["--address", "https://a.example"], "address"),
    ] {
        let refused = home.expect(2, &[&arguments[..], &["enclave", "attest", "--json"]].concat());
        assert_eq!(json(&refused)["error"]["code"], code, "{arguments:?}");
    }
}

#[test]
fn no_appliance_is_exit_code_3_for_every_command_that_needs_one() {
    let home = Home::new().unreachable();
    let source = home.path("f.js");
    std::fs::write(&source, "export default () => 1").unwrap();
    let source = source.to_str().unwrap();
    let key = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    for arguments in [
        &["enclave", "status"][..],
        &["enclave", "attest"],
        &["secrets", "set", "TOKEN", "--file", source],
        &["secrets", "set", "TOKEN", "--file", source, "--for", "f"],
        &["secrets", "rotate", "TOKEN", "--file", source],
        &["secrets", "list"],
        &["secrets", "show", "TOKEN"],
        &["secrets", "versions", "TOKEN"],
        &["secrets", "rollback", "TOKEN", "1"],
        &["secrets", "grant", "TOKEN", "f"],
        &["secrets", "revoke", "TOKEN", "f"],
        &["secrets", "delete", "TOKEN"],
        &["secrets", "audit"],
        &["functions", "deploy", source, "--name", "f"],
        &["functions", "list"],
        &["functions", "invoke", "f", "--input", "{}"],
        &["login"],
        &["whoami"],
        &["keys", "list"],
        &["keys", "create", "backend", "--scope", "invoke"],
        &["tenants", "list"],
        &["tenants", "admit", key, "--name", "x"],
    ] {
        let refused = home.expect(3, &[arguments, &["--json"]].concat());
        assert_eq!(json(&refused)["error"]["code"], "connect", "{arguments:?}");
        assert!(text(&refused.stderr).contains("could not connect to 127.0.0.1:"), "{arguments:?}");
    }
}

#[test]
fn options_win_over_variables_and_variables_over_the_profile() {
    let home = Home::new();
    home.config(
        "default = 'b'\n\
         [profiles.a]\naddress = 'a.example'\n\
         [profiles.b]\naddress = 'b.example'\nmax_age = 7\nkey_file = 'b.pem'\n",
    );
    let show = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = home.command(&[&["profile", "show", "--json"], arguments].concat());
        json(&expect(0, command.envs(variables.iter().copied())))
    };
    let address = |shown: &Value| {
        let set = &shown["settings"]["address"];
        (set["value"].as_str().unwrap().to_owned(), set["source"].as_str().unwrap().to_owned())
    };
    let pair = |value: &str, source: &str| (value.to_owned(), source.to_owned());

    let shown = show(&[], &[]);
    assert_eq!(address(&shown), pair("b.example", "profile"));
    assert_eq!(shown["settings"]["max_age"]["value"], 7);
    assert_eq!(shown["settings"]["clock_skew"]["source"], "default");
    assert_eq!(shown["settings"]["key_file"]["value"], home.path(".config/r3e/b.pem").to_str().unwrap());

    assert_eq!(address(&show(&["--profile", "a"], &[])), pair("a.example", "profile"));
    assert_eq!(address(&show(&[], &[("R3E_PROFILE", "a")])), pair("a.example", "profile"));
    assert_eq!(address(&show(&[], &[("R3E_ADDRESS", "v.example")])), pair("v.example", "variable"));
    let both = show(&["--address", "o.example"], &[("R3E_ADDRESS", "v.example")]);
    assert_eq!(address(&both), pair("o.example", "option"));
    // Before the subcommand as well as after it.
    let before = json(&home.expect(0, &["--address", "o.example", "profile", "show", "--json"]));
    assert_eq!(address(&before), pair("o.example", "option"));
}

#[test]
fn an_api_key_is_shown_by_its_id_alone_and_never_taken_from_an_option() {
    let home = Home::new();
    let secret = "5".repeat(64);
    let key = format!("r3e_0123456789abcdef_{secret}");
    let shown = expect(0, home.command(&["profile", "show"]).env("R3E_API_KEY", &key));
    assert!(text(&shown.stdout).contains("0123456789abcdef") && !text(&shown.stdout).contains(&secret));

    let wrong = format!("{key}x");
    let refused = expect(2, home.command(&["profile", "show", "--json"]).env("R3E_API_KEY", &wrong));
    assert_eq!(json(&refused)["error"]["code"], "api_key");
    assert!(!text(&refused.stdout).contains(&secret) && !text(&refused.stderr).contains(&secret));

    home.expect(2, &["--api-key", &key, "profile", "show"]);
}

#[test]
fn keys_are_made_private_and_never_overwritten() {
    let home = Home::new();
    let made = json(&home.expect(0, &["tenants", "keygen", "--json"]));
    let path = home.path(".config/r3e/tenant.pem");
    assert_eq!(made["key_file"], path.to_str().unwrap());
    assert_eq!(made["public_key"].as_str().unwrap().len(), 64);
    assert_eq!(made["tenant"].as_str().unwrap().len(), 32);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    let refused = home.expect(2, &["tenants", "keygen"]);
    assert!(text(&refused.stderr).contains("never overwritten"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(!text(&before).is_empty() && !text(&refused.stderr).contains("BEGIN"));

    let out = home.path("op.pem");
    let made = json(&home.expect(0, &["operator", "keygen", "--out", out.to_str().unwrap(), "--json"]));
    assert!(made.get("tenant").is_none() && out.exists());
}

#[test]
fn a_member_needs_its_keys_before_anything_is_sent() {
    let home = Home::new().unreachable();
    for command in ["init", "approve"] {
        let refused = home.expect(2, &["operator", command, "--yes", "--json"]);
        assert_eq!(json(&refused)["error"]["code"], "no_setting");
        assert!(text(&refused.stderr).contains("--member-key-file"));
    }
    let made = json(&home.expect(0, &["operator", "keygen", "--member", "alice", "--json"]));
    let path = home.path(".config/r3e/member.pem");
    assert_eq!(made["key_file"], path.to_str().unwrap());
    for key in ["signing_key", "encryption_key"] {
        assert_eq!(made[key].as_str().unwrap().len(), 64);
    }
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let refused = home.expect(2, &["operator", "approve", "--accept-setup", "ab", "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "usage");
    let refused = home.expect(3, &["operator", "approve", "--yes", "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "connect");
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let refused = home.expect(2, &["operator", "approve", "--yes", "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "key_file");
}

#[test]
fn a_key_file_open_to_others_is_refused_before_anything_is_sent() {
    let home = Home::new().unreachable();
    let key = home.path(".config/r3e/tenant.pem");
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let refused = home.expect(2, &["secrets", "list", "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "key_file");
    assert!(text(&refused.stderr).contains("chmod 600"));
}

#[test]
fn a_test_root_is_announced_every_time() {
    let home = Home::new().unreachable();
    let params = {
        let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
    };
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let root = home.path("root.pem");
    std::fs::write(&root, params.self_signed(&key).unwrap().pem()).unwrap();
    let root = root.to_str().unwrap();
    for _ in 0..2 {
        let refused = home.expect(3, &["--test-root", root, "enclave", "attest", "--json"]);
        assert!(text(&refused.stderr).contains("WARNING: trusting the test root"));
    }
    let refused = expect(3, home.command(&["enclave", "attest"]).env("R3E_TEST_ROOT", root));
    assert!(text(&refused.stderr).contains("WARNING: trusting the test root"));
}

#[test]
fn a_secret_that_is_empty_or_too_long_is_refused_before_connecting() {
    let home = Home::new().unreachable();
    for (value, code) in [("", 2), ("\n", 2), (&"x".repeat(64 * 1024 + 1), 2), ("token\n", 3)] {
        let mut command = home.command(&["secrets", "set", "TOKEN"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{} bytes: {}", value.len(), text(&output.stderr));
        assert!(value.trim().is_empty() || !text(&output.stderr).contains(value.trim()));
    }
}

#[test]
fn metrics_are_served_to_this_machine_alone_unless_it_is_said_otherwise() {
    let home = Home::new().unreachable();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464"] {
        let refused = home.expect(2, &["metrics", "--listen", address, "--json"]);
        assert_eq!(json(&refused)["error"]["code"], "usage", "{address}");
        assert!(text(&refused.stderr).contains("--public"), "{}", text(&refused.stderr));
    }
    home.expect(2, &["metrics", "--public"]);
    home.expect(2, &["metrics", "--listen", "localhost:9464"]);
    let once = home.expect(2, &["metrics", "--listen", "127.0.0.1:0", "--accept-rolled-back", "--json"]);
    assert_eq!(json(&once)["error"]["code"], "usage");
    // An appliance that is not there is found out before anybody scrapes; so is an address that is taken.
    home.expect(3, &["metrics", "--listen", "127.0.0.1:0"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = home.expect(2, &["metrics", "--operator", "--listen", &address, "--json"]);
    assert_eq!(json(&refused)["error"]["code"], "io");
}

#[test]
fn the_interface_is_printed_for_people_and_for_programs() {
    let home = Home::new();
    let printed = text(&home.expect(0, &["functions", "interface"]).stdout);
    assert!(printed.contains("package r3e:functions@") && printed.contains("world function {"));
    let told = home.expect(0, &["--json", "functions", "interface"]).stdout;
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["wit"].as_str().unwrap().trim_end(), printed.trim_end());
}

#[test]
fn completions_are_printed_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(text(&home.expect(0, &["completions", shell]).stdout).contains("r3e"), "{shell}");
    }
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    let home = Home::new();
    let mut child = home.command(&["completions", "zsh"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(home.run(&["--version"]).status.code(), Some(0));
}
