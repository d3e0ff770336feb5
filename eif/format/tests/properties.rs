//! What holds for every set of files and every image.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use r3e_eif_format::cpio::{Archive, CpioError};
use r3e_eif_format::{Architecture, Image};

#[derive(Clone, Debug)]
enum Item {
    Directory,
    File(Vec<u8>),
    Symlink(String),
    Device(u32, u32),
}

fn item() -> impl Strategy<Value = (u16, Item)> {
    let node = prop_oneof![
        Just(Item::Directory),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Item::File),
        "[a-z/.]{1,12}".prop_map(Item::Symlink),
        (0_u32..4096, 0_u32..1 << 20).prop_map(|(major, minor)| Item::Device(major, minor)),
    ];
    (0_u16..=0o777, node)
}

/// Paths of up to three short names, so that some lie within others.
fn files() -> impl Strategy<Value = Vec<(String, (u16, Item))>> {
    let path = proptest::collection::vec("[ab.-]{1,2}", 1..4).prop_map(|names| names.join("/"));
    let path = path.prop_filter("a name", |path| !path.split('/').any(|name| [".", ".."].contains(&name)));
    proptest::collection::btree_map(path, item(), 0..12)
        .prop_map(with_parents)
        .prop_map(|files| files.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn with_parents(mut files: BTreeMap<String, (u16, Item)>) -> BTreeMap<String, (u16, Item)> {
    let parents: BTreeSet<String> = files
        .keys()
        .flat_map(|path| path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect::<Vec<_>>())
        .collect();
    for parent in parents {
        files.insert(parent, (0o755, Item::Directory));
    }
    files
}

fn archive(files: &[(String, (u16, Item))]) -> Archive<'_> {
    let mut archive = Archive::new();
    for (path, (permissions, item)) in files {
        match item {
            Item::Directory => archive.directory(path, *permissions),
            Item::File(content) => archive.file(path, *permissions, content),
            Item::Symlink(target) => archive.symlink(path, target),
            Item::Device(major, minor) => archive.character_device(path, *permissions, *major, *minor),
        }
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    archive
}

proptest! {
    #[test]
    fn an_archive_is_read_as_it_was_written_in_whatever_order(files in files(), seed in any::<usize>()) {
        let written = archive(&files);
        let bytes = written.encode().unwrap();
        prop_assert_eq!(bytes.len() % 4, 0);
        prop_assert_eq!(Archive::decode(&bytes).unwrap(), written);

        let mut rotated = files.clone();
        if !rotated.is_empty() {
            rotated.rotate_left(seed % files.len());
        }
        prop_assert_eq!(archive(&rotated).encode().unwrap(), bytes);
    }

    #[test]
    fn a_path_is_taken_once(files in files()) {
        let mut written = archive(&files);
        for (path, _) in &files {
            prop_assert_eq!(written.directory(path, 0o755), Err(CpioError::Duplicate { path: path.clone() }));
        }
    }

    #[test]
    fn an_image_is_read_as_it_was_written(
        kernel in proptest::collection::vec(any::<u8>(), 1..200),
        command_line in "[ -~]{0,80}",
        metadata in "[ -~]{1,80}",
        ramdisks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..100), 1..29),
        arm in any::<bool>(),
        (memory, cpus) in any::<(u64, u64)>(),
        signature in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..100)),
    ) {
        let ramdisks: Vec<&[u8]> = ramdisks.iter().map(Vec::as_slice).collect();
        prop_assume!(signature.is_none() || ramdisks.len() < 29);
        let mut image = Image::new(&kernel, &command_line, metadata.as_bytes(), &ramdisks);
        image.architecture = if arm { Architecture::Arm64 } else { Architecture::X86_64 };
        (image.default_memory_bytes, image.default_cpus) = (memory, cpus);
        image.signature_section = signature.map(Into::into);
        let bytes = image.encode().unwrap();
        let read = Image::decode(&bytes).unwrap();
        prop_assert_eq!(&read, &image);
        prop_assert_eq!(read.measure_unsigned(), image.measure_unsigned());
    }

    /// The registers are over the joined content: what they measure does not tell where one ramdisk ends.
    #[test]
    fn registers_see_what_they_are_documented_to_see(
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 5),
    ) {
        let [kernel, first, second, third, other] = &parts[..] else { unreachable!() };
        let base = Image::new(kernel, "c", b"{}", &[first, second, third]);
        let measured = base.measure_unsigned();
        let joined = [second.as_slice(), third].concat();
        let regrouped = Image::new(kernel, "c", b"{}", &[first, &joined]).measure_unsigned();
        prop_assert_eq!(regrouped, measured);

        let moved = Image::new(kernel, "c", b"{}", &[first, second, third, other]).measure_unsigned();
        prop_assert_eq!(moved.pcr1, measured.pcr1);
        prop_assert!(moved.pcr0 != measured.pcr0 && moved.pcr2 != measured.pcr2);

        let line = Image::new(kernel, "d", b"{}", &[first, second, third]).measure_unsigned();
        prop_assert_eq!(line.pcr2, measured.pcr2);
        prop_assert!(line.pcr0 != measured.pcr0 && line.pcr1 != measured.pcr1);

        let described = Image::new(kernel, "c", b"{ }", &[first, second, third]).measure_unsigned();
        prop_assert_eq!(described, measured);
    }
}
