//! Provers that something else kills cost their jobs, and nothing else. A test program of its own, because it kills every prover that the
//! program has.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::zk::{HiddenNumber, Number, ProveRanges};
use r3e_range_proof::verify_document;
use r3e_zk::{Zk, ZkError};

/// Each takes longer than it is until the first kill.
const JOBS: u8 = 12;
const ROUNDS: u32 = 5;

fn asked() -> ProveRanges {
    let number = HiddenNumber { value: Number(5), min: Number(1), max: Number(u64::MAX), blinding: None };
    ProveRanges { context: String::new(), numbers: vec![number; 16] }
}

/// Descendants of this program that are provers, without those that others are copied from.
fn provers() -> Vec<i32> {
    let all: Vec<(i32, i32, String)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (head, rest) = stat.rsplit_once(") ")?;
            let parent = rest.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent, head.split_once('(')?.1.to_owned()))
        })
        .collect();
    let own = i32::try_from(std::process::id()).unwrap();
    let descends = |mut pid: i32| {
        while let Some((_, parent, _)) = all.iter().find(|(other, ..)| *other == pid) {
            if *parent == own {
                return true;
            }
            pid = *parent;
        }
        false
    };
    let provers = all.iter().filter(|(pid, _, name)| name == "r3e-prover" && descends(*pid));
    provers.filter(|(_, parent, _)| *parent != own).map(|(pid, ..)| *pid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_that_is_killed_costs_its_job_alone() {
    let runner: PathBuf =
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("r3e-runner");
    let zk = Arc::new(Zk::open_beside(&runner).unwrap());
    zk.prove_ranges(TenantId([0; 16]), asked()).await.unwrap();

    let killer = tokio::spawn(async {
        let mut killed = 0;
        for _ in 0..ROUNDS {
            tokio::time::sleep(Duration::from_millis(200)).await;
            for pid in provers() {
                // Some end by what was done to others before them.
                killed += u32::from(kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok());
            }
        }
        killed
    });
    let jobs: Vec<_> = (1..=JOBS)
        .map(|tenant| {
            let zk = Arc::clone(&zk);
            tokio::spawn(async move { zk.prove_ranges(TenantId([tenant; 16]), asked()).await })
        })
        .collect();
    let mut failed = 0;
    for job in jobs {
        match job.await.unwrap() {
            Ok(made) => assert_eq!(verify_document(&made.proof), Ok(())),
            Err(ZkError::Prover(_)) => failed += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(killer.await.unwrap() > 0 && failed > 0, "nothing was killed");
    let made = zk.prove_ranges(TenantId([0; 16]), asked()).await.unwrap();
    assert_eq!(verify_document(&made.proof), Ok(()));
}
