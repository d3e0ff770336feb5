//! The feed's contract on anvil: what it takes, what it refuses, what it costs, and who may change it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::{SystemTime, UNIX_EPOCH};

use k256::ecdsa::SigningKey;
use r3e_chain::evm::{EvmAddress, keccak256};
use r3e_chain_under_test::{Account, Anvil, Contract, FeedContract, HttpNodes, Sent, Word, of_address, word};
use r3e_proto::report::{EvmTarget, FeedId, Report};
use serde_json::json;

const DELAY_SECONDS: u64 = FeedContract::DELAY_SECONDS;
const CONFIG: [u8; 32] = [7; 32];
const OTHER_CONFIG: [u8; 32] = [8; 32];
const ATTESTATION: Word = FeedContract::ATTESTATION;

/// An enclave's key.
struct Signer(SigningKey);

impl Signer {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    fn address(&self) -> EvmAddress {
        let point = self.0.verifying_key().to_sec1_point(false);
        let hash = keccak256(&[&point.as_bytes()[1..]]);
        EvmAddress(hash[12..].try_into().unwrap())
    }

    /// The arguments by which `report` is brought to `target`.
    fn signed(&self, target: EvmTarget, report: &Report) -> Vec<Word> {
        let digest = target.report_digest(report).unwrap();
        let (signature, recovery) = self.0.sign_prehash_recoverable(&digest);
        let (r, s) = signature.split_bytes();
        let mut vs: Word = s.into();
        vs[0] |= u8::from(recovery.is_y_odd()) << 7;
        let Report { answer, confidence, observed_at_s, valid_until_s, sequence, sources, .. } = *report;
        vec![
            word(answer),
            word(i128::try_from(confidence).unwrap()),
            word(observed_at_s),
            word(valid_until_s),
            word(sequence),
            word(sources),
            report.config_digest,
            r.into(),
            vs,
        ]
    }
}

/// A round's number.
fn round_id(epoch: i128, sequence: i128) -> Word {
    word((epoch << 64) | sequence)
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A chain with a feed on it.
struct World {
    anvil: Anvil,
    admin: Account,
    anyone: Account,
    signer: Signer,
    feed: Contract,
}

impl World {
    async fn start(chain: u64, history: u8) -> Self {
        let anvil = Anvil::start_as(chain).await.unwrap();
        let (mut admin, anyone) = (Account::number(0, chain).unwrap(), Account::number(1, chain).unwrap());
        let signer = Signer::new(1);
        let id = FeedId::named("BTC/USD").unwrap().0;
        let settings = FeedContract {
            id,
            decimals: 8,
            history,
            signer: signer.address(),
            config: CONFIG,
            attestation: ATTESTATION,
        };
        let feed = Contract::deploy_feed(&anvil, &mut admin, settings).await.unwrap();
        Self { anvil, admin, anyone, signer, feed }
    }

    fn target(&self) -> EvmTarget {
        EvmTarget { chain_id: self.anvil.chain(), contract: self.feed.address }
    }

    async fn transmit(&mut self, arguments: &[Word]) -> Result<Sent, String> {
        let sent = self.feed.send(&self.anvil, &mut self.anyone, ("transmit", arguments)).await;
        sent.map_err(|error| error.to_string())
    }

    /// A report by the signer that holds.
    async fn take(&mut self, report: &Report) -> Result<Sent, String> {
        let arguments = self.signer.signed(self.target(), report);
        self.transmit(&arguments).await
    }

    async fn administer(&mut self, function: &str, arguments: &[Word]) -> Result<(), String> {
        let sent = self.feed.send(&self.anvil, &mut self.admin, (function, arguments)).await;
        sent.map(drop).map_err(|error| error.to_string())
    }

    async fn ask(&self, function: &str, arguments: &[Word]) -> Result<Vec<Word>, String> {
        let asked = self.feed.ask(&self.anvil, self.anyone.address, (function, arguments)).await;
        asked.map_err(|error| error.to_string())
    }

    async fn latest(&self) -> Vec<Word> {
        self.ask("latestRoundData", &[]).await.unwrap()
    }

    /// The chain's clock goes on.
    async fn later(&self, seconds: u64) {
        let node = HttpNodes::new(&[self.anvil.port()]);
        node.ask("evm_increaseTime", json!([seconds])).await.unwrap();
        self.anvil.mine(1).await.unwrap();
    }
}

fn report(sequence: u64, answer: i128) -> Report {
    Report {
        feed_id: FeedId::named("BTC/USD").unwrap(),
        answer,
        confidence: 1_234_567,
        decimals: 8,
        // No later than the block that has it: a chain's clock may be a second behind.
        observed_at_s: now_seconds() - 5,
        valid_until_s: now_seconds() + 86_400,
        sequence,
        sources: 7,
        config_digest: CONFIG,
    }
}

const PRICE: i128 = 6_400_012_345_678;

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_feed_is_read_by_its_consumers_on_every_chain_at_one_cost() {
    for chain in [1, 31_337, 138] {
        let mut world = World::start(chain, 0).await;
        assert_eq!(world.ask("latestRoundData", &[]).await, Err("NoData".to_owned()));
        let mut reported = report(1, PRICE);
        let sent = world.take(&reported).await.unwrap();
        assert_eq!(sent.topics.len(), 1);
        let at = word(reported.observed_at_s);
        let first = round_id(0, 1);
        assert_eq!(world.latest().await, [first, word(PRICE), at, at, first]);
        let consumer = [of_address(world.feed.address), word(3_600)];
        let consumer =
            Contract::deploy(&world.anvil, &mut world.admin, "PriceConsumer", consumer.as_flattened());
        let consumer = consumer.await.unwrap();
        let from = world.anyone.address;
        let worth = consumer.ask(&world.anvil, from, ("worth", &[word(3)])).await.unwrap();
        assert_eq!(worth, [word(3 * PRICE)]);

        // Each costs the same, whatever came before.
        for sequence in 2..=5 {
            reported = Report { sequence, answer: PRICE + i128::from(sequence), ..reported };
            let gas = world.take(&reported).await.unwrap().gas;
            assert!(gas <= 39_000, "report {sequence} took {gas} gas, the first one {}", sent.gas);
        }
        assert_eq!(world.ask("getRoundData", &[word(5)]).await.unwrap()[..2], [word(5), word(PRICE + 5)]);
        assert_eq!(world.ask("getRoundData", &[word(4)]).await, Err("NoData".to_owned()), "none is kept");
        let [sources, bps] = [7, 1];
        let latest = world.ask("latest", &[]).await.unwrap();
        let valid = word(reported.valid_until_s - reported.observed_at_s);
        assert_eq!(latest[1..], [at, valid, word(0), word(5), word(sources), word(bps), word(1)]);

        world.later(3_601).await;
        let old = consumer.ask(&world.anvil, from, ("worth", &[word(3)])).await;
        assert_eq!(old.unwrap_err().to_string(), "TooOld");
        world.later(86_400).await;
        assert_eq!(world.ask("latest", &[]).await.unwrap()[7], word(0), "its time is over");
    }
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn so_many_rounds_are_kept_as_were_chosen() {
    let mut world = World::start(Anvil::CHAIN, 32).await;
    let mut costs = Vec::new();
    // One in between was never brought.
    for sequence in (1..=40).filter(|sequence| *sequence != 20) {
        costs.push(world.take(&report(sequence, PRICE + i128::from(sequence))).await.unwrap().gas);
    }
    let round = world.ask("getRoundData", &[word(9)]).await.unwrap();
    assert_eq!(round[..2], [word(9), word(PRICE + 9)]);
    for gone in [0, 1, 8, 20, 41, 1_i128 << 70] {
        assert_eq!(world.ask("getRoundData", &[word(gone)]).await, Err("NoData".to_owned()), "{gone}");
    }
    assert!(costs.iter().all(|gas| *gas <= 44_500), "{costs:?}");
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn what_was_not_signed_for_this_contract_is_refused() {
    let mut world = World::start(Anvil::CHAIN, 0).await;
    let (target, good) = (world.target(), report(5, PRICE));
    let elsewhere = EvmTarget { contract: EvmAddress([9; 20]), ..target };
    let other_chain = EvmTarget { chain_id: 1, ..target };
    let other_feed = Report { feed_id: FeedId::named("ETH/USD").unwrap(), ..good };
    let other_decimals = Report { decimals: 9, ..good };
    let other_rules = Report { config_digest: OTHER_CONFIG, ..good };
    for (target, report) in [
        (elsewhere, good),
        (other_chain, good),
        (target, other_feed),
        (target, other_decimals),
        (target, other_rules),
    ] {
        let arguments = world.signer.signed(target, &report);
        assert_eq!(world.transmit(&arguments).await, Err("NotSigned".to_owned()), "{report:?}");
    }
    let arguments = Signer::new(2).signed(target, &good);
    assert_eq!(world.transmit(&arguments).await, Err("NotSigned".to_owned()), "another's key");
    // Each word changed by one: none is left out of what is signed.
    let signed = world.signer.signed(target, &good);
    for index in 0..signed.len() {
        let mut changed = signed.clone();
        changed[index][31] ^= 1;
        assert_eq!(world.transmit(&changed).await, Err("NotSigned".to_owned()), "word {index}");
    }
    let mut nothing = signed.clone();
    (nothing[7], nothing[8]) = ([0; 32], [0; 32]);
    assert_eq!(world.transmit(&nothing).await, Err("NotSigned".to_owned()), "the key of nobody");

    let hour_ago = Report { valid_until_s: now_seconds() - 3_600, observed_at_s: 1, ..good };
    let tomorrow = Report { observed_at_s: now_seconds() + 80_000, ..good };
    for (report, why) in [
        (Report { sequence: 0, ..good }, "NotNewer"),
        (Report { sequence: 1 << 48, ..good }, "SequenceOutOfRange"),
        (Report { answer: 999, ..good }, "AnswerOutOfRange"),
        (Report { answer: -PRICE, ..good }, "AnswerOutOfRange"),
        (Report { answer: 100_000_000_000_001, ..good }, "AnswerOutOfRange"),
        (Report { valid_until_s: good.observed_at_s + 604_801, ..good }, "ValidTooLong"),
        (Report { valid_until_s: u64::MAX >> 1, ..good }, "ValidTooLong"),
        (hour_ago, "Expired"),
        (tomorrow, "FromTheFuture"),
    ] {
        let arguments = world.signer.signed(target, &report);
        assert_eq!(world.transmit(&arguments).await, Err(why.to_owned()), "{report:?}");
    }
    assert_eq!(world.transmit(&signed).await.map(|sent| sent.topics.len()), Ok(1));
    assert_eq!(world.transmit(&signed).await, Err("NotNewer".to_owned()), "the same again");
    let older = Report { sequence: 4, ..good };
    assert_eq!(world.take(&older).await, Err("NotNewer".to_owned()));
    let back = Report { sequence: 6, observed_at_s: good.observed_at_s - 1, ..good };
    assert_eq!(world.take(&back).await, Err("NotNewer".to_owned()), "time does not go back");
    assert_eq!(world.latest().await[0], word(5));
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_signer_holds_after_everybody_could_look_at_it_and_goes_at_once() {
    let mut world = World::start(Anvil::CHAIN, 0).await;
    let next = Signer::new(2);
    let proposed = [of_address(next.address()), OTHER_CONFIG, ATTESTATION];
    let by_next = |world: &World, sequence| {
        next.signed(world.target(), &Report { config_digest: OTHER_CONFIG, ..report(sequence, PRICE) })
    };
    world.administer("propose", &proposed).await.unwrap();
    let arguments = by_next(&world, 1);
    assert_eq!(world.transmit(&arguments).await, Err("NotSigned".to_owned()), "its time has not come");
    assert_eq!(world.administer("activate", &[]).await, Err("TooEarly".to_owned()));
    world.later(DELAY_SECONDS).await;
    assert_eq!(world.transmit(&arguments).await.map(|_| ()), Ok(()));
    assert_eq!(world.take(&report(2, PRICE)).await.map(|_| ()), Ok(()), "the one before holds as well");

    // Anybody puts it in the other's place, which signs no more.
    let from = &mut world.anyone;
    world.feed.send(&world.anvil, from, ("activate", &[])).await.unwrap();
    assert_eq!(world.take(&report(3, PRICE)).await, Err("NotSigned".to_owned()));
    assert_eq!(world.ask("latest", &[]).await.unwrap()[7], word(1), "what the one before said stands");
    // It counts anew: no number that another key signed can stand in its way.
    let arguments = by_next(&world, 1);
    assert_eq!(world.transmit(&arguments).await.map(|_| ()), Ok(()));
    assert_eq!(world.latest().await[0], round_id(1, 1));
    let authority = world.ask("authorityOf", &proposed[..2]).await.unwrap()[0];
    assert_eq!(world.ask("attestationOf", &[authority]).await.unwrap(), [ATTESTATION]);

    assert_eq!(world.administer("propose", &proposed).await, Err("HoldsAlready".to_owned()));
    let third = [of_address(Signer::new(3).address()), CONFIG, ATTESTATION];
    let named = world.ask("authorityOf", &third[..2]).await.unwrap()[0];
    world.administer("propose", &third).await.unwrap();
    world.administer("revoke", &[named]).await.unwrap();
    world.later(DELAY_SECONDS).await;
    assert_eq!(world.administer("activate", &[]).await, Err("NothingProposed".to_owned()));
    assert_eq!(world.administer("revoke", &[named]).await, Err("NothingRevoked".to_owned()));
    assert_eq!(world.administer("revoke", &[[0; 32]]).await, Err("NothingRevoked".to_owned()));
    world.administer("revoke", &[authority]).await.unwrap();
    let arguments = by_next(&world, 4);
    assert_eq!(world.transmit(&arguments).await, Err("NotSigned".to_owned()));
    assert_eq!(world.ask("latest", &[]).await.unwrap()[7], word(0), "what it said last is not fresh");
    let other = [third[0], CONFIG, [0xa8; 32]];
    assert_eq!(world.administer("propose", &other).await, Err("OtherAttestation".to_owned()));
    for (arguments, why) in [
        ([[0; 32], CONFIG, ATTESTATION], "NoSigner"),
        ([of_address(next.address()), CONFIG, [0; 32]], "NoAttestation"),
    ] {
        assert_eq!(world.administer("propose", &arguments).await, Err(why.to_owned()));
    }
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn roles_do_what_they_may_and_nobody_else_does() {
    let mut world = World::start(Anvil::CHAIN, 0).await;
    let yes = word(1);
    let mut nobody = [0; 32];
    nobody[0] = 1;
    let anyone = of_address(world.anyone.address);
    for (function, arguments) in [
        ("propose", vec![anyone, CONFIG, ATTESTATION]),
        ("revoke", vec![nobody]),
        ("setTransmitter", vec![anyone, yes]),
        ("setRestricted", vec![yes]),
        ("setPaused", vec![yes]),
        ("offerAdmin", vec![anyone]),
    ] {
        let asked = world.ask(function, &arguments).await;
        assert_eq!(asked, Err("NotAdmin".to_owned()), "{function}");
    }
    assert_eq!(world.ask("acceptAdmin", &[]).await, Err("NotPendingAdmin".to_owned()));

    world.administer("setRestricted", &[yes]).await.unwrap();
    assert_eq!(world.take(&report(1, PRICE)).await, Err("NotTransmitter".to_owned()));
    world.administer("setTransmitter", &[anyone, yes]).await.unwrap();
    assert_eq!(world.take(&report(1, PRICE)).await.map(|_| ()), Ok(()));
    world.administer("setPaused", &[yes]).await.unwrap();
    assert_eq!(world.take(&report(2, PRICE)).await, Err("Paused".to_owned()));
    assert_eq!(world.ask("latest", &[]).await.unwrap()[7], word(0));
    world.administer("setPaused", &[word(0)]).await.unwrap();
    assert_eq!(world.take(&report(2, PRICE)).await.map(|_| ()), Ok(()));
    assert_eq!(world.ask("state", &[]).await.unwrap(), [yes, word(0), word(0), word(2)]);

    // The role goes over once who is to have it takes it.
    world.administer("offerAdmin", &[anyone]).await.unwrap();
    world.feed.send(&world.anvil, &mut world.anyone, ("acceptAdmin", &[])).await.unwrap();
    assert_eq!(world.administer("revoke", &[nobody]).await, Err("NotAdmin".to_owned()));
    assert_eq!(world.ask("admin", &[]).await.unwrap(), [anyone]);
}
