//! How long a boot takes, by the count of records, and what it would take to read them all.

use std::time::Instant;

use r3e_store::Write;

use crate::RECORD_BYTES;
use crate::sealed::Sealed;

/// Records written at once.
const TOGETHER: usize = 1000;
/// Boots that are measured.
const ROUNDS: usize = 3;

/// Fills a store with `records` records of 1 KiB, and boots it, behind a parent that was started anew.
pub(crate) fn measure(records: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut sealed = Sealed::start(folder.path())?;
    for start in (0..records).step_by(TOGETHER) {
        let put = |index| Write::put(&sealed.space, &format!("record {index}"), vec![7; RECORD_BYTES]);
        let batch = (start..(start + TOGETHER).min(records)).map(put).collect();
        sealed.runtime.block_on(sealed.store.batch(batch))?;
    }
    while sealed.store.summary().at_work {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut boots = Vec::new();
    for _ in 0..ROUNDS {
        let (again, took) = sealed.restart(folder.path())?;
        sealed = again;
        boots.push(took.as_secs_f64());
    }
    boots.sort_by(f64::total_cmp);
    let summary = sealed.store.summary();
    let begun = Instant::now();
    let audit = sealed.runtime.block_on(sealed.store.audit())?;
    println!(
        "{} records: boot {:.2} s ({:.2} to {:.2}), from {} pages and {} notes; reading and comparing every value {:.1} s",
        audit.records,
        boots[ROUNDS / 2],
        boots[0],
        boots[ROUNDS - 1],
        summary.checkpoint_pages,
        summary.tail,
        begun.elapsed().as_secs_f64(),
    );
    Ok(())
}
