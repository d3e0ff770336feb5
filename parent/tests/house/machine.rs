//! A machine with Nitro Enclaves, as files: the driver's, the allocator's, and a `nitro-cli` that is a script.
//!
//! The script answers in the shapes of the real program (aws-nitro-enclaves-cli, `src/common/json_output.rs`:
//! `EnclaveDescribeInfo`, `EnclaveRunInfo`, `EnclaveTerminateInfo`, and its codes such as `[ E27 ]` on standard error),
//! and keeps its enclaves as files, so that a test can end one by removing it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use r3e_eif_format::Image;
use r3e_parent::preflight::Machine;
use r3e_parent::{Host, Launch};
use tempfile::TempDir;

const NITRO_CLI: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
action=$1
shift
while [ $# -gt 0 ]; do
    case "$1" in
    --eif-path) image=$2; shift ;;
    --cpu-count) cpus=$2; shift ;;
    --memory) memory=$2; shift ;;
    --enclave-cid) cid=$2; shift ;;
    --enclave-name) name=$2; shift ;;
    --enclave-id) id=$2; shift ;;
    --debug-mode) debug=1 ;;
    *) echo "error: Found argument '$1' which wasn't expected" >&2; exit 2 ;;
    esac
    shift
done
if [ -e "$here/fail-$action" ]; then
    cat "$here/fail-$action" >&2
    exit 39
fi
case "$action" in
describe-enclaves)
    echo "["
    first=1
    for enclave in "$here"/enclaves/*; do
        [ -e "$enclave" ] || continue
        [ -n "$first" ] || echo ","
        first=
        cat "$enclave"
    done
    echo "]"
    ;;
run-enclave)
    echo "Start allocating memory..." >&2
    count=$(cat "$here/count" 2>/dev/null || echo 0)
    count=$((count + 1))
    echo $count >"$here/count"
    id="i-05f6ed443ae428c95-enc17b0f18d7fa0cb$count"
    flags=NONE
    [ -z "$debug" ] || flags=DEBUG_MODE
    cat >"$here/enclaves/$id" <<END
{ "EnclaveName": "$name", "EnclaveID": "$id", "ProcessID": 9702, "EnclaveCID": $cid, "NumberOfCPUs": $cpus,
  "CPUIDs": [ 1, 3 ], "MemoryMiB": $memory, "State": "RUNNING", "Flags": "$flags",
  "Measurements": { "HashAlgorithm": "Sha384 { ... }", "PCR0": "00", "PCR1": "00", "PCR2": "00" } }
END
    [ ! -e "$here/slow" ] || sleep 1
    [ ! -e "$here/hang" ] || exec sleep 60
    echo "Started enclave with enclave-cid: $cid, memory: $memory MiB, cpu-ids: [1, 3]" >&2
    echo "{ \"EnclaveName\": \"$name\", \"EnclaveID\": \"$id\", \"ProcessID\": 9702, \"EnclaveCID\": $cid,
  \"NumberOfCPUs\": $cpus, \"CPUIDs\": [ 1, 3 ], \"MemoryMiB\": $memory }"
    # The process that stands for the enclave keeps the streams.
    [ ! -e "$here/hold" ] || sleep 5 &
    ;;
terminate-enclave)
    if [ ! -e "$here/enclaves/$id" ]; then
        echo "[ E39 ] Enclave process connection failure." >&2
        exit 39
    fi
    rm "$here/enclaves/$id"
    echo "Successfully terminated enclave $id." >&2
    echo "{ \"EnclaveName\": \"r3e\", \"EnclaveID\": \"$id\", \"Terminated\": true }"
    ;;
console)
    printf 'a line\n\033[31mlast words\n'
    # Empty lines, which nobody keeps, and more of them than a pipe holds: once they are written, what came before was read.
    head -c 1000000 /dev/zero | tr '\0' '\n'
    : >"$here/console-read"
    exec sleep 60
    ;;
*) exit 2 ;;
esac
"#;

/// The folder that all of it is in.
pub(crate) struct FakeMachine(pub(crate) TempDir);

impl FakeMachine {
    /// With 2 processors and 1 GiB set aside, nothing used, and no enclave.
    pub(crate) fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for (path, text) in [
            ("root/dev/nitro_enclaves", ""),
            ("root/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n"),
            ("root/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n"),
            ("root/sys/module/nitro_enclaves/parameters/ne_cpus", "1,3\n"),
            ("root/sys/devices/system/cpu/online", "0-3\n"),
            ("root/etc/nitro_enclaves/allocator.yaml", "---\nmemory_mib: 1024\ncpu_count: 2\n"),
        ] {
            machine.write(path, text);
        }
        fs::create_dir_all(machine.path("tools/enclaves")).unwrap();
        write_program(&machine.path("tools/nitro-cli"), NITRO_CLI);
        fs::write(machine.path("image.eif"), image("reboot=k panic=30")).unwrap();
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn machine(&self) -> Machine {
        Machine::at(self.path("root"))
    }

    /// A launch on this machine that looks often and restarts soon.
    pub(crate) fn launch(&self) -> Launch {
        let host = Host::Nitro { nitro_cli: self.path("tools/nitro-cli") };
        let mut launch = Launch::new(self.path("image.eif"), host);
        launch.memory_mib = 512;
        launch.watch_interval_ms = 20;
        launch.restart = r3e_parent::Restart::Backoff { first_ms: 20, max_ms: 40 };
        launch
    }

    /// What `nitro-cli` was asked so far, without the descriptions.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("tools/calls")).unwrap_or_default();
        calls.lines().filter(|call| !call.starts_with("describe-enclaves")).map(str::to_owned).collect()
    }

    /// The enclaves that run, by id.
    pub(crate) fn enclaves(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("tools/enclaves")).unwrap().flatten();
        let mut ids: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        ids.sort();
        ids
    }

    /// An enclave of someone else's, or of an earlier start.
    pub(crate) fn put_enclave(&self, id: &str, name: &str, cid: u32, cpus: u32) {
        let text = format!(
            "{{\"EnclaveName\":\"{name}\",\"EnclaveID\":\"{id}\",\"ProcessID\":1,\"EnclaveCID\":{cid},\
             \"NumberOfCPUs\":{cpus},\"CPUIDs\":[1],\"MemoryMiB\":512,\"State\":\"RUNNING\",\"Flags\":\"NONE\"}}"
        );
        self.write(&format!("tools/enclaves/{id}"), &text);
    }

    /// Publishes the image that is there now.
    pub(crate) fn publish(&self) -> PathBuf {
        let bytes = fs::read(self.path("image.eif")).unwrap();
        let measurements = Image::decode(&bytes).unwrap().measure().unwrap();
        let pcrs: serde_json::Map<_, _> = measurements
            .iter()
            .map(|(index, pcr)| {
                let hex = pcr.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
                (index.to_string(), hex.into())
            })
            .collect();
        let values = serde_json::json!({ "releases": [{ "name": "1.0.0", "pcrs": pcrs }] });
        self.write("reference-values.json", &values.to_string());
        self.path("reference-values.json")
    }
}

/// A small image that differs by its command line.
pub(crate) fn image(command_line: &str) -> Vec<u8> {
    Image::new(b"kernel", command_line, b"{}", &[b"boot", b"application"]).encode().unwrap()
}

/// Writes a program, by a child: what this process has open for writing, a program that another test starts at that moment has open too until it
/// runs, and nobody can execute it meanwhile.
pub(crate) fn write_program(path: &Path, text: &str) {
    let mut child = Command::new("sh");
    child.args(["-c", "cat >\"$0\""]).arg(path).stdin(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
