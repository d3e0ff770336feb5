//! The feed's contract on Neo N3, by `NeoGo`: what it takes, what it refuses, what it costs, and who may change it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use r3e_chain_under_test::{Invoked, NeoAccount, NeoGo};
use r3e_neo::{Argument, Hash160};
use r3e_proto::report::{FeedId, NeoTarget, Report};
use serde_json::Value;

/// The shortest that there is.
const DELAY_SECONDS: u64 = 60;
const CONFIG: [u8; 32] = [7; 32];
const OTHER_CONFIG: [u8; 32] = [8; 32];
const PRICE: i128 = 6_400_012_345_678;
/// A fifth of a GAS.
const MAX_TRANSMIT: i64 = 20_000_000;

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn report(sequence: u64, answer: i128) -> Report {
    Report {
        feed_id: FeedId::named("BTC/USD").unwrap(),
        answer,
        confidence: 1_234_567,
        decimals: 8,
        observed_at_s: now_seconds(),
        valid_until_s: now_seconds() + 86_400,
        sequence,
        sources: 7,
        config_digest: CONFIG,
    }
}

fn authority(signer: &NeoAccount, config: [u8; 32]) -> Argument {
    Argument::Bytes([signer.public.0.as_slice(), &config, &[0xa7; 32]].concat())
}

/// An authority, as it is taken away.
fn named(signer: &NeoAccount, config: [u8; 32]) -> Argument {
    Argument::Bytes([signer.public.0.as_slice(), &config].concat())
}

fn integer(number: i128) -> Argument {
    Argument::Integer(number.into())
}

/// A network with a feed on it.
struct World {
    neogo: NeoGo,
    admin: NeoAccount,
    anyone: NeoAccount,
    signer: NeoAccount,
    feed: Hash160,
}

impl World {
    async fn start() -> anyhow::Result<Self> {
        let neogo = NeoGo::start().await?;
        let [admin, anyone, signer] = [1, 2, 3].map(|seed| NeoAccount::new(seed).unwrap());
        neogo.give(&admin.address(), 500).await?;
        neogo.give(&anyone.address(), 50).await?;
        let settings = Argument::Array(vec![
            Argument::Bytes(FeedId::named("BTC/USD").unwrap().0.to_vec()),
            integer(8),
            Argument::Text("BTC / USD".to_owned()),
            integer(-1_000),
            integer(100_000_000_000_000),
            integer(DELAY_SECONDS.into()),
            Argument::Hash160(admin.hash),
            authority(&signer, CONFIG),
        ]);
        let feed = admin.deploy(&neogo, "feed", settings).await?;
        Ok(Self { neogo, admin, anyone, signer, feed })
    }

    fn target(&self) -> NeoTarget {
        NeoTarget { magic: NeoGo::MAGIC, contract: self.feed.0 }
    }

    fn signed(signer: &NeoAccount, target: NeoTarget, report: &Report) -> [Argument; 2] {
        let signature = signer.sign(&target.report(report));
        [Argument::Bytes(report.encode().to_vec()), Argument::Bytes(signature)]
    }

    /// A report by the signer that holds, brought by whoever likes.
    async fn take(&self, report: &Report) -> Result<Invoked, String> {
        let arguments = Self::signed(&self.signer, self.target(), report);
        let taken = self.anyone.invoke(&self.neogo, self.feed, "transmit", &arguments).await;
        taken.map_err(|error| error.to_string())
    }

    /// The same, tried alone.
    async fn refused(&self, signer: &NeoAccount, target: NeoTarget, report: &Report) -> Option<String> {
        self.ask("transmit", &Self::signed(signer, target, report)).await.err()
    }

    async fn ask(&self, method: &str, arguments: &[Argument]) -> Result<Value, String> {
        let asked = self.anyone.ask(&self.neogo, self.feed, method, arguments).await;
        asked.map(|done| done.stack.first().cloned().unwrap_or_default()).map_err(|error| error.to_string())
    }

    async fn administer(&self, method: &str, arguments: &[Argument]) -> Result<Invoked, String> {
        let done = self.admin.invoke(&self.neogo, self.feed, method, arguments).await;
        done.map_err(|error| error.to_string())
    }

    /// The numbers of the last round.
    async fn latest(&self) -> Vec<i128> {
        let latest = self.ask("latestRoundData", &[]).await.unwrap();
        let items = latest["value"].as_array().unwrap();
        let numbers = items.iter().filter_map(|item| item["value"].as_str());
        numbers.map(|number| number.parse().unwrap()).collect()
    }
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_feed_is_read_by_its_consumers_and_takes_what_was_signed_for_it() -> anyhow::Result<()> {
    let world = World::start().await?;
    assert_eq!(world.ask("latestRoundData", &[]).await, Err("NoData".to_owned()));
    let good = report(5, PRICE);
    for round in [good, Report { sequence: 6, answer: -1, ..good }, Report { sequence: 7, ..good }] {
        let taken = world.take(&round).await.map_err(anyhow::Error::msg)?;
        assert_eq!(taken.events, ["AnswerUpdated"]);
        let cost = taken.system_fee + taken.network_fee;
        println!(
            "report {} takes {cost} of 10^-8 GAS, the network's fee in it {}",
            round.sequence, taken.network_fee
        );
        // The first one pays for its place, for good.
        assert!(round.sequence == 5 || taken.system_fee <= MAX_TRANSMIT, "{cost}");
        let [at, until] = [round.observed_at_s, round.valid_until_s].map(i128::from);
        assert_eq!(
            world.latest().await,
            [round.sequence.into(), round.answer, at, until, 1_234_567, 7, 1],
            "{round:?}"
        );
    }
    let feed = Argument::Hash160(world.feed);
    let consumer = world.admin.deploy(&world.neogo, "consumer", feed).await?;
    let worth = world.anyone.ask(&world.neogo, consumer, "worth", &[integer(3)]).await?;
    assert_eq!(worth.stack[0]["value"], (3 * PRICE).to_string());

    // What was not signed for this contract, or is none of its reports.
    let target = world.target();
    let next = Report { sequence: 8, ..good };
    for (target, report) in [
        (NeoTarget { contract: [9; 20], ..target }, next),
        (NeoTarget { magic: 860_833_102, ..target }, next),
        (target, Report { feed_id: FeedId::named("ETH/USD").unwrap(), ..next }),
        (target, Report { decimals: 9, ..next }),
        (target, Report { config_digest: OTHER_CONFIG, ..next }),
    ] {
        let refused = world.refused(&world.signer, target, &report).await;
        assert_eq!(refused.as_deref(), Some("NotSigned"), "{report:?}");
    }
    let by_another = world.refused(&world.anyone, target, &next).await;
    assert_eq!(by_another.as_deref(), Some("NotSigned"));
    let signed = World::signed(&world.signer, target, &next);
    let [Argument::Bytes(bytes), Argument::Bytes(signature)] = &signed else { unreachable!() };
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let refused = world
            .ask("transmit", &[Argument::Bytes(changed), Argument::Bytes(signature.clone())])
            .await
            .err()
            .unwrap_or_default();
        assert!(!refused.is_empty(), "byte {index}");
    }
    for (report, why) in [
        (good, "NotNewer"),
        (Report { sequence: 7, ..good }, "NotNewer"),
        (Report { answer: -1_001, ..next }, "AnswerOutOfRange"),
        (Report { answer: 100_000_000_000_001, ..next }, "AnswerOutOfRange"),
        (Report { observed_at_s: now_seconds() + 80_000, ..next }, "FromTheFuture"),
        (Report { observed_at_s: good.observed_at_s - 1, ..next }, "NotNewer"),
        (Report { valid_until_s: good.observed_at_s + 604_801, ..next }, "ValidTooLong"),
    ] {
        let refused = world.refused(&world.signer, target, &report).await;
        assert_eq!(refused.as_deref(), Some(why), "{report:?}");
    }
    for malformed in [&bytes[..121], &[bytes.as_slice(), &[0]].concat()] {
        let arguments = [Argument::Bytes(malformed.to_vec()), Argument::Bytes(signature.clone())];
        assert_eq!(world.ask("transmit", &arguments).await, Err("Malformed".to_owned()));
    }
    assert_eq!(world.refused(&world.signer, target, &next).await, None);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_signer_holds_after_everybody_could_look_at_it_and_roles_do_what_they_may() -> anyhow::Result<()> {
    let world = World::start().await?;
    let next = NeoAccount::new(4)?;
    let proposed = [authority(&next, OTHER_CONFIG)];
    for (method, arguments) in [
        ("propose", proposed.to_vec()),
        ("revoke", vec![named(&next, OTHER_CONFIG)]),
        ("setPaused", vec![Argument::Boolean(true)]),
        ("offerAdmin", vec![Argument::Hash160(world.anyone.hash)]),
    ] {
        assert_eq!(world.ask(method, &arguments).await, Err("NotAdmin".to_owned()), "{method}");
    }
    assert_eq!(world.ask("acceptAdmin", &[]).await, Err("NotPendingAdmin".to_owned()));
    assert_eq!(world.ask("activate", &[]).await, Err("NothingProposed".to_owned()));

    let early = Report { config_digest: OTHER_CONFIG, ..report(1, PRICE) };
    world.administer("propose", &proposed).await.map_err(anyhow::Error::msg)?;
    let target = world.target();
    assert_eq!(world.refused(&next, target, &early).await.as_deref(), Some("NotSigned"));
    assert_eq!(world.ask("activate", &[]).await, Err("TooEarly".to_owned()));
    let holds = [authority(&world.signer, CONFIG)];
    assert_eq!(world.administer("propose", &holds).await.err().as_deref(), Some("HoldsAlready"));
    world.take(&report(9, PRICE)).await.map_err(anyhow::Error::msg)?;
    world.administer("setPaused", &[Argument::Boolean(true)]).await.map_err(anyhow::Error::msg)?;
    assert_eq!(world.refused(&world.signer, target, &report(10, PRICE)).await.as_deref(), Some("Paused"));
    world.administer("setPaused", &[Argument::Boolean(false)]).await.map_err(anyhow::Error::msg)?;
    world
        .administer("offerAdmin", &[Argument::Hash160(world.anyone.hash)])
        .await
        .map_err(anyhow::Error::msg)?;

    // The chain's own clock: nobody can put it forward here.
    tokio::time::sleep(Duration::from_secs(DELAY_SECONDS + 2)).await;
    let ours = |sequence| Report { config_digest: OTHER_CONFIG, ..report(sequence, PRICE) };
    assert_eq!(world.refused(&next, target, &ours(10)).await, None);
    assert_eq!(
        world.refused(&world.signer, target, &report(10, PRICE)).await,
        None,
        "the one before, as well"
    );
    world.anyone.invoke(&world.neogo, world.feed, "activate", &[]).await?;
    assert_eq!(world.refused(&world.signer, target, &report(10, PRICE)).await.as_deref(), Some("NotSigned"));
    // In its own epoch it counts anew.
    assert_eq!(world.refused(&next, target, &ours(1)).await, None);
    assert_eq!(world.latest().await[..2], [9, PRICE]);

    world.anyone.invoke(&world.neogo, world.feed, "acceptAdmin", &[]).await?;
    let gone = [named(&next, OTHER_CONFIG)];
    assert_eq!(world.administer("revoke", &gone).await.err().as_deref(), Some("NotAdmin"));
    assert_eq!(
        world.ask("revoke", &[named(&world.signer, CONFIG)]).await,
        Err("NothingRevoked".to_owned()),
        "it held before"
    );
    world.anyone.invoke(&world.neogo, world.feed, "revoke", &gone).await?;
    assert_eq!(world.refused(&next, target, &ours(1)).await.as_deref(), Some("NotSigned"));
    let latest = world.ask("latestRoundData", &[]).await.map_err(anyhow::Error::msg)?;
    assert_eq!(latest["value"][6]["value"], false, "what was said before a revocation is not fresh");
    Ok(())
}
