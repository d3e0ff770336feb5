//! What differs between two images, and which register each difference moves. Knows nothing of how it is printed.

use std::collections::BTreeSet;

use r3e_eif_format::Image;
use r3e_eif_format::cpio::{Archive, Entry, Node};
use serde::Serialize;

use crate::ramdisk::Ramdisk;

/// One difference between A and B.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// What differs: `kernel`, `ramdisk 1: usr/bin/x`, …
    pub(crate) what: String,
    /// How.
    pub(crate) change: Change,
    /// The registers that it moves; none, if nothing measures it.
    pub(crate) pcrs: &'static [u8],
    /// In words: what is on both sides.
    pub(crate) detail: String,
    /// Where the content begins to differ, in bytes from its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_byte: Option<usize>,
}

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    /// B alone has it.
    Added,
    /// A alone has it.
    Removed,
    /// Both have it.
    Changed,
}

const BOOT: &[u8] = &[0, 1];
const APPLICATION: &[u8] = &[0, 2];
const CERTIFICATE: &[u8] = &[8];
const UNMEASURED: &[u8] = &[];

/// The registers that measure the ramdisk of this index, from 0.
pub(crate) const fn ramdisk_pcrs(index: usize) -> &'static [u8] {
    if index == 0 { BOOT } else { APPLICATION }
}

/// Everything that differs. Two images without a difference are the same bytes.
pub(crate) fn differences(a: &Image<'_>, b: &Image<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    found.extend(content("kernel", a.kernel, b.kernel, BOOT));
    found.extend(content("command line", a.command_line, b.command_line, BOOT));
    for index in 0..a.ramdisks.len().max(b.ramdisks.len()) {
        ramdisk(index, a.ramdisks.get(index).copied(), b.ramdisks.get(index).copied(), &mut found);
    }
    signature(a, b, &mut found);
    found.extend(content("metadata", a.metadata, b.metadata, UNMEASURED));
    let header = [
        ("architecture", a.architecture.to_string(), b.architecture.to_string()),
        ("default memory", bytes(a.default_memory_bytes), bytes(b.default_memory_bytes)),
        ("default processors", a.default_cpus.to_string(), b.default_cpus.to_string()),
    ];
    for (what, a, b) in header {
        found.extend(value(what.to_owned(), &a, &b, UNMEASURED));
    }
    found
}

fn ramdisk(index: usize, a: Option<&[u8]>, b: Option<&[u8]>, found: &mut Vec<Difference>) {
    let (what, pcrs) = (format!("ramdisk {index}"), ramdisk_pcrs(index));
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) if a == b => return,
        (Some(a), Some(b)) => (a, b),
        (Some(only), None) => return found.push(one_sided(what, Change::Removed, pcrs, bytes(only.len()))),
        (None, Some(only)) => return found.push(one_sided(what, Change::Added, pcrs, bytes(only.len()))),
        (None, None) => return,
    };
    let unpacked = [a, b].map(Ramdisk::new);
    match (unpacked[0].archive(), unpacked[1].archive()) {
        // The same files, packed by another program.
        (Ok(listed), Ok(same)) if listed == same => {
            found.extend(content(&what, a, b, pcrs).map(|mut difference| {
                difference.detail += "; packed in two ways, the files are the same";
                difference
            }));
        }
        (Ok(a), Ok(b)) => files(&what, &a, &b, pcrs, found),
        (a_listed, b_listed) => {
            let unlisted = |side: &str, listed: &Result<Archive<'_>, String>| match listed {
                Ok(_) => String::new(),
                Err(why) => format!("; {side} cannot be listed: {why}"),
            };
            let why = unlisted("A", &a_listed) + &unlisted("B", &b_listed);
            found.extend(content(&what, a, b, pcrs).map(|mut difference| {
                difference.detail += &why;
                difference
            }));
        }
    }
}

fn files(what: &str, a: &Archive<'_>, b: &Archive<'_>, pcrs: &'static [u8], found: &mut Vec<Difference>) {
    let paths: BTreeSet<&str> = a.entries().chain(b.entries()).map(|(path, _)| path).collect();
    for path in paths {
        let what = format!("{what}: {path}");
        match (a.get(path), b.get(path)) {
            (Some(a), Some(b)) if a != b => found.push(entry(what, a, b, pcrs)),
            (Some(only), None) => found.push(one_sided(what, Change::Removed, pcrs, shown(only))),
            (None, Some(only)) => found.push(one_sided(what, Change::Added, pcrs, shown(only))),
            _ => {}
        }
    }
}

fn entry(what: String, a: &Entry<'_>, b: &Entry<'_>, pcrs: &'static [u8]) -> Difference {
    let from_byte = match (&a.node, &b.node) {
        (Node::File(a), Node::File(b)) => first_difference(a, b),
        _ => None,
    };
    let detail = format!("{} became {}", shown(a), shown(b));
    Difference { what, change: Change::Changed, pcrs, detail, from_byte }
}

fn signature(a: &Image<'_>, b: &Image<'_>, found: &mut Vec<Difference>) {
    let (section_a, section_b) = (a.signature_section.as_deref(), b.signature_section.as_deref());
    if section_a == section_b {
        return;
    }
    let what = "signature".to_owned();
    found.push(match (section_a, section_b) {
        (None, _) => one_sided(what, Change::Added, CERTIFICATE, certificate(b)),
        (_, None) => one_sided(what, Change::Removed, CERTIFICATE, certificate(a)),
        _ => {
            let (a, b) = (certificate(a), certificate(b));
            // Each signature is different, though key and certificate are the same.
            let pcrs = if a == b { UNMEASURED } else { CERTIFICATE };
            let detail = if a == b { format!("{a} on both sides") } else { format!("{a} became {b}") };
            Difference { what, change: Change::Changed, pcrs, detail, from_byte: None }
        }
    });
}

/// The certificate that an image measures to, in words.
fn certificate(image: &Image<'_>) -> String {
    match image.measure().map(|measured| measured.pcr8) {
        Ok(Some(pcr8)) => format!("certificate with PCR8 {}", hex::encode(pcr8)),
        Ok(None) => "no signature".to_owned(),
        Err(error) => format!("invalid ({error})"),
    }
}

fn content(what: &str, a: &[u8], b: &[u8], pcrs: &'static [u8]) -> Option<Difference> {
    let from_byte = Some(first_difference(a, b)?);
    let detail = format!("{} became {}", bytes(a.len()), bytes(b.len()));
    Some(Difference { what: what.to_owned(), change: Change::Changed, pcrs, detail, from_byte })
}

fn value(what: String, a: &str, b: &str, pcrs: &'static [u8]) -> Option<Difference> {
    let detail = format!("{a} became {b}");
    let difference = Difference { what, change: Change::Changed, pcrs, detail, from_byte: None };
    (a != b).then_some(difference)
}

fn one_sided(what: String, change: Change, pcrs: &'static [u8], detail: String) -> Difference {
    Difference { what, change, pcrs, detail, from_byte: None }
}

/// Where two contents begin to differ: where the shorter one ends, if it is the start of the other.
fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let differs = a.iter().zip(b).position(|(a, b)| a != b);
    differs.or_else(|| (a.len() != b.len()).then_some(a.len().min(b.len())))
}

/// An entry in words.
pub(crate) fn shown(entry: &Entry<'_>) -> String {
    let permissions = format!("{:04o}", entry.permissions);
    match &entry.node {
        Node::Directory => format!("directory {permissions}"),
        Node::File(content) => format!("file {permissions}, {}", bytes(content.len())),
        Node::Symlink(target) => format!("symbolic link to {target}"),
        Node::CharacterDevice { major, minor } => format!("character device {major}:{minor} {permissions}"),
    }
}

fn bytes(number: impl std::fmt::Display) -> String {
    format!("{number} bytes")
}
