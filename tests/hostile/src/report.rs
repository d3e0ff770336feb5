//! The table of attacks, and how long the canary waited.

use std::fmt::Write as _;
use std::time::Duration;

use crate::arena::Row;
use crate::limits::{CANARY_TIMES, SERVED_WITHIN};

/// An ending longer than this is cut in the table.
const MAX_ENDING_CHARS: usize = 34;

/// One line for each attack, in milliseconds, and below each what was wrong with it.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<30} {:<34} {:>7} {:>7} {:>6} {:>7} {:>6} {:>6}\n",
        "attack", "ended", "wall", "cpu", "late", "control", "beside", "after"
    );
    for row in rows {
        let ended: String = row.ended.chars().take(MAX_ENDING_CHARS).collect();
        let late = row.late_us.map_or_else(|| "-".to_owned(), millis);
        let _infallible = writeln!(
            text,
            "{:<30} {ended:<34} {:>7} {:>7} {late:>6} {:>7} {:>6} {:>6}",
            row.name,
            millis(row.wall_us),
            millis(row.cpu_us),
            millis(row.control_us),
            millis(row.beside_us),
            millis(row.after_us),
        );
        for wrong in &row.wrong {
            let _infallible = writeln!(text, "    WRONG: {}", wrong.trim_start());
        }
    }
    text
}

/// Half, nearly all and all of the canary's times.
pub fn figures(rows: &[Row]) -> String {
    let mut text = String::new();
    let columns: [(&str, Vec<u64>); 5] = [
        ("ended after its limit", rows.iter().filter_map(|row| row.late_us).collect()),
        ("canary, nothing beside it", rows.iter().map(|row| row.control_us).collect()),
        ("canary, as the attack begins", rows.iter().map(|row| row.beside_us).collect()),
        ("canary, after the attack", rows.iter().map(|row| row.after_us).collect()),
        ("canary served after a limit", served(rows)),
    ];
    for (what, values) in columns {
        let (half, most, all) = (percentile(&values, 50), percentile(&values, 99), percentile(&values, 100));
        let _infallible = writeln!(
            text,
            "{what:<30} p50 {:>7}  p99 {:>7}  max {:>7} ms, of {}",
            millis(half),
            millis(most),
            millis(all),
            values.len()
        );
    }
    let served = served(rows);
    let in_time = served.iter().filter(|time| **time <= micros(SERVED_WITHIN)).count();
    let _infallible = writeln!(
        text,
        "{in_time} of {} attacks that met a limit had the next tenant served within {} ms of it",
        served.len(),
        SERVED_WITHIN.as_millis()
    );
    text
}

/// Whether another tenant is served soon enough after an attack's limit, for half of the attacks at least.
///
/// A machine that is busy with other things delays any one of them, and the canary that nothing attacks as well; half of them
/// it delays only if it delays the other as much. So the bound is of the half, and is as wide as the machine is slow.
///
/// # Errors
/// Says by how much it is late.
pub fn serves_in_time(rows: &[Row]) -> Result<(), String> {
    let control = percentile(&rows.iter().map(|row| row.control_us).collect::<Vec<_>>(), 50);
    let bound = micros(SERVED_WITHIN) + u64::from(CANARY_TIMES) * control;
    let half = percentile(&served(rows), 50);
    if half <= bound {
        return Ok(());
    }
    Err(format!(
        "half of the attacks delay the next tenant by over {} ms; at most {}",
        millis(half),
        millis(bound)
    ))
}

/// From an attack's limit until another tenant was served.
fn served(rows: &[Row]) -> Vec<u64> {
    rows.iter().filter_map(|row| Some(row.late_us? + row.after_us)).collect()
}

fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(micros: u64) -> String {
    format!("{}.{}", micros / 1000, micros / 100 % 10)
}
