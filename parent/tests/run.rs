//! The program with an emulated enclave: QEMU and its vsock device are scripts, and the enclave is this test.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod house;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use house::CONFIGURATION;
use house::machine::{image, write_program};
use house::postgres::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use r3e_proto::host::{CHANNEL_PORT, HEARTBEAT, HEARTBEAT_PORT};
use r3e_transport::{EnclaveTransport, Endpoint};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_r3e-parent");
const LIMIT: Duration = Duration::from_secs(30);

/// Opens the socket towards QEMU; the enclave's own is this test's.
const VSOCK_DEVICE: &str = r#"#!/bin/sh
echo "$*" >"$(dirname "$0")/vsock-arguments"
socket=${2#*socket=}
: >"${socket%%,*}"
exec sleep 600
"#;

/// Runs until it is told to end, or until the file `crash` is there.
const QEMU: &str = r#"#!/bin/sh
here=$(dirname "$0")
trap 'echo terminated >"$here/qemu-ended"; exit 0' TERM
echo "$*" >"$here/qemu-arguments"
printf 'booting\n'
# Its folder goes with the test, whose end no one tells it of where the parent was killed.
while [ ! -e "$here/crash" ]; do [ -d "$here" ] || exit 0; sleep 0.05; done
printf 'Kernel panic - not syncing: \033[1mno init\n'
exit 3
"#;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("configuration"), CONFIGURATION).unwrap();
        fs::write(place.path("image.eif"), image("reboot=k")).unwrap();
        fs::create_dir(place.path("tools")).unwrap();
        for (name, script) in [("vhost-device-vsock", VSOCK_DEVICE), ("qemu-system-x86_64", QEMU)] {
            write_program(&place.path("tools").join(name), script);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// `run` or `check`, with everything here.
    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args([action, "--listen", "127.0.0.1:0", "--cpus", "1", "--memory", "64"]);
        command.args(["--data", &self.text("data"), "--configuration", &self.text("configuration")]);
        command.args(["--image", &self.text("image.eif")]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run_emulated(&self, more: &[&str]) -> Running {
        let mut command = self.command("run");
        Running(command.args(["--qemu", &self.text("tools")]).args(more).spawn().unwrap())
    }

    fn status(&self, format: &str) -> Output {
        let data = self.text("data");
        let mut command = Command::new(PROGRAM);
        command.args(["status", "--data", &data, "--format", format]).env_clear().output().unwrap()
    }

    async fn appears(&self, name: &str) {
        let path = self.path(name);
        let appearing = async {
            while !path.exists() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LIMIT, appearing).await.unwrap_or_else(|_| panic!("{name} does not appear"));
    }

    /// Plays the enclave: listens, and sends its heartbeat.
    async fn boot(&self) -> (EnclaveTransport, r3e_transport::Listener) {
        self.appears("tools/vsock-arguments").await;
        let enclave = EnclaveTransport::new(Endpoint::Unix { path: self.path("data/enclave.sock") });
        let listener = enclave.listen(CHANNEL_PORT).await.unwrap();
        self.appears("tools/qemu-arguments").await;
        let mut heart = enclave.dial_parent(HEARTBEAT_PORT).await.unwrap();
        heart.write_u8(HEARTBEAT).await.unwrap();
        assert_eq!(heart.read_u8().await.unwrap(), HEARTBEAT);
        (enclave, listener)
    }
}

/// A child that does not outlive its test.
struct Running(Child);

impl Running {
    /// Waits for its end: its code, and what it wrote on both streams.
    async fn ended(&mut self) -> (Option<i32>, String, String) {
        let ending = async {
            loop {
                if let Some(status) = self.0.try_wait().unwrap() {
                    return status.code();
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        let code = timeout(LIMIT, ending).await.expect("the program ends");
        let (mut out, mut err) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, out, err)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Tries until the status has the code `wanted`.
async fn status_with(place: &Place, wanted: i32) -> Value {
    let mut last = place.status("json");
    let asking = async {
        while last.status.code() != Some(wanted) {
            sleep(Duration::from_millis(20)).await;
            last = place.status("json");
        }
    };
    let came = timeout(LIMIT, asking).await.is_ok();
    assert!(came, "{}", String::from_utf8_lossy(&last.stdout));
    json(&last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emulated_enclave_runs_says_what_it_is_and_ends_by_a_signal() {
    let place = Place::new();
    let mut running = place.run_emulated(&[]);
    let (_enclave, _listener) = place.boot().await;
    let status = status_with(&place, 0).await;
    assert_eq!(status["enclave"]["started_by"], "qemu");
    assert_eq!(status["heartbeat"]["beats"], 1);
    let text = place.status("text");
    assert_eq!(text.status.code(), Some(0));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.starts_with("serving: ") && text.contains("PROTECTS NOTHING"), "{text}");
    let metrics = place.status("prometheus");
    assert_eq!(metrics.status.code(), Some(0));
    let metrics = String::from_utf8(metrics.stdout).unwrap();
    assert!(metrics.contains("\nr3e_parent_supervisor_enclave_running 1\n"), "{metrics}");

    let data = place.path("data");
    let data = data.display();
    let vsock = fs::read_to_string(place.path("tools/vsock-arguments")).unwrap();
    assert_eq!(
        vsock.trim(),
        format!("--vm guest-cid=16,socket={data}/enclave.sock-vhost,uds-path={data}/enclave.sock")
    );
    let qemu = fs::read_to_string(place.path("tools/qemu-arguments")).unwrap();
    let image = format!("-kernel {}", place.text("image.eif"));
    for part in ["-machine nitro-enclave,vsock=vsock,id=r3e", "-m 64 -smp 1", &image, "-no-reboot"] {
        assert!(qemu.contains(part), "{part}: {qemu}");
    }
    assert!(!qemu.contains("-append"), "the command line is the image's own: {qemu}");

    running.signal(Signal::SIGTERM);
    let (code, _, log) = running.ended().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(place.path("tools/qemu-ended").exists());
    assert!(log.contains("EMULATED BY QEMU AND PROTECTS NOTHING"), "{log}");
    assert!(!log.contains('\u{1b}'), "a file gets no colours: {log:?}");
    let after = place.status("text");
    assert_eq!(after.status.code(), Some(1));
    assert!(String::from_utf8(after.stdout).unwrap().contains("[parent_not_running]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_parents_the_one_with_the_lease_runs_an_enclave() {
    let server = Server::shared();
    let url = server.database();
    let (first, second) = (Place::new(), Place::new());
    let mut one = first.run_emulated(&["--store", &url]);
    let (_enclave, _listener) = first.boot().await;
    let status = status_with(&first, 0).await;
    assert_eq!((&status["store"]["lease"], &status["store"]["epoch"]), (&"held".into(), &1.into()));

    let _two = second.run_emulated(&["--store", &url]);
    second.appears("data/admin.sock").await;
    let waits = async {
        loop {
            let status = status_with(&second, 1).await;
            if status["enclave"]["state"] == "standby" {
                return status;
            }
        }
    };
    let status = timeout(LIMIT, waits).await.expect("the second waits");
    let codes: Vec<_> = status["findings"].as_array().unwrap().iter().map(|f| f["code"].clone()).collect();
    assert_eq!(codes, ["emulated", "standby"]);
    assert!(!second.path("tools/qemu-arguments").exists(), "a standby starts no enclave");

    let takeover = |place: &Place| {
        Command::new(PROGRAM).args(["takeover", "--data", &place.text("data")]).env_clear().output().unwrap()
    };
    let taken = takeover(&second);
    assert_eq!(taken.status.code(), Some(0), "{}", String::from_utf8_lossy(&taken.stderr));
    assert!(String::from_utf8(taken.stdout).unwrap().contains("epoch 2"));
    let (_other_enclave, _other_listener) = second.boot().await;
    status_with(&second, 0).await;
    // It finds out at the latest when it renews, and ends what reads an old state.
    first.appears("tools/qemu-ended").await;
    let status = status_with(&first, 1).await;
    assert!(status["findings"].as_array().unwrap().iter().any(|f| f["code"] == "standby"), "{status}");

    // A parent whose store nobody shares has no lease to take.
    let alone = Place::new();
    let _alone = alone.run_emulated(&[]);
    alone.appears("data/admin.sock").await;
    let refused = takeover(&alone);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("no lease"));
    one.signal(Signal::SIGTERM);
    assert_eq!(one.ended().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enclave_that_panics_is_told_of_with_its_console() {
    let place = Place::new();
    let mut running = place.run_emulated(&["--once"]);
    let (_enclave, _listener) = place.boot().await;
    status_with(&place, 0).await;
    fs::write(place.path("tools/crash"), "").unwrap();
    let (code, _, log) = running.ended().await;
    assert_eq!(code, Some(1));
    assert!(log.contains("QEMU ended with exit status: 3"), "{log}");
    assert!(log.contains("Kernel panic - not syncing: ?[1mno init"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enclave_whose_heart_does_not_beat_is_ended() {
    let place = Place::new();
    // Long enough for a shell to start and say its first word on a machine that is busy.
    let mut running = place.run_emulated(&["--once", "--boot-timeout-ms", "5000"]);
    place.appears("tools/vsock-arguments").await;
    let enclave = EnclaveTransport::new(Endpoint::Unix { path: place.path("data/enclave.sock") });
    let _listener = enclave.listen(CHANNEL_PORT).await.unwrap();
    let (code, _, log) = running.ended().await;
    assert_eq!(code, Some(1));
    assert!(log.contains("no heartbeat came within 5000 ms") && log.contains("booting"), "{log}");
    assert!(place.path("tools/qemu-ended").exists(), "a silent enclave must not go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vsock_device_that_ends_is_told_of() {
    let place = Place::new();
    write_program(&place.path("tools/vhost-device-vsock"), "#!/bin/sh\necho no permission >&2\nexit 1\n");
    let (code, _, log) = place.run_emulated(&["--once"]).ended().await;
    assert_eq!(code, Some(1));
    assert!(log.contains("vhost-device-vsock did not open") && log.contains("no permission"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_parent_on_the_same_folder_is_told_so() {
    let place = Place::new();
    let mut first = place.run_emulated(&[]);
    let (_enclave, _listener) = place.boot().await;
    let (code, out, log) = place.run_emulated(&["--json"]).ended().await;
    assert_eq!(code, Some(1));
    let refused: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(refused["ready"], false);
    let codes: Vec<_> = refused["findings"].as_array().unwrap().iter().map(|f| f["code"].clone()).collect();
    assert!(codes.contains(&"parent_running".into()), "{codes:?}");
    assert_eq!(log.matches("another r3e-parent runs").count(), 1, "{log}");
    // And the first one is none the worse.
    status_with(&place, 0).await;
    first.signal(Signal::SIGINT);
    assert_eq!(first.ended().await.0, Some(0));
}

/// No test may meet a real Nitro machine: this one asks for a tool that is not there.
#[test]
fn without_nitro_nothing_is_emulated_unless_it_is_asked_for() {
    let place = Place::new();
    let nowhere = place.text("tools/nitro-cli");
    let checked = place.command("check").args(["--json", "--nitro-cli", &nowhere]).output().unwrap();
    assert_eq!(checked.status.code(), Some(1));
    let report = json(&checked);
    assert_eq!(report["ready"], false);
    assert_eq!(report["image"]["pcrs"]["0"].as_str().unwrap().len(), 96);
    let missing = report["findings"].as_array().unwrap().iter().find(|f| f["code"] == "nitro_cli_missing");
    assert!(missing.unwrap()["next"].as_str().unwrap().contains("--qemu"));
    let ran = place.command("run").args(["--nitro-cli", &nowhere]).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(!place.path("data").exists() && !place.path("tools/qemu-arguments").exists());

    let emulated = place.command("check").args(["--qemu", &place.text("tools")]).output().unwrap();
    let said = String::from_utf8(emulated.stdout).unwrap();
    assert_eq!(emulated.status.code(), Some(0), "{said}");
    assert!(
        said.starts_with("ready to start") && said.contains("[emulated]") && said.contains("PCR0"),
        "{said}"
    );
}

#[test]
fn settings_of_both_come_from_one_file_and_wrong_use_is_told() {
    let place = Place::new();
    let file = |text: &str| {
        fs::write(place.path("parent.toml"), text).unwrap();
        place.text("parent.toml")
    };
    let check = |settings: &Path, more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["check", "--settings", &settings.display().to_string()]).args(more).env_clear();
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (data, configuration, tools) = (place.text("data"), place.text("configuration"), place.text("tools"));
    let parent = format!("listen = \"127.0.0.1:0\"\ndata = {data:?}\nconfiguration = {configuration:?}\n");
    let run = format!("[run]\nimage = {:?}\ncpus = 1\nmemory = 64\n", place.text("image.eif"));
    let whole = file(&format!("{parent}{run}qemu = {tools:?}\n"));
    let (code, said) = check(Path::new(&whole), &[]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check(Path::new(&whole), &["--memory", "0"]);
    assert!(code == Some(1) && said.contains("[memory_too_small]"), "{said}");
    for (text, more, word) in [
        (format!("{parent}{run}memmory = 1\n"), vec![], "memmory"),
        (format!("{parent}{run}debug-mode = true\n"), vec![], "give --debug-mode each time"),
        (format!("enclave = \"vsock:16\"\n{parent}{run}"), vec![], "use serve"),
        (parent.clone(), vec![], "--image is missing"),
        (format!("{parent}{run}"), vec!["--qemu-sign-with", "/tmp"], "needs --qemu"),
        (format!("{parent}{run}"), vec!["--qemu", "auto", "--debug-mode"], "cannot be used with"),
        (format!("{parent}{run}qemu = \"auto\"\n"), vec!["--debug-mode"], "for nitro-cli"),
        (format!("{parent}{run}"), vec!["--cid", "x"], "--cid"),
    ] {
        let (code, said) = check(Path::new(&file(&text)), &more);
        assert!(code == Some(2) && said.contains(word), "{code:?} {said}");
    }
}
