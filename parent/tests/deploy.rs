//! The files under `deploy/` fit the program and each other.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_r3e-parent");

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// The number behind `key` and its separator, on a line of its own.
fn number(text: &str, key: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix(['=', ':']));
    value.unwrap().trim().parse().unwrap()
}

#[test]
fn the_settings_are_understood_whole() {
    let settings = path("parent.toml").display().to_string();
    let checked =
        Command::new(PROGRAM).args(["check", "--json", "--settings", &settings]).env_clear().output();
    let checked = checked.unwrap();
    // Not ready on a machine without the image; 2 would be a setting that is not known.
    assert_eq!(checked.status.code(), Some(1), "{}", String::from_utf8_lossy(&checked.stderr));
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let codes: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"image_unreadable"), "{codes:?}");
}

#[test]
fn what_is_set_aside_is_what_the_enclave_takes() {
    let (settings, allocator, variables) =
        (text("parent.toml"), text("allocator.yaml"), text("terraform/variables.tf"));
    assert_eq!(number(&allocator, "memory_mib"), number(&settings, "memory"));
    assert_eq!(number(&allocator, "cpu_count"), number(&settings, "cpus"));
    for (variable, key) in [("enclave_memory_mib", "memory"), ("enclave_cpus", "cpus")] {
        let (_, block) = variables.split_once(&format!("variable \"{variable}\"")).unwrap();
        let block = block.lines().take(5).map(str::trim).collect::<Vec<_>>().join("\n");
        assert_eq!(number(&block, "default"), number(&settings, key), "{variable}");
        // On a new instance the variable stands in both files: in the one by name, in the other in place of this line.
        let line = format!("\"/(?m)^{key} = [0-9]+$/\", \"{key} = ${{var.{variable}}}\"");
        assert!(text("terraform/main.tf").contains(&line), "{line}");
        let lines = settings.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        let numbers: Vec<u64> = lines.map(|value| value.parse().unwrap()).collect();
        assert_eq!(numbers, [number(&settings, key)], "{key}");
    }
}

#[test]
fn the_service_starts_this_program_as_the_user_that_is_made() {
    let (unit, users) = (text("r3e-parent.service"), text("r3e.conf"));
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/r3e-parent ")).unwrap();
    assert!(start.starts_with("run --settings /etc/r3e/parent.toml"), "{start}");
    let mut arguments: Vec<&str> = start.split_whitespace().collect();
    arguments[2] = "/nowhere.toml";
    let output = Command::new(PROGRAM).args(&arguments).env_clear().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("cannot read the settings"), "{said}");
    assert!(unit.contains("\nUser=r3e\n") && users.contains("\nu r3e "));
    // The same folder and the same group outside of the service, for a look before the first start.
    assert!(unit.contains("\nStateDirectory=r3e\nStateDirectoryMode=0700\n"));
    assert!(text("r3e-tmpfiles.conf").contains("\nd /var/lib/r3e 0700 r3e r3e -\n"));
    assert!(text("parent.toml").contains("\ndata = \"/var/lib/r3e\"\n") && users.contains("\nm r3e ne\n"));
    let user_data = text("terraform/user-data.sh.tftpl");
    for needed in ["${tmpfiles}", "\nsystemd-sysusers\nsystemd-tmpfiles --create r3e.conf\n"] {
        assert!(user_data.contains(needed), "{needed}");
    }
    // What the parent needs; a stricter unit that forgets one of these does not start an enclave.
    for needed in ["AF_VSOCK", "/dev/nitro_enclaves rw", "SupplementaryGroups=ne", "KillMode=mixed"] {
        assert!(unit.contains(needed), "{needed}");
    }
}
