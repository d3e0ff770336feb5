//! Ramdisks that are not what they seem. What the kernel would unpack and the listing would not show is refused.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a helper of a test, too, a failed unwrap is a failed test"
)]

use r3e_eif_format::cpio::{Archive, CpioError};

const APPLICATION: &[u8] = include_bytes!("../vectors/application.cpio");

/// A record as its fields say, canonical unless they are not.
struct Record {
    fields: [u32; 13],
    name: Vec<u8>,
    content: Vec<u8>,
}

const INODE: usize = 0;
const MODE: usize = 1;
const LINKS: usize = 4;
const SIZE: usize = 6;
const NAME_SIZE: usize = 11;

fn record(inode: u32, mode: u32, name: &str, content: &[u8]) -> Record {
    let links = if mode & 0o170_000 == 0o040_000 { 2 } else { 1 };
    let size = u32::try_from(content.len()).unwrap();
    let name_size = u32::try_from(name.len() + 1).unwrap();
    let fields = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0];
    Record { fields, name: [name.as_bytes(), b"\0"].concat(), content: content.to_vec() }
}

impl Record {
    fn with(mut self, field: usize, value: u32) -> Self {
        self.fields[field] = value;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = b"070701".to_vec();
        for field in self.fields {
            out.extend(format!("{field:08X}").bytes());
        }
        for part in [&self.name, &self.content] {
            out.extend(part);
            out.extend(&[0; 3][..out.len().wrapping_neg() % 4]);
        }
        out
    }
}

fn trailer() -> Record {
    record(0, 0, "TRAILER!!!", b"")
}

fn archive(records: &[Record]) -> Vec<u8> {
    records.iter().chain([&trailer()]).flat_map(Record::bytes).collect()
}

fn refusal(bytes: &[u8]) -> CpioError {
    Archive::decode(bytes).expect_err("an archive that must be refused")
}

fn assert_not_canonical(bytes: &[u8]) {
    let refused = refusal(bytes);
    assert!(matches!(refused, CpioError::NotCanonical { .. }), "{refused}");
}

const FILE: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;

#[test]
fn the_records_of_this_test_are_canonical() {
    let files = [record(1, DIRECTORY, "d", b""), record(2, FILE, "d/f", b"content")];
    let bytes = archive(&files);
    let read = Archive::decode(&bytes).unwrap();
    assert_eq!(read.entries().count(), 2);
    assert!(read.encode().unwrap() == bytes);
}

#[test]
fn truncated_anywhere() {
    for len in 0..APPLICATION.len() {
        let refused = refusal(&APPLICATION[..len]);
        assert!(
            matches!(refused, CpioError::Truncated { .. } | CpioError::NoRecord { .. }),
            "{len}: {refused}"
        );
    }
}

/// A change is seen as a change of the listing, or refused. Nothing in an archive is beside the listing.
#[test]
fn a_changed_bit_anywhere() {
    let original = Archive::decode(APPLICATION).unwrap();
    for at in 0..APPLICATION.len() {
        for bit in 0..8 {
            let mut bytes = APPLICATION.to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(read) = Archive::decode(&bytes) {
                assert_ne!(read, original, "bit {bit} of byte {at}");
                assert!(read.encode().unwrap() == bytes, "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn what_the_kernel_would_unpack_behind_the_trailer() {
    let hidden = archive(&[record(1, FILE, "init", b"hidden")]);
    assert_not_canonical(&[APPLICATION, &hidden].concat());
    assert_not_canonical(&[APPLICATION, &[0; 4]].concat());
    assert_not_canonical(&[APPLICATION, &[0; 512], &hidden].concat());
}

#[test]
fn a_path_twice_or_out_of_order() {
    assert_not_canonical(&archive(&[record(1, FILE, "f", b"seen"), record(2, FILE, "f", b"used")]));
    assert_not_canonical(&archive(&[record(1, FILE, "g", b""), record(2, FILE, "f", b"")]));
}

#[test]
fn fields_that_say_more_than_they_need() {
    // Inode, owner, group, links, time, device, checksum.
    for field in [INODE, 2, 3, LINKS, 5, 7, 8, 9, 10, 12] {
        for value in [7, u32::MAX] {
            assert_not_canonical(&archive(&[record(1, FILE, "f", b"x").with(field, value)]));
        }
    }
    // A hard link: the kernel would write the content into the other file.
    assert_not_canonical(&archive(&[record(1, FILE, "f", b"x").with(LINKS, 2)]));
    assert_not_canonical(&[trailer().with(MODE, 1).bytes()].concat());
    assert_not_canonical(&[trailer().with(INODE, 1).bytes()].concat());
}

#[test]
fn digits_that_other_readers_take() {
    let bytes = archive(&[record(1, FILE, "f", b"0123456789")]);
    let size_at = 6 + SIZE * 8;
    assert_eq!(&bytes[size_at..size_at + 8], b"0000000A");
    for digits in [b"0000000a", b"0x00000A", b"      +A", b"0000000\0", b"-0000001", b"0000000G"] {
        let mut bytes = bytes.clone();
        bytes[size_at..size_at + 8].copy_from_slice(digits);
        assert_not_canonical(&bytes);
    }
}

#[test]
fn lengths_that_lie() {
    assert_not_canonical(&archive(&[record(1, FILE, "f", b"12345678").with(SIZE, 9)]));
    for size in [0, 4, 12, 1 << 16, u32::MAX - 3, u32::MAX] {
        let bytes = archive(&[record(1, FILE, "f", b"12345678").with(SIZE, size)]);
        let refused = refusal(&bytes);
        assert!(
            matches!(refused, CpioError::Truncated { .. } | CpioError::NoRecord { .. }),
            "{size}: {refused}"
        );
    }
    for name_size in [0, 1, 3, 1026, u32::MAX] {
        assert_not_canonical(&archive(&[record(1, FILE, "f", b"12345678").with(NAME_SIZE, name_size)]));
    }
}

#[test]
fn padding_that_carries_something() {
    let mut bytes = archive(&[record(1, FILE, "f", b"1")]);
    let last_of_padding = 110 + 2 + 3;
    assert_eq!(bytes[last_of_padding], 0);
    bytes[last_of_padding] = b'!';
    assert_not_canonical(&bytes);
}

#[test]
fn paths_that_mean_another_path() {
    for path in [
        "/f",
        "./f",
        ".",
        "..",
        "d/../f",
        "d//f",
        "d/",
        "a b",
        "a\nb",
        "a\u{202e}b",
        "a\u{7f}",
        "f\u{e9}",
        &"x".repeat(256),
    ] {
        let refused = refusal(&archive(&[record(1, FILE, path, b"")]));
        assert!(matches!(refused, CpioError::Path { .. }), "{path:?}: {refused}");
    }
    assert_not_canonical(&archive(&[record(1, FILE, "a\0b", b"")]));
    let long = ["x"; 600].join("/");
    assert_not_canonical(&archive(&[record(1, FILE, &long, b"")]));
}

#[test]
fn entries_without_their_directory() {
    for files in [
        vec![record(1, FILE, "d/f", b"")],
        vec![record(1, FILE, "d", b""), record(2, FILE, "d/f", b"")],
        // The kernel would follow the link out of what the listing shows.
        vec![record(1, 0o120_777, "d", b"elsewhere"), record(2, FILE, "d/f", b"")],
    ] {
        assert!(matches!(refusal(&archive(&files)), CpioError::MissingParent { .. }));
    }
}

#[test]
fn kinds_and_modes_that_no_image_needs() {
    for kind in [0o060_000, 0o010_000, 0o140_000, 0o000_000, 0o150_000] {
        assert_not_canonical(&archive(&[record(1, kind | 0o644, "x", b"")]));
    }
    assert_not_canonical(&archive(&[record(1, FILE | 1 << 16, "x", b"")]));
    for mode in [0o104_755, 0o102_755, 0o120_644] {
        let refused = refusal(&archive(&[record(1, mode, "x", b"target")]));
        assert!(matches!(refused, CpioError::Permissions { .. }), "{mode:o}: {refused}");
    }
    for (major, minor) in [(1 << 12, 0), (0, 1 << 20), (u32::MAX, u32::MAX)] {
        let device = record(1, 0o020_600, "x", b"").with(9, major).with(10, minor);
        assert!(matches!(refusal(&archive(&[device])), CpioError::Device { .. }));
    }
    // A directory or device with content, a link without a target.
    assert_not_canonical(&archive(&[record(1, DIRECTORY, "d", b"content")]));
    assert_not_canonical(&archive(&[record(1, 0o020_600, "c", b"content")]));
    for target in ["", "a\0b", "a b", &"x".repeat(1025)] {
        let refused = refusal(&archive(&[record(1, 0o120_777, "l", target.as_bytes())]));
        assert!(matches!(refused, CpioError::LinkTarget { .. }), "{target:?}: {refused}");
    }
}

#[test]
fn other_formats() {
    for bytes in [&b"\x1f\x8b\x08 gzip"[..], b"070702", b"070707", b"\x28\xb5\x2f\xfd", b"0707"] {
        assert_eq!(refusal(bytes), CpioError::NoRecord { offset: 0 });
    }
    assert_eq!(refusal(b""), CpioError::Truncated { offset: 0 });
}

#[test]
fn too_many_entries() {
    let mut archive = Archive::new();
    for number in 0..65_536 {
        archive.file(&format!("{number:05}"), 0o644, &b""[..]).unwrap();
    }
    let refused = archive.file("x", 0o644, &b""[..]);
    assert_eq!(refused, Err(CpioError::TooManyEntries { max: 65_536 }));
}
