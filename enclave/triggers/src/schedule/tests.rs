//! Ticks in time zones, over changes of clocks, and put off by jitter.

use proptest::prelude::*;

use super::*;

/// 2026-11-21T17:00:00Z, a Saturday.
const NOW: u64 = 1_795_280_400_000;

fn of(pattern: &str, zone: &str) -> Schedule {
    Schedule::parse(pattern, zone, 0, NOW).unwrap()
}

fn next(schedule: &Schedule, count: usize) -> Vec<String> {
    let ticks = std::iter::successors(schedule.next(NOW), |tick| schedule.next(*tick));
    ticks.take(count).map(rfc3339).collect()
}

#[test]
fn ticks_are_those_of_the_time_zone() {
    assert_eq!(next(&of("0 7 * * *", "UTC"), 2), ["2026-11-22T07:00:00Z", "2026-11-23T07:00:00Z"]);
    assert_eq!(next(&of("0 7 * * *", "Europe/Berlin"), 1), ["2026-11-22T06:00:00Z"]);
    assert_eq!(next(&of("30 9 * * MON-FRI", "Asia/Kolkata"), 1), ["2026-11-23T04:00:00Z"]);
    assert_eq!(next(&of("*/20 * * * * *", "UTC"), 2), ["2026-11-21T17:00:20Z", "2026-11-21T17:00:40Z"]);
    assert_eq!(next(&of("@daily", "utc"), 1), ["2026-11-22T00:00:00Z"]);
    assert_eq!(next(&of("0 0 L * *", "UTC"), 1), ["2026-11-30T00:00:00Z"]);
}

#[test]
fn an_hour_that_is_skipped_or_comes_twice_has_one_tick_of_a_daily_job() {
    // Berlin: 2026-03-29 02:30 does not exist, 2026-10-25 02:30 exists twice.
    for (before, day) in [(1_774_656_000_000, "2026-03-29"), (1_792_800_000_000, "2026-10-25")] {
        let daily = of("30 2 * * *", "Europe/Berlin");
        let ticks: Vec<String> = std::iter::successors(daily.next(before), |tick| daily.next(*tick))
            .take(6)
            .map(rfc3339)
            .collect();
        assert_eq!(ticks.iter().filter(|tick| tick.starts_with(day)).count(), 1, "{ticks:?}");
    }
}

#[test]
fn what_is_no_schedule_says_why() {
    let refused = |pattern: &str, zone: &str| Schedule::parse(pattern, zone, 0, NOW).unwrap_err();
    for wrong in
        ["", "* * * *", "60 * * * *", "* * * * * * *", "a b c d e", "* * * * * 2026", "@never", "\u{0}"]
    {
        assert!(matches!(refused(wrong, "UTC"), NotASchedule::Pattern { .. }), "{wrong:?}");
    }
    let commas =
        [", * * * *", "* , * * *", "* * , * *", "* * * , *", "* * * * ,", ", * * * * *", ",, , , , ,"];
    for empty in commas {
        let NotASchedule::Pattern { why, .. } = refused(empty, "UTC") else { panic!("{empty}") };
        assert!(why.ends_with("names none"), "{empty}: {why}");
    }
    assert_eq!(refused("é * * * *", "UTC"), NotASchedule::TooLong);
    assert_eq!(refused(&"*".repeat(200), "UTC"), NotASchedule::TooLong);
    for zone in ["", "Mars/Olympus", "../../etc/passwd", &"A".repeat(100)] {
        assert!(matches!(refused("0 7 * * *", zone), NotASchedule::Zone(_)), "{zone}");
    }
    assert_eq!(refused("* * * * * *", "UTC"), NotASchedule::TooOften { period_ms: 1_000 });
    assert_eq!(refused("0,3 * * * * *", "UTC"), NotASchedule::TooOften { period_ms: 3_000 });
    for never in ["0 0 30 2 *", "* * 31 2,4,6,9,11 *", "* * 31 2,4,6,9,11 +MON#1"] {
        assert_eq!(refused(never, "Europe/Berlin"), NotASchedule::Never, "{never}");
    }
    let jitter = Schedule::parse("* * * * *", "UTC", 30_001, NOW).unwrap_err();
    assert_eq!(jitter, NotASchedule::Jitter { most_ms: 30_000 });
}

#[test]
fn schedules_that_seldom_or_never_come_are_told_from_each_other() {
    for (pattern, comes) in [
        ("0 0 29 2 *", true),
        ("0 0 29 2 +MON", true),
        ("0 0 29 2 +MON#5", true),
        ("0 0 31 2,4,6,9,11 *", false),
        ("0 0 30 2 +MON#1", false),
        ("59 59 23 31 12 +SUN#5", true),
    ] {
        let parsed = Schedule::parse(pattern, "America/New_York", 0, NOW);
        assert_eq!(parsed.is_ok(), comes, "{pattern}: {parsed:?}");
    }
}

#[test]
fn of_ticks_that_passed_the_last_one_is_due() {
    let minutely = of("* * * * *", "UTC");
    let tick = |at: u64, since: u64| minutely.due(b"t", since, at).map(|tick| tick.tick_ms);
    assert_eq!(tick(NOW, NOW), None);
    assert_eq!(tick(NOW + 59_999, NOW), None);
    assert_eq!(tick(NOW + 60_000, NOW), Some(NOW + 60_000));
    assert_eq!(tick(NOW + 61_000, NOW + 60_000), None);
    assert_eq!(tick(NOW + 600_500, NOW), Some(NOW + 600_000));
    assert_eq!(minutely.coming(b"t", NOW).unwrap().tick_ms, NOW + 60_000);
}

proptest! {
    #[test]
    fn with_jitter_each_tick_is_due_once_and_within_it(jitter in 0..=30_000u64, whose: [u8; 16], step in 100..20_000u64) {
        let schedule = Schedule::parse("* * * * *", "UTC", jitter, NOW).unwrap();
        let (mut settled, mut seen) = (NOW, Vec::new());
        let mut now = NOW;
        while now < NOW + 10 * 60_000 {
            now += step;
            if let Some(tick) = schedule.due(&whose, settled, now) {
                prop_assert!(tick.tick_ms > settled && tick.fires_ms <= now);
                prop_assert!(tick.fires_ms - tick.tick_ms <= jitter);
                settled = tick.tick_ms;
                seen.push(tick.tick_ms);
            }
            let coming = schedule.coming(&whose, now).unwrap();
            prop_assert!(coming.fires_ms > now);
        }
        // Whoever looks often enough misses none.
        let all: Vec<u64> = (1..=9).map(|minute| NOW + minute * 60_000).collect();
        prop_assert!(all.iter().all(|tick| seen.contains(tick)), "{seen:?}");
    }

    #[test]
    fn any_text_is_a_schedule_or_none_and_ticks_rise(pattern in "[0-9*/,LW#A-Z@ +?-]{0,40}", at in 0..4_000_000_000_000u64) {
        if let Ok(schedule) = Schedule::parse(&pattern, "America/New_York", 0, at) {
            let next = schedule.next(at);
            prop_assert!(next.is_none_or(|next| next > at));
            if let Some(next) = next {
                prop_assert_eq!(schedule.last(next), Some(next), "{}", pattern);
                prop_assert!(schedule.last(next - 1).is_none_or(|last| last <= at), "{}", pattern);
            }
        }
    }
}
