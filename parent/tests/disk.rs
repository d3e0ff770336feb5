//! The embedded store when the disk fails it: a sync that fails, and a write that was torn by a loss of power.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod house;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use house::{BlobClient, CONFIGURATION, commit, noise, settings};
use r3e_parent::Parent;
use r3e_proto::host::BLOB_PORT;
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_transport::{EnclaveTransport, Endpoint};
use tokio::time::{sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_r3e-parent");

/// Lies between the program and the C library: while the file that `FAIL_SYNC` names is there, no sync succeeds.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int fails(void) { const char *path = getenv("FAIL_SYNC"); return path && access(path, F_OK) == 0; }
static int sync_by(const char *name, int file) {
    if (fails()) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}
int fsync(int file) { return sync_by("fsync", file); }
int fdatasync(int file) { return sync_by("fdatasync", file); }
"#;

/// A parent as a process, which does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path, environment: &[(&str, PathBuf)]) -> Running {
    fs::write(folder.join("configuration"), CONFIGURATION).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let child = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
        .args(["--enclave", &format!("unix:{}", path("enclave.sock")), "--data", &path("data")])
        .args(["--configuration", &path("configuration")])
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

async fn dial(folder: &Path) -> BlobClient {
    let enclave = EnclaveTransport::new(Endpoint::Unix { path: folder.join("enclave.sock") });
    let up = async {
        while enclave.dial_parent(BLOB_PORT).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_mins(1), up).await.expect("the parent comes up");
    BlobClient::dial(&enclave).await
}

/// Commit `n` of a run: it sets the head, and one of 5 records by turns.
fn numbered(n: u64) -> Operation {
    let head = |n: u64| n.to_be_bytes().to_vec();
    let previous = (n > 1).then(|| head(n - 1));
    commit(previous.as_deref(), &head(n), vec![([u8::try_from(n % 5).unwrap(); 32], noise(n, 700))])
}

fn expected_after(n: u64) -> BTreeMap<[u8; 32], Vec<u8>> {
    (n.saturating_sub(4).max(1)..=n).map(|m| ([u8::try_from(m % 5).unwrap(); 32], noise(m, 700))).collect()
}

/// The number of the commit that stands, with the records it must have.
async fn standing(client: &mut BlobClient) -> u64 {
    let Outcome::Head(head) = client.ask(Operation::Head).await else { panic!("no head") };
    let n = head.map_or(0, |head| u64::from_be_bytes(head.try_into().unwrap()));
    assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == expected_after(n), "after {n}");
    n
}

#[tokio::test]
async fn after_a_sync_that_failed_nothing_is_answered_until_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("shim.c"), SHIM).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([path("shim.so"), path("shim.c")]).arg("-ldl");
    assert!(compiler.status().unwrap().success());
    let parent = start(folder.path(), &[("LD_PRELOAD", path("shim.so")), ("FAIL_SYNC", path("fail"))]);
    let mut client = dial(folder.path()).await;
    for n in 1..=3 {
        assert_eq!(client.ask(numbered(n)).await, Outcome::Committed);
    }
    fs::write(path("fail"), "").unwrap();
    let slot = Operation::SlotWrite { expected: None, value: b"x".to_vec() };
    assert!(matches!(client.ask(numbered(4)).await, Outcome::Failed(_)));
    // The disk is well again, and what it holds is still unknown: the kernel has forgotten that it failed.
    fs::remove_file(path("fail")).unwrap();
    for operation in [numbered(4), numbered(5), slot, Operation::SlotRead, Operation::Head] {
        assert!(matches!(client.ask(operation).await, Outcome::Failed(_)));
    }
    drop(parent);

    let _parent = start(folder.path(), &[]);
    let mut client = dial(folder.path()).await;
    let n = standing(&mut client).await;
    assert!((3..=4).contains(&n), "{n}");
    assert_eq!(client.ask(numbered(n + 1)).await, Outcome::Committed);
}

/// Every file below `folder`, with what it holds.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

/// The last commit arrives on the disk in part: its first bytes, and behind them what was there before. That is what a loss
/// of power leaves of a write that was never acknowledged.
#[tokio::test]
async fn a_commit_that_was_torn_is_gone_whole_and_those_before_it_stand() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("data/blobs");
    let parent = start(folder.path(), &[]);
    let mut client = dial(folder.path()).await;
    for n in 1..=12 {
        assert_eq!(client.ask(numbered(n)).await, Outcome::Committed);
    }
    // An answer to a read: the engine has all that was committed before.
    assert_eq!(standing(&mut client).await, 12);
    let before = files(&store);
    assert_eq!(client.ask(numbered(13)).await, Outcome::Committed);
    let mut after = files(&store);
    drop(parent);

    // The engine is given only what the journal holds: of a commit that was torn there, it has nothing.
    let changed = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let journals: Vec<_> = after.keys().filter(changed).filter(|path| is_journal(path)).cloned().collect();
    let [journal] = &journals[..] else { panic!("a commit changes one journal, not {}", journals.len()) };
    let whole = after[journal].clone();
    after.clone_from(&before);
    after.insert(journal.clone(), whole.clone());
    let old = &before[journal];
    // What is not written yet is zeros.
    assert_eq!(old.len(), whole.len());
    let used = whole.len() - whole.iter().rev().take_while(|byte| **byte == 0).count();
    let differs = |n: &usize| old[*n] != whole[*n];
    let (first, last) = ((0..used).find(differs).unwrap(), (0..used).rev().find(differs).unwrap());
    assert!(last - first > 700, "the record is in it");
    let (mut gone, mut stood) = (0, 0);
    let cuts = (0..4).map(|part| first + (last - first) * part / 4);
    for cut in cuts.chain([first + 1, last, last + 1]) {
        for shorter in [false, true] {
            let place = tempfile::tempdir().unwrap();
            let mut settings = settings(place.path());
            settings.data = place.path().join("data");
            for (path, bytes) in &after {
                let to = settings.data.join("blobs").join(path.strip_prefix(&store).unwrap());
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                if path != journal {
                    fs::write(to, bytes).unwrap();
                } else if shorter {
                    fs::write(to, &whole[..cut]).unwrap();
                } else {
                    fs::write(&to, [&whole[..cut], &old[cut..used]].concat()).unwrap();
                    File::options().write(true).open(to).unwrap().set_len(whole.len() as u64).unwrap();
                }
            }
            let enclave = EnclaveTransport::new(settings.enclave.clone());
            let parent = Parent::start(settings).await.unwrap();
            let mut client = BlobClient::dial(&enclave).await;
            match standing(&mut client).await {
                12 => gone += 1,
                13 if cut > last => stood += 1,
                n => panic!("{n} stands after a cut at {cut} of {first} to {last}"),
            }
            // And it goes on from there.
            let n = standing(&mut client).await;
            assert_eq!(client.ask(numbered(n + 1)).await, Outcome::Committed);
            assert_eq!(standing(&mut client).await, n + 1);
            parent.shutdown().await;
        }
    }
    assert!(gone >= 12 && stood > 0, "{gone} gone, {stood} stood");
}
