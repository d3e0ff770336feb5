//! Rounds of a feed, one rule after the other.
mod world;

use r3e_oracle::decimal::DecimalError;
use r3e_oracle::feed::{
    Answer, Fate, Feed, FeedDefinition, FeedError, Input, Outcome, Policy, Reason, RoundError, Said, Source,
    State, aggregate,
};
use r3e_oracle::venue::{Observation, ReadError, ValueError, built_in};
use r3e_proto::report::FeedId;
use world::{NOW_MS, fates, feed, id, number, observed, policy, round, step};

const CALM: [&str; 7] = ["100", "100.1", "100.2", "100.3", "100.4", "100.5", "100.6"];

fn calm() -> Feed {
    feed(&[100; 7], policy())
}

#[test]
fn a_first_round_publishes() {
    let feed = calm();
    let first = step(&feed, NOW_MS, &round(&CALM, NOW_MS), &State::default());
    let Outcome::Publish(publication) = first.outcome else { panic!("{:?}", first.outcome) };
    assert_eq!(publication.answer, Answer { units: 10_030_000_000, confidence: 20_000_000, sources: 7 });
    assert_eq!((publication.sequence, publication.observed_at_s), (1, NOW_MS / 1_000));
    assert_eq!(publication.valid_until_s, NOW_MS / 1_000 + 3_600);
    assert_eq!(first.state.sequence, 1);
    let report = publication.report(feed.id(), [9; 32]).unwrap();
    assert_eq!((report.answer, report.decimals, report.sources, report.sequence), (10_030_000_000, 8, 7, 1));
    // What is kept can be written down.
    let text = serde_json::to_string(&first.state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), first.state);
}

#[test]
fn what_a_source_is_left_out_for() {
    let feed = feed(&[100; 9], Policy { min_volume: Some(number("1000")), ..policy() });
    let observation =
        Observation { price: number("100"), volume: Some(number("1000")), time_ms: Some(NOW_MS) };
    let said = |observation| Said::Observation { observation, received_ms: NOW_MS };
    let error = ReadError::Value { field: "price", error: ValueError::Number(DecimalError::Form) };
    let heard = [
        said(observation),
        said(Observation { time_ms: Some(NOW_MS - 60_001), ..observation }),
        said(Observation { time_ms: Some(NOW_MS + 2_001), ..observation }),
        said(Observation { volume: Some(number("999.99")), ..observation }),
        said(Observation { volume: None, ..observation }),
        said(Observation { price: number("0.000000001"), ..observation }),
        Said::unreachable(&"x".repeat(1_000)),
        Said::Unreadable(error.clone()),
    ];
    let input = |(at, said)| Input { source: id(at), said };
    let inputs: Vec<_> = heard.into_iter().enumerate().map(input).collect();
    let all = step(&feed, NOW_MS, &inputs, &State::default());
    let min = number("1000");
    let expected = [
        Fate::Counted,
        Fate::Stale { age_ms: 60_001, max_ms: 60_000 },
        Fate::Ahead { ahead_ms: 2_001, max_ms: 2_000 },
        Fate::Thin { volume: Some(number("999.99")), min },
        Fate::Thin { volume: None, min },
        Fate::OutOfBounds { price: number("0.000000001") },
        Fate::Unreachable("x".repeat(256)),
        Fate::Unreadable(error),
        Fate::Silent,
    ];
    assert_eq!(fates(&all), expected.iter().collect::<Vec<_>>());
    assert_eq!(all.outcome, Outcome::Nothing(Reason::TooFew { counted: 1, needed: 6, sources: 9 }));
    assert_eq!(all.state.sequence, 0);
    for fate in &all.fates {
        assert!(!fate.fate.to_string().is_empty());
    }
}

#[test]
fn without_a_time_the_answer_s_arrival_counts() {
    let feed = calm();
    let said = |at: usize, received_ms| {
        let observation = Observation { price: number(CALM[at]), volume: None, time_ms: None };
        Input { source: id(at), said: Said::Observation { observation, received_ms } }
    };
    let inputs: Vec<_> = (0..7).map(|at| said(at, NOW_MS - if at == 3 { 60_001 } else { 0 })).collect();
    let step = step(&feed, NOW_MS, &inputs, &State::default());
    assert_eq!(fates(&step)[3], &Fate::Stale { age_ms: 60_001, max_ms: 60_000 });
    assert!(matches!(step.outcome, Outcome::Publish(publication) if publication.answer.sources == 6));
}

#[test]
fn a_frozen_source_stops_counting() {
    let feed = calm();
    let mut state = State::default();
    for number in 1..=7_u32 {
        let now_ms = NOW_MS + u64::from(number) * 1_000;
        let mut inputs = round(&CALM, now_ms);
        inputs[0] = observed(0, world::number("100"), NOW_MS);
        // Its price stands still, its clock does not: it trades.
        inputs[1] = observed(1, world::number("100.1"), now_ms);
        let step = step(&feed, now_ms, &inputs, &state);
        let frozen = Fate::Frozen { rounds: number };
        assert_eq!(fates(&step)[0], if number < 5 { &Fate::Counted } else { &frozen });
        assert_eq!(fates(&step)[1], &Fate::Counted);
        state = step.state;
    }
    // Without a time, the volume says whether anything happens.
    let mut state = State::default();
    for number in 1..=7_u32 {
        let now_ms = NOW_MS + u64::from(number) * 1_000;
        let mut inputs = round(&CALM, now_ms);
        for (at, volume) in [(0, "5".to_owned()), (1, number.to_string())] {
            let volume = Some(world::number(&volume));
            let observation = Observation { price: world::number(CALM[at]), volume, time_ms: None };
            inputs[at].said = Said::Observation { observation, received_ms: now_ms };
        }
        let step = step(&feed, now_ms, &inputs, &state);
        let frozen = Fate::Frozen { rounds: number };
        assert_eq!(fates(&step)[0], if number < 5 { &Fate::Counted } else { &frozen });
        assert_eq!(fates(&step)[1], &Fate::Counted);
        state = step.state;
    }
}

#[test]
fn outliers_are_no_part_of_the_quorum_and_of_the_confidence() {
    let feed = calm();
    let mut prices = CALM;
    prices[5] = "90";
    prices[6] = "110";
    let off = step(&feed, NOW_MS, &round(&prices, NOW_MS), &State::default());
    let Outcome::Publish(publication) = off.outcome else { panic!("{:?}", off.outcome) };
    // Their weight stays on its side: the middle is 100.2, not moved by them.
    assert_eq!(publication.answer, Answer { units: 10_020_000_000, confidence: 10_000_000, sources: 5 });
    let distance = number("10.2");
    let allowed = number("1");
    assert_eq!(fates(&off)[5], &Fate::Outlier { distance, allowed });
    prices[0] = "80";
    let off = step(&feed, NOW_MS, &round(&prices, NOW_MS), &State::default());
    assert_eq!(off.outcome, Outcome::Nothing(Reason::TooFew { counted: 4, needed: 5, sources: 7 }));
    // Where all say the same, the floor is what may differ.
    let off = step(
        &feed,
        NOW_MS,
        &round(&["100", "100", "100", "100", "100", "100.5", "100.51"], NOW_MS),
        &State::default(),
    );
    assert_eq!(
        fates(&off)[5..],
        [&Fate::Counted, &Fate::Outlier { distance: number("0.51"), allowed: number("0.5") }]
    );
}

/// The middle of those that are left after outliers are cut off may be a liar's: here 99.5, below all that is honest. That is why
/// an outlier's weight stays.
#[test]
fn cutting_outliers_off_would_let_a_minority_through() {
    let tight = Policy { outlier_mad_percent: 100, outlier_floor_bps: 1, ..policy() };
    let feed = feed(&[100; 5], tight);
    // 100, 101 and 102 are honest.
    let step = step(&feed, NOW_MS, &round(&["99.5", "99", "100", "101", "102"], NOW_MS), &State::default());
    assert!(matches!(fates(&step)[4], Fate::Outlier { .. }));
    let Outcome::Publish(publication) = step.outcome else { panic!("{:?}", step.outcome) };
    assert_eq!(publication.answer.units, 10_000_000_000);
}

#[test]
fn weight_counts_beside_number() {
    // Five of seven, but the two that are missing have more than a third of the weight.
    let feed = feed(&[100, 100, 40, 40, 40, 40, 40], policy());
    let inputs = &round(&CALM, NOW_MS)[2..];
    let light = step(&feed, NOW_MS, inputs, &State::default());
    let counted = 200_000_000;
    assert_eq!(light.outcome, Outcome::Nothing(Reason::TooLight { counted, needed: 266_666_667 }));
    // The other way round the two count for much.
    let inputs = &round(&CALM, NOW_MS)[..5];
    let heavy = step(&feed, NOW_MS, inputs, &State::default());
    assert!(
        matches!(heavy.outcome, Outcome::Publish(publication) if publication.answer.units == 10_010_000_000)
    );
}

#[test]
fn a_jump_needs_rounds_in_a_row() {
    let feed = calm();
    let mut state = step(&feed, NOW_MS, &round(&CALM, NOW_MS), &State::default()).state;
    let mut now_ms = NOW_MS;
    let mut at = |prices: &[&str], state: &mut State| {
        now_ms += 1_000;
        let step = step(&feed, now_ms, &round(prices, now_ms), state);
        *state = step.state;
        step.outcome
    };
    let held = |outcome, rounds| matches!(outcome, Outcome::Nothing(Reason::Jump { rounds: said, needed: 3, .. }) if said == rounds);
    let high = ["200"; 7];
    assert!(held(at(&high, &mut state), 1));
    assert!(held(at(&high, &mut state), 2));
    // Back again: nothing was published, and the count begins anew.
    assert!(matches!(at(&CALM, &mut state), Outcome::Quiet(_)));
    assert!(held(at(&high, &mut state), 1));
    // Another jump is not the same one.
    assert!(held(at(&["50"; 7], &mut state), 1));
    assert!(held(at(&high, &mut state), 1));
    // A round without a quorum is none.
    assert!(held(at(&high, &mut state), 2));
    assert!(matches!(at(&high[..2], &mut state), Outcome::Nothing(Reason::TooFew { .. })));
    assert!(held(at(&high, &mut state), 1));
    assert!(held(at(&["201"; 7], &mut state), 2));
    let Outcome::Publish(publication) = at(&["202"; 7], &mut state) else { panic!("it is confirmed") };
    assert_eq!((publication.answer.units, publication.sequence), (20_200_000_000, 2));
    assert!(matches!(at(&["202"; 7], &mut state), Outcome::Quiet(_)));
}

#[test]
fn deviation_and_heartbeat() {
    let feed = feed(&[100; 7], Policy { jitter_ms: 600_000, ..policy() });
    let first = step(&feed, NOW_MS, &round(&["100"; 7], NOW_MS), &State::default());
    let at = |after_ms, price: &str| {
        let now_ms = NOW_MS + after_ms;
        step(&feed, now_ms, &round(&[price; 7], now_ms), &first.state).outcome
    };
    assert!(matches!(at(1_000, "100.49"), Outcome::Quiet(_)));
    assert!(matches!(at(1_000, "100.5"), Outcome::Publish(_)));
    assert!(matches!(at(1_000, "99.5"), Outcome::Publish(_)));
    assert!(matches!(at(2_999_999, "100"), Outcome::Quiet(_)));
    assert!(matches!(at(3_600_000, "100"), Outcome::Publish(_)));
    // Somewhere between, the same each time.
    let due = |after_ms: &u64| matches!(at(*after_ms, "100"), Outcome::Publish(_));
    let drawn: Vec<_> = (3_000_000..=3_600_000).step_by(10_000).filter(due).collect();
    assert!(drawn.len() > 1 && drawn.len() < 60, "{}", drawn.len());
    assert_eq!(drawn.len(), (3_000_000..=3_600_000).step_by(10_000).filter(due).count());
    let back = step(&feed, NOW_MS - 5, &round(&["100"; 7], NOW_MS), &first.state);
    assert_eq!(back.outcome, Outcome::Nothing(Reason::Clock { back_ms: 5 }));
}

#[test]
fn a_sequence_has_an_end() {
    let feed = calm();
    let last = u64::try_from(i64::MAX).unwrap();
    let state = State { sequence: last - 1, ..State::default() };
    let one = step(&feed, NOW_MS, &round(&CALM, NOW_MS), &state);
    assert!(matches!(one.outcome, Outcome::Publish(publication) if publication.sequence == last));
    let state = State { sequence: last, ..State::default() };
    let none = step(&feed, NOW_MS, &round(&CALM, NOW_MS), &state);
    assert_eq!(none.outcome, Outcome::Nothing(Reason::Sequence));
}

#[test]
fn more_places_than_the_last_answer_can_have() {
    // What was published before a feed was given eighteen places: too much to be counted in them.
    let feed = feed(&[100; 7], Policy { decimals: 18, max_answer: number("1000000000000"), ..policy() });
    let mut state =
        step(&calm(), NOW_MS, &round(&["9000000000000000000000"; 7], NOW_MS), &State::default()).state;
    for rounds in 1..=2 {
        let next = step(&feed, NOW_MS, &round(&["100"; 7], NOW_MS), &state);
        assert!(
            matches!(next.outcome, Outcome::Nothing(Reason::Jump { rounds: said, .. }) if said == rounds)
        );
        state = next.state;
    }
    let next = step(&feed, NOW_MS, &round(&["100"; 7], NOW_MS), &state);
    assert!(matches!(next.outcome, Outcome::Publish(publication) if publication.sequence == 2));
}

#[test]
fn rounds_that_are_none() {
    let feed = calm();
    let twice = [round(&CALM, NOW_MS), round(&CALM[..1], NOW_MS)].concat();
    let error = RoundError::Twice { source_id: id(0) };
    assert_eq!(aggregate(&feed, NOW_MS, &twice, &State::default()), Err(error));
    let unknown = [Input { source: "other".into(), said: Said::unreachable("") }];
    let error = RoundError::Unknown { source_id: "other".into() };
    assert_eq!(aggregate(&feed, NOW_MS, &unknown, &State::default()), Err(error));
}

/// What breaks a policy.
type Change = fn(&mut Policy);

#[test]
fn feeds_that_are_refused() {
    let of = |weights: &[u32], policy| {
        let source = |(at, weight): (usize, &u32)| Source { id: id(at), weight: *weight };
        let sources = weights.iter().enumerate().map(source).collect();
        Feed::new(FeedId::named("x").unwrap(), sources, policy).err()
    };
    assert_eq!(of(&[1; 5], policy()), None);
    let range = |weights: &[u32], policy| match of(weights, policy) {
        Some(FeedError::Range { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(range(&[1; 4], policy()), "sources");
    assert_eq!(range(&[1; 33], policy()), "sources");
    assert_eq!(range(&[0, 1, 1, 1, 1], policy()), "weight");
    let breaches: [(&str, Change); 14] = [
        ("decimals", |one| one.decimals = 19),
        ("max_age_ms", |one| one.max_age_ms = 0),
        ("max_ahead_ms", |one| one.max_ahead_ms = 60_001),
        ("frozen_rounds", |one| one.frozen_rounds = 1),
        ("max_weight_bps", |one| one.max_weight_bps = 3_334),
        ("outlier_mad_percent", |one| one.outlier_mad_percent = 99),
        ("outlier_floor_bps", |one| one.outlier_floor_bps = 0),
        ("max_jump_bps", |one| one.max_jump_bps = 0),
        ("jump_rounds", |one| one.jump_rounds = 1),
        ("deviation_bps", |one| one.deviation_bps = 0),
        ("heartbeat_ms", |one| one.heartbeat_ms = 0),
        ("jitter_ms", |one| one.jitter_ms = one.heartbeat_ms / 2 + 1),
        ("validity_ms", |one| one.validity_ms = 999),
        ("validity_ms", |one| one.validity_ms = one.heartbeat_ms - 1),
    ];
    for (field, spoil) in breaches {
        let mut broken = policy();
        spoil(&mut broken);
        assert_eq!(range(&[1; 5], broken), field);
    }
    for (min, max) in [("0", "1"), ("2", "1"), ("1", "1"), ("0.000000001", "1"), ("1", "1e23")] {
        let bounds = Policy { min_answer: number(min), max_answer: number(max), ..policy() };
        assert_eq!(of(&[1; 5], bounds), Some(FeedError::Bounds), "{min} {max}");
    }
    let source = || Source { id: "same".into(), weight: 1 };
    let sources = (0..5).map(|_| source()).collect();
    let error = Feed::new(FeedId::named("x").unwrap(), sources, policy()).err();
    assert_eq!(error, Some(FeedError::Twice { id: "same".into() }));
}

#[test]
fn a_feed_as_data_and_its_digest() {
    let mut definition = FeedDefinition {
        name: "BTC/USD".into(),
        pair: "BTC/USD".parse().unwrap(),
        policy: policy(),
        venues: built_in(),
    };
    let (feed, venues) = definition.read().unwrap();
    assert_eq!((feed.sources().count(), venues.len(), feed.needed_sources()), (8, 8, 6));
    let text = serde_json::to_string(&definition).unwrap();
    let again: FeedDefinition = serde_json::from_str(&text).unwrap();
    assert_eq!((again.digest(), &again), (definition.digest(), &definition));
    // What a change changes.
    let before = definition.digest();
    definition.policy.deviation_bps += 1;
    let after = definition.digest();
    definition.venues.swap(0, 1);
    assert!(before != after && definition.digest() != after);
    definition.name = String::new();
    assert!(definition.read().is_err());
}

/// Written out, so that a change of the form is seen: an auditor computes the same.
#[test]
fn the_digest_s_form() {
    use sha2::{Digest as _, Sha256};
    let text = r#"{"name":"X","pair":"A/B","policy":{"decimals":8,"max_age_ms":60000,"max_ahead_ms":2000,"frozen_rounds":5,
        "min_answer":"1","max_answer":"2","max_weight_bps":3333,"outlier_mad_percent":500,"outlier_floor_bps":50,"max_jump_bps":1000,
        "jump_rounds":3,"deviation_bps":50,"heartbeat_ms":3600000,"jitter_ms":0,"validity_ms":3600000},
        "venues":[{"id":"v","url":"https://v.example/{pair}","pair":"{base}","price":"p","weight":1}]}"#;
    let definition: FeedDefinition = serde_json::from_str(text).unwrap();
    let canonical = concat!(
        r#"{"name":"X","pair":"A/B","policy":{"decimals":8,"deviation_bps":50,"frozen_rounds":5,"heartbeat_ms":3600000,"jitter_ms":0,"#,
        r#""jump_rounds":3,"max_age_ms":60000,"max_ahead_ms":2000,"max_answer":"2","max_jump_bps":1000,"max_weight_bps":3333,"#,
        r#""min_answer":"1","outlier_floor_bps":50,"outlier_mad_percent":500,"validity_ms":3600000},"#,
        r#""venues":[{"id":"v","max_bytes":65536,"pair":"{base}","price":"p","url":"https://v.example/{pair}","weight":1}]}"#,
    );
    let digest: [u8; 32] = Sha256::digest(format!("r3e/1/feed-config\0{canonical}")).into();
    assert_eq!(definition.digest(), digest);
}
