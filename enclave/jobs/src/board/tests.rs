//! Room, claims and pages.

use super::*;

const ALICE: TenantId = TenantId([1; 16]);
const BOB: TenantId = TenantId([2; 16]);

fn address(tenant: TenantId, time_ms: u64) -> Address {
    Address { tenant, id: JobId::new(time_ms, [7; 10]) }
}

const QUEUED: Place = Place::Queued { due_ms: 0, bytes: 10 };

#[tokio::test]
async fn a_tenants_room_is_its_own_and_is_given_back() {
    let mut board = Board::new(4, 2);
    for number in 0..MAX_QUEUED_OF_ONE as u64 {
        board.expect(ALICE, 10).unwrap();
        board.came(ALICE, 10);
        board.add(address(ALICE, number), QUEUED, 0);
    }
    assert_eq!(board.expect(ALICE, 10), Err(Full::Queue));
    board.expect(BOB, 10).unwrap();
    board.came(BOB, 10);
    // One that ends makes room in the queue, and stays among those that are kept.
    let first = address(ALICE, 0);
    assert_eq!(board.claim(first), Some(QUEUED));
    let kept = Place::Kept { until_ms: 9, state: JobState::Succeeded, bytes: MAX_BYTES_OF_ONE };
    board.release(first, Some(kept), 0);
    assert_eq!(board.expect(ALICE, 10), Err(Full::Bytes));
    assert_eq!(board.claim(first), Some(kept));
    board.release(first, None, 0);
    assert_eq!(board.expect(ALICE, 10), Ok(()));
    assert_eq!(board.find(first), None);
    let queued = MAX_QUEUED_OF_ONE as u64 - 1;
    assert_eq!(board.counts(), Counts { queued, running: 0, kept: 0, dead: 0 });
}

#[tokio::test]
async fn room_that_is_expected_counts() {
    let mut board = Board::new(4, 2);
    for _ in 0..MAX_QUEUED_OF_ONE {
        board.expect(ALICE, 1).unwrap();
    }
    assert_eq!(board.expect(ALICE, 1), Err(Full::Queue));
    board.came(ALICE, 1);
    assert_eq!(board.expect(ALICE, 1), Ok(()));
}

#[tokio::test]
async fn a_claim_is_one_and_keeps_a_job_out_of_its_line() {
    let mut board = Board::new(4, 2);
    let job = address(ALICE, 1);
    board.add(job, QUEUED, 0);
    assert_eq!(board.claim(job), Some(QUEUED));
    assert_eq!(board.claim(job), None);
    assert_eq!(board.next_attempt(Instant::now()), None);
    board.release(job, Some(QUEUED), 0);
    assert_eq!(board.next_attempt(Instant::now()), Some(job));
    assert_eq!(board.claim(job), None, "what is under way is claimed");
}

#[tokio::test]
async fn a_due_time_far_ahead_is_no_longer_than_the_longest_delay() {
    let mut board = Board::new(4, 2);
    // The clock went back by years since it was written.
    board.add(address(ALICE, 1), Place::Queued { due_ms: u64::MAX, bytes: 1 }, 1_000);
    assert_eq!(board.next_attempt(Instant::now()), None);
    assert!(board.next_attempt(Instant::now() + Duration::from_millis(MAX_DELAY_MS)).is_some());
}

#[tokio::test]
async fn pages_are_one_tenants_newest_first() {
    let mut board = Board::new(4, 2);
    for number in 0..5 {
        board.add(address(ALICE, number), QUEUED, 0);
        board.add(address(BOB, number), QUEUED, 0);
    }
    let dead = Place::Kept { until_ms: 1, state: JobState::Dead, bytes: 1 };
    board.add(address(ALICE, 2), dead, 0);
    let id = |number| address(ALICE, number).id;
    assert_eq!(board.page(ALICE, None, None, 2), (vec![id(4), id(3)], true));
    assert_eq!(board.page(ALICE, None, Some(id(3)), 9), (vec![id(2), id(1), id(0)], false));
    assert_eq!(board.page(ALICE, Some(JobState::Dead), None, 1), (vec![id(2)], false));
    assert_eq!(board.page(TenantId([3; 16]), None, None, 9), (vec![], false));
    assert_eq!(board.counts(), Counts { queued: 9, running: 0, kept: 1, dead: 1 });
}

#[tokio::test]
async fn counts_are_each_tenants_own_through_every_step_of_a_job() {
    let mut board = Board::new(4, 2);
    let (first, second) = (address(ALICE, 1), address(ALICE, 2));
    let now = |queued, running, kept, dead| Counts { queued, running, kept, dead };
    board.add(first, QUEUED, 0);
    board.add(second, QUEUED, 0);
    board.add(address(BOB, 1), QUEUED, 0);
    board.claim(first).unwrap();
    board.moved(first, Place::Running { bytes: 1 });
    assert_eq!(board.counts_of(ALICE).0, now(1, 1, 0, 0));
    // It is tried again, and dies; its webhook is told, and then it is kept.
    board.moved(first, QUEUED);
    let telling = Place::Telling { due_ms: 0, state: JobState::Dead, bytes: 1 };
    board.moved(first, telling);
    assert_eq!(board.counts_of(ALICE).0, now(1, 0, 1, 1));
    board.release(first, Some(Place::Kept { until_ms: 9, state: JobState::Dead, bytes: 1 }), 0);
    board.ended(ALICE, JobState::Dead);
    // Cancelled: kept, and no dead letter.
    board.claim(second).unwrap();
    board.release(second, Some(Place::Kept { until_ms: 9, state: JobState::Cancelled, bytes: 1 }), 0);
    board.ended(ALICE, JobState::Cancelled);
    let ended = Ended { succeeded: 0, dead: 1, cancelled: 1 };
    assert_eq!(board.counts_of(ALICE), (now(0, 0, 2, 1), ended));
    assert_eq!(board.counts_of(BOB), (now(1, 0, 0, 0), Ended::default()));
    // What ended stays counted when the jobs are removed.
    for job in [first, second] {
        board.claim(job).unwrap();
        board.release(job, None, 0);
    }
    assert_eq!(board.counts_of(ALICE), (Counts::default(), ended));
}

#[tokio::test]
async fn tenants_whose_ends_are_counted_are_bounded() {
    let mut board = Board::new(4, 2);
    let tenant = |number: usize| TenantId(u128::try_from(number).unwrap().to_be_bytes());
    for number in 0..=MAX_COUNTED_TENANTS {
        board.ended(tenant(number), JobState::Succeeded);
    }
    board.ended(tenant(0), JobState::Succeeded);
    assert_eq!(board.ended.len(), MAX_COUNTED_TENANTS);
    let succeeded = |number| board.counts_of(tenant(number)).1.succeeded;
    assert_eq!((succeeded(0), succeeded(MAX_COUNTED_TENANTS)), (2, 0));
}
