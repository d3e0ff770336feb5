//! `r3e wallets fund-check`: what a wallet has, and how far that goes for the reports that feeds bring by it.

use r3e_proto::api::chains::Funds;
use r3e_proto::api::feeds::Feed;
use r3e_proto::api::wallets::Wei;
use serde::Serialize;

use crate::error::CliError;
use crate::output::{Printer, table};
use crate::session;
use crate::settings::Settings;

pub(super) const HELP: &str = "\
Balances are in the smallest unit: wei, or 10^-8 GAS on Neo N3. A report may cost as much as `fee_limit` of its feed's `publish`, and mostly costs less.
REPORTS is for how many of one feed alone the balance pays. The exit code is 4 where it does not pay for --reports of all of them, or where it is not known.

Examples:
  r3e wallets fund-check feeder
  r3e wallets fund-check feeder --reports 100 --json | jq '.publications[] | select(.reports < 100)'";

/// What was found.
#[derive(Debug, Serialize)]
struct Checked {
    funds: Vec<Funds>,
    publications: Vec<Paid>,
}

/// A contract that the wallet pays for bringing reports to.
#[derive(Debug, Serialize)]
struct Paid {
    feed: String,
    target: String,
    fee_limit: Wei,
    /// Reports that the balance pays for if it pays for no others, at the most that each may cost; none where the balance is not known.
    reports: Option<u64>,
}

pub(super) async fn run(
    name: &str,
    wanted: u64,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    let funds = tenant.wallet_funds(name).await?;
    let publications = paid(name, &tenant.feeds().await?, &funds);
    let checked = Checked { funds, publications };
    printer.result(&checked, shown)?;
    let why = checked.funds.iter().find_map(|it| short(it, &checked.publications, wanted));
    why.map_or(Ok(()), |why| Err(CliError::Unfunded { wallet: name.to_owned(), why }))
}

/// Why what is on one network does not pay for so many reports of each feed there.
fn short(funds: &Funds, publications: &[Paid], wanted: u64) -> Option<String> {
    let Funds { network, balance, .. } = funds;
    let there = publications.iter().filter(|one| is_on(&one.target, network));
    let each = there.fold(0_u128, |all, one| all.saturating_add(one.fee_limit.0));
    let needed = each.saturating_mul(wanted.into());
    match balance {
        _ if each == 0 => None,
        None => Some(format!("what it has on {network} is not known")),
        Some(Wei(balance)) if *balance < needed => Some(format!(
            "on {network}, {wanted} reports of each feed may cost {needed}, and it has {balance}"
        )),
        Some(_) => None,
    }
}

fn is_on(target: &str, network: &str) -> bool {
    target.strip_prefix(network).is_some_and(|rest| rest.starts_with(':'))
}

/// What feeds bring by the wallet. One balance pays for all contracts of its network: here, each is counted as if it were the only one.
fn paid(wallet: &str, feeds: &[Feed], funds: &[Funds]) -> Vec<Paid> {
    let of_feed = |feed: &Feed| -> Vec<Paid> {
        let by_it = feed.publish.iter().filter(|one| one.wallet == wallet);
        by_it
            .map(|one| {
                let target = one.target.to_string();
                let network = funds.iter().find(|it| is_on(&target, &it.network));
                let balance = network.and_then(|it| it.balance);
                let reports = balance.map(|Wei(balance)| {
                    let reports = balance.checked_div(one.fee_limit.0).unwrap_or(u128::MAX);
                    u64::try_from(reports).unwrap_or(u64::MAX)
                });
                Paid { feed: feed.name.clone(), target, fee_limit: one.fee_limit, reports }
            })
            .collect()
    };
    feeds.iter().flat_map(of_feed).collect()
}

fn shown(checked: &Checked) -> String {
    let unknown = || "?".to_owned();
    let rows: Vec<[String; 4]> = checked
        .funds
        .iter()
        .map(|it| {
            let balance = it.balance.map_or_else(unknown, |balance| balance.to_string());
            [it.network.clone(), it.account.clone(), balance, it.trouble.clone().unwrap_or_default()]
        })
        .collect();
    let mut text = table(["NETWORK", "ACCOUNT", "BALANCE", "TROUBLE"], &rows);
    if !checked.publications.is_empty() {
        let rows: Vec<[String; 4]> = checked
            .publications
            .iter()
            .map(|it| {
                let reports = it.reports.map_or_else(unknown, |reports| reports.to_string());
                [it.feed.clone(), it.target.clone(), it.fee_limit.to_string(), reports]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(["FEED", "TARGET", "FEE LIMIT", "REPORTS"], &rows));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(target: &str, fee_limit: u128) -> Paid {
        Paid { feed: "f".into(), target: target.into(), fee_limit: Wei(fee_limit), reports: None }
    }

    #[test]
    fn one_balance_pays_for_all_of_its_network() {
        let funds = |network: &str, balance: Option<u128>| Funds {
            network: network.into(),
            account: String::new(),
            balance: balance.map(Wei),
            trouble: None,
        };
        let both = [paid("eip155:1:0xa", 6), paid("eip155:1:0xb", 6), paid("eip155:10:0xc", 1_000)];
        assert!(short(&funds("eip155:1", Some(10)), &both, 1).unwrap().contains("may cost 12"));
        assert_eq!(short(&funds("eip155:1", Some(12)), &both, 1), None);
        assert!(short(&funds("eip155:1", Some(12)), &both, u64::MAX).is_some());
        assert!(short(&funds("eip155:1", None), &both, 1).unwrap().contains("not known"));
        // Where it pays for nothing, it need have nothing.
        assert_eq!(short(&funds("eip155:5", None), &both, 1), None);
    }
}
