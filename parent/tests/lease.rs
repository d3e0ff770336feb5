//! Several parents on one store in PostgreSQL: one serves, the others wait, and one that comes back from the dead writes
//! nothing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod house;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use house::postgres::{Network, Server, Weather, name_of};
use house::{BlobClient, CONFIGURATION, House, commit, is_closed, ping};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use r3e_parent::{PostgresAddress, PostgresSettings, StoreSettings, order_takeover};
use r3e_proto::host::BLOB_PORT;
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_transport::{EnclaveTransport, Endpoint};
use tokio::time::{Instant, sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_r3e-parent");
const LIMIT: Duration = Duration::from_secs(30);
/// How long a session keeps the lock on the store's row that nothing is to wait for.
const LOCK_S: u64 = 60;

async fn parent(url: &str, lease_ms: u32) -> House {
    House::start(|settings| {
        let mut postgres = PostgresSettings::new(PostgresAddress::parse(url, false).unwrap());
        postgres.lease_ms = lease_ms;
        settings.store = StoreSettings::from(postgres);
    })
    .await
}

/// Whether clients can connect.
async fn opens(house: &House) -> bool {
    tokio::net::TcpStream::connect(house.parent.local_addr()).await.is_ok()
}

async fn codes(house: &House) -> Vec<String> {
    let status = house.status().await;
    let findings = status["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// Asks until the store does it, which tells that this parent has the lease.
async fn until_committed(client: &mut BlobClient, operation: Operation) {
    let asking = async {
        loop {
            match client.ask(operation.clone()).await {
                Outcome::Committed => return,
                Outcome::Failed(_) => sleep(Duration::from_millis(20)).await,
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(LIMIT, asking).await.expect("the lease comes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_parent_waits_and_takes_over_when_it_is_told_to() {
    let server = Server::shared();
    let url = server.database();
    let (first, second) = (parent(&url, 60_000).await, parent(&url, 60_000).await);
    let (mut one, mut two) =
        (BlobClient::dial(&first.enclave).await, BlobClient::dial(&second.enclave).await);
    assert_eq!(one.ask(commit(None, b"1", vec![([1; 32], b"one".to_vec())])).await, Outcome::Committed);
    for operation in [
        Operation::Head,
        Operation::Read { name: [1; 32] },
        Operation::List { after: None },
        Operation::SlotRead,
        commit(Some(b"1"), b"x", Vec::new()),
        Operation::SlotWrite { expected: None, value: vec![1] },
    ] {
        let Outcome::Failed(words) = two.ask(operation).await else { panic!("a standby serves nothing") };
        assert!(words.contains("standby") && words.contains("process"), "{words}");
    }
    assert_eq!(second.count("blobs", "fenced").await, 6);
    assert_eq!((first.count("lease", "held").await, second.count("lease", "held").await), (1, 0));
    assert!(codes(&second).await.contains(&"standby".to_owned()));
    assert!(!codes(&first).await.contains(&"standby".to_owned()));
    let status = second.status().await;
    assert_eq!((&status["serving"], &status["store"]["lease"]), (&false.into(), &"standby".into()));

    // What a balancer asks: which of them takes connections.
    assert!(opens(&first).await && !opens(&second).await);

    let epoch = order_takeover(&second.data()).await.unwrap();
    assert_eq!(epoch, 2);
    // Of a second order nothing comes but the same answer.
    assert_eq!(order_takeover(&second.data()).await.unwrap(), 2);
    // The first may not know yet, and cannot write or read all the same.
    for operation in [commit(Some(b"1"), b"x", vec![([1; 32], b"x".to_vec())]), Operation::Head] {
        assert!(matches!(one.ask(operation).await, Outcome::Failed(_)));
    }
    assert_eq!(two.ask(Operation::Head).await, Outcome::Head(Some(b"1".to_vec())));
    assert_eq!(two.ask(commit(Some(b"1"), b"2", vec![([2; 32], b"two".to_vec())])).await, Outcome::Committed);
    first.wait_for("lease", "held", 0).await;
    let turned = async {
        while opens(&first).await || !opens(&second).await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, turned).await.expect("the ports follow the lease");
    assert_eq!(two.list().await, [([1; 32], b"one".to_vec()), ([2; 32], b"two".to_vec())]);
    assert!(order_takeover(Path::new("/nowhere")).await.is_err());

    // And back.
    assert_eq!(order_takeover(&first.data()).await.unwrap(), 3);
    assert_eq!(one.ask(commit(Some(b"2"), b"3", Vec::new())).await, Outcome::Committed);
    assert!(matches!(two.ask(commit(Some(b"2"), b"x", Vec::new())).await, Outcome::Failed(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_ends_well_gives_the_lease_back_and_one_that_dies_lets_it_run_out() {
    let server = Server::shared();
    let url = server.database();
    let (first, second) = (parent(&url, 5_000).await, parent(&url, 5_000).await);
    let mut one = BlobClient::dial(&first.enclave).await;
    assert_eq!(one.ask(commit(None, b"1", Vec::new())).await, Outcome::Committed);
    first.parent.shutdown().await;
    let expired =
        server.sql(name_of(&url), "SELECT expires_at <= clock_timestamp() OR epoch = 2 FROM r3e.store");
    assert_eq!(expired, "t", "the lease was given back");
    let mut two = BlobClient::dial(&second.enclave).await;
    until_committed(&mut two, commit(Some(b"1"), b"2", Vec::new())).await;

    let third = parent(&url, 5_000).await;
    let mut three = BlobClient::dial(&third.enclave).await;
    let begun = Instant::now();
    // Dropped, it says no goodbye.
    drop(second);
    until_committed(&mut three, commit(Some(b"2"), b"3", Vec::new())).await;
    assert!(begun.elapsed() > Duration::from_secs(1), "nobody waited for the lease to run out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_hangs_in_a_transaction_does_not_hold_up_a_takeover() {
    let server = Server::shared();
    let url = server.database();
    let (first, second) = (parent(&url, 60_000).await, parent(&url, 60_000).await);
    let mut one = BlobClient::dial(&first.enclave).await;
    assert_eq!(one.ask(commit(None, b"1", Vec::new())).await, Outcome::Committed);
    let name = name_of(&url).to_owned();
    let holder = server.sql(&name, "SELECT holder FROM r3e.store");
    // Another session of the holder's has the row's lock and says nothing more.
    let hanging = std::thread::spawn({
        let server = std::sync::Arc::clone(&server);
        move || {
            server.sql_outcome(
                &name,
                &format!(
                    "SET application_name = 'r3e-parent {holder}'; BEGIN; \
                     SELECT epoch FROM r3e.store FOR UPDATE; SELECT pg_sleep({LOCK_S})"
                ),
            )
        }
    });
    let locked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep({LOCK_S})%' AND wait_event = 'PgSleep'"
    );
    while server.sql(name_of(&url), &locked) != "1" {
        sleep(Duration::from_millis(20)).await;
    }
    let begun = Instant::now();
    assert_eq!(order_takeover(&second.data()).await.unwrap(), 2);
    assert!(begun.elapsed() < Duration::from_secs(LOCK_S / 2), "the takeover waited for the lock");
    assert!(hanging.join().unwrap().is_err());
    let mut two = BlobClient::dial(&second.enclave).await;
    assert_eq!(two.ask(commit(Some(b"1"), b"2", Vec::new())).await, Outcome::Committed);
}

/// A parent as a process, which does not outlive its test.
struct Running(Child);

impl Running {
    fn start(folder: &Path, url: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("configuration"), CONFIGURATION).unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        let child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--store-lease-ms", "1500"])
            .args(["--enclave", &format!("unix:{}", path("enclave.sock")), "--data", &path("data")])
            .args(["--configuration", &path("configuration")])
            // Not on the command line, where every user of the machine reads it.
            .env("R3E_PARENT_STORE", url)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Stops it, and waits until none of its threads runs.
    fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        let id = Pid::from_raw(self.0.id().try_into().unwrap());
        let stopped = waitpid(id, Some(WaitPidFlag::WUNTRACED)).unwrap();
        assert_eq!(stopped, WaitStatus::Stopped(id, Signal::SIGSTOP));
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

async fn dial(folder: &Path) -> BlobClient {
    let enclave = EnclaveTransport::new(Endpoint::Unix { path: folder.join("enclave.sock") });
    let up = async {
        while enclave.dial_parent(BLOB_PORT).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, up).await.expect("the parent comes up");
    BlobClient::dial(&enclave).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zombie_writes_nothing() {
    let server = Server::shared();
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let (zombie_folder, heir_folder) = (folder.path().join("a"), folder.path().join("b"));
    let zombie = Running::start(&zombie_folder, &url);
    let mut undead = dial(&zombie_folder).await;
    assert_eq!(undead.ask(commit(None, b"1", vec![([1; 32], b"1".to_vec())])).await, Outcome::Committed);
    let _heir = Running::start(&heir_folder, &url);
    let mut heir = dial(&heir_folder).await;

    for round in 1..=3_u8 {
        zombie.stop();
        // What it is asked for while it is stopped, it does when it wakes: before it can have looked at any clock.
        let late = commit(Some(&[round + b'0']), b"late", vec![([9; 32], b"late".to_vec())]);
        undead.send(late).await.unwrap();
        let head = [round + b'1'];
        until_committed(&mut heir, commit(Some(&[round + b'0']), &head, vec![([1; 32], head.to_vec())]))
            .await;
        zombie.signal(Signal::SIGCONT);
        let answer = timeout(LIMIT, undead.receive()).await.unwrap().unwrap();
        assert!(matches!(answer.outcome, Outcome::Failed(_)), "{answer:?}");
        for operation in [commit(Some(&head), b"x", Vec::new()), Operation::Head] {
            assert!(matches!(undead.ask(operation).await, Outcome::Failed(_)));
        }
        assert_eq!(heir.ask(Operation::Head).await, Outcome::Head(Some(head.to_vec())));
        assert_eq!(heir.list().await, [([1; 32], head.to_vec())]);
        if round < 3 {
            // It lives again once it is asked to.
            let epoch = order_takeover(&zombie_folder.join("data")).await.unwrap();
            assert_eq!(epoch, u64::from(round) * 2 + 1);
            assert_eq!(undead.ask(Operation::Head).await, Outcome::Head(Some(head.to_vec())));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_was_killed_takes_its_own_lease_again_at_once() {
    let server = Server::shared();
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=5_u8 {
        let _parent = Running::start(folder.path(), &url);
        let mut client = dial(folder.path()).await;
        let before = [round - 1];
        let follows = (round > 1).then_some(&before[..]);
        assert_eq!(client.ask(commit(follows, &[round], Vec::new())).await, Outcome::Committed);
        // Killed by its drop.
    }
    assert_eq!(server.sql(name_of(&url), "SELECT epoch FROM r3e.store"), "5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_live_parents_folder_is_another_parent() {
    let server = Server::shared();
    let url = server.database();
    let first = parent(&url, 60_000).await;
    let mut one = BlobClient::dial(&first.enclave).await;
    assert_eq!(one.ask(commit(None, b"1", Vec::new())).await, Outcome::Committed);
    let copied = first.data().join("lease-holder");
    let second = House::start(|settings| {
        let mut postgres = PostgresSettings::new(PostgresAddress::parse(&url, false).unwrap());
        postgres.lease_ms = 60_000;
        settings.store = StoreSettings::from(postgres);
        std::fs::create_dir_all(&settings.data).unwrap();
        std::fs::copy(&copied, settings.data.join("lease-holder")).unwrap();
    })
    .await;
    assert_eq!((first.count("lease", "held").await, second.count("lease", "held").await), (1, 0));
    let mut two = BlobClient::dial(&second.enclave).await;
    assert!(matches!(two.ask(Operation::Head).await, Outcome::Failed(_)));
    assert_eq!(one.ask(commit(Some(b"1"), b"2", Vec::new())).await, Outcome::Committed);
    assert_eq!(server.sql(name_of(&url), "SELECT epoch FROM r3e.store"), "1");
}

/// Waits until nobody can connect.
async fn closes(house: &House) {
    let closing = async {
        while opens(house).await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, closing).await.expect("the port closes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_cannot_renew_its_lease_ends_its_clients_and_takes_none_until_it_can() {
    let server = Server::shared();
    let network = Network::to(&server).await;
    let url = server.database();
    let house = House::start(|settings| {
        let through = PostgresAddress::parse(&network.url(name_of(&url)), true).unwrap();
        let mut postgres = PostgresSettings::new(through);
        postgres.lease_ms = 1_500;
        settings.store = StoreSettings::from(postgres);
    })
    .await;
    let _enclave = house.echo().await;
    for weather in [Weather::Stalled, Weather::Cut] {
        let mut client = house.connect().await;
        ping(&mut client).await;
        // Renewed again and again, it is never closed.
        sleep(Duration::from_secs(2)).await;
        ping(&mut client).await;
        network.turn(weather);
        assert!(timeout(LIMIT, is_closed(&mut client)).await.expect("the connection ends"));
        closes(&house).await;
        assert_eq!(house.count("lease", "held").await, 0);
        network.turn(Weather::Fair);
        let opening = async {
            while !opens(&house).await {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LIMIT, opening).await.expect("the port opens again");
        assert_eq!(house.count("lease", "held").await, 1);
    }
}

#[tokio::test]
async fn wrong_addresses_end_the_program_with_two_and_show_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let run = |store: &str, more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--enclave", "vsock:16", "--data"])
            .arg(folder.path());
        command.args(["--configuration", "/nowhere", "--store", store]).args(more).env_clear();
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    for (store, more, word) in [
        ("mysql://u@h/d", vec![], "postgres://"),
        ("postgres://u:s3cret@db.example.com/d?sslmode=disable", vec![], "--store-plaintext"),
        ("postgres://u:s3cret@db.example.com/d?sslmode=prefer", vec![], "verify-full"),
        ("postgres://u:s3cret@db.example.com", vec![], "database"),
        ("postgres://u:s3cret@h/d", vec!["--store-lease-ms", "10"], "1000"),
    ] {
        let (code, said) = run(store, &more);
        assert!(code == Some(2) && said.contains(word) && !said.contains("s3cret"), "{code:?} {said}");
    }
    // Told to, it goes on to what is wrong next.
    let (code, said) = run("postgres://u@db.example.com/d?sslmode=disable", &["--store-plaintext"]);
    assert!(code == Some(1) && said.contains("/nowhere"), "{code:?} {said}");
}
