//! The description of an image for people. Everything in it is safe to print: paths by the rules for them, the rest
//! because it was escaped.

use std::fmt::Write;

use super::super::diff::registers;
use super::{Listed, Ramdisk, Report, Signature};
use crate::text;

/// The page. Writing to a string cannot fail, hence the results that are dropped.
pub(super) fn page(report: &Report) -> String {
    let mut page = format!("{} bytes, SHA-256 {}\n\n{}", report.bytes, report.sha256, report.pcrs);
    page += "\nSections\n";
    for section in &report.sections {
        let _ = writeln!(
            page,
            "  {:<13} at {:>10}, {:>10} bytes  [{}]",
            section.kind,
            section.offset,
            section.bytes,
            registers(section.measured_in)
        );
    }
    let _ = writeln!(page, "\nCommand line  [PCR0, PCR1]\n  {}", report.command_line);
    for ramdisk in &report.ramdisks {
        write_ramdisk(&mut page, ramdisk);
    }
    match &report.signature {
        None => page += "\nNot signed\n",
        Some(signature) => write_signature(&mut page, signature),
    }
    let unmeasured = &report.unmeasured;
    let _ = writeln!(
        page,
        "\nNOT MEASURED: anybody can change this without changing a PCR\n  \
         architecture {}, by default {} bytes of memory and {} processors\n  metadata:",
        unmeasured.architecture, unmeasured.default_memory_bytes, unmeasured.default_cpus
    );
    let metadata = serde_json::to_string_pretty(&unmeasured.metadata).unwrap_or_default();
    for line in text::lines(&metadata).lines() {
        let _ = writeln!(page, "    {line}");
    }
    page
}

fn write_ramdisk(page: &mut String, ramdisk: &Ramdisk) {
    let measured = registers(ramdisk.measured_in);
    let unpacked = ramdisk.unpacked_bytes.map(|bytes| format!(", unpacked {bytes}")).unwrap_or_default();
    let _ = writeln!(page, "\nRamdisk {}, {} bytes{unpacked}  [{measured}]", ramdisk.index, ramdisk.bytes);
    if let Some(why) = &ramdisk.unlisted {
        let _ = writeln!(page, "  cannot be listed: {why}");
    }
    for file in ramdisk.files.iter().flatten() {
        write_file(page, file);
    }
}

fn write_file(page: &mut String, file: &Listed) {
    let Listed { path, permissions, .. } = file;
    let what = match (&file.sha256, &file.target, file.device) {
        (Some(sha256), ..) => format!("{:>10}  {sha256}  {path}", file.bytes.unwrap_or_default()),
        (_, Some(target), _) => format!("{:>10}  {path} -> {target}", "link"),
        (.., Some([major, minor])) => format!("{:>10}  {path}, character device {major}:{minor}", "device"),
        _ => format!("{:>10}  {path}/", "directory"),
    };
    let _ = writeln!(page, "  {permissions} {what}");
}

fn write_signature(page: &mut String, signature: &Signature) {
    match &signature.problem {
        None => *page += "\nSigned: the certificate's key signed this PCR0  [PCR8]\n",
        Some(problem) => {
            let _ = writeln!(page, "\nSIGNATURE REFUSED: {problem}\n  No enclave starts from this image.");
        }
    }
    if let Some(certificate) = &signature.certificate {
        let _ = writeln!(
            page,
            "  subject  {}\n  valid    {} to {} (not checked)\n  SHA-256  {}",
            certificate.subject, certificate.not_before, certificate.not_after, certificate.sha256
        );
    }
}
