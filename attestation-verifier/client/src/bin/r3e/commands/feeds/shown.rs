//! Feeds and reports as they are shown.

use r3e_proto::api::feeds::{
    BatchedReport, Feed, OracleKey, Published, Round, RoundOutcome, SignedBatch, SignedReport,
};
use r3e_proto::report::Report;

use crate::output::{fields, table, time};

pub(super) fn list(feeds: &[Feed]) -> String {
    let row = |feed: &Feed| {
        let (answer, at) =
            feed.latest.as_ref().map_or_else(nothing, |it| (price(it), seconds(it.observed_at_s)));
        let pair = feed.definition["pair"].as_str().unwrap_or("-").to_owned();
        [feed.name.clone(), pair, state(feed), answer, at, feed.sequence.to_string()]
    };
    table(
        ["NAME", "PAIR", "STATE", "ANSWER", "OBSERVED", "SEQUENCE"],
        &feeds.iter().map(row).collect::<Vec<_>>(),
    )
}

pub(super) fn published(published: &[Published]) -> String {
    let row = |one: &Published| {
        let transaction = one.transaction.clone().unwrap_or("-".to_owned());
        let trouble = one.trouble.clone().unwrap_or("-".to_owned());
        [one.target.to_string(), one.sequence.to_string(), transaction, trouble]
    };
    table(["CONTRACT", "SEQUENCE", "TRANSACTION", "TROUBLE"], &published.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn key(key: &OracleKey) -> String {
    fields(&[
        ("tenant", key.tenant.to_string()),
        ("on Ethereum", key.evm_address.to_string()),
        ("on Neo N3", key.neo_public_key.to_string()),
    ])
}

pub(super) fn one(feed: &Feed) -> String {
    let mut pairs = vec![
        ("feed", feed.name.clone()),
        ("pair", feed.definition["pair"].as_str().unwrap_or("-").to_owned()),
        ("state", state(feed)),
        ("rounds", format!("every {} ms, each source has {} ms", feed.interval_ms, feed.timeout_ms)),
        ("definition", feed.config_digest.to_string()),
        ("public", if feed.public { "yes" } else { "no" }.to_owned()),
        ("sequence", feed.sequence.to_string()),
    ];
    pairs.extend(feed.targets.iter().map(|target| ("signed for", target.to_string())));
    pairs.extend(feed.publish.iter().map(|one| ("brought to", format!("{} by {}", one.target, one.wallet))));
    if let Some(latest) = &feed.latest {
        pairs.push(("latest", line(latest)));
    }
    let mut text = fields(&pairs);
    if let Some(round) = &feed.last_round {
        text.push('\n');
        text.push_str(&last(round));
    }
    text
}

fn last(round: &Round) -> String {
    let outcome = match round.outcome {
        RoundOutcome::Published => "published",
        RoundOutcome::Quiet => "nothing to publish yet",
        RoundOutcome::Nothing => "nothing published",
        RoundOutcome::Failed => "failed",
    };
    let mut pairs = vec![("last round", format!("{}, {outcome}", time(round.at_ms)))];
    pairs.extend(round.reason.clone().map(|reason| ("why", reason)));
    pairs.extend(round.answer.clone().map(|answer| ("answer", answer)));
    let rows: Vec<[String; 3]> = round
        .sources
        .iter()
        .map(|it| [it.source.clone(), it.price.clone().unwrap_or("-".to_owned()), it.message.clone()])
        .collect();
    format!("{}\n{}", fields(&pairs), table(["SOURCE", "PRICE", "WHAT BECAME OF IT"], &rows))
}

pub(super) fn history(reports: &[Report]) -> String {
    let row = |it: &Report| {
        let until = seconds(it.valid_until_s);
        [it.sequence.to_string(), seconds(it.observed_at_s), price(it), it.sources.to_string(), until]
    };
    table(
        ["SEQUENCE", "OBSERVED", "ANSWER", "SOURCES", "VALID UNTIL"],
        &reports.iter().map(row).collect::<Vec<_>>(),
    )
}

pub(super) fn report(signed: &SignedReport) -> String {
    let report = &signed.report;
    let mut pairs = vec![
        ("feed", signed.feed.clone()),
        ("tenant", signed.tenant.to_string()),
        ("answer", price(report)),
        ("confidence", decimal(&report.confidence.to_string(), report.decimals)),
        ("observed at", seconds(report.observed_at_s)),
        ("valid until", seconds(report.valid_until_s)),
        ("sequence", report.sequence.to_string()),
        ("sources", report.sources.to_string()),
        ("definition", format!("0x{}", hex::encode(report.config_digest))),
    ];
    for one in &signed.signatures {
        pairs.push(("signed for", one.target.to_string()));
        pairs.push(("by", one.signer.clone()));
        pairs.push(("signature", one.signature.to_string()));
    }
    fields(&pairs)
}

/// A batch.
pub(super) fn batch(signed: &SignedBatch) -> String {
    let mut pairs = vec![("root", signed.root.to_string()), ("tenant", signed.tenant.to_string())];
    for one in &signed.signatures {
        pairs.push(("signed for", one.target.to_string()));
        pairs.push(("by", one.signer.clone()));
        pairs.push(("signature", one.signature.to_string()));
    }
    let row = |it: &BatchedReport| {
        let report = &it.report;
        let (at, until) = (seconds(report.observed_at_s), seconds(report.valid_until_s));
        [it.feed.clone(), report.sequence.to_string(), at, until, price(report)]
    };
    let rows: Vec<_> = signed.reports.iter().map(row).collect();
    format!(
        "{}\n{}",
        fields(&pairs),
        table(["FEED", "SEQUENCE", "OBSERVED AT", "VALID UNTIL", "ANSWER"], &rows)
    )
}

/// A report in one line.
pub(super) fn line(report: &Report) -> String {
    let (at, sources) = (seconds(report.observed_at_s), report.sources);
    format!("{}  {at}  {}  {sources} sources", report.sequence, price(report))
}

fn nothing() -> (String, String) {
    ("-".to_owned(), "-".to_owned())
}

fn state(feed: &Feed) -> String {
    let outcome = feed.last_round.as_ref().map(|round| round.outcome);
    match (feed.paused, outcome) {
        (true, _) => "paused",
        (_, None) => "begins",
        (_, Some(RoundOutcome::Published | RoundOutcome::Quiet)) => "active",
        (_, Some(RoundOutcome::Nothing)) => "no answer",
        (_, Some(RoundOutcome::Failed)) => "failing",
    }
    .to_owned()
}

fn seconds(unix_s: u64) -> String {
    time(unix_s.saturating_mul(1_000))
}

fn price(report: &Report) -> String {
    decimal(&report.answer.to_string(), report.decimals)
}

/// An integer's digits with a point before the last `decimals` of them.
fn decimal(digits: &str, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_have_their_point() {
        assert_eq!(decimal("6438900000000", 8), "64389.00000000");
        assert_eq!(decimal("5", 3), "0.005");
        assert_eq!(decimal("-1234", 2), "-12.34");
        assert_eq!(decimal("7", 0), "7");
    }
}
