//! The box, seen from outside: what the kernel says about a runner, which its code could not forge.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use support::{Host, REUSED, eventually, generation, key, pool, runner_path, runners};

fn field(status: &str, name: &str) -> Option<String> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

fn link(path: &str) -> PathBuf {
    fs::read_link(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every property is read from each process that there is of two functions, at rest and after an event, and from a spare if it is
/// ready.
#[tokio::test(flavor = "multi_thread")]
async fn the_kernel_confirms_every_wall() {
    let pool = pool();
    let source = "export default () => 1;";
    eventually("a process waits", || pool.spare_processes() == 1).await;
    for tenant in ["a", "b"] {
        let done = pool.invoke(&key(tenant, "1"), source, "{}", &REUSED, &Host::default()).await;
        done.outcome.unwrap();
    }
    let mut users = BTreeMap::new();
    eventually("both are loaded for their next events", || pool.loaded_functions() == 2).await;
    let (mut nurseries, mut families, mut handling, mut alone) = (0, 0, 0, 0);
    for (pid, status) in &runners() {
        let filters: u32 = field(status, "Seccomp_filters").unwrap().parse().unwrap();
        match (generation(status), filters) {
            (1, 0) => {
                nurseries += 1;
                nursery(*pid, status);
                continue;
            }
            // A spare that is still starting is not boxed yet.
            (2, 0) => continue,
            (2, 1) => families += 1,
            (2, 2) => {
                handling += 1;
                // What loaded its function itself is a family of one.
                alone += usize::from(field(status, "NSpid").unwrap().ends_with("\t1"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(field(status, "Seccomp").unwrap(), "2");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(field(status, set).unwrap(), "0000000000000000", "{set}");
        }
        walls(*pid, status);
        limits(*pid, filters == 2);
        if !nix::unistd::geteuid().is_root() {
            // Then even who started it may not look further: it is not dumpable.
            assert!(fs::read_link(format!("/proc/{pid}/ns/net")).is_err());
            continue;
        }
        for namespace in ["mnt", "net", "ipc", "uts", "cgroup", "pid"] {
            assert_ne!(
                link(&format!("/proc/{pid}/ns/{namespace}")),
                link(&format!("/proc/self/ns/{namespace}"))
            );
        }
        let uids: BTreeSet<String> =
            field(status, "Uid").unwrap().split_whitespace().map(str::to_owned).collect();
        assert_eq!(uids.len(), 1, "real, effective, saved and file system ids are one");
        let uid: u32 = uids.first().unwrap().parse().unwrap();
        assert!((0x4000_0000..0xc000_0000).contains(&uid));
        // Those of one function, and no others, share a user id and the namespaces.
        let family = users.entry(uid).or_insert_with(|| namespaces(*pid));
        assert_eq!(*family, namespaces(*pid));
        assert_eq!(field(status, "Groups").unwrap(), "");
        inside(*pid);
    }
    assert_eq!((nurseries, handling), (1, 2));
    assert!(families >= 2 && alone >= 1);
    let families = families + alone;
    if nix::unistd::geteuid().is_root() {
        assert_eq!(users.len(), families, "no two families share a user id");
        let apart: BTreeSet<_> = users.values().collect();
        assert_eq!(apart.len(), families, "no two families share a namespace");
    }
}

/// Those that a family has for itself.
fn namespaces(pid: u32) -> Vec<PathBuf> {
    ["net", "ipc", "uts", "pid"].map(|name| link(&format!("/proc/{pid}/ns/{name}"))).into()
}

/// The process that runs our own code alone has the rights to box its copies, and no others.
fn nursery(pid: u32, status: &str) {
    let for_boxing = format!("{:016x}", (1_u64 << 5) | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 21);
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(field(status, set).unwrap(), for_boxing, "{set}");
    }
    for set in ["CapInh", "CapAmb"] {
        assert_eq!(field(status, set).unwrap(), "0000000000000000", "{set}");
    }
    walls(pid, status);
    if nix::unistd::geteuid().is_root() {
        for namespace in ["mnt", "net", "ipc", "uts", "cgroup"] {
            assert_ne!(
                link(&format!("/proc/{pid}/ns/{namespace}")),
                link(&format!("/proc/self/ns/{namespace}"))
            );
        }
        inside(pid);
    }
}

/// What holds of every one of them.
fn walls(pid: u32, status: &str) {
    assert_eq!(field(status, "NoNewPrivs").unwrap(), "1");
    assert_eq!(field(status, "Threads").unwrap(), "1");
    assert_eq!(fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap(), "1000\n");
}

fn inside(pid: u32) {
    descriptors(pid);
    root(pid);
    environment(pid);
}

fn descriptors(pid: u32) {
    let mut seen = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let entry = entry.unwrap();
        let number = entry.file_name().to_string_lossy().into_owned();
        let target = fs::read_link(entry.path()).unwrap().to_string_lossy().into_owned();
        let kind = if target.starts_with("socket:") { "socket".to_owned() } else { target };
        seen.push(format!("{number} {kind}"));
    }
    seen.sort();
    assert_eq!(seen, ["0 socket", "1 /dev/null", "2 /dev/null"]);
}

fn root(pid: u32) {
    // With the empty last part it is what the link leads to, not the link.
    let root = PathBuf::from(format!("/proc/{pid}/root")).join("");
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "the root is empty");
    assert_eq!(link(&format!("/proc/{pid}/cwd")), PathBuf::from("/"));
    let mounts = fs::read_to_string(format!("/proc/{pid}/mounts")).unwrap();
    let visible: Vec<&str> = mounts.lines().collect();
    assert_eq!(visible.len(), 1, "{mounts}");
    assert!(visible[0].contains(" / tmpfs ro,nosuid,nodev,noexec"), "{mounts}");
    assert!(fs::write(root.join("x"), "x").is_err(), "not even root can write there");
}

fn environment(pid: u32) {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let mut variables: Vec<&str> =
        str::from_utf8(&environ).unwrap().split('\0').filter(|text| !text.is_empty()).collect();
    variables.sort_unstable();
    assert_eq!(variables, ["QJS_NO_WASM=1", "TZ=UTC", "V82JSC_NO_BC_CACHE=1"]);
}

fn limits(pid: u32, handles_events: bool) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let hard = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let fields: Vec<&str> = line[name.len()..].split_whitespace().collect();
        (fields[0].to_owned(), fields[1].to_owned())
    };
    for name in ["Max core file size", "Max file size", "Max locked memory"] {
        assert_eq!(hard(name), ("0".to_owned(), "0".to_owned()), "{name}");
    }
    // A function's one process may have its copies, and they none.
    let processes = if handles_events { "0" } else { "513" };
    assert_eq!(hard("Max processes"), (processes.to_owned(), processes.to_owned()));
    for name in ["Max address space", "Max data size", "Max stack size"] {
        assert!(hard(name).1.parse::<u64>().unwrap() <= 4 << 30, "{name}");
    }
}

type Change = fn(&mut Command);

/// The program refuses a start that is not the supervisor's, before it does anything else.
#[test]
fn a_wrong_start_is_refused() {
    let changes: [(&str, Change); 4] = [
        ("an inherited environment", |command| {
            command.env("PATH", "/bin");
        }),
        ("an engine switch", |command| {
            command.env("QJS_DEBUG_TR", "1");
        }),
        ("another value", |command| {
            command.env("TZ", "Europe/Berlin");
        }),
        ("a missing variable", |command| {
            command.env_remove("QJS_NO_WASM");
        }),
    ];
    for (what, change) in changes {
        let (_ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut command = Command::new(runner_path());
        command.env_clear().envs(r3e_runner_api::process::ENVIRONMENT.iter().copied());
        change(&mut command);
        let output = command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).output().unwrap();
        assert_eq!(output.status.code(), Some(10), "{what}");
        assert!(!output.stderr.is_empty());
    }
    let output = Command::new(runner_path())
        .env_clear()
        .envs(r3e_runner_api::process::ENVIRONMENT.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(10), "standard input that is no socket");
}
