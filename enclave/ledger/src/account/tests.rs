//! What may be done with an account, and that no order of it breaks the books.

use proptest::prelude::*;

use super::*;

fn amount(units: u128) -> Amount {
    Amount::new(units).unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn opened(totals: &mut Totals, available: u128) -> (Draft, u64) {
    let mut draft = Draft::of(Account::default(), 1);
    draft.deposit(totals, amount(available), "first").unwrap();
    let id = draft
        .open(totals, ("payg", "digest".into()), (month("2026-11"), month("2026-11")), Amount::ZERO)
        .unwrap();
    (draft, id)
}

#[test]
fn a_life_of_money_leaves_an_entry_for_each_step() {
    let mut totals = Totals::default();
    let (mut draft, id) = opened(&mut totals, 100);
    draft.reserve(&mut totals, id, amount(60)).unwrap();
    draft.consumed(id, Metered { invocations: 1, ..Metered::default() }, amount(25));
    draft.settle(&mut totals, id, amount(35), EntryKind::Settle).unwrap();
    draft.withdraw(&mut totals, amount(70), "last").unwrap();
    let kinds: Vec<_> = draft.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Deposit, EntryKind::Reserve, EntryKind::Settle, EntryKind::Withdrawal]);
    assert_eq!(draft.entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(draft.account.available, amount(5));
    assert_eq!(draft.account.reserved(), Some(Amount::ZERO));
    assert_eq!((totals.revenue, totals.deposited, totals.withdrawn), (amount(25), amount(100), amount(70)));
    assert!(totals.balance_with([&draft.account].into_iter()));
    draft.close(id);
    assert!(draft.account.periods.is_empty());
}

#[test]
fn nothing_goes_below_zero_or_over_the_largest_amount() {
    let mut totals = Totals::default();
    let (mut draft, id) = opened(&mut totals, 100);
    let before = (draft.account.clone(), totals.clone());
    let most = amount(r3e_proto::limits::MAX_AMOUNT);
    assert!(matches!(
        draft.withdraw(&mut totals, amount(101), "w"),
        Err(LedgerError::Insufficient { needed, available }) if (needed, available) == (amount(101), amount(100))
    ));
    assert!(matches!(draft.reserve(&mut totals, id, amount(101)), Err(LedgerError::Insufficient { .. })));
    assert!(matches!(draft.deposit(&mut totals, most, "d"), Err(LedgerError::Amount)));
    assert!(matches!(draft.settle(&mut totals, id, amount(1), EntryKind::Settle), Err(LedgerError::Amount)));
    let months = (month("2026-12"), month("2026-12"));
    let fee = draft.open(&mut totals, ("month", "digest".into()), months, amount(101));
    assert!(matches!(fee, Err(LedgerError::Insufficient { .. })));
    assert_eq!(before, (draft.account.clone(), totals), "a refusal changes nothing");
    assert_eq!(draft.entries.len(), 1);
}

#[test]
fn what_is_over_the_cover_is_never_charged() {
    let mut totals = Totals::default();
    let (mut draft, id) = opened(&mut totals, 100);
    draft.reserve(&mut totals, id, amount(10)).unwrap();
    // Storage that nobody set anything aside for.
    draft.consumed(id, Metered::default(), amount(1_000));
    draft.settle(&mut totals, id, Amount::ZERO, EntryKind::Settle).unwrap();
    assert_eq!((totals.revenue, draft.account.available), (amount(10), amount(90)));
    draft.settle(&mut totals, id, Amount::ZERO, EntryKind::Settle).unwrap();
    assert_eq!(totals.revenue, amount(10));
}

#[test]
fn an_account_is_read_as_it_was_written() {
    let mut totals = Totals::default();
    let (mut draft, id) = opened(&mut totals, 100);
    draft.reserve(&mut totals, id, amount(10)).unwrap();
    let text = serde_json::to_string(&draft.account).unwrap();
    assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), draft.account);
    assert!(serde_json::from_str::<Account>(&text.replacen("available", "avialable", 1)).is_err());
}

#[derive(Debug, Clone)]
enum Step {
    Deposit(u128),
    Withdraw(u128),
    Reserve(u128),
    Consume(u128),
    Settle(u128),
    Fee(u128),
}

fn step() -> impl Strategy<Value = Step> {
    let small = 0..200u128;
    prop_oneof![
        small.clone().prop_map(Step::Deposit),
        small.clone().prop_map(Step::Withdraw),
        small.clone().prop_map(Step::Reserve),
        small.clone().prop_map(Step::Consume),
        small.clone().prop_map(Step::Settle),
        small.prop_map(Step::Fee),
        Just(Step::Deposit(r3e_proto::limits::MAX_AMOUNT)),
    ]
}

proptest! {
    /// Whatever is asked in whatever order: accounts sum to zero, none is below it, each entry sums to zero, numbers have no
    /// gap, and the entries alone give the accounts.
    #[test]
    fn every_history_balances(steps in prop::collection::vec(step(), 0..60)) {
        let mut totals = Totals::default();
        let (mut draft, mut id) = opened(&mut totals, 50);
        let mut cost = 0;
        for step in steps {
            let units = amount;
            match step {
                Step::Deposit(by) => drop(draft.deposit(&mut totals, units(by), "d")),
                Step::Withdraw(by) => drop(draft.withdraw(&mut totals, units(by), "w")),
                Step::Reserve(by) => drop(draft.reserve(&mut totals, id, units(by))),
                Step::Consume(by) => {
                    cost += by;
                    draft.consumed(id, Metered::default(), units(cost));
                }
                Step::Settle(by) => drop(draft.settle(&mut totals, id, units(by), EntryKind::Settle)),
                Step::Fee(by) => {
                    let months = (month("2026-11"), month("2026-11"));
                    if let Ok(opened) = draft.open(&mut totals, ("p", "d".into()), months, units(by)) {
                        (id, cost) = (opened, 0);
                    }
                }
            }
            prop_assert!(totals.balance_with([&draft.account].into_iter()));
        }
        let mut sums = std::collections::HashMap::new();
        for (at, entry) in draft.entries.iter().enumerate() {
            prop_assert_eq!(entry.number, at as u64 + 1);
            prop_assert_eq!(entry.postings.iter().map(|posting| posting.amount.units()).sum::<i128>(), 0);
            for posting in &entry.postings {
                *sums.entry(posting.account).or_insert(0i128) += posting.amount.units();
                let is_outside = posting.account == Side::Deposits;
                prop_assert!(is_outside || sums[&posting.account] >= 0, "{:?} is below zero", posting.account);
            }
        }
        let sum = |side| u128::try_from(sums.get(&side).copied().unwrap_or(0).abs()).unwrap();
        prop_assert_eq!(sum(Side::Tenant), draft.account.available.units());
        prop_assert_eq!(sum(Side::Reservations), draft.account.reserved().unwrap().units());
        prop_assert_eq!(sum(Side::Revenue), totals.revenue.units());
        prop_assert_eq!(sum(Side::Deposits), totals.deposited.units());
        prop_assert_eq!(sum(Side::Withdrawals), totals.withdrawn.units());
    }
}
