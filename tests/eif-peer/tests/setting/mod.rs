//! The peer as the tests use it: images from bytes, measured and verified, and an identity to sign with.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use aws_nitro_enclaves_image_format::defs::{EifBuildInfo, EifIdentityInfo};
use aws_nitro_enclaves_image_format::utils::eif_reader::EifReader;
use aws_nitro_enclaves_image_format::utils::{EifBuilder, PcrSignatureChecker, SignKeyData};
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509NameBuilder};
use sha2::{Digest, Sha384};

pub const BOOT: &[u8] = include_bytes!("../../../../eif/format/vectors/boot.cpio");
pub const APPLICATION: &[u8] = include_bytes!("../../../../eif/format/vectors/application.cpio");
pub const COMMAND_LINE: &str = "reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on";

pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../eif/format/vectors")
}

/// Bytes in place of a kernel: neither side looks into it.
pub fn kernel() -> Vec<u8> {
    (0..1000_u32).map(|number| (number * 7 % 251) as u8).collect()
}

/// An image that the peer built.
pub struct Peer {
    pub bytes: Vec<u8>,
    pub pcrs: BTreeMap<String, String>,
}

impl Peer {
    pub fn build(ramdisks: &[&[u8]], flags: u16, signed_by: Option<&Identity>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        let sign_info = signed_by.map(|identity| {
            let key = place("key.pem", &identity.pkcs8_pem());
            let certificate = place("certificate.pem", &identity.certificate_pem());
            SignKeyData::new(key.to_str().unwrap(), &certificate).unwrap()
        });
        let kernel = place("kernel", &kernel());
        let command_line = COMMAND_LINE.to_owned();
        let mut builder =
            EifBuilder::new(&kernel, command_line, sign_info, Sha384::new(), flags, description());
        for (index, ramdisk) in ramdisks.iter().enumerate() {
            builder.add_ramdisk(&place(&format!("ramdisk{index}"), ramdisk));
        }
        let path = folder.path().join("image.eif");
        let mut file =
            File::options().create(true).truncate(true).read(true).write(true).open(&path).unwrap();
        let pcrs = builder.write_to(&mut file);
        Self { bytes: fs::read(path).unwrap(), pcrs }
    }

    pub fn metadata(&self) -> Vec<u8> {
        serde_json::to_vec(&description()).unwrap()
    }
}

fn description() -> EifIdentityInfo {
    EifIdentityInfo {
        img_name: "vector".to_owned(),
        img_version: "1.0".to_owned(),
        build_info: EifBuildInfo {
            build_time: "1970-01-01T00:00:00Z".to_owned(),
            build_tool: "aws-nitro-enclaves-image-format".to_owned(),
            build_tool_version: "0.8.1".to_owned(),
            img_os: "Linux".to_owned(),
            img_kernel: "6.12".to_owned(),
        },
        docker_info: serde_json::json!({}),
        custom_info: serde_json::json!({}),
    }
}

/// What the peer's reader says of an image.
pub struct Seen {
    pub pcrs: BTreeMap<String, String>,
    pub checksum_holds: bool,
    pub signs_this_image: bool,
}

pub fn peer_measures(image: &[u8]) -> Seen {
    let file = on_disk(image);
    let mut reader = EifReader::from_eif(file.path().to_str().unwrap().to_owned()).unwrap();
    assert!(reader.get_metadata().is_some(), "the peer shows our metadata");
    // Reading the registers resets what they are computed from.
    let pcrs = reader.get_measurements().unwrap();
    let mut signs_this_image = false;
    if reader.signature_section.is_some() {
        reader.get_certificate_info(pcrs.clone()).unwrap();
        signs_this_image = reader.sign_check == Some(true);
    }
    Seen { pcrs, checksum_holds: reader.check_crc(), signs_this_image }
}

pub fn peer_verifies(image: &[u8]) -> Result<(), String> {
    let file = on_disk(image);
    let mut checker = PcrSignatureChecker::from_eif(file.path().to_str().unwrap())?;
    assert!(!checker.is_empty());
    checker.verify()
}

fn on_disk(image: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), image).unwrap();
    file
}

/// A new P-384 key with a certificate of itself, by OpenSSL.
pub struct Identity {
    key: PKey<Private>,
    certificate: X509,
}

impl Identity {
    pub fn new() -> Self {
        let group = EcGroup::from_curve_name(Nid::SECP384R1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "image signer of a test").unwrap();
        let name = name.build();
        let mut certificate = X509::builder().unwrap();
        certificate.set_version(2).unwrap();
        certificate.set_subject_name(&name).unwrap();
        certificate.set_issuer_name(&name).unwrap();
        certificate.set_pubkey(&key).unwrap();
        certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(36_500).unwrap()).unwrap();
        certificate.sign(&key, MessageDigest::sha384()).unwrap();
        Self { key, certificate: certificate.build() }
    }

    pub fn pkcs8_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    pub fn sec1_pem(&self) -> Vec<u8> {
        self.key.ec_key().unwrap().private_key_to_pem().unwrap()
    }

    pub fn certificate_pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub fn certificate_der(&self) -> Vec<u8> {
        self.certificate.to_der().unwrap()
    }
}
