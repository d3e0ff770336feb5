//! Which part goes where in the image. A pure function: the same parts, the same bytes.

use lz4::block::{CompressionMode, compress};
use r3e_eif_format::cpio::Archive;
use r3e_eif_format::{Image, Metadata, SigningKey, packing};

use super::{Parts, RecipeError};

/// The kernel's command line. The init reads none of it, and a host can add to it, unmeasured: what must hold is in
/// the kernel's configuration. These are for a kernel that fails by ending: by a triple fault, since a machine without a keyboard
/// controller would start again instead.
const COMMAND_LINE: &str =
    "reboot=t panic=-1 random.trust_cpu=off random.trust_bootloader=off console=ttyS0 loglevel=4";

/// Where the kernel and the init mount; the rest of the tree is what the programs need, and nothing more.
const MOUNT_POINTS: [(&str, u16); 5] =
    [("dev", 0o755), ("proc", 0o555), ("run", 0o755), ("sys", 0o555), ("tmp", 0o1777)];

/// The last file of the last ramdisk, by its path. The init starts nothing without it: a kernel that has no room for the
/// whole image goes on with what it could unpack.
const LAST_FILE: &str = "usr/whole";
const LAST_FILE_CONTENT: &[u8] = b"whole\n";

/// `LZ4HC_CLEVEL_MAX`.
const EFFORT: i32 = 12;

/// The image of `parts`, signed if there is a key.
///
/// # Errors
/// [`RecipeError`]: a part is too long, or the key does not sign.
pub(crate) fn pack(parts: &Parts, key: Option<&SigningKey>) -> Result<Vec<u8>, RecipeError> {
    let (boot, application) = (boot(parts)?, application(parts)?);
    let toolchain = parts.toolchain.to_string();
    let metadata = Metadata {
        image_name: "r3e-enclave",
        image_version: env!("CARGO_PKG_VERSION"),
        build_tool: "r3e-eif",
        build_tool_version: &toolchain,
        operating_system: "Linux",
        kernel_version: kernel_version(&parts.kernel),
    };
    let metadata = metadata.to_json();
    let mut image = Image::new(&parts.kernel, COMMAND_LINE, &metadata, &[&boot, &application]);
    image.default_memory_bytes = DEFAULT_MEMORY_BYTES;
    if let Some(key) = key {
        image.sign(key)?;
    }
    Ok(image.encode()?)
}

/// What an enclave gets where `nitro-cli` is not told. With it, a tenant's share holds the largest function, and is less than
/// half of what all tenants have.
const DEFAULT_MEMORY_BYTES: u64 = 2 << 30;

/// The first ramdisk, measured by PCR1 with the kernel: what boots.
fn boot(parts: &Parts) -> Result<Vec<u8>, RecipeError> {
    let mut archive = Archive::new();
    for (path, permissions) in MOUNT_POINTS {
        archive.directory(path, permissions)?;
    }
    // Before the kernel's own devices are mounted: a program that was started without a console opens this one.
    archive.character_device("dev/null", 0o666, 1, 3)?;
    archive.file("init", 0o555, parts.init.as_slice())?;
    Ok(archive.encode()?)
}

/// The second, measured by PCR2: the application. It lies packed, since it is nearly all of the image: the enclave's memory holds
/// the image and what is unpacked of it at once.
fn application(parts: &Parts) -> Result<Vec<u8>, RecipeError> {
    let mut archive = Archive::new();
    archive.directory("usr", 0o755)?;
    archive.directory("usr/bin", 0o755)?;
    for (name, program) in &parts.programs {
        archive.file(&format!("usr/bin/{name}"), 0o555, program.as_slice())?;
    }
    for layer in &parts.layers {
        archive.file(&format!("usr/bin/{}", layer.name), layer.permissions, layer.content.as_slice())?;
    }
    archive.file(LAST_FILE, 0o444, LAST_FILE_CONTENT)?;
    Ok(packing::pack_by(&archive.encode()?, with_effort))
}

/// A block, packed with the most effort that LZ4 has: seconds once, and a sixth less to send, to measure and to hold. Where that gets no memory,
/// the other packer's is unpacked as well.
fn with_effort(block: &[u8]) -> Vec<u8> {
    let packed = compress(block, Some(CompressionMode::HIGHCOMPRESSION(EFFORT)), false);
    packed.unwrap_or_else(|_| packing::packed_block(block))
}

/// The version that a bzImage names (the kernel's `boot.rst`, field `kernel_version`), for the description alone.
fn kernel_version(kernel: &[u8]) -> &str {
    const POINTER_AT: usize = 0x20e;
    const POINTS_FROM: usize = 0x200;
    let text = kernel
        .get(POINTER_AT..POINTER_AT + 2)
        .map(|field| POINTS_FROM + usize::from(u16::from_le_bytes([field[0], field[1]])))
        .and_then(|start| kernel.get(start..))
        .and_then(|rest| rest.split(|byte| matches!(byte, 0 | b' ')).next());
    text.and_then(|text| std::str::from_utf8(text).ok())
        .filter(|text| !text.is_empty() && text.len() <= 64)
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use r3e_eif_format::cpio::Node;

    use super::*;
    use crate::recipe::{LayerFile, Toolchain};

    fn parts() -> Parts {
        let mut kernel = vec![0; 0x400];
        kernel[0x20e..0x210].copy_from_slice(&[0x10, 0x00]);
        kernel[0x210..0x21d].copy_from_slice(b"6.12.1 (user@");
        Parts {
            kernel,
            init: b"init".to_vec(),
            programs: vec![("r3e-enclave", b"enclave".to_vec()), ("r3e-runner", b"runner".to_vec())],
            layers: Vec::new(),
            toolchain: Toolchain::example(),
        }
    }

    #[test]
    fn the_same_parts_make_the_same_bytes() {
        assert_eq!(pack(&parts(), None).unwrap(), pack(&parts(), None).unwrap());
    }

    #[test]
    fn each_part_moves_the_register_that_measures_it() {
        let measure = |parts: &Parts| Image::decode(&pack(parts, None).unwrap()).unwrap().measure().unwrap();
        let before = measure(&parts());
        let mut init = parts();
        init.init = b"other".to_vec();
        let mut enclave = parts();
        enclave.programs[0].1 = b"other".to_vec();
        let mut layer = parts();
        layer.layers.push(LayerFile {
            name: "r3e-python.cwasm",
            permissions: 0o444,
            content: b"layer".to_vec(),
        });
        let mut toolchain = parts();
        toolchain.toolchain.rustc = "another".to_owned();
        let (init, enclave, layer) = (measure(&init), measure(&enclave), measure(&layer));
        assert!(init.pcr0 != before.pcr0 && init.pcr1 != before.pcr1 && init.pcr2 == before.pcr2);
        assert!(enclave.pcr0 != before.pcr0 && enclave.pcr1 == before.pcr1 && enclave.pcr2 != before.pcr2);
        assert!(layer.pcr0 != before.pcr0 && layer.pcr1 == before.pcr1 && layer.pcr2 != before.pcr2);
        assert_eq!(measure(&toolchain), before, "the description is not measured");
    }

    #[test]
    fn the_programs_are_where_the_init_looks_for_them() {
        let parts = parts();
        let bytes = pack(&parts, None).unwrap();
        let image = Image::decode(&bytes).unwrap();
        let unpacked = [0, 1].map(|index| packing::unpack(image.ramdisks[index]).unwrap());
        let [boot, application] = [0, 1].map(|index| Archive::decode(&unpacked[index]).unwrap());
        assert!(matches!(&boot.get("init").unwrap().node, Node::File(content) if **content == *b"init"));
        for (name, content) in &parts.programs {
            let entry = application.get(&format!("usr/bin/{name}")).unwrap();
            assert_eq!(entry.permissions, 0o555, "nobody writes to a program");
            assert!(matches!(&entry.node, Node::File(found) if **found == *content));
        }
        let (last, _) = application.entries().last().unwrap();
        assert_eq!(last, LAST_FILE, "or the init would take an image that was cut short for a whole one");
        assert!(String::from_utf8_lossy(image.metadata).contains("6.12.1"));
    }
}
