//! Backups by the program: of a store that stands still, of one that is written to, and from one kind of store into the
//! other; and files that are refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod house;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use house::postgres::{Server, name_of};
use house::{BlobClient, House, commit, noise, settings};
use r3e_parent::{Parent, PostgresAddress, PostgresSettings, Settings, StoreSettings};
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_transport::EnclaveTransport;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_r3e-parent");

/// Commit `n` of a run: it sets the head, one record that all commits write, and one of 20 by turns.
fn numbered(n: u64) -> Operation {
    let head = |n: u64| n.to_be_bytes().to_vec();
    let previous = (n > 1).then(|| head(n - 1));
    let one_of_20 = u8::try_from(n % 20).unwrap();
    commit(previous.as_deref(), &head(n), vec![([255; 32], head(n)), ([one_of_20; 32], noise(n, 5000))])
}

fn expected_after(n: u64) -> BTreeMap<[u8; 32], Vec<u8>> {
    let mut records: BTreeMap<_, _> = (n.saturating_sub(19).max(1)..=n)
        .map(|m| ([u8::try_from(m % 20).unwrap(); 32], noise(m, 5000)))
        .collect();
    records.insert([255; 32], n.to_be_bytes().to_vec());
    records
}

/// What a store holds, through a parent that is started on it.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    head: Option<Vec<u8>>,
    slot: Option<Vec<u8>>,
    records: BTreeMap<[u8; 32], Vec<u8>>,
}

async fn content(settings: &Settings) -> Content {
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&EnclaveTransport::new(settings.enclave.clone())).await;
    let Outcome::Head(head) = client.ask(Operation::Head).await else { panic!("no head") };
    let Outcome::Slot(slot) = client.ask(Operation::SlotRead).await else { panic!("no slot") };
    let records = client.list().await.into_iter().collect();
    parent.shutdown().await;
    Content { head, slot, records }
}

fn on(url: &str, folder: &Path) -> Settings {
    let mut settings = settings(folder);
    settings.store = StoreSettings::from(PostgresSettings::new(PostgresAddress::parse(url, false).unwrap()));
    settings
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).arg("--json").env_clear().output().unwrap()
}

fn done(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(arguments: &[&str], word: &str) {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains(word), "{arguments:?}: {said}");
}

/// Writes commits 1 to `last`, and a slot.
async fn write(settings: &Settings, last: u64) {
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&EnclaveTransport::new(settings.enclave.clone())).await;
    for n in 1..=last {
        assert_eq!(client.ask(numbered(n)).await, Outcome::Committed);
    }
    let slot = Operation::SlotWrite { expected: None, value: b"wrapped".to_vec() };
    assert_eq!(client.ask(slot).await, Outcome::Committed);
    parent.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_goes_from_any_store_into_any_other() {
    let server = Server::shared();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let first = settings(folder.path());
    write(&first, 30).await;
    let before = content(&first).await;

    // Embedded, stopped; into a database; from there into another folder.
    let (data, one) = (path("data"), path("one"));
    let saved = done(&["backup", "--data", &data, "--out", &one]);
    assert_eq!((saved["records"].as_u64(), saved["slot"].as_bool()), (Some(21), Some(true)));
    let url = server.database();
    let restored = done(&["restore", &one, "--store", &url]);
    assert_eq!(restored["sha256"], saved["sha256"]);
    let other = tempfile::tempdir().unwrap();
    assert_eq!(content(&on(&url, other.path())).await, before);
    let two = path("two");
    let again = done(&["backup", "--store", &url, "--out", &two]);
    assert_eq!(again["head_sha256"], saved["head_sha256"]);
    let third = path("third");
    done(&["restore", &two, "--data", &third]);
    let mut settings = settings(folder.path());
    settings.data = third.clone().into();
    assert_eq!(content(&settings).await, before);
    // All three are the same but for when they were made.
    let (one, two) = (fs::read(one).unwrap(), fs::read(two).unwrap());
    assert_eq!(one[21..one.len() - 32], two[21..two.len() - 32]);
    // It tells of no name that would help anybody but its owner.
    assert_eq!(fs::metadata(path("one")).unwrap().permissions().mode() & 0o777, 0o600);

    // Nothing, too, has a backup.
    let (empty, nothing) = (server.database(), path("nothing"));
    let parent = Parent::start(on(&empty, other.path())).await.unwrap();
    parent.shutdown().await;
    let saved = done(&["backup", "--store", &empty, "--out", &nothing]);
    assert_eq!((saved["records"].as_u64(), &saved["head_sha256"]), (Some(0), &Value::Null));
    done(&["restore", &nothing, "--data", &path("fourth")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_of_a_store_that_is_written_to_is_one_moment() {
    let server = Server::shared();
    for url in [None, Some(server.database())] {
        let place = tempfile::tempdir().unwrap();
        let house = House::start(|settings| {
            if let Some(url) = &url {
                settings.store = on(url, place.path()).store;
            }
        })
        .await;
        let mut client = BlobClient::dial(&house.enclave).await;
        for n in 1..=25 {
            assert_eq!(client.ask(numbered(n)).await, Outcome::Committed);
        }
        let writing = tokio::spawn(async move {
            let mut n = 25;
            loop {
                n += 1;
                assert_eq!(client.ask(numbered(n)).await, Outcome::Committed);
            }
        });
        let mut last = 0;
        for round in 0..3 {
            let file = place.path().join(format!("backup {round}")).display().to_string();
            let data = house.data().display().to_string();
            let source = match &url {
                None => ["--data".to_owned(), data],
                Some(url) => ["--store".to_owned(), url.clone()],
            };
            let saving = file.clone();
            let saved = tokio::task::spawn_blocking(move || {
                done(&["backup", &source[0], &source[1], "--out", &saving])
            });
            assert_eq!(saved.await.unwrap()["records"], 21);
            let target = tempfile::tempdir().unwrap();
            let settings = settings(target.path());
            done(&["restore", &file, "--data", &settings.data.display().to_string()]);
            let restored = content(&settings).await;
            let n = u64::from_be_bytes(restored.head.unwrap().try_into().unwrap());
            assert!(n >= 25 && n >= last && restored.records == expected_after(n), "commit {n}");
            last = n;
        }
        assert!(!writing.is_finished(), "backups must not end the writing");
        writing.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_replaced_only_when_that_is_said_and_never_under_a_parent() {
    let server = Server::shared();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let settings = settings(folder.path());
    let (data, file) = (path("data"), path("backup"));
    write(&settings, 3).await;
    let old = content(&settings).await;
    done(&["backup", "--data", &data, "--out", &file]);
    refused(&["backup", "--data", &data, "--out", &file], "exists");
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&EnclaveTransport::new(settings.enclave.clone())).await;
    assert_eq!(client.ask(numbered(4)).await, Outcome::Committed);
    refused(&["restore", &file, "--data", &data, "--replace"], "another r3e-parent");
    parent.shutdown().await;
    let new = content(&settings).await;

    refused(&["restore", &file, "--data", &data], "--replace");
    assert_eq!(content(&settings).await, new);
    let restored = done(&["restore", &file, "--data", &data, "--replace"]);
    assert_eq!(content(&settings).await, old);
    let mut kept = settings.clone();
    kept.data = folder.path().join("kept");
    fs::create_dir(&kept.data).unwrap();
    fs::rename(restored["kept"].as_str().unwrap(), kept.data.join("blobs")).unwrap();
    assert_eq!(content(&kept).await, new, "what was replaced is still there");

    // A database that a parent serves is left alone; afterwards the epoch has risen, so that one cannot go on.
    let url = server.database();
    let other = tempfile::tempdir().unwrap();
    let there = on(&url, other.path());
    let parent = Parent::start(there.clone()).await.unwrap();
    refused(&["restore", &file, "--store", &url, "--replace"], "holds the store's lease");
    parent.shutdown().await;
    done(&["restore", &file, "--store", &url]);
    refused(&["restore", &file, "--store", &url], "--replace");
    done(&["restore", &file, "--store", &url, "--replace"]);
    assert_eq!(server.sql(name_of(&url), "SELECT epoch FROM r3e.store"), "3");
    assert_eq!(content(&there).await, old);
    refused(&["restore", &file], "--data");
}

/// An earlier version's restore could end between exchanging and renaming: the newest state was then under the name of what
/// is half built.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_interrupted_restore_left_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let path = |name: &str| folder.path().join(name);
    let (data, file) = (path("data").display().to_string(), path("backup").display().to_string());
    write(&settings, 3).await;
    let old = content(&settings).await;
    done(&["backup", "--data", &data, "--out", &file]);
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&EnclaveTransport::new(settings.enclave.clone())).await;
    assert_eq!(client.ask(numbered(4)).await, Outcome::Committed);
    parent.shutdown().await;
    let newest = content(&settings).await;
    fs::rename(path("data/blobs"), path("data/blobs.restoring")).unwrap();
    for arguments in
        [&["restore", &file, "--data", &data][..], &["restore", &file, "--data", &data, "--replace"]]
    {
        refused(arguments, "newest copy");
    }
    fs::rename(path("data/blobs.restoring"), path("data/blobs")).unwrap();
    assert_eq!(content(&settings).await, newest);
    // A restore that ends leaves nothing under that name, and what it replaced under its own.
    let restored = done(&["restore", &file, "--data", &data, "--replace"]);
    assert!(!path("data/blobs.restoring").exists());
    assert!(restored["kept"].as_str().unwrap().contains("blobs.replaced-"));
    assert_eq!(content(&settings).await, old);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_changes_nothing() {
    let server = Server::shared();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let settings = settings(folder.path());
    let (data, file, bad) = (path("data"), path("backup"), path("bad"));
    write(&settings, 8).await;
    done(&["backup", "--data", &data, "--out", &file]);
    let url = server.database();
    done(&["restore", &file, "--store", &url]);
    let other = tempfile::tempdir().unwrap();
    let (there, whole) = (on(&url, other.path()), fs::read(&file).unwrap());
    let (here_before, there_before) = (content(&settings).await, content(&there).await);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let mut longer = whole.clone();
    longer.push(0);
    let cut = whole[..whole.len() - 1].to_vec();
    for (damaged, word) in [
        (flipped, "SHA-256"),
        (cut, "ends too early"),
        (longer, "follows its end"),
        (Vec::new(), "ends too early"),
        (b"not a backup at all, and long enough".to_vec(), "no backup"),
    ] {
        fs::write(&bad, damaged).unwrap();
        refused(&["restore", &bad, "--data", &data, "--replace"], word);
        refused(&["restore", &bad, "--store", &url, "--replace"], word);
    }
    refused(&["restore", &path("nothing"), "--data", &data, "--replace"], "No such file");
    assert_eq!(content(&settings).await, here_before);
    assert_eq!(content(&there).await, there_before);
}
