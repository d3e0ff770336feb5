//! What is printed: one object for machines, a page for people. The two say the same.

mod data;

use std::{collections::BTreeMap, fmt::Write as _};

use r3e_attestation::{AttestationResult, CertificateSummary, Inspection, Pcr, RootKind, UnixTime};
use r3e_proto::{
    api::{feeds::Signature, functions::Usage, identity::TenantId, random::Random},
    random::Occasion,
    receipt::Receipt,
    report::Report as OfFeed,
};
use serde::Serialize;

pub(crate) use data::{NO_CHAIN, SeenData, Settled};

use crate::error::VerifyError;

/// The verdict on a document. The field names are stable.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) accepted: bool,
    /// `accepted`, or the code of the reason against it.
    reason: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    /// Whether chain and signature held: if not, what was seen is hearsay.
    authentic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    appraised_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_release: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Difference>,
    /// What the receipt says; absent for a document alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<SeenReceipt>,
    /// What the report of a feed says; absent for anything else.
    #[serde(rename = "report", skip_serializing_if = "Option::is_none")]
    feed: Option<SeenReport>,
    /// What a batch of reports says; absent for anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<SeenBatch>,
    /// What a random number is, and for what; absent for anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<SeenRandom>,
    /// What an endpoint answered; absent for anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<SeenData>,
    /// What the document says; absent if it could not be read.
    seen: Option<Seen>,
}

/// A PCR that is not what it should be.
#[derive(Debug, Serialize)]
pub(crate) struct Difference {
    pub(crate) pcr: u8,
    pub(crate) expected: Option<String>,
    pub(crate) found: Option<String>,
}

/// The content of a document.
#[derive(Debug, Serialize)]
pub(crate) struct Seen {
    module_id: String,
    timestamp: String,
    timestamp_ms: u64,
    debug: bool,
    tagged: bool,
    pcrs: BTreeMap<u8, String>,
    user_data: Option<String>,
    nonce: Option<String>,
    public_key: Option<String>,
    certificates: Vec<SeenCertificate>,
}

/// The content of a receipt.
#[derive(Debug, Serialize)]
pub(crate) struct SeenReceipt {
    invocation: String,
    tenant: String,
    function: String,
    version: String,
    input_sha256: String,
    outcome: String,
    output_sha256: String,
    log_sha256: String,
    usage: Usage,
    sequence: u64,
    time: String,
    configuration: String,
}

/// The content of a feed's report.
#[derive(Debug, Serialize)]
pub(crate) struct SeenReport {
    feed: String,
    tenant: String,
    answer: String,
    confidence: String,
    decimals: u8,
    observed_at: String,
    valid_until: String,
    sequence: u64,
    sources: u8,
    config_digest: String,
    targets: Vec<String>,
    /// Whose each signature is, in the targets' order.
    signers: Vec<String>,
}

/// The content of a batch of reports, as far as it is here.
#[derive(Debug, Serialize)]
pub(crate) struct SeenBatch {
    pub(crate) root: String,
    pub(crate) size: u32,
    pub(crate) reports: Vec<SeenReport>,
}

/// A random number, and what it was drawn for.
#[derive(Debug, Serialize)]
pub(crate) struct SeenRandom {
    value: u64,
    min: u64,
    max: u64,
    output: String,
    key: String,
    /// Whether this key was asked for.
    key_was_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SeenCertificate {
    Read {
        sha256: String,
        aws_root: bool,
        subject: String,
        issuer: String,
        not_before: String,
        not_after: String,
    },
    Unread {
        sha256: String,
        aws_root: bool,
        unreadable: String,
    },
}

impl Report {
    pub(crate) fn accepted(result: &AttestationResult, seen: Option<Seen>, at: UnixTime) -> Self {
        let message = match result.root() {
            RootKind::UnsafeTest => {
                "every check passed, but under a TEST ROOT: this proves nothing about hardware"
            }
            _ if result.is_debug() => {
                "every check passed, but the enclave is in DEBUG MODE: its memory is open"
            }
            _ => "every check passed",
        };
        Self {
            accepted: true,
            reason: "accepted",
            message: message.to_owned(),
            advice: None,
            authentic: true,
            appraised_at: Some(at.to_string()),
            root: Some(result.root().to_string()),
            matched_release: result.matched_release().map(str::to_owned),
            valid_until: Some(result.valid_until().to_string()),
            differences: Vec::new(),
            receipt: None,
            feed: None,
            batch: None,
            random: None,
            data: None,
            seen,
        }
    }

    /// The same verdict, on a receipt that says this.
    pub(crate) fn with_receipt(self, receipt: SeenReceipt) -> Self {
        Self { receipt: Some(receipt), ..self }
    }

    /// The same verdict, on a feed's report that says this.
    pub(crate) fn with_feed_report(self, report: SeenReport) -> Self {
        Self { feed: Some(report), ..self }
    }

    /// The same verdict, on a batch of reports that says this.
    pub(crate) fn with_batch(self, batch: SeenBatch) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// The same verdict, on a random number that is this.
    pub(crate) fn with_random(self, random: SeenRandom) -> Self {
        Self { random: Some(random), ..self }
    }

    /// The same verdict, on an answer that is this.
    pub(crate) fn with_data(self, data: SeenData) -> Self {
        Self { data: Some(data), ..self }
    }

    pub(crate) fn rejected(
        error: &VerifyError,
        seen: Option<Seen>,
        at: Option<UnixTime>,
        differences: Vec<Difference>,
    ) -> Self {
        let authentic = matches!(error, VerifyError::Appraisal(reason) if reason.document_is_authentic());
        let appraised_at = at.map(|at| at.to_string());
        Self { authentic, appraised_at, differences, seen, ..Self::unusable(error) }
    }

    pub(crate) fn unusable(error: &VerifyError) -> Self {
        Self {
            accepted: false,
            reason: error.code(),
            message: error.full_message(),
            advice: error.advice(),
            authentic: false,
            appraised_at: None,
            root: None,
            matched_release: None,
            valid_until: None,
            differences: Vec::new(),
            receipt: None,
            feed: None,
            batch: None,
            random: None,
            data: None,
            seen: None,
        }
    }

    pub(crate) fn json(&self) -> String {
        to_json(self)
    }

    pub(crate) fn human(&self) -> String {
        let mut page = Page::default();
        if self.accepted {
            page.line(&format!("ACCEPTED: {}", self.message));
        } else {
            page.line(&format!("REJECTED ({}): {}", self.reason, self.message));
        }
        if let Some(advice) = self.advice {
            page.line(advice);
        }
        page.line("");
        page.optional("release", self.matched_release.as_deref());
        page.optional("root", self.root.as_deref());
        page.optional("appraised at", self.appraised_at.as_deref());
        page.optional("valid until", self.valid_until.as_deref());
        for difference in &self.differences {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_owned());
            page.field(&format!("PCR{} expected", difference.pcr), &shown(&difference.expected));
            page.field(&format!("PCR{} found", difference.pcr), &shown(&difference.found));
        }
        if let Some(receipt) = &self.receipt {
            self.section(&mut page, "The receipt says", "its key", |page| receipt.write(page));
        }
        if let Some(report) = &self.feed {
            self.section(&mut page, "The report says", "its keys", |page| report.write(page));
        }
        if let Some(batch) = &self.batch {
            self.section(&mut page, "The batch says", "its keys", |page| {
                page.field("root", &batch.root);
                page.field("reports", &format!("{} of {}", batch.reports.len(), batch.size));
                batch.reports.iter().for_each(|report| report.write(page));
            });
        }
        if let Some(random) = &self.random {
            self.section(&mut page, "The random number", "its key", |page| random.write(page));
        }
        if let Some(data) = &self.data {
            self.section(&mut page, "The answer", "its keys", |page| data.write(page));
        }
        if let Some(seen) = &self.seen {
            if !self.authentic {
                page.line("The document says (nobody vouches for it):");
            }
            seen.write(&mut page);
        }
        page.0
    }

    /// What a document was to vouch for, before what it says itself.
    fn section(&self, page: &mut Page, title: &str, key: &str, write: impl FnOnce(&mut Page)) {
        let hearsay = if self.accepted { "" } else { " (nobody vouches for it)" };
        page.line(&format!("{title}{hearsay}:"));
        write(page);
        if self.authentic {
            page.line(&format!("The document that attests {key} says:"));
        }
    }
}

impl SeenReceipt {
    pub(crate) fn new(receipt: &Receipt) -> Self {
        Self {
            invocation: hex::encode(receipt.invocation),
            tenant: hex::encode(receipt.tenant),
            function: receipt.function.clone(),
            version: hex::encode(receipt.version),
            input_sha256: hex::encode(receipt.input),
            outcome: receipt.outcome.clone(),
            output_sha256: hex::encode(receipt.output),
            log_sha256: hex::encode(receipt.log),
            usage: receipt.usage,
            sequence: receipt.sequence,
            time: UnixTime::from_millis(receipt.time_ms).to_string(),
            configuration: hex::encode(receipt.configuration),
        }
    }

    fn write(&self, page: &mut Page) {
        page.field("function", &format!("{:?}", self.function));
        page.field("version", &self.version);
        page.field("tenant", &self.tenant);
        page.field("invocation", &self.invocation);
        page.field("at", &self.time);
        page.field("outcome", &format!("{:?}", self.outcome));
        page.field("input SHA-256", &self.input_sha256);
        page.field("output SHA-256", &self.output_sha256);
        page.field("log SHA-256", &self.log_sha256);
        page.field("CPU time", &format!("{} us", self.usage.cpu_us));
        page.field("sequence", &self.sequence.to_string());
        page.field("configuration", &self.configuration);
    }
}

impl SeenReport {
    pub(crate) fn new(feed: &str, tenant: TenantId, report: &OfFeed, signatures: &[Signature]) -> Self {
        let time = |seconds: u64| UnixTime::from_secs(seconds).to_string();
        Self {
            feed: feed.to_owned(),
            tenant: tenant.to_string(),
            answer: report.answer.to_string(),
            confidence: report.confidence.to_string(),
            decimals: report.decimals,
            observed_at: time(report.observed_at_s),
            valid_until: time(report.valid_until_s),
            sequence: report.sequence,
            sources: report.sources,
            config_digest: hex::encode(report.config_digest),
            targets: signatures.iter().map(|signature| signature.target.to_string()).collect(),
            signers: signatures.iter().map(|signature| signature.signer.clone()).collect(),
        }
    }

    fn write(&self, page: &mut Page) {
        page.field("feed", &format!("{:?}", self.feed));
        page.field("tenant", &self.tenant);
        page.field("answer", &format!("{} x 10^-{}", self.answer, self.decimals));
        page.field("confidence", &self.confidence);
        page.field("observed at", &self.observed_at);
        page.field("valid until", &self.valid_until);
        page.field("sequence", &self.sequence.to_string());
        page.field("sources", &self.sources.to_string());
        page.field("config digest", &self.config_digest);
        for (target, signer) in self.targets.iter().zip(&self.signers) {
            page.field("signed for", target);
            page.field("by", signer);
        }
    }
}

impl SeenRandom {
    pub(crate) fn new(random: &Random, occasion: &Occasion, key_was_required: bool) -> Self {
        let &Random { value, min, max, output, .. } = random;
        let mut seen = Self {
            value,
            min,
            max,
            output: hex::encode(output.0),
            key: random.key.to_string(),
            key_was_required,
            seed: None,
            function: None,
            invocation: None,
            job: None,
            index: None,
        };
        match occasion {
            Occasion::Seed { seed } => seen.seed = Some(seed.clone()),
            Occasion::FunctionSeed { function, seed } => {
                (seen.function, seen.seed) = (Some(function.clone()), Some(seed.clone()));
            }
            Occasion::Invocation { function, invocation, index } => {
                (seen.function, seen.index) = (Some(function.clone()), Some(*index));
                seen.invocation = Some(hex::encode(invocation));
            }
            Occasion::Job { function, job, index } => {
                (seen.function, seen.index) = (Some(function.clone()), Some(*index));
                seen.job = Some(hex::encode(job));
            }
        }
        seen
    }

    fn write(&self, page: &mut Page) {
        page.field("value", &format!("{} of {} to {}", self.value, self.min, self.max));
        page.optional("seed", self.seed.as_ref().map(|seed| format!("{seed:?}")).as_deref());
        page.optional("function", self.function.as_ref().map(|name| format!("{name:?}")).as_deref());
        page.optional("invocation", self.invocation.as_deref());
        page.optional("job", self.job.as_deref());
        page.optional("drawn before it", self.index.map(|index| index.to_string()).as_deref());
        page.field("output", &self.output);
        page.field("key", &self.key);
        if !self.key_was_required {
            page.line(
                "Nothing says that this key was announced before the seed was known: require it with --key.",
            );
        }
    }
}

impl Seen {
    pub(crate) fn new(inspection: &Inspection) -> Self {
        let certificates = inspection.certificates().into_iter().map(SeenCertificate::new).collect();
        Self {
            module_id: inspection.module_id().to_owned(),
            timestamp: inspection.timestamp().to_string(),
            timestamp_ms: inspection.timestamp().as_millis(),
            debug: inspection.is_debug(),
            tagged: inspection.is_tagged(),
            pcrs: inspection.pcrs().iter().map(|(index, pcr)| (*index, hex::encode(pcr))).collect(),
            user_data: inspection.user_data().map(hex::encode),
            nonce: inspection.nonce().map(hex::encode),
            public_key: inspection.public_key().map(hex::encode),
            certificates,
        }
    }

    pub(crate) fn json(&self) -> String {
        to_json(self)
    }

    pub(crate) fn human(&self) -> String {
        let mut page = Page::default();
        page.line("UNVERIFIED: this is what the document says, and anybody could have written it.");
        page.line("To verify it: r3e-verify document FILE --pcr 0=HEX --pcr 1=HEX --pcr 2=HEX");
        page.line("");
        self.write(&mut page);
        for (position, certificate) in self.certificates.iter().enumerate() {
            page.line("");
            certificate.write(position, &mut page);
        }
        page.0
    }

    fn write(&self, page: &mut Page) {
        page.field("module", &self.module_id);
        page.field("made at", &self.timestamp);
        page.field("debug mode", if self.debug { "YES" } else { "no" });
        let is_zero = |pcr: &str| pcr.bytes().all(|digit| digit == b'0');
        for (index, pcr) in self.pcrs.iter().filter(|(_, pcr)| !is_zero(pcr)) {
            page.field(&format!("PCR{index}"), pcr);
        }
        let zeros: Vec<String> =
            self.pcrs.iter().filter(|(_, pcr)| is_zero(pcr)).map(|(index, _)| index.to_string()).collect();
        if !zeros.is_empty() {
            page.field("PCRs of zeros", &zeros.join(", "));
        }
        page.optional("user data", self.user_data.as_deref());
        page.optional("nonce", self.nonce.as_deref());
        page.optional("public key", self.public_key.as_deref());
    }
}

impl SeenCertificate {
    fn new(summary: CertificateSummary) -> Self {
        let (sha256, aws_root) = (summary.sha256, summary.is_aws_root);
        match summary.content {
            Ok(content) => Self::Read {
                sha256,
                aws_root,
                subject: content.subject,
                issuer: content.issuer,
                not_before: content.not_before.to_string(),
                not_after: content.not_after.to_string(),
            },
            Err(unreadable) => Self::Unread { sha256, aws_root, unreadable },
        }
    }

    fn write(&self, position: usize, page: &mut Page) {
        match self {
            Self::Read { sha256, aws_root, subject, not_before, not_after, .. } => {
                page.field(&format!("certificate {position}"), subject);
                page.field("valid", &format!("{not_before} to {not_after}"));
                page.field("SHA-256", sha256);
                if *aws_root {
                    page.field("", "(the bytes of the AWS root)");
                }
            }
            Self::Unread { sha256, unreadable, .. } => {
                page.field(&format!("certificate {position}"), &format!("cannot be read: {unreadable}"));
                page.field("SHA-256", sha256);
            }
        }
    }
}

/// The PCRs that differ, with both values.
pub(crate) fn differences(
    indices: &[u8],
    expected: impl Fn(u8) -> Option<Pcr>,
    found: &BTreeMap<u8, Pcr>,
) -> Vec<Difference> {
    let difference = |&pcr: &u8| Difference {
        pcr,
        expected: expected(pcr).map(hex::encode),
        found: found.get(&pcr).map(hex::encode),
    };
    indices.iter().map(difference).collect()
}

/// Lines of text with names in a column.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn field(&mut self, name: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "  {name:<15} {value}");
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.field(name, if value.is_empty() { "(empty)" } else { value });
        }
    }
}

fn to_json(value: &impl Serialize) -> String {
    // Only a map with keys that are no strings, or a failing writer, could make this fail; neither is here.
    serde_json::to_string_pretty(value).map_or_else(|_| "null\n".to_owned(), |json| json + "\n")
}
