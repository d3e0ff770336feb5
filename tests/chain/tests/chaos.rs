//! A feed on two chains while everything goes wrong: exchanges lie, freeze and talk nonsense, two of them together; nodes lie and fall silent; blocks do not come,
//! are dear, and are taken back; the appliance is killed. No wrong answer lands, sequences rise, nothing is paid for twice, and nothing is stuck.
//!
//! `R3E_CHAOS_S` says for how many seconds (60: everything once at the least); `R3E_CHAOS_SEED` in which order.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use behind_fronts::Behind;
use r3e_chain_under_test::{Account, Anvil, Contract, FeedContract, HttpNodes, NeoAccount, NeoFeed, NeoGo};
use r3e_client::TenantChannel;
use r3e_e2e::exchanges::{EXCHANGES, Exchanges, Manner as Says};
use r3e_e2e::front::Manner;
use r3e_neo::Hash160;
use r3e_proto::api::transactions::{Kind, Outcome, Stage};
use r3e_proto::report::FeedId;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const CHAIN: u64 = Anvil::CHAIN;
/// The first price, in cents.
const FIRST: i128 = 6_400_000;
/// How long an honest price may have been over when a round looked at it: a source's age, and a round.
const LATE: Duration = Duration::from_secs(4);
/// The longest that what was signed may wait for its block, and that consumers wait for the right answer once all is well again.
const STUCK: Duration = Duration::from_mins(1);

/// Says what comes next, the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// How many things can go wrong.
const WRONGS: u64 = 9;
/// Between two of them.
const BETWEEN: Duration = Duration::from_secs(5);

/// What goes wrong next: each once, in some order, and then again.
struct Wrongs {
    dice: Dice,
    left: Vec<u64>,
}

impl Wrongs {
    fn next(&mut self) -> u64 {
        if self.left.is_empty() {
            self.left = (0..WRONGS).collect();
        }
        let at = self.dice.roll(self.left.len() as u64);
        self.left.swap_remove(usize::try_from(at).unwrap())
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What honest exchanges said, second by second.
#[derive(Default)]
struct Honest(BTreeMap<u64, (i128, i128)>);

impl Honest {
    fn say(&mut self, price: i128) {
        let range = self.0.entry(now_s()).or_insert((price, price));
        *range = (range.0.min(price), range.1.max(price));
    }

    /// Whether a report that was observed then may have this answer.
    fn has(&self, observed_at_s: u64, answer: i128) -> bool {
        let from = observed_at_s - LATE.as_secs();
        let said = self.0.range(..from).next_back().into_iter().chain(self.0.range(from..=observed_at_s + 1));
        let (least, most) = said.fold((i128::MAX, i128::MIN), |(least, most), (_, range)| {
            (least.min(range.0), most.max(range.1))
        });
        (least..=most).contains(&answer)
    }
}

/// What consumers read: round, answer, when it was observed.
type Round = (i128, i128, u64);

struct World {
    anvil: Arc<Anvil>,
    neogo: NeoGo,
    aggregator: Contract,
    reader: Account,
    admin: NeoAccount,
    feed: Hash160,
}

impl World {
    async fn on_anvil(&self) -> Option<Round> {
        // As it is kept: `latestRoundData` shows no time beyond that of its block.
        let asked = self.aggregator.ask(&self.anvil, self.reader.address, ("latest", &[])).await.ok()?;
        let number = |at: usize| i128::from_be_bytes(asked[at][16..].try_into().unwrap());
        // Answer, when it was observed, for how long it holds, epoch, sequence.
        let (answer, observed_at, sequence) = (number(0), number(1), number(4));
        Some((sequence, answer, u64::try_from(observed_at).unwrap())).filter(|_| sequence > 0)
    }

    async fn on_neo(&self) -> Option<Round> {
        let asked = self.admin.ask(&self.neogo, self.feed, "latestRoundData", &[]).await.ok()?;
        let items = asked.stack.first()?["value"].as_array()?.clone();
        let number = |at: usize| items.get(at)?["value"].as_str()?.parse::<i128>().ok();
        Some((number(0)?, number(1)?, u64::try_from(number(2)?).ok()?))
    }
}

async fn wallet(channel: &mut TenantChannel, name: &str, key_type: &str, rules: Value) -> String {
    let mut policy = json!({ "window": { "seconds": 600, "max_signatures": 1_000 } });
    policy.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    let create = serde_json::from_value(json!({ "key_type": key_type, "policy": policy })).unwrap();
    channel.create_wallet(name, &create).await.unwrap().wallet.address
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
#[expect(clippy::too_many_lines, reason = "a story that is read from the top")]
async fn a_feed_holds_while_everything_goes_wrong() -> anyhow::Result<()> {
    let (seconds, start) = (setting("R3E_CHAOS_S", 60), setting("R3E_CHAOS_SEED", 7));
    println!("R3E_CHAOS_S={seconds} R3E_CHAOS_SEED={start}");
    let (mut dice, mut walk) = (Dice::of(start), Dice::of(start + 1));
    let mut next = Wrongs { dice: Dice::of(start + 2), left: Vec::new() };
    let (anvil, neogo) = (Arc::new(Anvil::start().await?), NeoGo::start().await?);
    let exchanges = Exchanges::start("64000.00").await;
    let (mut honest, mut price) = (Honest::default(), FIRST);
    honest.say(price);
    let beside = (exchanges.authority().to_owned(), exchanges.resolve_rules());
    let networks =
        [(format!("eip155:{CHAIN}"), anvil.port()), (format!("neo-n3:{}", NeoGo::MAGIC), neogo.port())];
    let Behind { fronts, mut appliance, alice } = behind_fronts::start_all(&networks, "", beside).await;
    let mut channel = alice.channel().await;

    // The contracts, wallets that may bring reports there, and the feed.
    let mut definition = json!({
        "pair": "BTC/USD", "sources": EXCHANGES.map(|(id, ..)| id), "interval_ms": 1_000, "timeout_ms": 800,
        "policy": {
            "decimals": 2, "deviation_bps": 10, "heartbeat_ms": 10_000, "validity_ms": 120_000, "frozen_rounds": 3,
            "max_age_ms": 3_000,
        },
    });
    let made = channel.set_feed("btc-usd", &serde_json::from_value(definition.clone())?).await?;
    let key = channel.oracle_key().await?;
    let (id, config, attestation) = (FeedId::named("btc-usd").unwrap().0, made.config_digest.0, [0xa7; 32]);
    let settings = FeedContract { id, decimals: 2, history: 0, signer: key.evm_address, config, attestation };
    let mut deployer = Account::number(0, CHAIN)?;
    let aggregator = Contract::deploy_feed(&anvil, &mut deployer, settings).await?;
    let admin = NeoAccount::new(1)?;
    neogo.give(&admin.address(), 500).await?;
    let signer = key.neo_public_key.0.as_slice().try_into()?;
    let feed = admin.deploy_feed(&neogo, NeoFeed { id, decimals: 2, signer, config, attestation }).await?;
    // What is given up is replaced by nothing, sent to the account itself.
    let account = wallet(
        &mut channel,
        "feeder",
        "secp256k1",
        json!({ "chains": [{
        "chain_id": CHAIN, "max_value": "0", "max_fee": "1000000000000000000", "max_spend": "900000000000000000000",
        "recipients": "any",
    }] }),
    );
    let account = account.await;
    let node = HttpNodes::new(&[anvil.port()]);
    node.ask("anvil_setBalance", json!([account, "0x3635c9adc5dea00000"])).await?;
    let neo_account = wallet(
        &mut channel,
        "neo-feeder",
        "secp256r1",
        json!({ "neo": [{
        "magic": NeoGo::MAGIC, "max_fee": "30000000", "max_spend": "100000000000",
        "contracts": { "only": [{ "hash": feed, "methods": { "only": ["transmit"] } }] },
    }] }),
    );
    let neo_account = neo_account.await;
    neogo.give(&neo_account, 400).await?;
    let targets =
        [format!("eip155:{CHAIN}:{}", aggregator.address), format!("neo-n3:{}:{feed}", NeoGo::MAGIC)];
    definition["targets"] = json!(targets);
    definition["publish"] = json!([
        { "target": targets[0], "wallet": "feeder", "fee_limit": "20000000000000000" },
        { "target": targets[1], "wallet": "neo-feeder", "fee_limit": "30000000" },
    ]);
    channel.set_feed("btc-usd", &serde_json::from_value(definition)?).await?;
    let world = World {
        anvil: Arc::clone(&anvil),
        neogo,
        aggregator,
        reader: Account::number(1, CHAIN)?,
        admin,
        feed,
    };

    let halted = Arc::new(AtomicBool::new(false));
    let (miner, rests) = (Arc::clone(&anvil), Arc::clone(&halted));
    let mining = tokio::spawn(async move {
        loop {
            sleep(Duration::from_millis(250)).await;
            if !rests.load(Ordering::Relaxed) {
                drop(miner.mine(1).await);
            }
        }
    });

    let mut seen: [BTreeMap<i128, i128>; 2] = Default::default();
    let mut last = [0_i128; 2];
    let mut wrongs = BTreeMap::<&str, u32>::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut healing = Instant::now();
    let mut stuck_for = Duration::ZERO;
    while Instant::now() < end {
        // The price walks; every five seconds something else goes wrong.
        honest.say(price);
        price += i128::from(walk.roll(61)) * 1_000 / 3 - 10_000;
        price = price.clamp(FIRST * 9 / 10, FIRST * 11 / 10);
        honest.say(price);
        exchanges.all_say(&format!("{}.{:02}", price / 100, price % 100));
        if Instant::now() >= healing {
            for (id, ..) in EXCHANGES {
                exchanges.behaves(id, Says::Honest);
            }
            for front in &fronts {
                front.behave(Manner::Honest);
            }
            halted.store(false, Ordering::Relaxed);
            healing = Instant::now() + BETWEEN;
            let one = usize::try_from(dice.roll(7)).unwrap();
            let front = &fronts[usize::try_from(dice.roll(6)).unwrap()];
            let wrong = match next.next() {
                0 => {
                    // Two together, who know what a third may be.
                    for at in [one, (one + 3) % 7] {
                        exchanges.behaves(EXCHANGES[at].0, Says::Lying("71000.00"));
                    }
                    "two exchanges lie together"
                }
                1 => {
                    let says =
                        [Says::Frozen, Says::Html, Says::Nan, Says::Huge, Says::Redirect, Says::Stalled];
                    let says = says[usize::try_from(dice.roll(6)).unwrap()].clone();
                    exchanges.behaves(EXCHANGES[one].0, says.clone());
                    exchanges.behaves(EXCHANGES[(one + 1) % 7].0, says);
                    "two exchanges talk nonsense"
                }
                2 => {
                    front.behave(Manner::Silent);
                    "a node is silent"
                }
                3 => {
                    front.behave(Manner::Lying("\"0x1\"".into(), "\"0x0\"".into()));
                    "a node lies about what became of a transaction"
                }
                4 => {
                    front.behave(Manner::Lying("HALT".into(), "FAULT".into()));
                    "a node lies about what ran"
                }
                5 => {
                    halted.store(true, Ordering::Relaxed);
                    "no block comes"
                }
                6 => {
                    node.ask("anvil_setNextBlockBaseFeePerGas", json!(["0x2e90edd000"])).await?;
                    "gas is dear"
                }
                7 => {
                    let depth = 1 + dice.roll(3);
                    node.ask("anvil_reorg", json!([depth, []])).await?;
                    // Rounds that were taken back may come again, with others between.
                    last[0] = 0;
                    "blocks are taken back"
                }
                _ => {
                    drop(channel);
                    appliance.kill_enclave();
                    appliance.start_enclave();
                    appliance.ready().await;
                    channel = alice.channel().await;
                    "the appliance is killed"
                }
            };
            *wrongs.entry(wrong).or_default() += 1;
        }
        for (at, round) in [world.on_anvil().await, world.on_neo().await].into_iter().enumerate() {
            let Some(round) = round else { continue };
            let (number, answer, observed_at_s) = round;
            assert!(number >= last[at], "sequences rise: {round:?} after {} on {}", last[at], targets[at]);
            last[at] = number;
            assert!(honest.has(observed_at_s, answer), "nobody honest said it: {round:?} on {}", targets[at]);
            let before = seen[at].insert(number, answer);
            assert!(
                before.is_none_or(|before| before == answer),
                "one sequence, two answers: {round:?}, {before:?}"
            );
        }
        stuck_for = stuck_for.max(waiting(&mut channel).await);
        sleep(Duration::from_millis(300)).await;
    }

    // All is well again: the price that stands lands on both.
    for (id, ..) in EXCHANGES {
        exchanges.behaves(id, Says::Honest);
    }
    for front in &fronts {
        front.behave(Manner::Honest);
    }
    halted.store(false, Ordering::Relaxed);
    price += 90_000;
    exchanges.all_say(&format!("{}.{:02}", price / 100, price % 100));
    let healed = Instant::now();
    loop {
        let now = [world.on_anvil().await, world.on_neo().await];
        if now.iter().all(|round| round.is_some_and(|(_, answer, _)| answer == price)) {
            break;
        }
        let published = channel.feed_publications("btc-usd").await?;
        assert!(healed.elapsed() < STUCK, "{price} is not there: {now:?}, {published:?}");
        sleep(Duration::from_millis(300)).await;
    }
    println!("what went wrong: {wrongs:?}");
    let whole = Duration::from_secs(seconds) >= BETWEEN * u32::try_from(WRONGS)? * 5 / 4;
    assert!(!whole || wrongs.len() as u64 == WRONGS, "each of them was to be: {wrongs:?}");
    println!("rounds seen: {} and {}", seen[0].len(), seen[1].len());
    println!("healed in {:?}; the longest wait for a block {stuck_for:?}", healed.elapsed());
    assert!(stuck_for <= STUCK, "what was signed waited for {stuck_for:?}");

    // Each nonce once, each report once: what is in the chain is what was asked for, and was not refused there as known.
    let mut after = None;
    let mut landed = BTreeMap::new();
    loop {
        let page = channel.transactions(after.as_deref()).await?;
        for one in &page.transactions {
            let Some(included) = one.included.as_ref().or(match &one.outcome {
                Some(Outcome::Included(included)) => Some(included),
                _ => None,
            }) else {
                continue;
            };
            let kind = one.attempts.iter().find(|attempt| attempt.hash == included.hash).unwrap().kind;
            assert!(included.succeeded || kind == Kind::Noop, "it was paid for, and refused: {one:?}");
            let report = one.name.rsplit_once('-').unwrap().0.to_owned();
            if kind == Kind::Call {
                assert_eq!(landed.insert(report, one.nonce), None, "twice: {one:?}");
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(!landed.is_empty());
    let transmits = on_neo_by(&HttpNodes::new(&[world.neogo.port()]), &neo_account).await?;
    println!("{} transactions on Ethereum, {} on Neo N3", landed.len(), transmits.len());
    assert!(!transmits.is_empty());
    assert!(transmits.windows(2).all(|two| two[0] < two[1]), "each sequence once: {transmits:?}");
    mining.abort();
    Ok(())
}

/// The sequences that an account's transactions brought, in their order; none of them was refused.
async fn on_neo_by(node: &HttpNodes, account: &str) -> anyhow::Result<Vec<i128>> {
    let count = node.ask("getblockcount", json!([])).await?.as_u64().unwrap();
    let mut sequences = Vec::new();
    for height in 0..count {
        let block = node.ask("getblock", json!([height, true])).await?;
        for transaction in block["tx"].as_array().unwrap().iter().filter(|one| one["sender"] == account) {
            let log = node.ask("getapplicationlog", json!([transaction["hash"]])).await?;
            let run = &log["executions"][0];
            assert_eq!(run["vmstate"], "HALT", "it was paid for, and refused: {log}");
            let said = run["notifications"].as_array().unwrap();
            let updated = said.iter().find(|one| one["eventname"] == "AnswerUpdated").unwrap();
            sequences.push(updated["state"]["value"][1]["value"].as_str().unwrap().parse()?);
        }
    }
    Ok(sequences)
}

/// How long what was signed, and is in no block, waits by now.
async fn waiting(channel: &mut TenantChannel) -> Duration {
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let (mut after, mut oldest_ms) = (None, now_ms);
    loop {
        let page = channel.transactions(after.as_deref()).await.unwrap();
        let pending = page.transactions.iter().filter(|one| one.stage == Stage::Pending);
        let signed = pending.filter_map(|one| one.attempts.first()).map(|attempt| attempt.at_ms);
        oldest_ms = signed.fold(oldest_ms, u64::min);
        after = page.next;
        if after.is_none() {
            return Duration::from_millis(now_ms - oldest_ms);
        }
    }
}
