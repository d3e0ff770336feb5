//! A tenant's usage that only memory holds: what runs now, and what ended and is not written yet. Everything here is a few
//! comparisons and sums under one lock, so that an invocation waits for nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use r3e_proto::api::billing::{Amount, Metered, Month, Quota};

use crate::account::Account;
use crate::admission::NotAdmitted;
use crate::price::{cost, most_cost};
use crate::state::plan_name;
use crate::terms::{Plan, Terms};

/// Usage by month and function.
pub(crate) type Counters = BTreeMap<Month, BTreeMap<String, Metered>>;

/// One tenant's.
#[derive(Debug)]
pub(crate) struct Live {
    /// Whether the month's sums were read.
    pub(crate) loaded: bool,
    /// The month that the sums are of.
    pub(crate) month: Month,
    /// All that was used in it,
    pub(crate) used: Metered,
    /// and the most that what runs now may come to use.
    pub(crate) running: Metered,
    /// As many as the account has, by the same ids.
    pub(crate) periods: Vec<LivePeriod>,
    /// What is not written yet,
    pub(crate) pending: Counters,
    /// and what a commit under way holds.
    pub(crate) taken: Counters,
}

/// A month under a plan.
#[derive(Debug, Clone)]
pub(crate) struct LivePeriod {
    pub(crate) id: u64,
    pub(crate) plan: Arc<Plan>,
    pub(crate) month: Month,
    /// What was used, and is charged for,
    pub(crate) consumed: Metered,
    /// and the most that what runs now may come to use.
    pub(crate) running: Metered,
    /// What consumed and running may cost together: what is posted, and what is set aside.
    pub(crate) covered: Amount,
}

/// What an invocation is let in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Let {
    pub(crate) month: Month,
    pub(crate) period: Option<u64>,
}

/// What must happen before it is let in.
#[derive(Debug)]
pub(crate) enum Wait {
    /// The month's sums are not read.
    Load,
    /// The month is not open under the plan.
    Open,
    /// More must be set aside in this period, by at least this.
    Draw(u64, Amount),
    /// Nothing: it is refused.
    Refused(NotAdmitted),
}

impl Default for Live {
    fn default() -> Self {
        Self {
            loaded: false,
            month: Month::FIRST,
            used: Metered::default(),
            running: Metered::default(),
            periods: Vec::new(),
            pending: Counters::new(),
            taken: Counters::new(),
        }
    }
}

impl LivePeriod {
    /// What was used, and the most that what runs now may add.
    pub(crate) fn engaged(&self) -> Metered {
        self.consumed.plus(&self.running)
    }

    /// What must stay covered: the most that it may come to cost. Of one that nobody is let in under any more, and nothing runs
    /// under, what it costs: the part of a unit that its sum has begun is forgiven.
    pub(crate) fn needed(&self, current: Option<u64>) -> Amount {
        if current != Some(self.id) && self.running.invocations == 0 {
            return cost(&self.plan, &self.consumed);
        }
        most_cost(&self.plan, &self.engaged()).unwrap_or(self.covered)
    }
}

impl Live {
    /// Lets an invocation in that may use `most`, or says what must happen before.
    pub(crate) fn admit(
        &mut self,
        account: &Account,
        terms: &Terms,
        now_ms: u64,
        most: &Metered,
    ) -> Result<Let, Wait> {
        if !self.loaded {
            return Err(Wait::Load);
        }
        let month = Month::of(now_ms).max(self.month);
        self.turn_to(month);
        let quota = account.quota.unwrap_or(terms.quota);
        self.within(&quota, &self.used.plus(&self.running).plus(most), None, now_ms)?;
        let period = match plan_name(account, terms) {
            None => None,
            Some(name) if !terms.plans.contains_key(name) => {
                return Err(Wait::Refused(NotAdmitted::NoSuchPlan(name.to_owned())));
            }
            Some(name) => Some(self.room(account.current, name, (month, now_ms), most)?),
        };
        if let Some(period) = period.and_then(|at| self.periods.get_mut(at)) {
            period.running = period.running.plus(most);
        }
        self.running = self.running.plus(most);
        Ok(Let { month, period: period.and_then(|at| self.periods.get(at)).map(|period| period.id) })
    }

    /// The period with room for `most`, by its place.
    fn room(
        &self,
        current: Option<u64>,
        plan: &str,
        (month, now_ms): (Month, u64),
        most: &Metered,
    ) -> Result<usize, Wait> {
        let at = self.periods.iter().position(|period| Some(period.id) == current);
        let found = at.and_then(|at| Some((at, self.periods.get(at)?)));
        let Some((at, period)) = found.filter(|(_, of)| of.plan.name == plan && of.month == month) else {
            return Err(Wait::Open);
        };
        let engaged = period.engaged().plus(most);
        self.within(&period.plan.ceiling, &engaged, Some(plan), now_ms)?;
        let Some(needed) = most_cost(&period.plan, &engaged) else {
            let available = period.covered;
            return Err(Wait::Refused(NotAdmitted::Balance { needed: largest(), available }));
        };
        match needed.checked_sub(period.covered) {
            None | Some(Amount::ZERO) => Ok(at),
            Some(missing) => Err(Wait::Draw(period.id, missing)),
        }
    }

    /// A later month begins without anything used.
    pub(crate) fn turn_to(&mut self, month: Month) {
        if month > self.month {
            (self.month, self.used, self.running) = (month, Metered::default(), Metered::default());
        }
    }

    fn within(&self, quota: &Quota, used: &Metered, plan: Option<&str>, now_ms: u64) -> Result<(), Wait> {
        let over =
            quota.against(used).into_iter().find(|(_, used, limit)| limit.is_some_and(|limit| *used > limit));
        match over {
            Some((what, _, Some(limit))) => Err(Wait::Refused(NotAdmitted::Quota {
                what,
                limit,
                plan: plan.map(str::to_owned),
                retry_after_s: self.month.next().begins_ms().saturating_sub(now_ms).div_ceil(1_000).max(1),
            })),
            _ => Ok(()),
        }
    }

    /// An invocation that was let in has ended. `used` is what it used; nothing where it never ran.
    pub(crate) fn ended(&mut self, of: Let, function: &str, most: &Metered, used: Option<&Metered>) {
        if of.month == self.month {
            self.running = self.running.minus(most);
        }
        let period = self.periods.iter_mut().find(|period| Some(period.id) == of.period);
        if let Some(period) = period {
            period.running = period.running.minus(most);
            // No invocation is charged more than its limits let it use, however late it was stopped.
            period.consumed = period.consumed.plus(&used.map(|used| used.at_most(most)).unwrap_or_default());
        }
        if let Some(used) = used {
            self.count(of.month, function, used);
        }
    }

    /// What is kept in storage costs, too; nothing was set aside for it.
    pub(crate) fn stored(&mut self, current: Option<u64>, month: Month, function: &str, used: &Metered) {
        self.turn_to(month);
        let period =
            self.periods.iter_mut().find(|period| Some(period.id) == current && period.month == month);
        if let Some(period) = period {
            period.consumed = period.consumed.plus(used);
        }
        self.count(month, function, used);
    }

    fn count(&mut self, month: Month, function: &str, used: &Metered) {
        if month == self.month {
            self.used = self.used.plus(used);
        }
        let counters = self.pending.entry(month).or_default();
        match counters.get_mut(function) {
            Some(sum) => *sum = sum.plus(used),
            None => drop(counters.insert(function.to_owned(), *used)),
        }
    }
}

fn largest() -> Amount {
    Amount::new(r3e_proto::limits::MAX_AMOUNT).unwrap_or_default()
}
