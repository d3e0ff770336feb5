//! What `[billing]` may say, and what it is refused for.

use super::*;

fn table(text: &str) -> Result<Terms, String> {
    let table: BillingTable = serde_json::from_str(text).map_err(|error| error.to_string())?;
    table.terms().map_err(|error| error.to_string())
}

const PLANS: &str = r#"{"currency": "GAS", "decimals": 8, "default_plan": "payg", "quota": {"invocations": 5}, "plan": [
    {"name": "payg", "kind": "pay_as_you_go", "prices": {"invocations": 3}},
    {"name": "month", "kind": "monthly", "fee": "10", "allowance": {"invocations": 7}, "prices": {"invocations": 3}},
    {"name": "year", "kind": "reserved", "fee": "99", "term_months": 12, "allowance": {"invocations": 7}}]}"#;

#[test]
fn nothing_said_charges_nothing() {
    let terms = table("{}").unwrap();
    assert!(terms.currency.is_none() && terms.default_plan.is_none() && terms.plans.is_empty());
    let none = table(r#"{"default_plan": "none"}"#).unwrap();
    assert!(none.default_plan.is_none());
}

#[test]
fn a_plan_of_each_kind() {
    let terms = table(PLANS).unwrap();
    assert_eq!(terms.default_plan.as_deref(), Some("payg"));
    assert_eq!(terms.quota.invocations, Some(5));
    let month = &terms.plans["month"];
    assert_eq!((month.fee.units(), month.allowance.invocations, month.ceiling), (10, 7, Quota::default()));
    let year = &terms.plans["year"];
    assert_eq!((year.term_months, year.allowance.invocations, year.ceiling.invocations), (12, 0, Some(7)));
}

#[test]
fn what_breaks_a_rule_is_refused_by_name() {
    for (from, to, says) in [
        (r#""GAS""#, r#""""#, "letters and digits"),
        (r#""GAS""#, r#""A-B""#, "letters and digits"),
        (r#""decimals": 8"#, r#""decimals": 19"#, "decimals"),
        (r#""decimals": 8, "#, "", "both of them"),
        (r#""payg", "kind""#, r#""none", "kind""#, "no name of its own"),
        (r#""payg", "kind""#, r#""month", "kind""#, "no name of its own"),
        (r#""payg", "kind""#, r#""a/b", "kind""#, "no name of its own"),
        (r#""default_plan": "payg""#, r#""default_plan": "other""#, "none of the plans"),
        (r#""pay_as_you_go", "#, r#""pay_as_you_go", "fee": "1", "#, "`prices` alone"),
        (r#""pay_as_you_go", "#, r#""pay_as_you_go", "allowance": {}, "#, "`prices` alone"),
        (r#""monthly", "#, r#""monthly", "term_months": 2, "#, "no `term_months`"),
        (r#""term_months": 12"#, r#""term_months": 0"#, "1 to 36"),
        (r#""term_months": 12"#, r#""term_months": 37"#, "1 to 36"),
        (r#""reserved", "#, r#""reserved", "prices": {}, "#, "no `prices`"),
        (
            r#""fee": "99", "term_months": 12, "allowance": {"invocations": 7}"#,
            r#""fee": "99""#,
            "needs an `allowance`",
        ),
        (r#""prices": {"invocations": 3}}"#, r#""prices": {"invocations": 1000000000000000001}}"#, "10^18"),
        (r#""prices": {"invocations": 3}}"#, r#""prices": {"invocation": 3}}"#, "unknown field"),
        (r#""prices": {"invocations": 3}}"#, r#""prices": {"invocations": 3.5}}"#, "invalid type"),
        (r#""prices": {"invocations": 3}}"#, r#""prices": {"invocations": -3}}"#, "invalid value"),
        (r#""fee": "10""#, r#""fee": "1.5""#, "whole number"),
        (r#""fee": "10""#, r#""fee": 10"#, "invalid type"),
    ] {
        assert!(PLANS.contains(from), "{from}");
        let refused = table(&PLANS.replacen(from, to, 1)).unwrap_err();
        assert!(refused.contains(says), "{to}: {refused}");
    }
    let many: Vec<String> =
        (0..=MAX_PLANS).map(|n| format!(r#"{{"name": "p{n}", "kind": "pay_as_you_go"}}"#)).collect();
    let many = format!(r#"{{"currency": "X", "decimals": 0, "plan": [{}]}}"#, many.join(","));
    assert_eq!(table(&many).unwrap_err(), TermsError::TooMany.to_string());
}

#[test]
fn a_plan_that_says_something_else_is_another_one() {
    let digest = |text: &str| table(text).unwrap().plans["month"].digest();
    assert_eq!(digest(PLANS), digest(PLANS));
    assert_ne!(digest(PLANS), digest(&PLANS.replace(r#""fee": "10""#, r#""fee": "11""#)));
}
