//! What `r3e-parent upgrade` and the parent that runs say to each other over the admin socket: an order, a line for each
//! step, and a line for the outcome. JSON, one object a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// What to upgrade to. Paths are the parent's to open, so they must be absolute, and its user must be let to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The signed release manifest by which both enclaves judge each other.
    pub manifest: PathBuf,
    /// The successor's image, for a parent that starts its enclave; without one, the image that runs.
    #[serde(default)]
    pub image: Option<PathBuf>,
    /// The published reference values, if others than the parent has.
    #[serde(default)]
    pub reference_values: Option<PathBuf>,
    /// The endpoint of a successor that someone else starts, for a parent that does not start its enclave.
    #[serde(default)]
    pub enclave: Option<String>,
    /// The successor's configuration; without one, the same.
    #[serde(default)]
    pub configuration: Option<PathBuf>,
    /// For the successor to serve, from its start.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// Something was done.
    Step {
        /// Which one.
        step: Step,
        /// In words.
        words: String,
    },
    /// The last line: the successor serves, and its predecessor has ended.
    Done {
        /// In words.
        words: String,
        /// What is left for people to do.
        next: String,
    },
    /// The last line: the successor has taken the state over, and has not come to serve. It is the appliance all the same, since
    /// the enclave that served can commit no more.
    TookOver {
        /// A stable name of what kept it from serving.
        code: String,
        /// In words.
        words: String,
        /// What is left for people to do.
        next: String,
    },
    /// The last line: there was no upgrade, and the enclave that served goes on.
    Failed {
        /// A stable name of the reason.
        code: String,
        /// The reason.
        words: String,
        /// What a preflight found, where it was that.
        findings: Vec<Finding>,
    },
}

/// The steps of an upgrade, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Image, machine, manifest and configuration were looked at.
    Checked,
    /// The successor is started, or waited for.
    Started,
    /// The successor was led to its predecessor.
    Introduced,
    /// The successor has made its first commit: nothing goes back from here.
    TookOver,
    /// New connections lead to the successor.
    Switched,
    /// Old connections have ended, or were cut.
    Drained,
}
