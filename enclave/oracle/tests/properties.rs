//! What holds of every round, whatever the sources say.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod world;

use proptest::prelude::*;
use r3e_oracle::decimal::Decimal;
use r3e_oracle::feed::{Answer, Fate, Input, Outcome, Policy, Reason, Said, State, Step};
use r3e_oracle::venue::Observation;
use world::{NOW_MS, feed, id, policy, step};

fn units(units: i128) -> Decimal {
    Decimal::from_units(units, 8).unwrap()
}

fn said(at: usize, price: i128) -> Input {
    world::observed(at, units(price), NOW_MS)
}

/// What a source that may lie says: any price, near or far, or something else altogether.
fn lie() -> impl Strategy<Value = Option<(i128, u64)>> {
    prop_oneof![
        1 => Just(None),
        4 => (1..=10_i128.pow(20), 0..120_000_u64).prop_map(Some),
        8 => (900_000_000..1_200_000_000_i128, Just(60_000)).prop_map(Some),
    ]
}

/// A source: its weight, what it says when it is honest, what when it is not.
#[derive(Debug, Clone)]
struct Player {
    weight: u32,
    honest: i128,
    lie: Option<(i128, u64)>,
    silent: bool,
}

fn players() -> impl Strategy<Value = Vec<Player>> {
    let weight = prop_oneof![Just(100_u32), 1..=1_000_u32];
    let one = (weight, 1_000_000_000..1_050_000_000_i128, lie(), any::<bool>());
    let one = one.prop_map(|(weight, honest, lie, silent)| Player { weight, honest, lie, silent });
    let count = prop_oneof![Just(5_usize), Just(7), 5..=16_usize];
    (prop::collection::vec(one, 16), count, any::<bool>()).prop_map(|(mut players, count, alike)| {
        players.truncate(count);
        players.iter_mut().filter(|_| alike).for_each(|player| player.weight = 100);
        players
    })
}

/// How those that lie go together.
#[derive(Debug, Clone, Copy)]
enum Scheme {
    /// They do not.
    Alone,
    /// Each a step above the one before, from the highest honest price on.
    Above(i128),
    /// Each a step below.
    Below(i128),
}

fn scheme() -> impl Strategy<Value = Scheme> {
    let step = || prop_oneof![1..=100_000_i128, 1..=20_000_000_i128];
    prop_oneof![Just(Scheme::Alone), step().prop_map(Scheme::Above), step().prop_map(Scheme::Below)]
}

/// What the liars say under a scheme.
fn plotted(mut players: Vec<Player>, liars: &[String], silenced: &[String], scheme: Scheme) -> Vec<Player> {
    let (low, high) = honest_range(&players, liars, silenced);
    let lying = players.iter_mut().enumerate().filter(|(at, _)| liars.contains(&id(*at)));
    for (place, (_, player)) in (1..).zip(lying) {
        player.lie = match scheme {
            Scheme::Alone => player.lie,
            Scheme::Above(step) => Some((high + place * step, 60_000)),
            Scheme::Below(step) => Some((low - place * step, 60_000)),
        };
    }
    players
}

fn rules() -> impl Strategy<Value = Policy> {
    (1..=3_333_u32, prop_oneof![Just(100_u32), 100..=1_000_u32], 1..=500_u32).prop_map(|(cap, mad, floor)| {
        Policy { max_weight_bps: cap, outlier_mad_percent: mad, outlier_floor_bps: floor, ..policy() }
    })
}

fn answer(outcome: &Outcome) -> Option<Answer> {
    match outcome {
        Outcome::Publish(publication) => Some(publication.answer),
        Outcome::Quiet(answer) => Some(*answer),
        Outcome::Nothing(_) => None,
    }
}

/// The weight of those that passed their own checks, all and of the first `liars`.
fn passed(step: &Step, liars: &[String]) -> (u64, u64) {
    let stands = |fate: &Fate| matches!(fate, Fate::Counted | Fate::Outlier { .. });
    let standing = step.fates.iter().filter(|one| stands(&one.fate));
    standing.fold((0, 0), |(all, lying), one| {
        let of_liar = if liars.contains(&one.source) { one.weight } else { 0 };
        (all + one.weight, lying + of_liar)
    })
}

fn inputs(players: &[Player], liars: &[String], silenced: &[String]) -> Vec<Input> {
    let input = |(at, player): (usize, &Player)| {
        if liars.contains(&id(at)) {
            let (price, time) = player.lie?;
            let observation =
                Observation { price: units(price), volume: None, time_ms: Some(NOW_MS - 60_000 + time) };
            return Some(Input {
                source: id(at),
                said: Said::Observation { observation, received_ms: NOW_MS },
            });
        }
        (!silenced.contains(&id(at))).then(|| said(at, player.honest))
    };
    players.iter().enumerate().filter_map(input).collect()
}

fn honest_range(players: &[Player], liars: &[String], silenced: &[String]) -> (i128, i128) {
    let honest = players
        .iter()
        .enumerate()
        .filter(|(at, _)| !liars.contains(&id(*at)) && !silenced.contains(&id(*at)));
    let prices: Vec<_> = honest.map(|(_, player)| player.honest).collect();
    (prices.iter().copied().min().unwrap_or(0), prices.iter().copied().max().unwrap_or(0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// While those that lie have less than half of the weight that answers, the answer is between two honest prices.
    #[test]
    fn a_minority_cannot_move_the_answer_beyond_the_honest_range(
        players in players(), rules in rules(), scheme in scheme(), order in prop::collection::vec(any::<u32>(), 16),
    ) {
        let weights: Vec<u32> = players.iter().map(|player| player.weight).collect();
        let feed = feed(&weights, rules);
        let capped: Vec<(String, u64)> = feed.sources().map(|(id, weight)| (id.to_owned(), weight)).collect();
        let all: u64 = capped.iter().map(|(_, weight)| weight).sum();
        // As many liars, in some order, as stay below half.
        let mut drawn: Vec<_> = capped.iter().zip(&order).collect();
        drawn.sort_by_key(|(_, order)| **order);
        let (mut liars, mut lying) = (Vec::new(), 0);
        for ((id, weight), _) in drawn {
            if (lying + weight) * 2 < all {
                lying += weight;
                liars.push(id.clone());
            }
        }
        let players = plotted(players, &liars, &[], scheme);
        let step = step(&feed, NOW_MS, &inputs(&players, &liars, &[]), &State::default());
        let (standing, lying) = passed(&step, &liars);
        prop_assert!(lying * 2 < standing);
        if let Some(answer) = answer(&step.outcome) {
            let (low, high) = honest_range(&players, &liars, &[]);
            prop_assert!((low..=high).contains(&answer.units), "{} in {low}..={high}", answer.units);
        }
    }

    /// Whoever also silences honest sources, as the host can, needs a third of all weight.
    #[test]
    fn with_less_than_a_third_silence_does_not_help(
        players in players(), rules in rules(), scheme in scheme(), order in prop::collection::vec(any::<u32>(), 16),
    ) {
        let weights: Vec<u32> = players.iter().map(|player| player.weight).collect();
        let feed = feed(&weights, rules);
        let capped: Vec<(String, u64)> = feed.sources().map(|(id, weight)| (id.to_owned(), weight)).collect();
        let all: u64 = capped.iter().map(|(_, weight)| weight).sum();
        let mut drawn: Vec<_> = capped.iter().zip(&order).collect();
        drawn.sort_by_key(|(_, order)| **order);
        let (mut liars, mut lying) = (Vec::new(), 0);
        for ((id, weight), _) in drawn {
            if (lying + weight) * 3 < all {
                lying += weight;
                liars.push(id.clone());
            }
        }
        let silent = |(at, player): (usize, &Player)| (player.silent && at % 2 == 0).then(|| id(at));
        let silenced: Vec<String> = players.iter().enumerate().filter_map(silent).collect();
        let players = plotted(players, &liars, &silenced, scheme);
        let step = step(&feed, NOW_MS, &inputs(&players, &liars, &silenced), &State::default());
        if let Some(answer) = answer(&step.outcome) {
            let (low, high) = honest_range(&players, &liars, &silenced);
            prop_assert!((low..=high).contains(&answer.units), "{} in {low}..={high}", answer.units);
        }
    }

    #[test]
    fn the_order_does_not_matter(players in players(), rules in rules(), turn in 0..16_usize, liars in prop::collection::vec(0..16_usize, 0..5)) {
        let weights: Vec<u32> = players.iter().map(|player| player.weight).collect();
        let feed = feed(&weights, rules);
        let liars: Vec<String> = liars.into_iter().map(id).collect();
        let inputs = inputs(&players, &liars, &[]);
        let one = step(&feed, NOW_MS, &inputs, &State::default());
        let mut turned = inputs.clone();
        turned.rotate_left(turn % inputs.len().max(1));
        prop_assert_eq!(&step(&feed, NOW_MS, &turned, &State::default()), &one);
        turned.reverse();
        prop_assert_eq!(&step(&feed, NOW_MS, &turned, &State::default()), &one);
    }

    /// Exactly, answer and confidence: there is no rounding on the way.
    #[test]
    fn scaled_prices_give_a_scaled_answer(players in players(), factor in 1..=1_000_000_i128) {
        let weights: Vec<u32> = players.iter().map(|player| player.weight).collect();
        let feed = feed(&weights, Policy { outlier_floor_bps: 5_000, ..policy() });
        let of = |factor: i128| {
            let inputs: Vec<_> = players.iter().enumerate().map(|(at, player)| said(at, player.honest * factor)).collect();
            answer(&step(&feed, NOW_MS, &inputs, &State::default()).outcome).unwrap()
        };
        let (one, scaled) = (of(1), of(factor));
        prop_assert_eq!(scaled.units, one.units * factor);
        prop_assert_eq!(scaled.confidence, one.confidence * factor.unsigned_abs());
        prop_assert_eq!(scaled.sources, one.sources);
    }

    #[test]
    fn nothing_is_published_below_the_quorum(players in players(), rules in rules(), liars in prop::collection::vec(0..16_usize, 0..16)) {
        let weights: Vec<u32> = players.iter().map(|player| player.weight).collect();
        let feed = feed(&weights, rules);
        let liars: Vec<String> = liars.into_iter().map(id).collect();
        let silent = |(at, player): (usize, &Player)| player.silent.then(|| id(at));
        let silenced: Vec<String> = players.iter().enumerate().filter_map(silent).collect();
        let step = step(&feed, NOW_MS, &inputs(&players, &liars, &silenced), &State::default());
        let counted: Vec<_> = step.fates.iter().filter(|one| one.fate == Fate::Counted).collect();
        let weight: u64 = counted.iter().map(|one| one.weight).sum();
        let all: u64 = step.fates.iter().map(|one| one.weight).sum();
        let enough = counted.len() * 3 >= players.len() * 2 && u128::from(weight) * 3 >= u128::from(all) * 2;
        prop_assert_eq!(step.fates.len(), players.len());
        match step.outcome {
            Outcome::Nothing(Reason::TooFew { counted: said, .. }) => prop_assert!(!enough && said == counted.len()),
            Outcome::Nothing(Reason::TooLight { counted, .. }) => prop_assert!(!enough && counted == weight),
            Outcome::Publish(publication) => prop_assert!(enough && publication.answer.sources == counted.len()),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Over rounds of every kind, with the state written down and read again between them.
    #[test]
    fn the_sequence_strictly_rises(
        rounds in prop::collection::vec((players(), 0..4_000_000_u64, 1..4_i128), 1..12),
    ) {
        let feed = feed(&[10; 16], policy());
        let (mut state, mut now_ms, mut last) = (State::default(), NOW_MS, 0);
        for (players, later_ms, factor) in rounds {
            now_ms += later_ms;
            let heard = players.iter().enumerate();
            let inputs: Vec<_> =
                heard.map(|(at, player)| world::observed(at, units(player.honest * factor), now_ms)).collect();
            let step = step(&feed, now_ms, &inputs, &state);
            if let Outcome::Publish(publication) = step.outcome {
                prop_assert_eq!(publication.sequence, last + 1);
                last = publication.sequence;
                prop_assert!(publication.report(feed.id(), [0; 32]).is_ok());
            }
            prop_assert_eq!(step.state.sequence, last);
            state = serde_json::from_str(&serde_json::to_string(&step.state).unwrap()).unwrap();
            prop_assert_eq!(&state, &step.state);
        }
    }
}
