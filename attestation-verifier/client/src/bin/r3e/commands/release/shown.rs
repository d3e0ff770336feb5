//! A release as people and programs read it.

use r3e_client::release_outcomes;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::release::{
    Change, HandoffPolicy, ImagePcrs, Measured, Outcome, Release, ReleaseError, SignedRelease,
    approval_message,
};
use serde::Serialize;

use crate::error::CliError;
use crate::output::{fields, table};

/// A release and its signatures.
#[derive(Serialize)]
pub(super) struct Shown {
    version: String,
    /// PCR0, 1 and 2 of the successor.
    pcrs: [String; 3],
    minimum_sequence: u64,
    predecessors: Vec<[String; 3]>,
    /// What it lets change, each from what runs to what is to run; empty where the configuration stays.
    changes: Vec<ShownChange>,
    /// The identity of the one appliance that it is for; null for any.
    appliance: Option<String>,
    /// What each key signs: SHA-384 of the domain and the release's bytes.
    approval_digest: String,
    signatures: Vec<ShownSignature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<u8>,
}

#[derive(Serialize)]
struct ShownChange {
    from: ShownMeasured,
    to: ShownMeasured,
}

#[derive(Serialize)]
struct ShownMeasured {
    pcr16: String,
    pcr17: String,
}

#[derive(Serialize)]
struct ShownSignature {
    key: String,
    /// `holds` or `does_not_hold` where no policy judges; else `approves`, `duplicate`, `unknown_key`, `bad_signature`.
    outcome: &'static str,
}

impl Shown {
    /// A release whose signatures are held against their own keys: that says nothing of whether those may sign.
    pub(super) fn new(signed: &SignedRelease) -> Result<Self, CliError> {
        let release = signed.read_unverified().map_err(ReleaseError::from)?;
        let keys: Vec<PublicKey> = signed.signatures().iter().map(|(key, _)| *key).collect();
        let word = |outcome| match outcome {
            Outcome::Approves => "holds",
            Outcome::Duplicate => "duplicate",
            Outcome::UnknownKey | Outcome::BadSignature => "does_not_hold",
        };
        Ok(Self {
            version: release.version().to_string(),
            pcrs: image(release.pcrs()),
            minimum_sequence: release.minimum_sequence(),
            predecessors: release.predecessors().iter().map(image).collect(),
            changes: changes(&release),
            appliance: release.appliance().map(hex::encode),
            approval_digest: hex::encode(approval_message(signed.manifest())),
            signatures: signatures(&keys, &release_outcomes(signed, &keys), word),
            approved: None,
            threshold: None,
        })
    }

    /// The same, judged under a policy.
    pub(super) fn judged(self, signed: &SignedRelease, policy: &HandoffPolicy) -> Self {
        let keys: Vec<PublicKey> = signed.signatures().iter().map(|(key, _)| *key).collect();
        let outcomes = release_outcomes(signed, policy.keys());
        let approved = outcomes.iter().filter(|outcome| **outcome == Outcome::Approves).count();
        let word = |outcome| match outcome {
            Outcome::Approves => "approves",
            Outcome::Duplicate => "duplicate",
            Outcome::UnknownKey => "unknown_key",
            Outcome::BadSignature => "bad_signature",
        };
        Self {
            signatures: signatures(&keys, &outcomes, word),
            approved: Some(approved >= usize::from(policy.threshold())),
            threshold: Some(policy.threshold()),
            ..self
        }
    }

    /// How many signatures there are.
    pub(super) fn signatures(&self) -> usize {
        self.signatures.len()
    }

    pub(super) fn human(&self) -> String {
        let mut pairs = vec![("release", self.version.clone())];
        let mut add = |name: &'static str, pcrs: &[String; 3]| {
            for (index, pcr) in pcrs.iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                pairs.push((name, format!("PCR{index}  {pcr}")));
            }
        };
        add("successor", &self.pcrs);
        self.predecessors.iter().for_each(|pcrs| add("predecessor", pcrs));
        for ShownChange { from, to } in &self.changes {
            for (name, ShownMeasured { pcr16, pcr17 }) in [("changes from", from), ("  to", to)] {
                pairs.push((name, format!("PCR16 {pcr16}")));
                pairs.push(("", format!("PCR17 {pcr17}")));
            }
        }
        if self.changes.is_empty() {
            pairs.push(("configuration", "stays as it is".to_owned()));
        }
        pairs.push(("state", format!("at sequence {} or later", self.minimum_sequence)));
        let any = || "any whose [handoff] counts these keys".to_owned();
        pairs.push(("appliance", self.appliance.clone().unwrap_or_else(any)));
        pairs.push(("approval digest", self.approval_digest.clone()));
        let judged = match (self.approved, self.threshold) {
            (Some(true), Some(threshold)) => format!("\napproved: it takes {threshold}\n"),
            (Some(false), Some(threshold)) => format!("\nNOT approved: it takes {threshold}\n"),
            _ => String::new(),
        };
        let rows: Vec<[String; 2]> =
            self.signatures.iter().map(|one| [one.key.clone(), one.outcome.replace('_', " ")]).collect();
        let signatures = if rows.is_empty() {
            "nobody signed it\n".to_owned()
        } else {
            table(["SIGNED BY", "SIGNATURE"], &rows)
        };
        format!("{}{judged}\n{signatures}", fields(&pairs))
    }
}

fn changes(release: &Release) -> Vec<ShownChange> {
    let shown = |Measured { configuration, unlock }: &Measured| ShownMeasured {
        pcr16: hex::encode(configuration),
        pcr17: hex::encode(unlock),
    };
    let change = |change: &Change| ShownChange { from: shown(&change.from), to: shown(&change.to) };
    release.changes().iter().map(change).collect()
}

fn image(pcrs: &ImagePcrs) -> [String; 3] {
    pcrs.map(hex::encode)
}

fn signatures(
    keys: &[PublicKey],
    outcomes: &[Outcome],
    word: impl Fn(Outcome) -> &'static str,
) -> Vec<ShownSignature> {
    let each = keys.iter().zip(outcomes);
    each.map(|(key, outcome)| ShownSignature { key: key.to_string(), outcome: word(*outcome) }).collect()
}
