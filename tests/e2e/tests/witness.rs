//! Rollback witnesses, end to end: an appliance with three peers, of which two must confirm. What the parent does to it, to
//! them and between them, and what an order of the operator quorum restores.

#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use r3e_client::{ClientError, SigningKey};
use r3e_e2e::appliance::{Appliance, Options};
use r3e_e2e::enclave::EnclavePlace;
use r3e_e2e::handoff::{Draft, Releasers, share_test_root};
use r3e_e2e::rollback::{copy, put_back, refused_in};
use r3e_e2e::succession::{Successor, image_pcrs};
use r3e_proto::api::codes;
use r3e_proto::api::status::Status;
use r3e_proto::api::witness::{Witnessed, codes as witness_codes};
use r3e_proto::restore::RestoreOrder;
use tokio::time::{Instant, sleep};

/// What the fake device keeps its root in.
const ROOT_IDENTITY: &str = "test-root-identity.pem";
const PEERS: usize = 3;
const WITNESS: &str = "[witness]\nprovider = \"peers\"\n";
/// For what comes by itself: longer than the appliance takes to look after its peers.
const LIMIT: Duration = Duration::from_mins(2);

/// An appliance and its peers.
struct House {
    own: Appliance,
    peers: Vec<Appliance>,
    holders: Vec<SigningKey>,
    /// Where they are.
    resolve: Vec<String>,
}

fn host(peer: usize) -> String {
    format!("peer{peer}.example")
}

/// An appliance that attests under the root of `first`.
async fn under_the_root_of(first: &Appliance, options: Options) -> Appliance {
    let mut appliance = Appliance::prepare(options, EnclavePlace::new);
    // As under one hypervisor's.
    share_test_root(first.enclave_place(), appliance.enclave_place());
    appliance.start_parent();
    appliance.start_enclave();
    appliance.ready().await;
    appliance
}

async fn status(appliance: &Appliance) -> Status {
    appliance.connect().await.status().await.unwrap()
}

/// Something that is written.
async fn admit_a_tenant(appliance: &Appliance) -> Result<(), ClientError> {
    let key = SigningKey::generate().unwrap().public_key();
    appliance.operator().await.admit(key, "a tenant").await.map(drop)
}

async fn tenants(appliance: &Appliance) -> usize {
    appliance.operator().await.tenants().await.unwrap().len()
}

fn refused_with(result: Result<(), ClientError>) -> String {
    match result {
        Err(ClientError::Api { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

impl House {
    /// Peers that have admitted an appliance, and the appliance under a configuration that names them.
    async fn new() -> Self {
        let first = Appliance::start(Options::default()).await;
        let mut peers = vec![first];
        for _ in 1..PEERS {
            let peer = under_the_root_of(&peers[0], Options::default()).await;
            peers.push(peer);
        }
        let resolve = peers.iter().enumerate().map(|(number, peer)| {
            let address = peer.address();
            format!("{}:443:{address}", host(number))
        });
        let resolve: Vec<_> = resolve.collect();
        let options = Options { resolve: resolve.clone(), ..Options::default() };
        let own = under_the_root_of(&peers[0], options).await;
        let holders = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
        let mut house = Self { own, peers, holders, resolve };

        let before = status(&house.own).await.witness;
        assert_eq!((before.provider.as_str(), before.peers.len()), ("none", 0));
        for peer in &house.peers {
            peer.operator().await.admit_witnessed(before.key, "the appliance").await.unwrap();
        }
        let tables = house.tables().await;
        house.own.set_unlock_tables(tables);
        house.own.restart().await;
        house
    }

    /// `[witness]` with the peers as they are now, and `[restore]`.
    async fn tables(&self) -> String {
        let keys: Vec<_> = self.holders.iter().map(|key| format!("\"{}\"", key.public_key())).collect();
        let peers = self.list("peers", &[0, 1, 2]).await;
        format!("{WITNESS}{peers}[restore]\nthreshold = 2\nkeys = [{}]\n\n", keys.join(", "))
    }

    /// A list of these peers as they are now, of which two must confirm.
    async fn list(&self, table: &str, peers: &[usize]) -> String {
        let mut list = format!("[witness.{table}]\nthreshold = 2\n");
        for number in peers {
            let peer = &self.peers[*number];
            let identity = status(peer).await.identity;
            let release = peer.enclave_place().reference_values().remove(0);
            let pcrs: Vec<_> =
                release.pcrs().values().map(|pcr| format!("\"{}\"", hex::encode(pcr))).collect();
            let peer = format!(
                "[[witness.{table}.peer]]\nname = \"p{number}\"\nhost = \"{}:443\"\nidentity = \"{identity}\"\n\
                 reference_values = [[{}]]\n",
                host(*number),
                pcrs.join(", ")
            );
            list.push_str(&peer);
        }
        list
    }

    /// What a peer remembers of the appliance.
    async fn remembered(&self, peer: usize) -> Witnessed {
        self.peers[peer].operator().await.witnessed().await.unwrap().remove(0)
    }

    fn kill_peer(&mut self, peer: usize) {
        self.peers[peer].kill_enclave();
    }

    async fn start_peer(&mut self, peer: usize) {
        self.peers[peer].start_enclave();
        self.peers[peer].ready().await;
    }
}

/// The sequence and the head of a state that was refused, as the log says them last.
fn said_in(log: &Path) -> (u64, [u8; 32], u64) {
    let log = std::fs::read_to_string(log).unwrap();
    refused_in(&log, "the state was rolled back", ", where the witness holds ")
}

#[tokio::test]
async fn peers_confirm_each_write_and_some_of_them_may_be_away() {
    let mut house = House::new().await;
    admit_a_tenant(&house.own).await.unwrap();
    let now = status(&house.own).await;
    assert_eq!((now.witness.provider.as_str(), now.witness.threshold), ("peers", Some(2)));
    let mut up_to_date = 0;
    for peer in 0..PEERS {
        up_to_date += usize::from(house.remembered(peer).await.sequence == Some(now.sequence));
    }
    assert!(up_to_date >= 2, "{up_to_date} have the last commit");

    house.kill_peer(0);
    admit_a_tenant(&house.own).await.unwrap();
    house.kill_peer(1);
    // One is left. What waits is not confirmed, what comes later is refused at once; reads go on.
    assert_eq!(refused_with(admit_a_tenant(&house.own).await), codes::STORE_UNAVAILABLE);
    assert_eq!(refused_with(admit_a_tenant(&house.own).await), codes::STORE_UNAVAILABLE);
    assert_eq!(tenants(&house.own).await, 2);
    let away = status(&house.own).await.witness;
    let confirms: Vec<_> = away.peers.iter().map(|peer| peer.confirms).collect();
    assert_eq!(confirms, [false, false, true], "{away:?}");
    assert!(away.peers[0].problem.is_some());

    house.start_peer(1).await;
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = admit_a_tenant(&house.own).await {
        assert!(Instant::now() < deadline, "two peers are there, and it is not confirmed: {error}");
        sleep(Duration::from_millis(100)).await;
    }
    // The write that nobody confirmed in its time had been made, and stands.
    assert!(tenants(&house.own).await >= 4);

    // A witness is nobody's witness in turn, and a stranger gets nothing.
    let key = status(&house.peers[2]).await.witness.key;
    let admitted = house.own.operator().await.admit_witnessed(key, "a peer").await;
    assert_eq!(refused_with(admitted.map(drop)), witness_codes::NOT_OFFERED);
}

#[tokio::test]
async fn an_older_state_is_refused_and_restored_by_order_alone() {
    let mut house = House::new().await;
    admit_a_tenant(&house.own).await.unwrap();
    house.own.stop().await;
    let older = house.own.folder().join("older");
    copy(&house.own.data(), &older);
    house.own.starts().await;
    for _ in 0..3 {
        admit_a_tenant(&house.own).await.unwrap();
    }
    let before = status(&house.own).await;
    house.own.stop().await;
    let latest = house.own.folder().join("latest");
    copy(&house.own.data(), &latest);

    put_back(&older, &house.own.data());
    house.own.refuses_to_start("the state was rolled back").await;
    let log = house.own.enclave_place().log();
    let (sequence, head, witnessed) = said_in(&log);
    assert!(sequence < before.sequence && witnessed >= before.sequence);

    // Orders that are none.
    let identity = hex::decode(&before.identity).unwrap().try_into().unwrap();
    let good = RestoreOrder { identity, sequence, head, over: witnessed };
    let stranger = SigningKey::generate().unwrap();
    let holders: Vec<SigningKey> = std::mem::take(&mut house.holders);
    let (one, two) = (&holders[0], &holders[1]);
    let wrong: [(RestoreOrder, Vec<&SigningKey>, &str); 4] = [
        (good, vec![one, &stranger], "1 of the 2 keys that it takes"),
        (RestoreOrder { identity: [9; 32], ..good }, vec![one, two], "it is for the appliance 0909"),
        (RestoreOrder { over: witnessed - 1, ..good }, vec![one, two], "the state was rolled back"),
        (RestoreOrder { head: [9; 32], ..good }, vec![one, two], "the state was rolled back"),
    ];
    for (order, by, says) in wrong {
        house.own.order(&order, &by);
        house.own.refuses_to_start(says).await;
    }
    // Neither is anything committed by all of this: the latest state still opens.
    put_back(&latest, &house.own.data());
    house.own.starts().await;
    assert_eq!(tenants(&house.own).await, 4);
    house.own.stop().await;

    // By order, exactly this state, and on from above all that was seen.
    put_back(&older, &house.own.data());
    house.own.refuses_to_start("the state was rolled back").await;
    let (again, head, witnessed) = said_in(&log);
    assert_eq!(again, sequence);
    house.own.order(&RestoreOrder { over: witnessed, head, ..good }, &[one, &holders[2]]);
    house.own.starts().await;
    let restored = status(&house.own).await;
    assert!(restored.sequence > witnessed);
    let said = restored.witness.restored.unwrap();
    assert_eq!((said.from, said.over), (sequence, witnessed));
    assert_eq!(tenants(&house.own).await, 1);
    admit_a_tenant(&house.own).await.unwrap();

    // The order is used up, and the state that was given up does not come back.
    house.own.restart().await;
    assert_eq!(tenants(&house.own).await, 2);
    house.own.stop().await;
    for past in [&older, &latest] {
        let used = std::fs::read(house.own.data().join("restore-order")).unwrap();
        put_back(past, &house.own.data());
        std::fs::write(house.own.data().join("restore-order"), used).unwrap();
        house.own.refuses_to_start("the state was rolled back").await;
    }
}

#[tokio::test]
async fn a_second_enclave_of_the_same_state_is_noticed_without_a_write() {
    let mut house = House::new().await;
    admit_a_tenant(&house.own).await.unwrap();
    assert_eq!(status(&house.own).await.witness.problem, None);
    // The parent copies the latest state, and gives it to another enclave of the same root secret.
    let options = Options { resolve: house.resolve.clone(), ..Options::default() };
    let mut twin = Appliance::prepare(options, EnclavePlace::new);
    let tables = house.tables().await;
    twin.set_unlock_tables(tables);
    copy(&house.own.enclave_place().state(), &twin.enclave_place().state());
    house.own.kill_parent();
    copy(&house.own.data(), &twin.data());
    house.own.start_parent();
    house.own.ready().await;
    assert_eq!(tenants(&house.own).await, 1);
    twin.start_parent();
    twin.start_enclave();
    twin.ready().await;

    // Nothing is written here from now on, and still what is read does not stay what it was.
    let deadline = Instant::now() + LIMIT;
    let problem = loop {
        if let Some(problem) = status(&house.own).await.witness.problem {
            break problem;
        }
        assert!(Instant::now() < deadline, "both enclaves serve");
        sleep(Duration::from_millis(200)).await;
    };
    assert!(problem.contains("the state was rolled back"), "{problem}");
    let read = house.own.operator().await.tenants().await.map(drop);
    assert_eq!(refused_with(read), codes::STORE_TAMPERED);
    assert_eq!(refused_with(admit_a_tenant(&house.own).await), codes::STORE_TAMPERED);
    // One of the two goes on.
    admit_a_tenant(&twin).await.unwrap();
    assert_eq!(tenants(&twin).await, 2);
}

#[tokio::test]
async fn reads_end_while_the_peers_are_kept_away_and_go_on_when_they_are_back() {
    let mut house = House::new().await;
    admit_a_tenant(&house.own).await.unwrap();
    house.kill_peer(0);
    house.kill_peer(1);
    assert_eq!(tenants(&house.own).await, 1);
    let deadline = Instant::now() + LIMIT;
    let read = loop {
        let read = house.own.operator().await.tenants().await;
        if read.is_err() {
            break read.map(drop);
        }
        assert!(Instant::now() < deadline, "what may be long past is read without end");
        sleep(Duration::from_secs(1)).await;
    };
    assert_eq!(refused_with(read), codes::STORE_UNAVAILABLE);
    let problem = status(&house.own).await.witness.problem.unwrap();
    assert!(problem.contains("the rollback witness has confirmed nothing for "), "{problem}");

    house.start_peer(1).await;
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = house.own.operator().await.tenants().await {
        assert!(Instant::now() < deadline, "two peers are there, and nothing is read: {error}");
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(status(&house.own).await.witness.problem, None);
    admit_a_tenant(&house.own).await.unwrap();
}

#[tokio::test]
async fn peers_give_way_to_others_in_steps() {
    let mut house = House::new().await;
    admit_a_tenant(&house.own).await.unwrap();
    // The first of them is to go.
    let (peers, former) = (house.list("peers", &[1, 2]).await, house.list("former", &[0, 1, 2]).await);
    house.own.set_unlock_tables(format!("{WITNESS}{peers}{former}\n"));
    house.own.restart().await;
    let witness = status(&house.own).await.witness;
    assert!(witness.detail.starts_with("2 of 2 peers, and 2 of 3 former ones, confirm"), "{witness:?}");
    let names: Vec<_> = witness.peers.iter().map(|peer| peer.name.as_str()).collect();
    assert_eq!(names, ["p1", "p2", "p0"], "who stands in both lists is asked once");

    house.kill_peer(0);
    admit_a_tenant(&house.own).await.unwrap();
    house.start_peer(0).await;
    house.kill_peer(2);
    // Two of the former ones are there, and one of the others.
    assert_eq!(refused_with(admit_a_tenant(&house.own).await), codes::STORE_UNAVAILABLE);
    house.start_peer(2).await;
    house.own.restart().await;

    house.own.set_unlock_tables(format!("{WITNESS}{peers}\n"));
    house.kill_peer(0);
    house.own.restart().await;
    admit_a_tenant(&house.own).await.unwrap();
    // The one that was not confirmed had been made.
    assert_eq!(tenants(&house.own).await, 4);
}

#[tokio::test]
async fn a_peer_that_forgets_or_is_another_does_not_count() {
    let mut house = House::new().await;
    admit_a_tenant(&house.own).await.unwrap();
    // The parent of one peer rolls it back.
    house.peers[0].stop().await;
    let older = house.own.folder().join("older-peer");
    copy(&house.peers[0].data(), &older);
    house.starts_peer(0).await;
    for _ in 0..3 {
        admit_a_tenant(&house.own).await.unwrap();
    }
    house.until(|peer| peer.confirms).await;
    house.peers[0].stop().await;
    put_back(&older, &house.peers[0].data());
    house.starts_peer(0).await;
    house
        .until(|peer| peer.name != "p0" || peer.problem.as_ref().is_some_and(|why| why.contains("forgotten")))
        .await;
    admit_a_tenant(&house.own).await.unwrap();
    // It is outvoted at a boot, too.
    house.own.stop().await;
    let latest = house.own.folder().join("latest");
    copy(&house.own.data(), &latest);
    house.own.starts().await;
    assert_eq!(tenants(&house.own).await, 5);

    // A fresh appliance of the same image in the place of another peer: it remembers nothing, and is not the one.
    house.peers[1].stop().await;
    let secret: PathBuf = house.peers[1].enclave_place().state();
    let kept = [ROOT_IDENTITY].map(|name| (name, std::fs::read(secret.join(name)).unwrap()));
    std::fs::remove_dir_all(&secret).unwrap();
    std::fs::create_dir_all(&secret).unwrap();
    for (name, bytes) in kept {
        std::fs::write(secret.join(name), bytes).unwrap();
    }
    std::fs::remove_dir_all(house.peers[1].data()).unwrap();
    house.starts_peer(1).await;
    house
        .until(|peer| {
            peer.name != "p1" || peer.problem.as_ref().is_some_and(|why| why.contains("another appliance"))
        })
        .await;
    // Of the three, one has forgotten to this process alone, one is another: with two that count, writes go on.
    admit_a_tenant(&house.own).await.unwrap();
}

#[tokio::test]
async fn the_witnesses_go_over_with_the_appliance() {
    let mut house = House::new().await;
    let releasers = Releasers::default();
    let tables = format!("{}{}\n", house.tables().await, releasers.table());
    house.own.set_unlock_tables(tables);
    house.own.restart().await;
    admit_a_tenant(&house.own).await.unwrap();
    let before = status(&house.own).await;

    let successor = Successor::beside(&house.own, "b");
    let next = successor.start();
    let deadline = Instant::now() + LIMIT;
    while std::fs::read(successor.place().reference_values_file()).map_or(true, |text| !text.ends_with(b"}"))
    {
        assert!(Instant::now() < deadline, "the successor does not say what it is");
        sleep(Duration::from_millis(20)).await;
    }
    let (from, to) = (image_pcrs(house.own.enclave_place()), image_pcrs(successor.place()));
    let draft = Draft { version: env!("CARGO_PKG_VERSION"), ..Draft::new(from, to) };
    let manifest = house.own.folder().join("release.cbor");
    std::fs::write(&manifest, releasers.approve(&draft.release())).unwrap();
    successor.upgrade(&house.own, &manifest).await.ok();
    let old = house.own.went_over(successor.place().clone(), next);
    old.stop(LIMIT).await;

    // Its peers know it by the same key, and have what it wrote.
    admit_a_tenant(&house.own).await.unwrap();
    let after = status(&house.own).await;
    assert_eq!((after.identity, after.witness.key), (before.identity, before.witness.key));
    assert!(after.sequence > before.sequence);
    let mut up_to_date = 0;
    for peer in 0..PEERS {
        up_to_date += usize::from(house.remembered(peer).await.sequence == Some(after.sequence));
    }
    assert!(up_to_date >= 2, "{up_to_date} have the last commit");
}

impl House {
    async fn starts_peer(&mut self, peer: usize) {
        self.peers[peer].start_parent();
        self.peers[peer].start_enclave();
        self.peers[peer].ready().await;
    }

    /// Waits until `holds` of every peer in the appliance's status, which looks after its peers with every write.
    async fn until(&self, holds: impl Fn(&r3e_proto::api::witness::WitnessPeer) -> bool) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let peers = status(&self.own).await.witness.peers;
            if peers.iter().all(&holds) {
                return;
            }
            assert!(Instant::now() < deadline, "{peers:?}");
            let _ = admit_nothing(&self.own).await;
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A write that leaves everything as it is: the epoch of the state's keys moves on.
async fn admit_nothing(appliance: &Appliance) -> Result<(), ClientError> {
    appliance.operator().await.rotate_state().await.map(drop)
}
