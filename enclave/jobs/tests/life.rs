//! Jobs in ordinary use, and where somebody oversteps.

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keeper::{Fault, Keeper};
use r3e_jobs::{Full, JobsError, NewJob, limits};
use r3e_proto::api::functions::Outcome;
use r3e_proto::api::jobs::{JobOutcome, JobState, Origin, RetryOn, RetryPolicy, WebhookState};
use r3e_proto::notice::Notice;
use world::{ALICE, BOB, HOST, Life, Outside, eventually, quick, report_key, scripted};

fn code(outcome: Option<&JobOutcome>) -> &str {
    match outcome {
        None => "none",
        Some(JobOutcome::NotRun(error)) => &error.code,
        Some(JobOutcome::Invocation(invocation)) => match &invocation.outcome {
            Outcome::Output(_) => "ok",
            Outcome::Error(error) => &error.code,
        },
    }
}

#[tokio::test]
async fn a_job_is_run_and_its_outcome_is_there() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let enqueued = life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap();
    assert!(!enqueued.repeated);
    life.settled().await;
    let shown = life.show(ALICE, enqueued.id).await;
    assert_eq!(shown.job.state, JobState::Succeeded);
    assert_eq!(shown.job.origin, Origin::Api);
    let Some(JobOutcome::Invocation(invocation)) = &shown.outcome else { panic!("{shown:?}") };
    assert_eq!(invocation.id, shown.job.attempts[0].invocation);
    assert_eq!(outside.calls()[0].1, invocation.id);
    assert_eq!(life.jobs.counts().succeeded, 1);
}

#[tokio::test]
async fn outcomes_are_retried_as_the_policy_says() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    for (script, retry_on, state, attempts, end) in [
        (&["crashed", "crashed", "ok"][..], None, JobState::Succeeded, 3, "ok"),
        (&["crashed", "#all"][..], None, JobState::Dead, 3, "crashed"),
        (&["unavailable", "ok"][..], None, JobState::Succeeded, 2, "ok"),
        (&["function_error", "ok"][..], None, JobState::Dead, 1, "function_error"),
        (&["store_unconfirmed", "ok"][..], None, JobState::Dead, 1, "store_unconfirmed"),
        (&["timeout", "ok"][..], None, JobState::Dead, 1, "timeout"),
        (&["function_error", "ok", "#"][..], Some(RetryOn::FunctionError), JobState::Succeeded, 2, "ok"),
        (&["no_room", "no_room", "ok"][..], None, JobState::Succeeded, 1, "ok"),
        (&["cpu_limit", "timeout", "#"][..], Some(RetryOn::Limit), JobState::Dead, 2, "timeout"),
    ] {
        let mut new = scripted(script);
        new.policy.retry_on.extend(retry_on);
        let id = life.jobs.enqueue(ALICE, new).await.unwrap().id;
        life.settled().await;
        let shown = life.show(ALICE, id).await;
        assert_eq!((shown.job.state, shown.job.attempts.len()), (state, attempts), "{script:?}");
        assert_eq!(code(shown.outcome.as_ref()), end, "{script:?}");
    }
}

#[tokio::test]
async fn a_function_that_is_gone_makes_a_dead_letter_which_can_be_replayed() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    life.jobs.pause(std::time::Duration::ZERO).await;
    let id = life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap().id;
    outside.missing.lock().unwrap().insert("f".into());
    let refused = life.jobs.enqueue(ALICE, scripted(&["ok"])).await;
    assert!(matches!(refused, Err(JobsError::NoFunction(name)) if name == "f"));
    assert!(matches!(
        life.jobs.replay(ALICE, id, None).await,
        Err(JobsError::NotEnded { state: JobState::Queued, .. })
    ));
    life.jobs.resume();
    life.settled().await;
    let dead = life.show(ALICE, id).await;
    assert_eq!((dead.job.state, code(dead.outcome.as_ref())), (JobState::Dead, "no_function"));

    outside.missing.lock().unwrap().clear();
    let again = life.jobs.replay(ALICE, id, Some("once".into())).await.unwrap();
    let same = life.jobs.replay(ALICE, id, Some("once".into())).await.unwrap();
    assert_eq!((same.id, same.repeated), (again.id, true));
    life.settled().await;
    let done = life.show(ALICE, again.id).await;
    assert_eq!((done.job.state, done.job.origin), (JobState::Succeeded, Origin::Replay(id)));
    assert_eq!(life.show(ALICE, id).await, dead, "the one that was replayed is as it was");
    assert!(matches!(life.jobs.replay(BOB, id, None).await, Err(JobsError::NotFound(_))));
}

#[tokio::test]
async fn what_has_not_begun_is_cancelled_and_nothing_else_is() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let under_way = life.jobs.enqueue(ALICE, scripted(&["wait"])).await.unwrap().id;
    eventually(|| life.jobs.counts().running == 1 && !outside.calls().is_empty()).await;
    life.jobs.pause(std::time::Duration::ZERO).await;
    let waits = life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap().id;
    assert!(matches!(life.jobs.cancel(BOB, waits).await, Err(JobsError::NotFound(_))));
    assert!(matches!(
        life.jobs.cancel(ALICE, under_way).await,
        Err(JobsError::Begun { state: JobState::Running, .. })
    ));
    assert_eq!(life.jobs.cancel(ALICE, waits).await.unwrap().state, JobState::Cancelled);
    assert_eq!(life.jobs.cancel(ALICE, waits).await.unwrap().state, JobState::Cancelled);
    outside.gate.send_replace(true);
    life.jobs.resume();
    life.settled().await;
    assert!(matches!(
        life.jobs.cancel(ALICE, under_way).await,
        Err(JobsError::Begun { state: JobState::Succeeded, .. })
    ));
    assert_eq!(outside.calls().len(), 1, "what was cancelled is not run");
    assert_eq!(life.show(ALICE, waits).await.outcome, None);
}

#[tokio::test]
async fn tenants_see_and_touch_their_own_alone() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    life.jobs.pause(std::time::Duration::ZERO).await;
    let new = NewJob { idempotency_key: Some("same".into()), ..scripted(&["ok"]) };
    let alices = life.jobs.enqueue(ALICE, new.clone()).await.unwrap();
    let bobs = life.jobs.enqueue(BOB, new).await.unwrap();
    assert!(!bobs.repeated && bobs.id != alices.id, "keys of two tenants do not meet");
    for (who, other) in [(BOB, alices.id), (ALICE, bobs.id)] {
        assert!(matches!(life.jobs.show(who, other).await, Err(JobsError::NotFound(_))));
        assert!(matches!(life.jobs.cancel(who, other).await, Err(JobsError::NotFound(_))));
        assert!(matches!(life.jobs.replay(who, other, None).await, Err(JobsError::NotFound(_))));
    }
    let page = life.jobs.list(BOB, None, None, 10).await.unwrap();
    assert_eq!(page.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [bobs.id]);
}

#[tokio::test]
async fn a_key_is_one_job_for_a_stated_time() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let mut life = Life::begin(&keeper, &outside).await;
    let new = NewJob { idempotency_key: Some("k".into()), ..scripted(&["ok"]) };
    let (first, second) =
        tokio::join!(life.jobs.enqueue(ALICE, new.clone()), life.jobs.enqueue(ALICE, new.clone()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.id, second.id);
    assert!(first.repeated != second.repeated, "one of the two made it");
    let id = first.id;
    for other in [
        NewJob { function: "g".into(), ..new.clone() },
        NewJob { event: b"null".to_vec(), ..new.clone() },
        NewJob { policy: quick(2), ..new.clone() },
        NewJob { keep_ms: limits::DEFAULT_KEEP_MS + 1, ..new.clone() },
        NewJob { webhook: Some(format!("https://{HOST}/")), ..new.clone() },
    ] {
        assert!(matches!(life.jobs.enqueue(ALICE, other).await, Err(JobsError::KeyReused)));
    }
    // A trigger's key of the same text is another.
    let trigger = NewJob { origin: Origin::Trigger("t".into()), ..new.clone() };
    let triggered = life.jobs.enqueue(ALICE, trigger.clone()).await.unwrap();
    assert!(!triggered.repeated);
    // It alone says which job it is: a message that comes again may be stamped anew.
    let stamped = NewJob { event: b"[\"#later\"]".to_vec(), ..trigger.clone() };
    assert_eq!(life.jobs.enqueue(ALICE, stamped.clone()).await.unwrap().id, triggered.id);
    let elsewhere = NewJob { origin: Origin::Trigger("u".into()), ..stamped };
    assert!(matches!(life.jobs.enqueue(ALICE, elsewhere).await, Err(JobsError::KeyReused)));
    life.settled().await;
    // After a restart, too.
    life = Life::begin(&keeper, &outside).await;
    assert_eq!(life.jobs.enqueue(ALICE, new.clone()).await.unwrap().id, id);
    outside.now_ms.fetch_add(limits::KEY_KEPT_MS + 1_000, Ordering::SeqCst);
    let later = life.jobs.enqueue(ALICE, new).await.unwrap();
    assert!(!later.repeated && later.id != id);
    assert!(matches!(
        life.jobs.enqueue(ALICE, NewJob { idempotency_key: Some(String::new()), ..trigger.clone() }).await,
        Err(JobsError::Invalid(_))
    ));
    let long = "k".repeat(limits::MAX_KEY_BYTES + 1);
    assert!(life.jobs.enqueue(ALICE, NewJob { idempotency_key: Some(long), ..trigger }).await.is_err());
}

#[tokio::test]
async fn what_breaks_a_rule_is_no_job() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let new = scripted(&["ok"]);
    for wrong in [
        NewJob { event: b"{".to_vec(), ..new.clone() },
        NewJob { event: vec![0xff], ..new.clone() },
        NewJob { event: vec![b' '; limits::MAX_EVENT_BYTES + 1], ..new.clone() },
        NewJob { keep_ms: 0, ..new.clone() },
        NewJob { keep_ms: u64::MAX, ..new.clone() },
        NewJob { policy: RetryPolicy { attempts: 0, ..quick(1) }, ..new.clone() },
        NewJob { webhook: Some("https://elsewhere.example.com/".into()), ..new.clone() },
        NewJob { webhook: Some(format!("https://{HOST}/{}", "a".repeat(4_096))), ..new.clone() },
        NewJob { origin: Origin::Trigger(String::new()), ..new.clone() },
    ] {
        let refused = life.jobs.enqueue(ALICE, wrong).await;
        assert!(matches!(refused, Err(JobsError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(life.jobs.counts().enqueued, 0);
    assert_eq!(life.store.records(), 0);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again_and_is_one_tenants() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = std::sync::Arc::new(Life::begin(&keeper, &outside).await);
    life.jobs.pause(std::time::Duration::ZERO).await;
    let mut enqueueing = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let life = std::sync::Arc::clone(&life);
        enqueueing.spawn(async move {
            for _ in 0..limits::MAX_QUEUED_OF_ONE / 16 {
                life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap();
            }
        });
    }
    while let Some(done) = enqueueing.join_next().await {
        done.unwrap();
    }
    let refused = life.jobs.enqueue(ALICE, scripted(&["ok"])).await;
    let Err(JobsError::Full { full }) = refused else { panic!("{refused:?}") };
    assert_eq!((full, full.retry_after_s()), (Full::Queue, limits::FULL_RETRY_AFTER_S));
    life.jobs.enqueue(BOB, scripted(&["ok"])).await.unwrap();
    assert_eq!(life.jobs.counts().queued, limits::MAX_QUEUED_OF_ONE as u64 + 1);

    // Pages go through all of them, the newest first.
    let page = life.jobs.list(ALICE, Some(JobState::Queued), None, 1_000).await.unwrap();
    assert_eq!((page.jobs.len(), page.next.is_some()), (limits::MAX_PAGE, true));
    let rest = life.jobs.list(ALICE, Some(JobState::Queued), page.next, 2).await.unwrap();
    assert!(page.jobs.iter().all(|job| job.queued_at_ms >= rest.jobs[0].queued_at_ms));
    // One that is cancelled makes room.
    life.jobs.cancel(ALICE, page.jobs[0].id).await.unwrap();
    life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap();
}

#[tokio::test]
async fn a_flood_does_not_delay_anothers_job() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    life.jobs.pause(std::time::Duration::ZERO).await;
    for _ in 0..300 {
        life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap();
    }
    life.jobs.enqueue(BOB, scripted(&["ok"])).await.unwrap();
    life.jobs.resume();
    life.settled().await;
    let calls = outside.calls();
    let at = calls.iter().position(|(tenant, ..)| *tenant == BOB).unwrap();
    assert!(at <= limits::DEFAULT_AT_ONCE, "{at} of the flood's went first");
    assert_eq!(calls.len(), 301);
}

#[tokio::test]
async fn a_flood_that_hangs_leaves_room_for_others() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    for _ in 0..2 * limits::DEFAULT_AT_ONCE {
        life.jobs.enqueue(ALICE, scripted(&["wait"])).await.unwrap();
    }
    let id = life.jobs.enqueue(BOB, scripted(&["ok"])).await.unwrap().id;
    eventually(|| life.jobs.counts().succeeded == 1).await;
    assert_eq!(life.show(BOB, id).await.job.state, JobState::Succeeded);
    assert_eq!(
        outside.calls().iter().filter(|(tenant, ..)| *tenant == ALICE).count(),
        limits::DEFAULT_AT_ONCE / 4
    );
}

#[tokio::test]
async fn a_webhook_is_told_by_a_notice_that_holds() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let url = format!("https://{HOST}/done");
    let new = NewJob { webhook: Some(url.clone()), ..scripted(&["function_error"]) };
    let id = life.jobs.enqueue(ALICE, new).await.unwrap().id;
    eventually(|| life.jobs.counts().webhooks_delivered == 1).await;
    let (notice, body) = outside.told.lock().unwrap()[0].clone();
    let key = report_key().public_key();
    let signed = BASE64.decode(notice).unwrap();
    let is_signed = |message: &[u8], signature: &[u8]| {
        use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
        UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
    };
    let notice = Notice::verify(&signed, &body, is_signed).unwrap();
    assert_eq!((notice.job, notice.tenant), (id.0, ALICE.0));
    assert_eq!((notice.state.as_str(), notice.outcome.as_str()), ("dead", "function_error"));
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["id"], id.to_string());
    assert_eq!(body["output_sha256"], hex::encode(notice.output));
    let shown = life.show(ALICE, id).await.job;
    let webhook = shown.webhook.unwrap();
    assert_eq!((webhook.url, webhook.state, webhook.attempts), (url, WebhookState::Delivered, 1));
    assert_eq!(webhook.last.as_deref(), Some("http_204"));
}

#[tokio::test]
async fn a_webhook_that_lost_its_grant_is_not_told() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    life.jobs.pause(std::time::Duration::ZERO).await;
    let url = Some(format!("https://{HOST}/done"));
    let id = life.jobs.enqueue(ALICE, NewJob { webhook: url, ..scripted(&["ok"]) }).await.unwrap().id;
    outside.granted.lock().unwrap().clear();
    life.jobs.resume();
    eventually(|| life.jobs.counts().webhooks_failed == 1).await;
    assert!(outside.told.lock().unwrap().is_empty());
    let job = life.show(ALICE, id).await.job;
    assert_eq!(job.state, JobState::Succeeded);
    assert_eq!(job.webhook.unwrap().last.as_deref(), Some("host_not_granted"));
}

#[tokio::test]
async fn what_ended_is_kept_for_its_time_and_then_removed_whole() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let id = life.jobs.enqueue(ALICE, scripted(&["ok"])).await.unwrap().id;
    life.settled().await;
    outside.now_ms.fetch_add(limits::DEFAULT_KEEP_MS - 60_000, Ordering::SeqCst);
    let life = Life::begin(&keeper, &outside).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(life.show(ALICE, id).await.job.state, JobState::Succeeded);
    outside.now_ms.fetch_add(60_000, Ordering::SeqCst);
    let life = Life::begin(&keeper, &outside).await;
    eventually(|| life.jobs.counts().removed == 1).await;
    assert!(matches!(life.jobs.show(ALICE, id).await, Err(JobsError::NotFound(_))));
    eventually(|| life.store.records() == 0).await;
}

#[tokio::test]
async fn a_clock_that_jumps_loses_nothing_and_delays_nothing() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let day = 24 * 3_600 * 1_000;
    let mut ids = Vec::new();
    for jump in [0, day, u64::MAX - day + 1, u64::MAX - 365 * day, 700 * day] {
        // Wraps: forwards and back.
        outside.now_ms.fetch_add(jump, Ordering::SeqCst);
        ids.push(
            life.jobs.enqueue(ALICE, scripted(&["crashed", "ok", &format!("#{jump}")])).await.unwrap().id,
        );
        life.settled().await;
    }
    for id in &ids {
        assert_eq!(life.show(ALICE, *id).await.job.attempts.len(), 2);
    }
    assert_eq!(life.jobs.counts().succeeded, 5);
}

#[tokio::test]
async fn a_commit_of_which_nothing_is_known_is_followed_to_its_end() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Failed] {
        let (keeper, outside) = (Keeper::new(), Outside::new());
        let life = Life::begin(&keeper, &outside).await;
        for _ in 0..3 {
            keeper.fail_next([fault; 2]);
            let asked = life.jobs.enqueue(ALICE, scripted(&["ok"])).await;
            assert!(matches!(asked, Ok(_) | Err(JobsError::Store(_))), "{asked:?}");
        }
        life.settled().await;
        let counts = life.jobs.counts();
        assert_eq!(counts.succeeded, counts.enqueued, "{fault:?}");
        assert_eq!(outside.calls().len() as u64, counts.succeeded, "{fault:?}");
    }
}
