//! Why the tool gives no verdict, or a bad one.

use std::{error::Error, io, path::PathBuf};

use r3e_attestation::{AppraisalError, PolicyError};
use r3e_proto::{WireError, receipt::ReceiptError};
use thiserror::Error;

/// Why a run does not end in "accepted".
#[derive(Debug, Error)]
pub(crate) enum VerifyError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file; `-` for the standard input.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The evidence is not in the format that it is said to be, or in none.
    #[error("this is not an attestation document: {what}")]
    Encoding {
        /// What is wrong.
        what: &'static str,
    },
    /// The file holds no receipt with its document.
    #[error("this is not a receipt's file: {0}")]
    Bundle(#[from] WireError),
    /// The receipt itself.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The document was accepted, but is about something else.
    #[error("the document attests no report key, so it says nothing of this receipt")]
    NoReportKey,
    /// Receipt and document are of appliances, or boots, with different configurations.
    #[error(
        "the receipt was made under another configuration than the one that the document's PCR16 measures"
    )]
    OtherConfiguration,
    /// The file holds no signed report.
    #[error("this is not a signed report: {0}")]
    SignedReport(String),
    /// Neither the report's file nor an option gives a document.
    #[error("the report's file holds no document that attests its keys")]
    NoDocument,
    /// A report is not part of the batch that was signed.
    #[error("the report of {feed} is not of this batch: {why}")]
    NotOfBatch {
        /// The feed.
        feed: String,
        /// In words.
        why: String,
    },
    /// A feed's definition cannot be read.
    #[error("{} is not JSON: {why}", path.display())]
    Definition {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The document was accepted, but is about something else.
    #[error("the document attests no oracle's keys, so it says nothing of this report")]
    NoOracleKey,
    /// The keys are those of another tenant's feeds.
    #[error("the document attests keys of another tenant than the report's, or than the one asked for")]
    OtherTenant,
    /// The report is of another feed.
    #[error("the report is signed for another feed than it names, or than the one asked for")]
    OtherFeed,
    /// The feed is defined otherwise.
    #[error("the feed was defined otherwise: the report's config_digest is not that of the given definition")]
    OtherDefinition,
    /// A definition is asked for, and not of which of several feeds.
    #[error("a definition is asked for, and not of which feed of the batch")]
    WhoseDefinition,
    /// Nobody signed.
    #[error("the report has no signature: its feed has no targets")]
    NoSignature,
    /// There is none for a contract.
    #[error("the report has no signature for {target}")]
    NoTarget {
        /// The contract.
        target: String,
    },
    /// A signature does not hold.
    #[error("the signature for {target} does not hold: {what}")]
    ReportSignature {
        /// The contract.
        target: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The file holds no random number.
    #[error("this is not a random number with its proof: {0}")]
    RandomNumber(String),
    /// Neither the number's file nor an option gives a document.
    #[error("the file holds no document that attests the key")]
    NoRandomDocument,
    /// The document was accepted, but is about something else.
    #[error("the document attests no key for random numbers, so it says nothing of this one")]
    NoRandomKey,
    /// The key is another tenant's.
    #[error("the document attests the key of another tenant than the one asked for")]
    OtherRandomTenant,
    /// The proof does not hold.
    #[error("the number is not proven: {0}")]
    RandomProof(&'static str),
    /// Drawn for something else.
    #[error("the number was drawn for another seed than the one asked for, or for none")]
    OtherSeed,
    /// Drawn with another key.
    #[error("the document attests another key than the one asked for")]
    OtherKey,
    /// Drawn by another run.
    #[error("the number is of another run than the one asked for, or of none")]
    OtherRun,
    /// Drawn by somebody else.
    #[error(
        "the number was drawn by another function than the one asked for, or by one where none was, or by none"
    )]
    OtherFunction,
    /// Drawn from another range.
    #[error("the number was drawn from another range than the one asked for")]
    OtherRange,
    /// The file holds no signed observation.
    #[error("this is not a signed answer: {0}")]
    SignedData(String),
    /// Neither the answer's file nor an option gives a document.
    #[error("the file holds no document that attests the keys which signed the answer")]
    NoDataDocument,
    /// The document was accepted, but is about something else.
    #[error("the document attests no oracle's keys, so it says nothing of this answer")]
    NoDataKey,
    /// The keys are another tenant's.
    #[error("the document attests keys of another tenant than the answer's, or than the one asked for")]
    OtherDataTenant,
    /// Nobody signed.
    #[error("the answer has no signature")]
    NoDataSignature,
    /// There is none for a contract.
    #[error("the answer has no signature for {target}")]
    NoDataTarget {
        /// The contract.
        target: String,
    },
    /// A signature does not hold.
    #[error("the signature for {target} does not hold: {what}")]
    DataSignature {
        /// The contract, or no chain.
        target: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The body beside it is not the one that was answered.
    #[error("the body is not the one that was answered: {0}")]
    OtherBody(&'static str),
    /// Another function asked.
    #[error("another function asked than the one named")]
    OtherAsker,
    /// Somebody else was asked.
    #[error("another URL was asked than the one named")]
    OtherUrl,
    /// The value stands elsewhere.
    #[error("the value stands elsewhere in the answer than asked for, or none was picked")]
    OtherPath,
    /// Something else was sent.
    #[error("the request had other headers than those named")]
    OtherHeaders,
    /// Another server answered.
    #[error("the server proved its name with another certificate than the one asked for")]
    OtherCertificate,
    /// It was answered too long ago, or is to be answered yet.
    #[error("it was answered at {observed_at}, {what}")]
    DataTime {
        /// When.
        observed_at: String,
        /// What is wrong with that.
        what: &'static str,
    },
    /// The policy cannot be built from the options.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The document was appraised and refused.
    #[error(transparent)]
    Appraisal(#[from] AppraisalError),
}

impl VerifyError {
    /// A stable code for machines.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Definition { .. } => "unreadable",
            Self::Receipt(ReceiptError::Signature) => "receipt_signature",
            Self::Encoding { .. }
            | Self::Bundle(_)
            | Self::Receipt(_)
            | Self::SignedReport(_)
            | Self::RandomNumber(_)
            | Self::SignedData(_) => "malformed",
            Self::NoDocument | Self::NoRandomDocument | Self::NoDataDocument => "no_document",
            Self::NoOracleKey | Self::NoDataKey => "oracle_key",
            Self::OtherTenant | Self::OtherRandomTenant | Self::OtherDataTenant => "tenant",
            Self::NoRandomKey => "random_key",
            Self::RandomProof(_) => "proof",
            Self::OtherKey => "key",
            Self::OtherRun => "run",
            Self::OtherSeed => "seed",
            Self::OtherFunction | Self::OtherAsker => "function",
            Self::OtherRange => "range",
            Self::OtherFeed => "feed",
            Self::OtherDefinition | Self::WhoseDefinition => "definition",
            Self::NoSignature | Self::NoDataSignature => "no_signature",
            Self::NoTarget { .. } | Self::NoDataTarget { .. } => "target",
            Self::ReportSignature { .. } => "report_signature",
            Self::NotOfBatch { .. } => "batch",
            Self::DataSignature { .. } => "data_signature",
            Self::OtherBody(_) => "body",
            Self::OtherUrl => "url",
            Self::OtherPath => "path",
            Self::OtherHeaders => "headers",
            Self::OtherCertificate => "certificate",
            Self::DataTime { .. } => "time",
            Self::NoReportKey => "report_key",
            Self::OtherConfiguration => "configuration",
            Self::Policy(error) => error.code(),
            Self::Appraisal(error) => error.code(),
        }
    }

    /// Whether this says something about the evidence, rather than about the use of the tool.
    pub(crate) const fn is_verdict(&self) -> bool {
        !matches!(
            self,
            Self::Unreadable { .. }
                | Self::Policy(_)
                | Self::NoDocument
                | Self::NoRandomDocument
                | Self::NoDataDocument
                | Self::Definition { .. }
                | Self::WhoseDefinition
        )
    }

    /// The message and those of its causes, in one line.
    pub(crate) fn full_message(&self) -> String {
        let mut message = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            message.push_str(": ");
            message.push_str(&error.to_string());
            source = error.source();
        }
        message
    }

    /// What to do about it, where the message does not say so.
    pub(crate) const fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreadable { .. } => "Give the path of a file, or - for the standard input.",
            Self::Encoding { .. } | Self::Appraisal(AppraisalError::Malformed(_)) => {
                "Check that the whole document was saved, in binary, hex or base64, and nothing else."
            }
            Self::Bundle(_) | Self::Receipt(ReceiptError::Wire(_) | ReceiptError::Cose(_)) => {
                "Give the file that `r3e functions invoke --receipt FILE` wrote, unchanged."
            }
            Self::Receipt(_) => {
                "Do not trust this receipt: it was changed, or the attested appliance did not make it."
            }
            Self::NoReportKey => {
                "Give the document from the appliance's /v1/report-key; a session's own document will not do."
            }
            Self::OtherConfiguration => {
                "Use a document of the same boot: the one in the receipt's own file, without --document."
            }
            Self::SignedReport(_) => {
                "Give the file that `r3e feeds report` or `r3e feeds batch` wrote by --save, unchanged."
            }
            Self::WhoseDefinition => "Say which by --feed NAME: each feed has a definition of its own.",
            Self::NoDocument => "Give --document FILE with the document from the appliance's /v1/oracle-key.",
            Self::NoOracleKey | Self::NoDataKey => {
                "Give the document from the appliance's /v1/oracle-key; a session's own document will not do."
            }
            Self::Definition { .. } | Self::OtherDefinition => {
                "The definition is what `r3e feeds show NAME --json` has under `definition`, and nothing else."
            }
            Self::OtherTenant | Self::OtherFeed => "Do not take this price for the one that you asked for.",
            Self::NoSignature | Self::NoTarget { .. } => {
                "Add the contract to the feed's targets; its reports are signed for those alone."
            }
            Self::ReportSignature { .. } | Self::NotOfBatch { .. } => {
                "Do not trust this report: it was changed, or the attested appliance did not make it."
            }
            Self::RandomNumber(_) => {
                "Give the file that `r3e random draw --save FILE` wrote, or what getRandomness gave, as JSON."
            }
            Self::NoRandomDocument => {
                "Give --document FILE with the document that `r3e random key --save FILE` saves."
            }
            Self::NoRandomKey => {
                "Give the document from the appliance's /v1/random-key; a session's own document will not do."
            }
            Self::OtherRandomTenant
            | Self::OtherKey
            | Self::OtherRun
            | Self::OtherSeed
            | Self::OtherFunction
            | Self::OtherRange => "Do not take this number for the one that you asked for.",
            Self::RandomProof(_) => {
                "Do not trust this number: it was changed, or the attested appliance did not draw it."
            }
            Self::SignedData(_) => {
                "Give what getCustomData gave, as JSON, or `data` of what getWeather gave."
            }
            Self::NoDataDocument => {
                "Give --document FILE with the document that `r3e feeds key --save FILE` saves."
            }
            Self::NoDataSignature | Self::NoDataTarget { .. } => {
                "Name the contract among the targets when the function asks."
            }
            Self::DataSignature { .. } | Self::OtherBody(_) => {
                "Do not trust this answer: it was changed, or the attested appliance was not given it."
            }
            Self::OtherDataTenant
            | Self::OtherAsker
            | Self::OtherUrl
            | Self::OtherPath
            | Self::OtherHeaders
            | Self::OtherCertificate
            | Self::DataTime { .. } => "Do not take this answer for the one that you asked for.",
            Self::Policy(PolicyError::NoPolicy) => {
                "Give --reference-values FILE.json, or --pcr 0=HEX --pcr 1=HEX --pcr 2=HEX with the values of the \
                 image that you built. To see what a document says without trusting it: r3e-verify inspect FILE."
            }
            Self::Policy(_) => "See r3e-verify document --help.",
            Self::Appraisal(AppraisalError::UntrustedRoot { .. }) => {
                "Do not trust this document. If it comes from a software NSM in a test, add --test-root FILE.pem."
            }
            Self::Appraisal(AppraisalError::Expired { .. }) => {
                "To audit an old document as of its own time, add --at with the time at which it was received."
            }
            Self::Appraisal(AppraisalError::Debug) => {
                "Start the enclave without --debug-mode. For a test: --allow-debug, and the zeros as --pcr values."
            }
            Self::Appraisal(AppraisalError::PcrMismatch { .. }) => {
                "Rebuild the release that you expect and compare its PCRs with those below."
            }
            Self::Appraisal(AppraisalError::Nonce | AppraisalError::UserData | AppraisalError::PublicKey) => {
                "The enclave is the right one, but this document was not made for this request."
            }
            Self::Appraisal(
                AppraisalError::Signature | AppraisalError::Chain { .. } | AppraisalError::Algorithm { .. },
            ) => "Do not trust this document: no Nitro hypervisor made it as it is.",
            Self::Appraisal(_) => return None,
        })
    }
}
