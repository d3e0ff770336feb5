//! Schedules and time zones that a tenant wrote. Whatever stands in them, the next tick is found in time, and ticks rise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_triggers::limits::MIN_PERIOD_MS;
use r3e_triggers::schedule::Schedule;

fuzz_target!(|input: (&str, &str, u32)| {
    let (pattern, zone, at_s) = input;
    let at = u64::from(at_s) * 1_000;
    let zone = if zone.is_empty() { "Europe/Berlin" } else { zone };
    let Ok(schedule) = Schedule::parse(pattern, zone, 0, at) else { return };
    let Some(next) = schedule.next(at) else { return };
    assert!(next > at);
    assert_eq!(schedule.last(next), Some(next), "{pattern}");
    if let Some(later) = schedule.next(next) {
        assert!(later >= next + MIN_PERIOD_MS, "{pattern}");
    }
});
