//! The sealed store side by side with what it could have been, on one disk, records of 1 KiB, all durable:
//!
//! | target | path |
//! |---|---|
//! | sealed store | this process → unix socket → `r3e-parent`, a process of its own → fjall, synced |
//! | fjall | this process → fjall, synced; neither sealed nor rolled back unseen |
//! | SQLite | this process → SQLite in WAL mode with `synchronous=FULL`, one connection behind a lock |
//!
//! `cargo run --release [-- MILLISECONDS ROUNDS [WORKLOAD [TARGET]]]` prints the tables for writes and reads, or what of them has
//! the words in its name; `cargo run --release -- boot RECORDS...` how long a boot takes with so many.
//! With `R3E_BENCH_POSTGRES=postgres://...`, the sealed store's parent keeps its records in that database, which must be empty.
//! The targets take short turns in each of many rounds, so that whatever else the machine does weighs on all of them;
//! the figures are medians over the rounds. Behind each, the processor time of one operation, the load's own and the
//! parent's included: unlike rates it says something on a machine that is busy. `TMPDIR` says on which disk.
#![forbid(unsafe_code)]

mod boots;
mod sealed;
mod targets;

use std::time::{Duration, Instant};

use targets::{Fjall, Sqlite, Target};

/// Records that are there before anything is measured, and that writers write over: all of them fit the store's memory.
const RECORDS: usize = 10_000;
/// The size of a value.
const RECORD_BYTES: usize = 1024;
/// The reference of the ratios.
const REFERENCE: usize = 1;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["parent", folder] => sealed::run_parent(folder.as_ref()),
        ["boot", records @ ..] => records.iter().try_for_each(|count| boots::measure(count.parse()?)),
        [] => measure(Duration::from_millis(500), 11, "", ""),
        [turn, rounds, only @ ..] if only.len() <= 2 => {
            let only = |index| only.get(index).copied().unwrap_or_default();
            measure(Duration::from_millis(turn.parse()?), rounds.parse()?, only(0), only(1))
        }
        other => {
            anyhow::bail!(
                "{other:?}: give nothing, MILLISECONDS ROUNDS [WORKLOAD [TARGET]], or boot RECORDS..."
            )
        }
    }
}

/// What is done again and again.
#[derive(Debug, Clone, Copy)]
enum Workload {
    Put { writers: usize },
    Batch { records: usize },
    Get { readers: usize },
}

const WORKLOADS: [(&str, Workload); 5] = [
    ("durable puts/s, 1 writer", Workload::Put { writers: 1 }),
    ("durable puts/s, 64 writers", Workload::Put { writers: 64 }),
    ("durable batches of 100, records/s", Workload::Batch { records: 100 }),
    ("gets/s, 1 reader", Workload::Get { readers: 1 }),
    ("gets/s, 2 readers", Workload::Get { readers: 2 }),
];

fn measure(turn: Duration, rounds: usize, workload: &str, target: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut targets: [Box<dyn Target>; 3] = [
        Box::new(sealed::Sealed::start(&folder.path().join("sealed"))?),
        Box::new(Fjall::open(&folder.path().join("fjall"))?),
        Box::new(Sqlite::open(&folder.path().join("sqlite"))?),
    ];
    let reference = targets[REFERENCE].name();
    let targets: Vec<_> = targets.iter_mut().filter(|one| one.name().contains(target)).collect();
    for target in &targets {
        for start in (0..RECORDS).step_by(100) {
            target.batch(start, 100)?;
        }
    }
    let names: Vec<_> = targets.iter().map(|target| target.name()).collect();
    let reference = names.iter().position(|name| *name == reference).unwrap_or(0);
    println!("| | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(names.len()));
    for (name, workload) in WORKLOADS.iter().filter(|(name, _)| name.contains(workload)) {
        let mut measured = vec![Vec::new(); targets.len()];
        for round in 0..=rounds {
            for (target, measured) in targets.iter().zip(&mut measured) {
                let one = run(&***target, *workload, turn)?;
                // The first round warms up.
                if round > 0 {
                    measured.push(one);
                }
            }
        }
        print!("| {name} |");
        for of_target in &measured {
            let rates = of_target.iter().map(|one| one.rate);
            let ratios = of_target.iter().zip(&measured[reference]).map(|(one, other)| one.rate / other.rate);
            let cpu = of_target.iter().map(|one| one.cpu_us);
            print!(
                " {:.0} ({:.2}) {:.1} µs |",
                median(rates.collect()),
                median(ratios.collect()),
                median(cpu.collect())
            );
        }
        println!();
    }
    println!(
        "\nIn brackets: the ratio to {}, round by round. Behind: processor time of one.",
        names[reference]
    );
    Ok(())
}

/// A turn of a target.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// Operations a second.
    rate: f64,
    /// Processor time of one, in microseconds.
    cpu_us: f64,
}

fn run(target: &dyn Target, workload: Workload, turn: Duration) -> anyhow::Result<Turn> {
    let (begun, worked) = (Instant::now(), target.worked()?);
    let done = match workload {
        Workload::Put { writers } => target.puts(writers, turn)?,
        Workload::Get { readers } => target.gets(readers, turn)?,
        Workload::Batch { records } => {
            let mut done = 0;
            while begun.elapsed() < turn {
                target.batch(done * 7, records)?;
                done += records;
            }
            done
        }
    };
    let (took, worked) = (begun.elapsed().as_secs_f64(), target.worked()? - worked);
    Ok(Turn { rate: done as f64 / took, cpu_us: worked.as_secs_f64() * 1e6 / done as f64 })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The key of the nth record.
fn key(index: usize) -> String {
    format!("record {}", index % RECORDS)
}
