//! Currency, plans and quotas, as the measured configuration has them.

use std::collections::BTreeMap;

use r3e_proto::api::billing::{Amount, Currency, Metered, NO_PLAN, Quota};
use r3e_proto::api::is_name;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::limits::{MAX_CURRENCY_BYTES, MAX_DECIMALS, MAX_PLANS, MAX_PRICE, TERM_MONTHS};

/// `[billing]` of the configuration, as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillingTable {
    currency: Option<String>,
    decimals: Option<u8>,
    default_plan: Option<String>,
    #[serde(default)]
    quota: Quota,
    #[serde(default)]
    plan: Vec<PlanTable>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanTable {
    name: String,
    kind: Kind,
    fee: Option<Amount>,
    term_months: Option<u16>,
    allowance: Option<Quota>,
    prices: Option<Prices>,
}

/// How a plan charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// For what is used.
    PayAsYouGo,
    /// A fee for each month, an allowance in it, and for what is used beyond.
    Monthly,
    /// A fee for a term of months in advance, and an allowance in each; nothing beyond.
    Reserved,
}

/// The price of a million of each, in smallest units of the currency. What is absent is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Prices {
    pub(crate) invocations: u64,
    pub(crate) cpu_us: u64,
    pub(crate) wall_us: u64,
    pub(crate) memory_mib_ms: u64,
    pub(crate) bytes_out: u64,
    pub(crate) host_calls: u64,
    pub(crate) storage_mib_s: u64,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// For each term.
    pub(crate) fee: Amount,
    pub(crate) term_months: u16,
    /// Free of charge in a month; nothing where a plan has none.
    pub(crate) allowance: Metered,
    /// Beyond which nothing may be used in a month.
    pub(crate) ceiling: Quota,
    pub(crate) prices: Prices,
}

/// What the configuration says of billing.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub(crate) currency: Option<Currency>,
    /// None charges nothing.
    pub(crate) default_plan: Option<String>,
    pub(crate) quota: Quota,
    pub(crate) plans: BTreeMap<String, Plan>,
}

/// What `[billing]` was refused for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TermsError {
    /// A name that is none.
    #[error(
        "a currency's name has 1 to {MAX_CURRENCY_BYTES} letters and digits, and at most {MAX_DECIMALS} decimals"
    )]
    Currency,
    /// Plans, and nothing that their prices are in.
    #[error("plans need `currency` and `decimals`, both of them")]
    NoCurrency,
    /// A plan that cannot be told from another one, or from none.
    #[error("the plan {0:?} has no name of its own: 1 to 64 letters, digits, -, _ and ., and not `none`")]
    Name(String),
    /// Too many.
    #[error("at most {MAX_PLANS} plans")]
    TooMany,
    /// The default is none of them.
    #[error("default_plan = {0:?} is none of the plans")]
    Default(String),
    /// A setting that the plan's kind does not take, or needs.
    #[error("the plan {plan:?}: {rule}")]
    Plan {
        /// Its name.
        plan: String,
        /// The rule it breaks.
        rule: &'static str,
    },
}

impl BillingTable {
    /// What it says, if it keeps every rule.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn terms(&self) -> Result<Terms, TermsError> {
        let currency = match (&self.currency, self.decimals) {
            (None, None) if self.plan.is_empty() => None,
            (Some(name), Some(decimals)) => {
                let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !named || name.len() > MAX_CURRENCY_BYTES || decimals > MAX_DECIMALS {
                    return Err(TermsError::Currency);
                }
                Some(Currency { name: name.clone(), decimals })
            }
            _ => return Err(TermsError::NoCurrency),
        };
        if self.plan.len() > MAX_PLANS {
            return Err(TermsError::TooMany);
        }
        let mut plans = BTreeMap::new();
        for table in &self.plan {
            let taken = table.name == NO_PLAN || plans.contains_key(&table.name);
            if taken || !is_name(&table.name) {
                return Err(TermsError::Name(table.name.clone()));
            }
            plans.insert(table.name.clone(), table.plan()?);
        }
        let default_plan = self.default_plan.clone().filter(|name| name != NO_PLAN);
        match default_plan {
            Some(name) if !plans.contains_key(&name) => Err(TermsError::Default(name)),
            default_plan => Ok(Terms { currency, default_plan, quota: self.quota, plans }),
        }
    }
}

impl PlanTable {
    fn plan(&self) -> Result<Plan, TermsError> {
        let broken = |rule| Err(TermsError::Plan { plan: self.name.clone(), rule });
        let Self { name, kind, fee, term_months, allowance, prices } = self;
        let (name, kind, prices) = (name.clone(), *kind, prices.unwrap_or_default());
        if prices.all().iter().any(|price| *price > MAX_PRICE) {
            return broken("a price is at most 10^18");
        }
        let (fee, term) = (fee.unwrap_or_default(), term_months.unwrap_or(1));
        match kind {
            Kind::PayAsYouGo if self.fee.is_some() || allowance.is_some() || term_months.is_some() => {
                return broken("pay_as_you_go takes `prices` alone");
            }
            Kind::Monthly if term_months.is_some() => return broken("monthly takes no `term_months`"),
            Kind::Reserved if self.prices.is_some() => {
                return broken("reserved takes no `prices`: nothing is used beyond its allowance");
            }
            Kind::Reserved if allowance.is_none() => return broken("reserved needs an `allowance`"),
            Kind::Reserved if !TERM_MONTHS.contains(&term) => return broken("term_months is 1 to 36"),
            _ => {}
        }
        let allowance = allowance.unwrap_or_default();
        let (included, ceiling) = match kind {
            Kind::Reserved => (Metered::default(), allowance),
            Kind::PayAsYouGo | Kind::Monthly => (free(&allowance), Quota::default()),
        };
        Ok(Plan { name, kind, fee, term_months: term, allowance: included, ceiling, prices })
    }
}

/// What an allowance leaves free: nothing of what it does not name.
fn free(allowance: &Quota) -> Metered {
    let of = |limit: Option<u64>| limit.unwrap_or_default();
    Metered {
        invocations: of(allowance.invocations),
        failures: 0,
        cpu_us: of(allowance.cpu_us),
        wall_us: of(allowance.wall_us),
        memory_mib_ms: of(allowance.memory_mib_ms),
        bytes_out: of(allowance.bytes_out),
        host_calls: of(allowance.host_calls),
        storage_byte_s: of(allowance.storage_byte_s),
    }
}

impl Prices {
    fn all(&self) -> [u64; 7] {
        let Self { invocations, cpu_us, wall_us, memory_mib_ms, bytes_out, host_calls, storage_mib_s } =
            *self;
        [invocations, cpu_us, wall_us, memory_mib_ms, bytes_out, host_calls, storage_mib_s]
    }
}

impl Plan {
    /// SHA-256 of all that it says, hex: a plan of the same name that says something else is another one.
    pub(crate) fn digest(&self) -> String {
        // A plan's members are numbers and texts, which JSON always holds.
        hex::encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }
}

#[cfg(test)]
#[path = "terms/tests.rs"]
mod tests;
