//! Enclave images, their ramdisks and their signatures: the first byte says which. What is accepted is written again as
//! the same bytes, a ramdisk lists all that a kernel would unpack, and no signature holds that was not made.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ciborium::Value;
use libfuzzer_sys::fuzz_target;
use r3e_eif_format::cpio::{Archive, Node};
use r3e_eif_format::limits::{MAX_COMMAND_LINE_BYTES, MAX_METADATA_BYTES, MAX_SIGNATURE_BYTES};
use r3e_eif_format::{Image, ImageSignature, Measurements, Pcr, packing};

/// The one image that somebody signed, whose key is thrown away.
const SIGNED: &[u8] = include_bytes!("../../../eif/format/vectors/signed.eif");

static SIGNED_PCR0: LazyLock<Pcr> =
    LazyLock::new(|| Image::decode(SIGNED).expect("an image").measure().expect("its own signature").pcr0);

const CHECKSUM: std::ops::Range<usize> = 544..548;

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else { return };
    match which & 3 {
        0 => image(bytes),
        1 => image(&with_checksum(bytes)),
        2 => ramdisk(bytes),
        _ => signature(bytes),
    }
});

/// Nobody guesses a checksum; an attacker computes it.
fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= CHECKSUM.end {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[..CHECKSUM.start]);
        hasher.update(&bytes[CHECKSUM.end..]);
        bytes[CHECKSUM].copy_from_slice(&hasher.finalize().to_be_bytes());
    }
    bytes
}

fn image(bytes: &[u8]) {
    let Ok(image) = Image::decode(bytes) else { return };
    assert!(image.encode().expect("what was read can be written") == bytes, "one image, one encoding");
    assert!((1..=29).contains(&image.ramdisks.len()));
    assert!(image.command_line.len() <= MAX_COMMAND_LINE_BYTES && image.metadata.len() <= MAX_METADATA_BYTES);

    // The sections lie one behind the other, from the header to the end.
    let mut end = CHECKSUM.end;
    for section in image.sections() {
        assert_eq!(section.offset, end);
        end = section.end();
        assert_eq!(&bytes[end - section.content.len()..end], section.content);
    }
    assert_eq!(end, bytes.len());

    let unsigned = image.measure_unsigned();
    assert_eq!(unsigned.pcr8, None);
    match image.measure() {
        Ok(measured) => {
            assert_eq!(measured.pcr8.is_some(), image.signature_section.is_some());
            let without_signature = Measurements { pcr8: None, ..measured };
            assert_eq!(without_signature, unsigned);
            if measured.pcr8.is_some() {
                assert_eq!(measured.pcr0, *SIGNED_PCR0, "a signature holds that was not made");
            }
        }
        Err(_) => assert!(image.signature_section.is_some(), "only a signature can be refused"),
    }
    if let Some(section) = image.signature_section.as_deref() {
        signature(section);
    }
    for bytes in &image.ramdisks {
        ramdisk(bytes);
    }
}

fn ramdisk(bytes: &[u8]) {
    let Ok(bytes) = packing::unpack(bytes) else { return };
    assert!(packing::unpack(&packing::pack(&bytes)).expect("what was packed") == bytes);
    let bytes = &*bytes;
    let Ok(archive) = Archive::decode(bytes) else { return };
    assert!(archive.encode().expect("what was read can be written") == bytes, "one set, one archive");
    let mut listed = BTreeMap::new();
    for (path, entry) in archive.entries() {
        assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "a path is safe to print");
        assert!(!path.starts_with('/') && path.split('/').all(|name| !["", ".", ".."].contains(&name)));
        let content = match &entry.node {
            Node::File(content) => content.to_vec(),
            Node::Symlink(target) => target.clone().into_bytes(),
            Node::Directory | Node::CharacterDevice { .. } => Vec::new(),
        };
        listed.insert(path.as_bytes().to_vec(), (u32::from(entry.permissions), content));
    }
    assert_eq!(listed, unpacked(bytes), "the kernel unpacks what is listed");
}

/// What a kernel unpacks: every record of every archive that follows, whatever lies between, the last of a path.
fn unpacked(mut bytes: &[u8]) -> BTreeMap<Vec<u8>, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    loop {
        while bytes.first() == Some(&0) {
            bytes = &bytes[1..];
        }
        if bytes.is_empty() {
            return files;
        }
        let field = |index: usize| {
            let digits = &bytes[6 + index * 8..14 + index * 8];
            u32::from_str_radix(str::from_utf8(digits).expect("ASCII"), 16).expect("hexadecimal")
        };
        let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
        let name = bytes[110..110 + name_size].split(|byte| *byte == 0).next().expect("a name").to_vec();
        let start = (110 + name_size).next_multiple_of(4);
        let content = bytes[start..start + size].to_vec();
        bytes = &bytes[(start + size).next_multiple_of(4)..];
        if name != b"TRAILER!!!" {
            files.insert(name, (mode & 0o7777, content));
        }
    }
}

fn signature(bytes: &[u8]) {
    let Ok(signature) = ImageSignature::decode(bytes) else { return };
    assert!(bytes.len() <= MAX_SIGNATURE_BYTES);
    assert!(signature.encode() == bytes, "one signature, one encoding");
    assert!(signature.verify(&[0; 48]).is_err(), "nobody signed zeros");
    // A general reader sees the same certificate.
    let Ok(Value::Array(signatures)) = ciborium::from_reader(bytes) else { unreachable!("an array") };
    let [Value::Map(fields)] = &signatures[..] else { unreachable!("one signature") };
    let Value::Array(integers) = &fields[0].1 else { unreachable!("the certificate, as integers") };
    let pem: Vec<u8> = integers
        .iter()
        .map(|integer| integer.as_integer().and_then(|integer| integer.try_into().ok()).expect("a byte"))
        .collect();
    assert_eq!(pem, signature.certificate().to_pem().into_bytes());
    signature.certificate().summary().expect("what was read can be shown");
}
