//! The turnstile by itself: order, bounds, and what is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinHandle;

use super::*;

const LONG: Duration = Duration::from_mins(10);

fn turnstile(places: usize, max_waiting: usize, max_waiting_of_one: usize) -> Arc<Turnstile<&'static str>> {
    Arc::new(Turnstile::new(Bounds { places, max_waiting, max_waiting_of_one, max_wait: LONG }))
}

/// Enters in a task of its own, and notes it when it is inside.
fn comes(
    turnstile: &Arc<Turnstile<&'static str>>,
    order: &Arc<Mutex<Vec<&'static str>>>,
    key: &'static str,
    most: usize,
) -> JoinHandle<Result<Permit<&'static str>, TurnedAway>> {
    let (turnstile, order) = (Arc::clone(turnstile), Arc::clone(order));
    tokio::spawn(async move {
        let permit = turnstile.enter(&key, most).await?;
        order.lock().unwrap().push(key);
        Ok(permit)
    })
}

async fn until_waiting(turnstile: &Turnstile<&'static str>, count: usize) {
    while turnstile.waiting() != count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_flood_delays_another_key_by_one_event_a_turn() {
    let turnstile = turnstile(1, 1_000, 500);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut inside = turnstile.enter(&"flood", usize::MAX).await.unwrap();
    let mut waiting = Vec::new();
    for number in 1..=300 {
        waiting.push(comes(&turnstile, &order, "flood", usize::MAX));
        until_waiting(&turnstile, number).await;
    }
    for number in 301..=305 {
        waiting.push(comes(&turnstile, &order, "quiet", usize::MAX));
        until_waiting(&turnstile, number).await;
    }
    // One place, given on 305 times: before the quiet one's n-th event, n of the flood's at the most.
    for _ in 0..305 {
        drop(inside);
        inside = loop {
            let done = waiting.iter().position(JoinHandle::is_finished);
            match done {
                Some(at) => break waiting.remove(at).await.unwrap().unwrap(),
                None => tokio::task::yield_now().await,
            }
        };
    }
    let order = order.lock().unwrap();
    for (nth, at) in
        order.iter().enumerate().filter(|(_, key)| **key == "quiet").map(|(at, _)| at).enumerate()
    {
        let flood_before = at - nth;
        assert!(flood_before <= nth + 1, "{flood_before} events of the flood before the quiet one's {nth}");
    }
    assert_eq!(order.iter().filter(|key| **key == "quiet").count(), 5);
}

#[tokio::test]
async fn a_full_waiting_room_has_room_for_who_has_nobody_in_it() {
    let turnstile = turnstile(1, 10, 10);
    let order = Arc::new(Mutex::new(Vec::new()));
    let inside = turnstile.enter(&"flood", usize::MAX).await.unwrap();
    let flood: Vec<_> = (0..10).map(|_| comes(&turnstile, &order, "flood", usize::MAX)).collect();
    until_waiting(&turnstile, 10).await;
    assert!(turnstile.enter(&"flood", usize::MAX).await.is_err(), "its own line is as long as may be");
    let quiet = comes(&turnstile, &order, "quiet", usize::MAX);
    let mut turned_away = 0;
    while turned_away == 0 {
        tokio::task::yield_now().await;
        turned_away = flood.iter().filter(|task| task.is_finished()).count();
    }
    assert_eq!((turned_away, turnstile.waiting()), (1, 10));
    drop(inside);
    // The flood's first came before it, and no other does.
    let mut quiet = quiet;
    let mut served = 0;
    for task in flood {
        if quiet.is_finished() {
            break;
        }
        tokio::select! {
            permit = task => served += usize::from(permit.unwrap().is_ok()),
            permit = &mut quiet => { permit.unwrap().unwrap(); break; }
        }
    }
    assert!(served <= 2, "{served}");
}

#[tokio::test]
async fn lines_of_one_length_are_not_cut_for_each_other() {
    let turnstile = turnstile(1, 2, 2);
    let order = Arc::new(Mutex::new(Vec::new()));
    let _inside = turnstile.enter(&"x", usize::MAX).await.unwrap();
    let _a = comes(&turnstile, &order, "a", usize::MAX);
    until_waiting(&turnstile, 1).await;
    let _b = comes(&turnstile, &order, "b", usize::MAX);
    until_waiting(&turnstile, 2).await;
    assert!(turnstile.enter(&"c", usize::MAX).await.is_err());
    assert!(turnstile.enter(&"a", usize::MAX).await.is_err());
    assert_eq!(turnstile.waiting(), 2);
}

#[tokio::test]
async fn a_key_at_its_bound_is_passed_over() {
    let turnstile = turnstile(2, 10, 10);
    let order = Arc::new(Mutex::new(Vec::new()));
    let serial = turnstile.enter(&"serial", 1).await.unwrap();
    let waits = comes(&turnstile, &order, "serial", 1);
    until_waiting(&turnstile, 1).await;
    // A place is free; it is not the serial one's.
    let other = turnstile.enter(&"other", usize::MAX).await.unwrap();
    drop(other);
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    drop(serial);
    drop(waits.await.unwrap().unwrap());
    assert!(turnstile.0.lock().lines.is_empty() && turnstile.0.lock().turns.is_empty(), "no trace is left");
}

#[tokio::test]
async fn who_gives_up_leaves_the_line_and_a_place_that_came_too_late_goes_on() {
    let turnstile = turnstile(1, 10, 10);
    let order = Arc::new(Mutex::new(Vec::new()));
    let inside = turnstile.enter(&"a", usize::MAX).await.unwrap();
    let gives_up = comes(&turnstile, &order, "a", usize::MAX);
    until_waiting(&turnstile, 1).await;
    gives_up.abort();
    until_waiting(&turnstile, 0).await;
    // Admitted, and dropped before it looked: as a request whose client goes in that moment.
    let mut late = Box::pin(turnstile.enter(&"a", usize::MAX));
    assert!(futures_poll(&mut late).is_none());
    drop(inside);
    drop(late);
    assert_eq!(turnstile.0.lock().inside, 0);
    drop(turnstile.enter(&"b", 1).await.unwrap());
    assert!(turnstile.0.lock().lines.is_empty());
}

#[tokio::test]
async fn a_wait_is_bounded() {
    let bounds =
        Bounds { places: 1, max_waiting: 10, max_waiting_of_one: 10, max_wait: Duration::from_millis(20) };
    let turnstile = Turnstile::new(bounds);
    let inside = turnstile.enter(&"a", 1).await.unwrap();
    assert_eq!(turnstile.enter(&"b", 1).await.unwrap_err(), TurnedAway);
    assert_eq!(turnstile.waiting(), 0);
    drop(inside);
    turnstile.enter(&"b", 1).await.unwrap();
}

#[tokio::test]
async fn places_and_bounds_hold_whatever_comes_and_goes_at_once() {
    let turnstile = turnstile(3, 10_000, 10_000);
    let inside: Arc<[AtomicUsize; 3]> = Arc::default();
    let all = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..600_usize {
        let (turnstile, inside, all) = (Arc::clone(&turnstile), Arc::clone(&inside), Arc::clone(&all));
        tasks.spawn(async move {
            let which = number % 3;
            let key = ["a", "b", "c"][which];
            let entering = turnstile.enter(&key, 2);
            // Every seventh gives up at some point of its wait.
            let permit = if number % 7 == 0 {
                tokio::select! { biased; permit = entering => permit, () = tokio::task::yield_now() => return }
            } else {
                entering.await
            };
            let _permit = permit.unwrap();
            assert!(inside[which].fetch_add(1, Ordering::SeqCst) < 2);
            assert!(all.fetch_add(1, Ordering::SeqCst) < 3);
            tokio::task::yield_now().await;
            all.fetch_sub(1, Ordering::SeqCst);
            inside[which].fetch_sub(1, Ordering::SeqCst);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let state = turnstile.0.lock();
    assert_eq!((state.inside, state.waiting, state.lines.len(), state.turns.len()), (0, 0, 0, 0));
}

#[tokio::test]
async fn the_expected_wait_follows_the_lines_and_the_pace() {
    let turnstile = turnstile(2, 100, 100);
    let order = Arc::new(Mutex::new(Vec::new()));
    assert_eq!(turnstile.expected_wait(&"a", 10), Duration::ZERO, "nothing is known, and nobody waits");
    turnstile.0.lock().stay.take(Duration::from_secs(4));
    let _inside = [turnstile.enter(&"x", 10).await.unwrap(), turnstile.enter(&"x", 10).await.unwrap()];
    // First in its line, two places that are held for four seconds each.
    assert_eq!(turnstile.expected_wait(&"a", 10), Duration::from_secs(2));
    let _waiting = [
        comes(&turnstile, &order, "a", 10),
        comes(&turnstile, &order, "a", 10),
        comes(&turnstile, &order, "b", 10),
    ];
    until_waiting(&turnstile, 3).await;
    // Two before it, and each turn serves two lines.
    assert_eq!(turnstile.expected_wait(&"a", 10), Duration::from_secs(12));
    assert_eq!(turnstile.expected_wait(&"c", 10), Duration::from_secs(6));
    // Its own bound may be what holds it up.
    assert_eq!(turnstile.expected_wait(&"c", 1), Duration::from_secs(6));
    assert_eq!(turnstile.expected_wait(&"b", 1), Duration::from_secs(8));
}

/// What a future gives when it is asked once.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
