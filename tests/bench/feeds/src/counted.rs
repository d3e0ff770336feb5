//! What the appliance counted, from the texts of its metrics.

use std::fmt;

use anyhow::Context as _;

const RESULTS: [&str; 4] = ["published", "quiet", "nothing", "failed"];

/// Of all feeds, and of each.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    rounds: [f64; RESULTS.len()],
    /// Reports that were there within so many seconds, for each bound.
    within: Vec<(String, f64)>,
    delay_s: f64,
    /// Reports of each feed.
    published: Vec<f64>,
}

impl Counted {
    /// From the operator's text, and the tenant's.
    pub(crate) fn read(operator: &str, tenant: &str) -> anyhow::Result<Self> {
        let mut rounds = [0.0; RESULTS.len()];
        for (count, result) in rounds.iter_mut().zip(RESULTS) {
            let name = format!("r3e_feeds_rounds_total{{result=\"{result}\"}}");
            *count = all(operator, &name).next().with_context(|| format!("no {name}"))?.1;
        }
        let bucket = "r3e_feeds_report_delay_seconds_bucket{le=\"";
        let bound = |rest: &str| rest.trim_end_matches("\"}").to_owned();
        let within = all(operator, bucket).map(|(rest, count)| (bound(rest), count)).collect();
        let sum = all(operator, "r3e_feeds_report_delay_seconds_sum").next().context("no sum")?.1;
        let of_each =
            all(tenant, "r3e_feed_rounds_total{").filter(|(rest, _)| rest.contains("\"published\""));
        Ok(Self { rounds, within, delay_s: sum, published: of_each.map(|(_, count)| count).collect() })
    }

    /// What was counted after `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let less = |now: &[f64], then: &[f64]| now.iter().zip(then).map(|(now, then)| now - then).collect();
        let mut rounds = self.rounds;
        rounds.iter_mut().zip(before.rounds).for_each(|(now, then)| *now -= then);
        let bounds = self.within.iter().zip(&before.within);
        Self {
            rounds,
            within: bounds.map(|((bound, now), (_, then))| (bound.clone(), now - then)).collect(),
            delay_s: self.delay_s - before.delay_s,
            published: less(&self.published, &before.published),
        }
    }

    /// How many reports there were.
    pub(crate) fn published(&self) -> f64 {
        self.rounds[0]
    }
}

/// The samples whose names, with their labels, begin so: what comes behind it, and the value.
fn all<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    let samples = text.lines().filter_map(move |line| line.strip_prefix(name)?.rsplit_once(' '));
    samples.filter_map(|(rest, value)| Some((rest, value.parse().ok()?)))
}

impl fmt::Display for Counted {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (result, count) in RESULTS.iter().zip(self.rounds) {
            writeln!(to, "rounds, {result:<9}                {count}")?;
        }
        let least = self.published.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.published.iter().copied().fold(0.0, f64::max);
        writeln!(to, "reports of one feed              {least} to {most}")?;
        writeln!(to, "from a round's last answer to its report, durable and signed:")?;
        let reports = self.within.last().map_or(0.0, |(_, count)| *count);
        writeln!(to, "  mean                           {:.2} ms", self.delay_s * 1_000.0 / reports)?;
        for (bound, count) in &self.within {
            writeln!(to, "  within {bound:>6} s                {:.2} %", count * 100.0 / reports)?;
        }
        Ok(())
    }
}
