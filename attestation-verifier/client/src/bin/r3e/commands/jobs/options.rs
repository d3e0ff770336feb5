//! How a job is done, as options.

use clap::Args;
use r3e_client::JobOptions;
use r3e_proto::api::jobs::{RetryOn, RetryPolicy};

use crate::commands::secrets::duration;

/// With `--async`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "With --async")]
pub(crate) struct QueueArguments {
    /// Attempts in all; 3 where it is absent
    #[arg(long, value_name = "N", requires = "queue")]
    attempts: Option<u32>,
    /// The most that is waited before the second attempt, in ms; doubled for each further one
    #[arg(long, value_name = "N", requires = "queue")]
    first_delay_ms: Option<u64>,
    /// The most that it is doubled to, in ms
    #[arg(long, value_name = "N", requires = "queue")]
    max_delay_ms: Option<u64>,
    /// What is retried, with commas between: interrupted, unavailable, crashed (these three where it is absent), timeout,
    /// limit, `function_error`, `store_unconfirmed`; or none
    #[arg(long, value_name = "WAYS", requires = "queue", value_parser = ways)]
    retry_on: Option<Ways>,
    /// An https URL that is told when the job has ended; its host must be granted to the function
    #[arg(long, value_name = "URL", requires = "queue")]
    webhook: Option<String>,
    /// How long the job is kept once it has ended: 10m, 12h, 7d; a day where it is absent
    #[arg(long, value_name = "TIME", requires = "queue", value_parser = duration::parse)]
    keep_for: Option<u64>,
    /// Makes this request made again the same job
    #[arg(long, value_name = "KEY", requires = "queue")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Ways(Vec<RetryOn>);

impl QueueArguments {
    pub(crate) fn options(self) -> JobOptions {
        let Self { attempts, first_delay_ms, max_delay_ms, retry_on, webhook, keep_for, idempotency_key } =
            self;
        let is_set =
            attempts.is_some() || first_delay_ms.is_some() || max_delay_ms.is_some() || retry_on.is_some();
        let default = RetryPolicy::default();
        let first_delay_ms = first_delay_ms.unwrap_or(default.first_delay_ms);
        let policy = is_set.then(|| RetryPolicy {
            attempts: attempts.unwrap_or(default.attempts),
            first_delay_ms,
            max_delay_ms: max_delay_ms.unwrap_or(default.max_delay_ms.max(first_delay_ms)),
            retry_on: retry_on.map_or(default.retry_on, |ways| ways.0),
        });
        JobOptions { policy, webhook, keep_ms: keep_for, idempotency_key }
    }
}

fn ways(text: &str) -> Result<Ways, String> {
    if text == "none" {
        return Ok(Ways(Vec::new()));
    }
    let ways: Result<Vec<RetryOn>, _> = text.split(',').map(str::parse).collect();
    ways.map(Ways).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_appliances_to_say() {
        assert_eq!(QueueArguments::default().options(), JobOptions::default());
        let one = QueueArguments { first_delay_ms: Some(600_000), ..QueueArguments::default() };
        let policy = one.options().policy.unwrap();
        assert_eq!((policy.first_delay_ms, policy.max_delay_ms), (600_000, 600_000));
        assert_eq!(policy.retry_on, RetryPolicy::default().retry_on);
    }

    #[test]
    fn ways_are_names_with_commas_between() {
        assert!(ways("none").unwrap().0.is_empty());
        assert_eq!(ways("timeout,limit").unwrap().0, [RetryOn::Timeout, RetryOn::Limit]);
        assert!(ways("").is_err() && ways("timeout,").is_err() && ways("all").is_err());
    }
}
