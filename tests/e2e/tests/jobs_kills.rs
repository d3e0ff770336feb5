//! A thousand jobs, and kills without warning while they are worked on: each ends with exactly one recorded outcome, which
//! never changes, and none is lost.
//!
//! `R3E_E2E_JOBS` sets how many (1000), `R3E_E2E_JOB_KILLS` how many kills (10), `R3E_E2E_SEED` repeats a run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use r3e_client::{
    ClientError, Credential, JobOptions, Resend, SigningKey, TenantClient, VerifiedJob, VerifiedOutcome,
};
use r3e_e2e::tenant::{javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::jobs::{Attempt, JobId, JobState, RetryOn, RetryPolicy};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const WRITERS: usize = 8;
const LIMIT: Duration = Duration::from_mins(8);

const ECHO: &str = "export default async ({ n }) => {
    await new Promise((done) => setTimeout(done, 5));
    return { n };
};";

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_thousand_jobs_has_one_outcome_whatever_is_killed() {
    let count = number("R3E_E2E_JOBS").unwrap_or(1_000);
    let kills = number("R3E_E2E_JOB_KILLS").unwrap_or(10);
    let seed = number("R3E_E2E_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    println!("seed {seed}, {count} jobs, {kills} kills");
    let mut dice = Dice(seed);
    let mut appliance = Appliance::start(Options { max_runners: 32, ..Options::default() }).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    alice.channel().await.deploy("echo", &javascript(ECHO)).await.unwrap();
    let key_file = appliance.folder().join("alice.pem");
    alice.key().write_new(&key_file).unwrap();
    let client = || {
        let key = SigningKey::read(&key_file).unwrap();
        TenantClient::new(alice.connector().clone(), Credential::Key(key)).with_patience_ms(240_000)
    };

    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS as u64 {
        let numbers: Vec<u64> = (0..count).filter(|number| number % WRITERS as u64 == writer).collect();
        writers.spawn(enqueue(client(), numbers));
    }
    let mut reader = client();
    let mut ended: BTreeMap<JobId, VerifiedJob> = BTreeMap::new();
    for kill in 0..kills {
        sleep(Duration::from_millis(200 + dice.below(1_500))).await;
        let (enclave, parent) = match dice.below(4) {
            0 => (true, true),
            1 => (false, true),
            _ => (true, false),
        };
        if enclave {
            appliance.kill_enclave();
        }
        if parent {
            appliance.kill_parent();
            appliance.start_parent();
        }
        if enclave {
            appliance.start_enclave();
        }
        appliance.ready().await;
        // What was seen to have ended is never otherwise.
        for id in some(&mut reader, JobState::Succeeded).await {
            let job = show(&mut reader, id).await;
            let first = ended.entry(id).or_insert_with(|| job.clone());
            assert_eq!(recorded(first), recorded(&job));
        }
        println!("kill {kill} (enclave {enclave}, parent {parent}): {} seen to have ended", ended.len());
    }
    let mut ids = BTreeMap::new();
    while let Some(enqueued) = writers.join_next().await {
        ids.extend(enqueued.unwrap());
    }
    assert_eq!(ids.len() as u64, count);

    let deadline = Instant::now() + LIMIT;
    let (mut attempts, mut interrupted) = (0, 0);
    for (number, id) in &ids {
        let job = loop {
            let job = show(&mut reader, *id).await;
            if job.job.state.is_final() {
                break job;
            }
            assert!(Instant::now() < deadline, "{job:?}");
            sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(job.job.state, JobState::Succeeded, "seed {seed}: {job:?}");
        let Some(VerifiedOutcome::Invocation(invocation)) = &job.outcome else { panic!("{job:?}") };
        assert_eq!(output(invocation)["n"], *number);
        let outcomes: Vec<&str> =
            job.job.attempts.iter().map(|attempt| attempt.outcome.as_deref().unwrap()).collect();
        let (last, before) = outcomes.split_last().unwrap();
        assert!(*last == "ok" && !before.contains(&"ok"), "{outcomes:?}");
        attempts += outcomes.len();
        interrupted += before.iter().filter(|outcome| **outcome == "interrupted").count();
        if let Some(first) = ended.get(id) {
            assert_eq!(recorded(first), recorded(&job));
        }
    }
    // As many as were asked for: what was asked twice was one.
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let page = reader.channel().await.unwrap().jobs(None, after, 100).await.unwrap();
        all.extend(page.jobs.into_iter().map(|job| (job.id, job.state)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all.len() as u64, count);
    println!(
        "{count} jobs, {attempts} attempts, {interrupted} interrupted, one outcome each; {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

/// Queues one job a number, each under a key of its own, whatever becomes of a request.
async fn enqueue(mut client: TenantClient, numbers: Vec<u64>) -> Vec<(u64, JobId)> {
    let policy = RetryPolicy {
        attempts: 10,
        first_delay_ms: 10,
        max_delay_ms: 500,
        retry_on: vec![RetryOn::Interrupted, RetryOn::Unavailable, RetryOn::Crashed, RetryOn::Timeout],
    };
    let mut ids = Vec::new();
    for number in numbers {
        let options = JobOptions {
            policy: Some(policy.clone()),
            idempotency_key: Some(format!("job {number}")),
            ..JobOptions::default()
        };
        let event = json!({ "n": number }).to_string();
        let mut attempts = client.attempts(Resend::Idempotent);
        let enqueued = loop {
            match attempts.channel().await.unwrap().enqueue("echo", event.clone(), &options).await {
                Ok(enqueued) => break enqueued,
                Err(error) => attempts.failed(error).await.unwrap(),
            }
        };
        ids.push((number, enqueued.id));
    }
    ids
}

/// What is on record of how a job ended: the signed receipt, and the attempts. The document that attests the key is the session's.
fn recorded(job: &VerifiedJob) -> (&[u8], &[Attempt]) {
    match &job.outcome {
        Some(VerifiedOutcome::Invocation(invocation)) => (&invocation.bundle().receipt, &job.job.attempts),
        other => panic!("{other:?}"),
    }
}

async fn show(client: &mut TenantClient, id: JobId) -> VerifiedJob {
    let mut attempts = client.attempts(Resend::Idempotent);
    loop {
        match attempts.channel().await.unwrap().job(id).await {
            Ok(job) => return job,
            Err(error) => attempts.failed(checked(error)).await.unwrap(),
        }
    }
}

/// Some of the jobs in a state.
async fn some(client: &mut TenantClient, state: JobState) -> Vec<JobId> {
    let mut attempts = client.attempts(Resend::Idempotent);
    loop {
        match attempts.channel().await.unwrap().jobs(Some(state), None, 40).await {
            Ok(page) => return page.jobs.into_iter().map(|job| job.id).collect(),
            Err(error) => attempts.failed(checked(error)).await.unwrap(),
        }
    }
}

/// Whatever else a kill does, it rolls nothing back and loses nothing.
fn checked(error: ClientError) -> ClientError {
    assert!(!["rolled_back", "receipt", "store_tampered", "not_found"].contains(&error.code()), "{error}");
    error
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// `SplitMix64`: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % count
    }
}
