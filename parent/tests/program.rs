//! The program itself: killed in the midst of commits, with a failing disk, and its command line.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod house;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use house::{BlobClient, CONFIGURATION, commit, noise, ping};
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_proto::host::{BLOB_PORT, CHANNEL_PORT};
use r3e_transport::{EnclaveTransport, Endpoint};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_r3e-parent");

/// The program's arguments for a parent with everything under `folder`.
fn arguments(folder: &Path) -> Vec<String> {
    std::fs::write(folder.join("configuration"), CONFIGURATION).unwrap();
    let at = |name: &str| folder.join(name).display().to_string();
    ["serve", "--log", "error", "--enclave"]
        .map(String::from)
        .into_iter()
        .chain([format!("unix:{}", at("enclave.sock")), "--data".into(), at("data")])
        .chain(["--configuration".into(), at("configuration")])
        .collect()
}

/// The program, quiet, with everything under `folder`.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments(folder)).env("R3E_PARENT_LISTEN", "127.0.0.1:0").stderr(Stdio::null());
    command
}

/// A child that does not outlive its test.
struct Running(Child);

impl Running {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn enclave(folder: &TempDir) -> EnclaveTransport {
    EnclaveTransport::new(Endpoint::Unix { path: folder.path().join("enclave.sock") })
}

/// The blob store of a program that is starting.
async fn dial(enclave: &EnclaveTransport) -> BlobClient {
    let up = async {
        while enclave.dial_parent(BLOB_PORT).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_mins(1), up).await.expect("the parent comes up");
    BlobClient::dial(enclave).await
}

/// Commit `n` of the crash test: it sets the head, one record that all commits write, and one of 50 by turns.
fn numbered(n: u64) -> Operation {
    let head = |n: u64| n.to_be_bytes().to_vec();
    let previous = (n > 1).then(|| head(n - 1));
    let slot = u8::try_from(n % 50).unwrap();
    commit(previous.as_deref(), &head(n), vec![([255; 32], head(n)), ([slot; 32], noise(n, 3000))])
}

/// What the store must hold after commit `n`; 0 is before the first.
fn expected_after(n: u64) -> BTreeMap<[u8; 32], Vec<u8>> {
    if n == 0 {
        return BTreeMap::new();
    }
    let mut records: BTreeMap<_, _> = (n.saturating_sub(49).max(1)..=n)
        .map(|m| ([u8::try_from(m % 50).unwrap(); 32], noise(m, 3000)))
        .collect();
    records.insert([255; 32], n.to_be_bytes().to_vec());
    records
}

#[tokio::test]
async fn acknowledged_commits_survive_thirty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(&folder);
    let (mut acknowledged, mut sent) = (0_u64, 0_u64);
    for round in 0..30_u64 {
        let mut parent = Running(program(folder.path()).spawn().unwrap());
        let mut client = dial(&enclave).await;
        let stands = match client.ask(Operation::Head).await {
            Outcome::Head(head) => head.map_or(0, |head| u64::from_be_bytes(head.try_into().unwrap())),
            other => panic!("{other:?}"),
        };
        assert!((acknowledged..=sent).contains(&stands), "{acknowledged} <= {stands} <= {sent}");
        let records: BTreeMap<_, _> = client.list().await.into_iter().collect();
        assert!(
            records == expected_after(stands),
            "round {round}: the records are not those of commit {stands}"
        );
        (acknowledged, sent) = (stands, stands);
        // Keep several on their way, and kill in the midst of them. What was sent and not answered may stand or not.
        let killing = tokio::spawn(async move {
            sleep(Duration::from_millis(3 + u64::from(noise(round, 1)[0]) / 4)).await;
            parent.kill();
        });
        loop {
            while sent < acknowledged + 8 && client.send(numbered(sent + 1)).await.is_ok() {
                sent += 1;
            }
            match client.receive().await {
                Some(response) => {
                    assert_eq!(response.outcome, Outcome::Committed);
                    acknowledged += 1;
                }
                None => break,
            }
        }
        killing.await.unwrap();
    }
    assert!(acknowledged > 30, "the kills came too early to test anything: {acknowledged}");
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_committed_until_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(&folder);
    // A limit on file sizes is a disk that fills up; without the signal that would end the process.
    let start = || {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\" --listen 127.0.0.1:0", PROGRAM]);
        Running(shell.args(arguments(folder.path())).stderr(Stdio::null()).spawn().unwrap())
    };
    let limit = |parent: &Running, bytes: &str| {
        let pid = parent.0.id().to_string();
        let fsize = format!("--fsize={bytes}");
        assert!(Command::new("prlimit").args(["--pid", &pid, &fsize]).status().unwrap().success());
    };
    let parent = start();
    let mut client = dial(&enclave).await;
    assert_eq!(client.ask(numbered(1)).await, Outcome::Committed);
    limit(&parent, "4096:unlimited");
    assert!(matches!(client.ask(numbered(2)).await, Outcome::Failed(_)));
    limit(&parent, "unlimited:unlimited");
    // The disk is well again, and what it holds is still unknown.
    for operation in [numbered(2), numbered(3), Operation::Head, Operation::Read { name: [255; 32] }] {
        assert!(matches!(client.ask(operation).await, Outcome::Failed(_)));
    }
    drop(parent);

    let _parent = start();
    let mut client = dial(&enclave).await;
    let Outcome::Head(Some(head)) = client.ask(Operation::Head).await else { panic!("no head") };
    let stands = u64::from_be_bytes(head.try_into().unwrap());
    assert!((1..=2).contains(&stands));
    assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == expected_after(stands));
    assert_eq!(client.ask(numbered(stands + 1)).await, Outcome::Committed);
}

#[tokio::test]
async fn a_signal_ends_it_well_and_the_status_tells_of_it_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(&folder);
    let mut parent = Running(program(folder.path()).spawn().unwrap());
    let mut client = dial(&enclave).await;
    assert_eq!(client.ask(numbered(1)).await, Outcome::Committed);
    let data = folder.path().join("data").display().to_string();
    // No enclave listens, so it does not serve.
    let status = run(&["status", "--data", &data, "--json"]);
    assert_eq!(status.status.code(), Some(1));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["blobs"]["commits"], 1);
    assert_eq!(status["serving"], false);
    assert_eq!(status["enclave"]["started_by"], "another");
    let codes: Vec<_> = status["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["heartbeat_never_came", "enclave_unreachable"]);
    let text = String::from_utf8(run(&["status", "--data", &data, "--format", "prometheus"]).stdout).unwrap();
    assert!(text.contains("\nr3e_parent_blobs_commits_total 1\n"));

    let id = nix::unistd::Pid::from_raw(parent.0.id().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
    let ended = timeout(Duration::from_secs(30), async {
        loop {
            if let Some(status) = parent.0.try_wait().unwrap() {
                return status;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(ended.await.unwrap().code(), Some(0));
    assert!(!folder.path().join("data/admin.sock").exists());
    assert_eq!(run(&["status", "--data", &data]).status.code(), Some(1));
}

/// Kilobytes of memory that the process holds.
fn resident_kib(parent: &Running) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", parent.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_connections_leave_room_for_work() {
    const KIB_EACH: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let enclave = enclave(&folder);
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut parent = program(folder.path());
    parent.args(["--max-connections-per-address", "0", "--connections-per-second", "0"]);
    parent.args(["--listen", &address.to_string()]);
    let parent = Running(parent.spawn().unwrap());
    // Its sockets come up one after the other. It answers on none of them before all are there.
    assert!(matches!(dial(&enclave).await.ask(Operation::Head).await, Outcome::Head(None)));

    // Two descriptors each here, and two in the parent, under the same limit: where it is low, fewer are tried.
    let files = nix::sys::resource::Resource::RLIMIT_NOFILE;
    let (_, limit) = nix::sys::resource::getrlimit(files).unwrap();
    nix::sys::resource::setrlimit(files, limit, limit).unwrap();
    let idle = usize::try_from((limit.saturating_sub(3_000) / 2).min(10_000)).unwrap();
    assert!(idle >= 1_000, "a limit of {limit} open files is too low to test anything: raise it");

    let mut listener = enclave.listen(CHANNEL_PORT).await.unwrap();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok(stream) = listener.accept().await {
            connections.spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
                let _ = writer.shutdown().await;
            });
        }
    });
    let before = resident_kib(&parent);
    let all = async {
        let mut connections = Vec::with_capacity(idle);
        for _ in 0..idle {
            let mut client = TcpStream::connect(address).await.unwrap();
            ping(&mut client).await;
            connections.push(client);
        }
        let grown = resident_kib(&parent).saturating_sub(before);
        assert!(grown < idle * KIB_EACH, "{grown} KiB for {idle} idle connections");
        for client in &mut connections {
            ping(client).await;
        }
        println!("{idle} idle connections hold {grown} KiB");
    };
    timeout(Duration::from_mins(2), all).await.expect("idle connections must not slow the rest down");
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

#[test]
fn wrong_use_ends_with_two_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let typo = file("typo.toml", "lissten = \"127.0.0.1:1\"\n");
    let rule = file("rule.toml", "egress-allow = [\"nonsense\"]\n");
    let partial = file("partial.toml", "listen = \"127.0.0.1:0\"\nenclave = \"tcp:1\"\n");
    for (arguments, word) in [
        (vec!["serve"], "--enclave is missing"),
        (vec!["serve", "--listen", "nowhere"], "--listen"),
        (vec!["serve", "--egress-allow", "1.2.3.4:443"], "HOST:PORT"),
        (vec!["serve", "--egress-resolve", "a:1:b:2"], "HOST:PORT:ADDRESS:PORT"),
        (vec!["serve", "--egress-allow-private", "10.0.0.1/8"], "PREFIX"),
        (vec!["serve", "--settings", "/nowhere.toml"], "/nowhere.toml"),
        (vec!["serve", "--settings", &typo], "lissten"),
        (vec!["serve", "--settings", &rule], "nonsense"),
        (vec!["serve", "--settings", &partial], "vsock:CID or unix:PATH"),
        (vec!["serve", "--settings", &partial, "--enclave", "vsock:16"], "--data is missing"),
        (vec!["unknown"], "unknown"),
    ] {
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
    // A start that fails for another reason than its settings.
    let mut arguments = arguments(folder.path());
    arguments.extend(["--listen".into(), "127.0.0.1:0".into()]);
    let missing = folder.path().join("configuration").display().to_string();
    std::fs::remove_file(&missing).unwrap();
    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&missing) && said.matches("No such file").count() == 1, "{said}");
}

#[test]
fn help_shows_examples_and_completions_come_for_each_shell() {
    let help = run(&["serve", "--help"]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("Examples:") && help.contains("--enclave vsock:16"), "{help}");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert!(script.status.success());
        assert!(String::from_utf8(script.stdout).unwrap().contains("r3e-parent"), "{shell}");
    }
}
