//! `r3e-eif describe`: everything that an image holds, and which of it is measured.

mod human;

use std::path::PathBuf;

use clap::Args;
use r3e_eif_format::cpio::{Entry, Node};
use r3e_eif_format::{Image, SectionKind};
use serde::Serialize;

use super::{Failure, Output, to_json};
use crate::difference::ramdisk_pcrs;
use crate::file::{self, sha256};
use crate::ramdisk;
use crate::reference_values::Pcrs;
use crate::text;

/// Show what an image holds: sections, files with their SHA-256, and which of it is measured
///
/// The metadata is whatever somebody wrote: nothing measures it, and it is marked so. An image whose signature does not
/// hold is shown, and refused.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    r3e-eif describe r3e.eif\n  \
    r3e-eif describe r3e.eif --json | jq -r '.ramdisks[].files[]? | \"\\(.sha256) \\(.path)\"'")]
pub(super) struct Describe {
    /// The image
    #[arg(value_name = "FILE.eif")]
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report {
    bytes: usize,
    sha256: String,
    pcrs: Pcrs,
    sections: Vec<Section>,
    command_line: String,
    signature: Option<Signature>,
    ramdisks: Vec<Ramdisk>,
    unmeasured: Unmeasured,
}

#[derive(Serialize)]
struct Section {
    kind: String,
    offset: usize,
    bytes: usize,
    sha256: String,
    measured_in: &'static [u8],
}

#[derive(Serialize)]
struct Signature {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
}

#[derive(Serialize)]
struct Certificate {
    sha256: String,
    subject: String,
    not_before: String,
    not_after: String,
}

#[derive(Serialize)]
struct Ramdisk {
    index: usize,
    bytes: usize,
    /// Where it is packed.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpacked_bytes: Option<usize>,
    measured_in: &'static [u8],
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<Listed>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlisted: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    path: String,
    kind: &'static str,
    permissions: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<[u32; 2]>,
}

/// What the file says and no register measures.
#[derive(Serialize)]
struct Unmeasured {
    architecture: String,
    default_memory_bytes: u64,
    default_cpus: u64,
    metadata: serde_json::Value,
}

impl Describe {
    pub(super) fn run(&self) -> Result<Output, Failure> {
        let bytes = file::read_image(&self.file).map_err(Failure::Unusable)?;
        let image = Image::decode(&bytes).map_err(Failure::refused)?;
        let report = Report::new(&bytes, &image);
        let is_valid = report.signature.as_ref().is_none_or(|signature| signature.valid);
        let text = if self.json { to_json(&report) } else { human::page(&report) };
        Ok(if is_valid { Output::done(text) } else { Output::refused(text) })
    }
}

impl Report {
    fn new(bytes: &[u8], image: &Image<'_>) -> Self {
        let measured = image.measure();
        Self {
            bytes: bytes.len(),
            sha256: sha256(bytes),
            pcrs: Pcrs::from(measured.as_ref().unwrap_or(&image.measure_unsigned())),
            sections: sections(image),
            command_line: text::line(image.command_line),
            signature: image.signature_section.as_ref().map(|_| Signature::new(image)),
            ramdisks: (0..)
                .zip(&image.ramdisks)
                .map(|(index, content)| Ramdisk::new(index, content))
                .collect(),
            unmeasured: Unmeasured {
                architecture: image.architecture.to_string(),
                default_memory_bytes: image.default_memory_bytes,
                default_cpus: image.default_cpus,
                // What is no JSON is shown as text.
                metadata: serde_json::from_slice(image.metadata)
                    .unwrap_or_else(|_| text::line(image.metadata).into()),
            },
        }
    }
}

fn sections(image: &Image<'_>) -> Vec<Section> {
    let mut ramdisks = 0..;
    let section = |section: r3e_eif_format::Section<'_>| Section {
        kind: section.kind.to_string(),
        offset: section.offset,
        bytes: section.content.len(),
        sha256: sha256(section.content),
        measured_in: match section.kind {
            SectionKind::Kernel | SectionKind::CommandLine => ramdisk_pcrs(0),
            SectionKind::Ramdisk => ramdisk_pcrs(ramdisks.next().unwrap_or_default()),
            // Of the signature, the certificate.
            SectionKind::Signature => &[8],
            SectionKind::Metadata => &[],
        },
    };
    image.sections().into_iter().map(section).collect()
}

impl Signature {
    fn new(image: &Image<'_>) -> Self {
        let certificate = image.signature().ok().flatten().and_then(|signature| {
            let certificate = signature.certificate();
            let summary = certificate.summary().ok()?;
            Some(Certificate {
                sha256: sha256(certificate.der()),
                subject: text::line(summary.subject.as_bytes()),
                not_before: summary.not_before,
                not_after: summary.not_after,
            })
        });
        let problem = image.measure().err().map(|problem| problem.to_string());
        Self { valid: problem.is_none(), problem, certificate }
    }
}

impl Ramdisk {
    fn new(index: usize, content: &[u8]) -> Self {
        let ramdisk = ramdisk::Ramdisk::new(content);
        let (files, unlisted) = match ramdisk.archive() {
            Ok(archive) => {
                let listed = archive.entries().map(|(path, entry)| Listed::new(path, entry));
                (Some(listed.collect()), None)
            }
            Err(why) => (None, Some(why)),
        };
        let unpacked_bytes = ramdisk.unpacked_bytes();
        Self {
            index,
            bytes: content.len(),
            unpacked_bytes,
            measured_in: ramdisk_pcrs(index),
            files,
            unlisted,
        }
    }
}

impl Listed {
    fn new(path: &str, entry: &Entry<'_>) -> Self {
        let listed = Self {
            path: path.to_owned(),
            kind: "directory",
            permissions: format!("{:04o}", entry.permissions),
            bytes: None,
            sha256: None,
            target: None,
            device: None,
        };
        match &entry.node {
            Node::Directory => listed,
            Node::File(content) => {
                Self { kind: "file", bytes: Some(content.len()), sha256: Some(sha256(content)), ..listed }
            }
            Node::Symlink(target) => Self { kind: "symlink", target: Some(target.clone()), ..listed },
            Node::CharacterDevice { major, minor } => {
                Self { kind: "character device", device: Some([*major, *minor]), ..listed }
            }
        }
    }
}
