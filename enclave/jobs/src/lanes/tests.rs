//! Turns, shares and order.

use std::time::Duration;

use super::*;

fn tenant(number: u8) -> TenantId {
    TenantId([number; 16])
}

fn address(of: u8, number: u8) -> Address {
    Address { tenant: tenant(of), id: JobId([number; 16]) }
}

fn taken(lanes: &mut Lanes, now: Instant) -> Vec<(u8, u8)> {
    std::iter::from_fn(|| lanes.take(now)).map(|taken| (taken.tenant.0[0], taken.id.0[0])).collect()
}

#[test]
fn a_flood_delays_another_by_one_turn() {
    let now = Instant::now();
    let mut lanes = Lanes::new(1, 1);
    for number in 0..200 {
        lanes.push(address(1, number), now, now);
    }
    assert_eq!(taken(&mut lanes, now), [(1, 0)]);
    lanes.push(address(2, 0), now, now);
    lanes.done(tenant(1));
    // What came to be ready while the flood's one was under way has the next turn.
    assert_eq!(taken(&mut lanes, now), [(2, 0)]);
    lanes.done(tenant(2));
    assert_eq!(taken(&mut lanes, now), [(1, 1)]);
}

#[test]
fn one_tenant_has_its_share_and_leaves_the_rest() {
    let now = Instant::now();
    let mut lanes = Lanes::new(4, 2);
    for number in 0..9 {
        lanes.push(address(1, number), now, now);
    }
    assert_eq!(taken(&mut lanes, now), [(1, 0), (1, 1)]);
    lanes.push(address(2, 0), now, now);
    lanes.push(address(3, 0), now, now);
    lanes.push(address(4, 0), now, now);
    assert_eq!(taken(&mut lanes, now), [(2, 0), (3, 0)]);
    assert_eq!(lanes.under_way(), 4);
    lanes.done(tenant(3));
    assert_eq!(taken(&mut lanes, now), [(4, 0)]);
}

#[test]
fn each_is_ready_at_its_time_and_in_the_order_of_it() {
    let now = Instant::now();
    let at = |ms| now + Duration::from_millis(ms);
    let mut lanes = Lanes::new(9, 9);
    lanes.push(address(1, 3), at(30), now);
    lanes.push(address(1, 1), at(10), now);
    lanes.push(address(1, 2), at(20), now);
    assert_eq!((taken(&mut lanes, now), lanes.next_at()), (vec![], Some(at(10))));
    assert_eq!(taken(&mut lanes, at(20)), [(1, 1), (1, 2)]);
    assert_eq!(lanes.next_at(), Some(at(30)));
}

#[test]
fn what_is_removed_is_not_taken_and_nothing_is_left_of_it() {
    let now = Instant::now();
    let mut lanes = Lanes::new(9, 9);
    lanes.push(address(1, 1), now, now);
    lanes.push(address(1, 2), now + Duration::from_secs(1), now);
    lanes.remove(address(1, 1));
    lanes.remove(address(1, 2));
    lanes.remove(address(2, 1));
    assert!(taken(&mut lanes, now + Duration::from_secs(2)).is_empty());
    assert!(
        lanes.of_tenants.is_empty()
            && lanes.turns.is_empty()
            && lanes.later.is_empty()
            && lanes.due.is_empty()
    );
}

#[test]
fn a_tenant_that_comes_back_has_one_turn_at_a_time() {
    let now = Instant::now();
    let mut lanes = Lanes::new(1, 1);
    // Emptied and filled again between turns, which leaves an old turn in the line.
    lanes.push(address(1, 1), now, now);
    lanes.remove(address(1, 1));
    lanes.push(address(1, 2), now, now);
    lanes.push(address(2, 1), now, now);
    lanes.push(address(1, 3), now, now);
    let mut order = Vec::new();
    while let Some(next) = lanes.take(now) {
        order.push((next.tenant.0[0], next.id.0[0]));
        lanes.done(next.tenant);
    }
    assert_eq!(order, [(1, 2), (2, 1), (1, 3)]);
}
