//! The store in PostgreSQL: the same as the embedded one, by a server that is restarted, cut off, full, or not what it says.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod house;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use house::conformance::conformance;
use house::postgres::{Network, Server, Weather, name_of};
use house::{BlobClient, House, commit, noise, settings};
use nix::sys::signal::Signal;
use r3e_parent::{Parent, ParentError, PostgresAddress, PostgresError, PostgresSettings, StoreSettings};
use r3e_proto::host::blob::{Operation, Outcome};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::time::{sleep, timeout};

fn at(url: &str) -> PostgresSettings {
    let mut settings = PostgresSettings::new(PostgresAddress::parse(url, false).unwrap());
    settings.lease_ms = 2_000;
    settings
}

fn store(url: &str) -> StoreSettings {
    StoreSettings::from(at(url))
}

conformance!({
    let server = Server::shared();
    let store = store(&server.database());
    (server, store)
});

/// Commit `n` of a run: it sets the head, one record that all commits write, and one of 20 by turns.
fn numbered(n: u64) -> Operation {
    let head = |n: u64| n.to_be_bytes().to_vec();
    let previous = (n > 1).then(|| head(n - 1));
    let one_of_20 = u8::try_from(n % 20).unwrap();
    commit(previous.as_deref(), &head(n), vec![([255; 32], head(n)), ([one_of_20; 32], noise(n, 3000))])
}

/// What the store must hold after commit `n`.
fn expected_after(n: u64) -> BTreeMap<[u8; 32], Vec<u8>> {
    if n == 0 {
        return BTreeMap::new();
    }
    let mut records: BTreeMap<_, _> = (n.saturating_sub(19).max(1)..=n)
        .map(|m| ([u8::try_from(m % 20).unwrap(); 32], noise(m, 3000)))
        .collect();
    records.insert([255; 32], n.to_be_bytes().to_vec());
    records
}

fn number_of(head: Option<Vec<u8>>) -> u64 {
    head.map_or(0, |head| u64::from_be_bytes(head.try_into().unwrap()))
}

/// The number of the commit that stands, once the store answers again.
async fn stands(client: &mut BlobClient) -> u64 {
    let asking = async {
        loop {
            match client.ask(Operation::Head).await {
                Outcome::Head(head) => return number_of(head),
                Outcome::Failed(_) => sleep(Duration::from_millis(20)).await,
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(Duration::from_mins(1), asking).await.expect("the store answers again")
}

/// Makes commit `n` stand, whatever comes between, and says in how many tries.
async fn settle(client: &mut BlobClient, n: u64) -> u32 {
    for tries in 1.. {
        match client.ask(numbered(n)).await {
            Outcome::Committed => return tries,
            Outcome::Conflict | Outcome::Failed(_) => {
                let standing = stands(client).await;
                assert!((n - 1..=n).contains(&standing), "{standing} stands while {n} is written");
                if standing == n {
                    return tries;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    unreachable!("a test that goes on for ever is ended by its runner")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_under_load_loses_nothing_that_was_acknowledged() {
    let mut server = Server::start(&[]);
    let url = server.database();
    let house = House::start(|settings| settings.store = store(&url)).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    let written = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&written);
    let crashing = tokio::task::spawn_blocking(move || {
        for signal in [Signal::SIGQUIT, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGQUIT] {
            let before = seen.load(Ordering::SeqCst);
            while seen.load(Ordering::SeqCst) < before + 3 {
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(100));
            server.stop(signal);
            server.start_again();
        }
        server
    });
    let mut n = 0;
    while !crashing.is_finished() {
        n += 1;
        settle(&mut client, n).await;
        written.store(n, Ordering::SeqCst);
    }
    let server = crashing.await.unwrap();
    settle(&mut client, n + 1).await;
    assert!(n > 8, "the crashes left no time to write: {n}");
    assert!(house.count("blobs", "failures").await > 0, "no crash met a commit");
    assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == expected_after(n + 1));
    house.parent.shutdown().await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_or_made_again_and_never_both() {
    let server = Server::shared();
    let url = server.database();
    let network = Network::to(&server).await;
    let house = House::start(|settings| settings.store = store(&network.url(name_of(&url)))).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    assert_eq!(settle(&mut client, 1).await, 1);
    for n in 2..=21 {
        let arrives = n % 2 == 0;
        network.turn(if arrives { Weather::CutAfterCommit } else { Weather::CutBeforeCommit });
        let outcome = client.ask(numbered(n)).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        network.turn(Weather::Fair);
        // The next answer knows, however soon it is asked for.
        assert_eq!(stands(&mut client).await, if arrives { n } else { n - 1 });
        if arrives {
            assert_eq!(client.ask(numbered(n)).await, Outcome::Conflict);
        }
        settle(&mut client, n).await;
    }
    assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == expected_after(21));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_cut_or_stalls_costs_time_and_nothing_else() {
    let server = Server::shared();
    let url = server.database();
    let network = Network::to(&server).await;
    let house = House::start(|settings| settings.store = store(&network.url(name_of(&url)))).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    settle(&mut client, 1).await;

    network.turn(Weather::Cut);
    assert!(matches!(client.ask(numbered(2)).await, Outcome::Failed(_)));
    assert!(matches!(client.ask(Operation::Head).await, Outcome::Failed(_)));
    network.turn(Weather::Fair);
    settle(&mut client, 2).await;

    network.turn(Weather::Stalled);
    // Nothing ends by itself: the parent must give up, and say so.
    let outcome = timeout(Duration::from_secs(30), client.ask(numbered(3))).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    house.wait_for("lease", "held", 0).await;
    let status = house.status().await;
    assert_eq!(
        status["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "store_unreachable").count(),
        1
    );
    network.turn(Weather::Fair);
    settle(&mut client, 3).await;
    assert_eq!(settle(&mut client, 4).await, 1);
    assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == expected_after(4));
}

#[tokio::test]
async fn a_server_whose_disk_is_full_says_so_and_goes_on_once_it_is_not() {
    let server = Server::shared();
    let url = server.database();
    let house = House::start(|settings| settings.store = store(&url)).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    settle(&mut client, 1).await;
    // What the server's processes for this database may write to one file is a disk that is full.
    let pids = server.sql(
        name_of(&url),
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'r3e-parent%' AND datname = current_database()",
    );
    for pid in pids.lines() {
        Server::limit_file_size(pid, 65_536);
    }
    let large: Vec<_> = (100..103).map(|n| ([n; 32], noise(n.into(), 1 << 20))).collect();
    let Outcome::Failed(words) = client.ask(commit(Some(&1_u64.to_be_bytes()), b"x", large)).await else {
        panic!("a full disk takes no commit")
    };
    assert!(words.contains("too large"), "{words}");
    // The next session's process has no such limit.
    settle(&mut client, 2).await;
    assert!(client.list().await.into_iter().collect::<BTreeMap<_, _>>() == expected_after(2));
}

async fn refused(store: StoreSettings) -> PostgresError {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store = store;
    match Parent::start(settings).await {
        Err(ParentError::Postgres(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_not_durable_or_takes_no_writes_is_refused() {
    let server = Server::start(&["fsync=off"]);
    let refused_for = refused(store(&server.database())).await;
    assert!(matches!(refused_for, PostgresError::NotDurable { setting: "fsync" }), "{refused_for}");
    drop(server);

    let server = Server::shared();
    let url = server.database();
    server
        .sql("postgres", &format!("ALTER DATABASE {} SET default_transaction_read_only = on", name_of(&url)));
    assert!(matches!(refused(store(&url)).await, PostgresError::ReadOnly));

    // A session that asks for less durability by itself is set right.
    let url = server.database();
    server.sql("postgres", &format!("ALTER DATABASE {} SET synchronous_commit = off", name_of(&url)));
    let house = House::start(|settings| settings.store = store(&url)).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    assert_eq!(settle(&mut client, 1).await, 1);
    house.parent.shutdown().await;

    let name = name_of(&url);
    server.sql(name, "ALTER TABLE r3e.records SET UNLOGGED");
    assert!(matches!(refused(store(&url)).await, PostgresError::NotDurable { .. }));
    server.sql(name, "ALTER TABLE r3e.records SET LOGGED; UPDATE r3e.version SET version = 2");
    assert!(matches!(refused(store(&url)).await, PostgresError::Schema { found: 2, known: 1 }));
    server.sql(name, "UPDATE r3e.version SET version = 1");
    let house = House::start(|settings| settings.store = store(&url)).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    assert_eq!(stands(&mut client).await, 1);
}

#[tokio::test]
async fn many_parents_that_come_at_once_make_the_tables_once() {
    let server = Server::shared();
    let url = server.database();
    let starting: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn(House::start({
                let store = store(&url);
                move |settings| settings.store = store
            }))
        })
        .collect();
    let mut held = 0;
    for house in starting {
        held += house.await.unwrap().count("lease", "held").await;
    }
    assert_eq!(held, 1);
    assert_eq!(server.sql(name_of(&url), "SELECT count(*) FROM r3e.store"), "1");
}

/// A certificate authority, and a server's certificate for `name` under it, as files that the server may read.
fn certificates(server: &Server, name: &str) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let write = |file: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = server.folder().join(file);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if nix::unistd::Uid::effective().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).unwrap();
        }
    };
    write("ca.pem", &ca_pem);
    write("server.pem", &leaf.pem());
    write("server.key", &key.serialize_pem());
}

#[tokio::test]
async fn tls_is_spoken_to_the_server_that_is_named_and_to_no_other() {
    let mut server = Server::start_on_tcp();
    let url = server.database();
    let port = server.port();
    let tls =
        |host: &str| format!("postgres://postgres@{host}:{}/{}?sslmode=verify-full", port, name_of(&url));
    let with_ca = |url: &str, ca: &str| {
        let mut settings = at(url);
        settings.ca = Some(server.folder().join(ca));
        StoreSettings::from(settings)
    };
    // It speaks none, and must not be spoken to in plaintext then.
    let error = refused(store(&tls("localhost"))).await;
    assert!(matches!(error, PostgresError::Dial { .. }), "{error:?}");

    certificates(&server, "localhost");
    for set in ["ssl = on", "ssl_cert_file = '../server.pem'", "ssl_key_file = '../server.key'"] {
        server.sql("postgres", &format!("ALTER SYSTEM SET {set}"));
    }
    let (right, wrong_name) = (with_ca(&tls("localhost"), "ca.pem"), with_ca(&tls("127.0.0.1"), "ca.pem"));
    let (no_certificate, no_file) =
        (with_ca(&tls("localhost"), "server.key"), with_ca(&tls("localhost"), "nothing.pem"));
    server.stop(Signal::SIGINT);
    server.start_again();
    let house = House::start(|settings| settings.store = right).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    assert_eq!(settle(&mut client, 1).await, 1);
    let in_use = "SELECT bool_and(ssl) AND count(*) = 2 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                  WHERE application_name LIKE 'r3e-parent%'";
    assert_eq!(server.sql(name_of(&url), in_use), "t", "both sessions are encrypted");
    house.parent.shutdown().await;

    for (what, store) in [("the name", wrong_name), ("the web's certificates", store(&tls("localhost")))] {
        let error = refused(store).await;
        assert!(matches!(error, PostgresError::Dial { .. }), "{what}: {error:?}");
    }
    for store in [no_certificate, no_file] {
        assert!(matches!(refused(store).await, PostgresError::Ca { .. }));
    }
}

#[tokio::test]
async fn a_password_comes_from_a_file_and_appears_nowhere() {
    let mut server = Server::start(&[]);
    let url = server.database();
    server.sql("postgres", "CREATE ROLE keeper LOGIN PASSWORD 'c0rrect horse'");
    server.sql("postgres", &format!("ALTER DATABASE {} OWNER TO keeper", name_of(&url)));
    std::fs::write(
        server.folder().join("data/pg_hba.conf"),
        "local all postgres trust\nlocal all keeper scram-sha-256\n",
    )
    .unwrap();
    server.stop(Signal::SIGINT);
    server.start_again();
    let password = server.folder().join("password");
    let mut settings = at(&url.replace("postgres@", "keeper@"));
    settings.password_file = Some(password.clone());
    let with = |text: &str| {
        std::fs::write(&password, text).unwrap();
        StoreSettings::from(settings.clone())
    };
    let error = refused(with("wr0ng")).await;
    let words = format!("{error} {error:?}");
    assert!(words.contains("password authentication failed") && !words.contains("wr0ng"), "{words}");
    let house = House::start(|settings| settings.store = with("c0rrect horse\n")).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    assert_eq!(settle(&mut client, 1).await, 1);
    std::fs::remove_file(&password).unwrap();
    let gone = refused(StoreSettings::from(settings)).await;
    assert!(matches!(gone, PostgresError::PasswordFile { .. }));
}
