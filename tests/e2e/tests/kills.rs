//! Kills without warning, at random, under load: what was acknowledged is there afterwards, all of it.
//!
//! Writers set secrets, and have a function set values; each counts its own record up, and notes what was acknowledged.
//! After each kill a record must hold what was acknowledged last, or what was on its way then: nothing older, and
//! nothing else.
//!
//! `R3E_E2E_KILLS` sets how many (100), `R3E_E2E_SEED` repeats a run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use r3e_client::{ClientError, Credential, SigningKey, TenantClient};
use r3e_e2e::tenant::{granted, javascript, output, secret};
use r3e_e2e::{Appliance, Options, Tenant, runners};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const STORE_WRITERS: usize = 3;
const SECRET_WRITERS: usize = 2;

/// Reads all and sets one.
const LEDGER: &str = "export default async ({ set, get, secrets }) => {
    if (set) { await r3e.store.set(set.key, set.value); return set.value; }
    const found = {};
    for (const key of get) found[key] = await r3e.store.get(key) ?? 0;
    for (const name of secrets) found[name] = Number(await r3e.secrets.get(name));
    return found;
};";

/// A record's two numbers: both only rise.
#[derive(Debug, Default)]
struct Record {
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

/// What to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Runner,
    Enclave,
    Parent,
    Both,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost() {
    let kills: u64 = number("R3E_E2E_KILLS").unwrap_or(100);
    let seed = number("R3E_E2E_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    println!("seed {seed}, {kills} kills");
    let mut dice = Dice(seed);

    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let names: Vec<String> = (0..SECRET_WRITERS).map(|number| format!("SECRET_{number}")).collect();
    let keys: Vec<String> = (0..STORE_WRITERS).map(|number| format!("value_{number}")).collect();
    let all_names: Vec<&str> = names.iter().map(String::as_str).collect();
    tenant.channel().await.deploy("ledger", &granted(javascript(LEDGER), &all_names, &[])).await.unwrap();
    for name in &names {
        // Later versions keep the grant.
        tenant.set_secret_for(name, "0", "ledger").await;
    }
    let key_file = appliance.folder().join("alice.pem");
    tenant.key().write_new(&key_file).unwrap();
    let client = || {
        let key = SigningKey::read(&key_file).unwrap();
        TenantClient::new(tenant.connector().clone(), Credential::Key(key))
    };

    let records: Arc<BTreeMap<String, Record>> =
        Arc::new(names.iter().chain(&keys).map(|name| (name.clone(), Record::default())).collect());
    let mut writers = JoinSet::new();
    for name in names.iter().chain(&keys) {
        writers.spawn(write(client(), name.clone(), name.starts_with("SECRET"), Arc::clone(&records)));
    }

    let mut killed = BTreeMap::<Victim, u64>::new();
    let mut checker = client();
    let event = json!({ "get": keys, "secrets": names }).to_string();
    let (begun, mut progress) = (Instant::now(), 0);
    for kill in 0..kills {
        // Long enough for some writes, short enough to fall into the middle of others.
        sleep(Duration::from_millis(20 + dice.below(180))).await;
        let victim = match dice.below(20) {
            0..8 => Victim::Runner,
            8..14 => Victim::Enclave,
            14..19 => Victim::Parent,
            _ => Victim::Both,
        };
        slay(&mut appliance, victim, &mut dice).await;
        *killed.entry(victim).or_default() += 1;
        appliance.ready().await;

        let acknowledged: BTreeMap<&String, u64> =
            records.iter().map(|(name, record)| (name, record.acknowledged.load(Ordering::SeqCst))).collect();
        let found = check(&mut checker, &event).await;
        for (name, record) in records.iter() {
            let value = found[name.as_str()].as_u64().unwrap();
            let (least, most) = (acknowledged[name], record.sent.load(Ordering::SeqCst));
            assert!(
                (least..=most).contains(&value),
                "after kill {kill} ({victim:?}, seed {seed}): {name} is {value}, acknowledged was {least}, sent {most}"
            );
        }
        progress = acknowledged.values().sum();
        assert!(writers.try_join_next().is_none(), "a writer stopped");
    }
    writers.shutdown().await;
    println!(
        "killed {killed:?}; {progress} acknowledged writes, none lost; {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(progress > kills, "{progress} writes in all: the writers did not get to write");

    // With the enclave, its runners end.
    let left = runners::of_enclave(appliance.enclave_id());
    appliance.kill_enclave();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !runners::still_running(&left).is_empty() {
        assert!(Instant::now() < deadline, "runners outlived their enclave");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Kills, and starts again what cannot restart itself.
async fn slay(appliance: &mut Appliance, victim: Victim, dice: &mut Dice) {
    if victim == Victim::Runner {
        let runners = runners::of_enclave(appliance.enclave_id());
        if !runners.is_empty() {
            let which = usize::try_from(dice.below(runners.len() as u64)).unwrap();
            runners::kill_runner(runners[which]);
        }
        return;
    }
    let (enclave, parent) = (victim != Victim::Parent, victim != Victim::Enclave);
    if enclave {
        appliance.kill_enclave();
    }
    if parent {
        appliance.kill_parent();
    }
    sleep(Duration::from_millis(dice.below(50))).await;
    if parent {
        appliance.start_parent();
    }
    if enclave {
        appliance.start_enclave();
    }
}

/// Counts its record up for ever, whatever becomes of each try.
async fn write(
    mut client: TenantClient,
    name: String,
    is_secret: bool,
    records: Arc<BTreeMap<String, Record>>,
) {
    let record = &records[&name];
    loop {
        let value = record.sent.load(Ordering::SeqCst) + 1;
        record.sent.store(value, Ordering::SeqCst);
        match write_once(&mut client, &name, is_secret, value).await {
            Ok(true) => record.acknowledged.store(value, Ordering::SeqCst),
            Ok(false) => {}
            Err(error) => {
                // Whatever else a kill does, it rolls nothing back and changes no answer.
                let code = error.code();
                assert!(
                    !["rolled_back", "receipt", "store_tampered", "other_session"].contains(&code),
                    "{error}"
                );
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Whether the write was acknowledged.
async fn write_once(
    client: &mut TenantClient,
    name: &str,
    is_secret: bool,
    value: u64,
) -> Result<bool, ClientError> {
    let channel = client.channel().await?;
    if is_secret {
        channel.set_secret(name, secret(&value.to_string())).await?;
        return Ok(true);
    }
    let event = json!({ "set": { "key": name, "value": value } }).to_string();
    // A function whose runner was killed has an outcome, which acknowledges nothing.
    Ok(matches!(
        channel.invoke("ledger", event).await?.outcome(),
        r3e_proto::api::functions::Outcome::Output(_)
    ))
}

/// What every record holds now.
async fn check(client: &mut TenantClient, event: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let attempt = async {
            let invocation = client.channel().await?.invoke("ledger", event.to_owned()).await?;
            Ok::<_, ClientError>(invocation)
        };
        match attempt.await {
            Ok(invocation) if invocation.receipt().outcome == "ok" => return output(&invocation),
            Ok(invocation) => assert!(Instant::now() < deadline, "no check: {:?}", invocation.outcome()),
            Err(error) => {
                assert!(!["rolled_back", "store_tampered"].contains(&error.code()), "{error}");
                assert!(Instant::now() < deadline, "no check: {error}");
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// `SplitMix64`: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % count
    }
}
