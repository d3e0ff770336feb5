//! The images that AWS's library wrote: read, measured, and written again as the same bytes.

mod support;

use r3e_eif_format::{Architecture, Image, SectionKind, cpio::Archive, cpio::Node};
use support::{APPLICATION, BOOT, SIGNED, TWO_RAMDISKS};

const ONE_RAMDISK: &[u8] = include_bytes!("../vectors/one-ramdisk.eif");

#[test]
fn images_measure_as_their_maker_says() {
    let stated: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/measurements.json")).unwrap();
    for (name, bytes) in
        [("one-ramdisk.eif", ONE_RAMDISK), ("two-ramdisks.eif", TWO_RAMDISKS), ("signed.eif", SIGNED)]
    {
        let measured = Image::decode(bytes).unwrap().measure().unwrap();
        let measured: Vec<_> =
            measured.iter().map(|(index, pcr)| (format!("PCR{index}"), hex::encode(pcr))).collect();
        let stated: Vec<_> = stated[name]
            .as_object()
            .unwrap()
            .iter()
            .map(|(index, pcr)| (index.clone(), pcr.as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(measured, stated, "{name}");
    }
}

#[test]
fn images_are_written_as_they_were_read() {
    for bytes in [ONE_RAMDISK, TWO_RAMDISKS, SIGNED] {
        assert!(Image::decode(bytes).unwrap().encode().unwrap() == bytes);
    }
}

#[test]
fn an_image_shows_its_parts() {
    let image = Image::decode(TWO_RAMDISKS).unwrap();
    assert_eq!(image.architecture, Architecture::X86_64);
    assert_eq!((image.default_memory_bytes, image.default_cpus), (1 << 30, 2));
    assert_eq!(image.kernel.len(), 1000);
    assert!(image.command_line.starts_with(b"reboot=k "));
    assert_eq!(image.ramdisks, [BOOT, APPLICATION]);
    let kinds: Vec<_> = image.sections().iter().map(|section| section.kind).collect();
    let first = [SectionKind::Kernel, SectionKind::CommandLine, SectionKind::Metadata];
    assert_eq!(kinds[..3], first);
    assert_eq!(kinds[3..], [SectionKind::Ramdisk; 2]);
    assert_eq!(image.sections().last().map(r3e_eif_format::Section::end), Some(TWO_RAMDISKS.len()));
    for section in image.sections() {
        assert!(TWO_RAMDISKS[section.offset + 12..].starts_with(section.content));
    }
}

#[test]
fn the_ramdisks_of_a_second_implementation_are_canonical() {
    for bytes in [BOOT, APPLICATION] {
        assert!(Archive::decode(bytes).unwrap().encode().unwrap() == bytes);
    }
    let boot = Archive::decode(BOOT).unwrap();
    assert_eq!(boot.get("dev/nsm").unwrap().node, Node::CharacterDevice { major: 10, minor: 144 });
    assert_eq!(boot.get("tmp").unwrap().permissions, 0o1777);
    let application = Archive::decode(APPLICATION).unwrap();
    let paths: Vec<_> = application.entries().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        ["usr", "usr-local", "usr/bin", "usr/bin/empty", "usr/bin/r3e-enclave", "usr/bin/runner"]
    );
    assert_eq!(application.get("usr-local").unwrap().node, Node::Symlink("usr/local".to_owned()));
}
