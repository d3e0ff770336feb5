//! Images that somebody tampered with. Each must be refused, and for the right reason.
#![expect(clippy::expect_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

mod support;

use r3e_eif_format::{Image, ImageError, Metadata, SectionKind};
use support::{
    BOOT, COUNT_AT, FLAGS_AT, HEADER_BYTES, OFFSETS_AT, SIGNED, SIZES_AT, TWO_RAMDISKS, with_checksum,
};

/// The image with `bytes` at `at`, its checksum right.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut image = TWO_RAMDISKS.to_vec();
    image[at..at + bytes.len()].copy_from_slice(bytes);
    with_checksum(image)
}

fn refusal(image: &[u8]) -> ImageError {
    Image::decode(image).expect_err("an image that must be refused")
}

#[test]
fn truncated_anywhere() {
    for bytes in [TWO_RAMDISKS, SIGNED] {
        for len in 0..bytes.len() {
            let refused = refusal(&bytes[..len]);
            assert!(matches!(refused, ImageError::Truncated { .. }), "{len} bytes: {refused}");
        }
    }
}

#[test]
fn a_changed_bit_anywhere() {
    for at in 0..SIGNED.len() {
        for bit in 0..8 {
            let mut image = SIGNED.to_vec();
            image[at] ^= 1 << bit;
            assert!(Image::decode(&image).is_err(), "bit {bit} of byte {at}");
        }
    }
}

/// With the checksum put right, a changed bit is another image, or none; never the same measurements from other
/// measured bytes.
#[test]
fn a_changed_bit_with_its_checksum() {
    let original = Image::decode(TWO_RAMDISKS).unwrap();
    for at in (0..TWO_RAMDISKS.len()).filter(|at| !(544..548).contains(at)) {
        let mut image = TWO_RAMDISKS.to_vec();
        image[at] ^= 1;
        let image = with_checksum(image);
        let Ok(read) = Image::decode(&image) else { continue };
        assert!(read.encode().unwrap() == image, "byte {at}");
        let measured_alike = read.measure().unwrap() == original.measure().unwrap();
        let unmeasured = (read.kernel, read.command_line, &read.ramdisks)
            == (original.kernel, original.command_line, &original.ramdisks);
        assert_eq!(measured_alike, unmeasured, "byte {at}");
    }
}

#[test]
fn bytes_behind_the_end() {
    let image = with_checksum([TWO_RAMDISKS, b"x"].concat());
    let (end, len) = (TWO_RAMDISKS.len(), image.len());
    assert_eq!(refusal(&image), ImageError::Trailing { end, len });
}

#[test]
fn other_files() {
    assert_eq!(refusal(b"\x7fELF and so on"), ImageError::Magic);
    assert_eq!(refusal(&with(4, &3_u16.to_be_bytes())), ImageError::Version { version: 3 });
    assert!(matches!(refusal(b".ei"), ImageError::Truncated { what: "the header", .. }));
    assert!(matches!(refusal(b""), ImageError::Truncated { what: "the header", .. }));
}

#[test]
fn fields_that_are_not_defined() {
    let unused_offset = OFFSETS_AT + 31 * 8;
    let section_flags = HEADER_BYTES + 2;
    for (at, bytes, field) in [
        (FLAGS_AT, vec![0, 2], "flags"),
        (24, vec![1, 0], "reserved"),
        (540, vec![0, 0, 0, 1], "unused"),
        (unused_offset, vec![1], "section offsets"),
        (SIZES_AT + 5 * 8 + 7, vec![1], "section sizes"),
        (section_flags, vec![0, 1], "section flags"),
    ] {
        let refused = refusal(&with(at, &bytes));
        assert!(
            matches!(refused, ImageError::Field { field: found, .. } if found == field),
            "{field}: {refused}"
        );
    }
}

#[test]
fn counts_of_sections() {
    for count in [0_u16, 3, 33, u16::MAX] {
        let refused = refusal(&with(COUNT_AT, &count.to_be_bytes()));
        assert_eq!(refused, ImageError::SectionCount { count: count.into() });
    }
    // One too few leaves a section that the header still states; one too many states none.
    assert!(matches!(refusal(&with(COUNT_AT, &4_u16.to_be_bytes())), ImageError::Field { .. }));
    assert!(matches!(refusal(&with(COUNT_AT, &6_u16.to_be_bytes())), ImageError::SectionOffset { .. }));
}

#[test]
fn sections_that_overlap_or_leave_gaps() {
    let offset = |index: usize| {
        let at = OFFSETS_AT + index * 8;
        u64::from_be_bytes(TWO_RAMDISKS[at..at + 8].try_into().unwrap())
    };
    for index in 0..5 {
        for found in [0, 548, offset(index) - 1, offset(index) + 1, offset(2), u64::MAX] {
            if found == offset(index) {
                continue;
            }
            let refused = refusal(&with(OFFSETS_AT + index * 8, &found.to_be_bytes()));
            assert_eq!(refused, ImageError::SectionOffset { index, found, expected: offset(index) });
        }
    }
}

#[test]
fn sizes_that_lie() {
    let size_at = SIZES_AT + 4 * 8;
    let own_at = Image::decode(TWO_RAMDISKS).unwrap().sections()[4].offset + 4;
    for size in [0_u64, 1, 1 << 20, 1 << 32, 1 << 63, u64::MAX - 11, u64::MAX] {
        assert!(matches!(
            refusal(&with(size_at, &size.to_be_bytes())),
            ImageError::SectionSize { index: 4, .. }
        ));
        assert!(matches!(
            refusal(&with(own_at, &size.to_be_bytes())),
            ImageError::SectionSize { index: 4, .. }
        ));
        // Both alike: longer than the file, or shorter than it.
        let mut image = with(size_at, &size.to_be_bytes());
        image[own_at..own_at + 8].copy_from_slice(&size.to_be_bytes());
        let refused = refusal(&with_checksum(image));
        assert!(
            matches!(refused, ImageError::Truncated { .. } | ImageError::Trailing { .. }),
            "{size}: {refused}"
        );
    }
}

#[test]
fn sections_of_other_types_or_in_another_order() {
    let sections: Vec<usize> =
        Image::decode(TWO_RAMDISKS).unwrap().sections().iter().map(|section| section.offset).collect();
    for (index, at) in sections.iter().enumerate() {
        for kind in [0_u16, 6, 0x100, u16::MAX] {
            let refused = refusal(&with(*at, &kind.to_be_bytes()));
            assert_eq!(refused, ImageError::SectionType { index, kind });
        }
    }
    // A second kernel, a second command line, a ramdisk in front, a signature among the ramdisks.
    for (index, kind) in [(1, 1_u16), (2, 2), (0, 3), (3, 4), (2, 4), (4, 5)] {
        let refused = refusal(&with(sections[index], &kind.to_be_bytes()));
        assert!(
            matches!(refused, ImageError::SectionOrder { index: found, .. } if found == index),
            "{refused}"
        );
    }
}

#[test]
fn a_signature_with_a_ramdisk_behind_it() {
    let image = Image::new(b"kernel", "", b"{}", &[BOOT, b"in place of a signature", BOOT]);
    let signature_at = image.sections()[4].offset;
    let mut bytes = image.encode().unwrap();
    bytes[signature_at..signature_at + 2].copy_from_slice(&4_u16.to_be_bytes());
    let expected = ImageError::SectionOrder { index: 4, found: SectionKind::Signature };
    assert_eq!(refusal(&with_checksum(bytes)), expected);
}

#[test]
fn a_checksum_that_does_not_fit() {
    let mut image = TWO_RAMDISKS.to_vec();
    image[HEADER_BYTES - 1] ^= 1;
    assert!(matches!(refusal(&image), ImageError::Checksum { .. }));
}

#[test]
fn parts_that_make_no_image() {
    let metadata = Metadata {
        image_name: "",
        image_version: "",
        build_tool: "",
        build_tool_version: "",
        operating_system: "",
        kernel_version: "",
    }
    .to_json();
    let whole = Image::new(b"kernel", "", &metadata, &[BOOT]);
    assert!(whole.encode().is_ok(), "an empty command line is one");
    let long = "x".repeat(2049);
    let ramdisks = [BOOT; 30];
    for (refused, expected) in [
        (Image::new(b"", "", &metadata, &[BOOT]), ImageError::Empty { kind: SectionKind::Kernel }),
        (Image::new(b"k", "", b"", &[BOOT]), ImageError::Empty { kind: SectionKind::Metadata }),
        (Image::new(b"k", "", &metadata, &[b""]), ImageError::Empty { kind: SectionKind::Ramdisk }),
        (Image::new(b"k", "", &metadata, &[]), ImageError::SectionCount { count: 3 }),
        (Image::new(b"k", "", &metadata, &ramdisks), ImageError::SectionCount { count: 33 }),
        (Image::new(b"k", "a\0b", &metadata, &[BOOT]), ImageError::CommandLine),
        (
            Image::new(b"k", &long, &metadata, &[BOOT]),
            ImageError::SectionTooLong { kind: SectionKind::CommandLine, len: 2049, max: 2048 },
        ),
    ] {
        assert_eq!(refused.encode().map(|bytes| bytes.len()), Err(expected));
    }
}
