//! Our writer and reader beside AWS's library, `aws-nitro-enclaves-image-format` 0.8.1: the same bytes from the same
//! parts, the same measurements, and each reads what the other signed.

mod setting;

use r3e_attestation::parse_reference_values;
use r3e_eif_format::{Image, Metadata, SigningCertificate, SigningKey};
use setting::{APPLICATION, BOOT, COMMAND_LINE, Identity, Peer, kernel, peer_measures, peer_verifies};

#[test]
fn unsigned_images_are_the_same_bytes() {
    for ramdisks in [&[BOOT][..], &[BOOT, APPLICATION], &[BOOT, APPLICATION, BOOT]] {
        for (flags, architecture) in
            [(0, r3e_eif_format::Architecture::X86_64), (1, r3e_eif_format::Architecture::Arm64)]
        {
            let peer = Peer::build(ramdisks, flags, None);
            let metadata = peer.metadata();
            let kernel = kernel();
            let mut ours = Image::new(&kernel, COMMAND_LINE, &metadata, ramdisks);
            ours.architecture = architecture;
            assert!(ours.encode().unwrap() == peer.bytes, "{} ramdisks, flags {flags}", ramdisks.len());

            let measured = ours.measure().unwrap();
            for (index, pcr) in measured.iter() {
                assert_eq!(hex::encode(pcr), peer.pcrs[&format!("PCR{index}")], "PCR{index}");
            }
            assert_eq!(measured.pcr8, None);
            assert!(!peer.pcrs.contains_key("PCR8"));
        }
    }
}

#[test]
fn metadata_has_the_peers_form() {
    let metadata = Metadata {
        image_name: "r3e",
        image_version: "1.0 \"q\" \u{e9}\n",
        build_tool: "r3e-eif",
        build_tool_version: "0.1.0",
        operating_system: "Linux",
        kernel_version: "6.12",
    };
    let read: aws_nitro_enclaves_image_format::defs::EifIdentityInfo =
        serde_json::from_slice(&metadata.to_json()).unwrap();
    assert_eq!(read.img_version, metadata.image_version);
    // Written again by the peer, it is the same text: the same fields in the same order.
    assert_eq!(serde_json::to_vec(&read).unwrap(), metadata.to_json());
}

#[test]
fn what_the_peer_signed_is_read_and_measured_alike() {
    let identity = Identity::new();
    let peer = Peer::build(&[BOOT, APPLICATION], 0, Some(&identity));
    let ours = Image::decode(&peer.bytes).unwrap();
    assert!(ours.encode().unwrap() == peer.bytes, "read and written again, it is the same");
    let measured = ours.measure().unwrap();
    assert_eq!(hex::encode(measured.pcr8.unwrap()), peer.pcrs["PCR8"]);
    assert_eq!(hex::encode(measured.pcr0), peer.pcrs["PCR0"]);

    // The section decoded and written again, and put into an image of our making.
    let signature = ours.signature().unwrap().unwrap();
    assert_eq!(signature.encode(), ours.signature_section.as_deref().unwrap());
    let (kernel, metadata) = (kernel(), peer.metadata());
    let mut again = Image::new(&kernel, COMMAND_LINE, &metadata, &[BOOT, APPLICATION]);
    again.signature_section = Some(signature.encode().into());
    assert!(again.encode().unwrap() == peer.bytes);
}

#[test]
fn what_we_sign_the_peer_reads_measures_and_verifies() {
    let identity = Identity::new();
    for private_key in [identity.pkcs8_pem(), identity.sec1_pem()] {
        let key = SigningKey::from_pem(&private_key, &identity.certificate_pem()).unwrap();
        let (kernel, metadata) = (kernel(), Peer::build(&[BOOT], 0, None).metadata());
        let mut image = Image::new(&kernel, COMMAND_LINE, &metadata, &[BOOT, APPLICATION]);
        image.sign(&key).unwrap();
        let bytes = image.encode().unwrap();

        let theirs = peer_measures(&bytes);
        assert!(theirs.checksum_holds);
        let ours = image.measure().unwrap();
        for (index, pcr) in ours.iter() {
            assert_eq!(hex::encode(pcr), theirs.pcrs[&format!("PCR{index}")], "PCR{index}");
        }
        assert!(ours.pcr8.is_some());
        assert!(theirs.signs_this_image, "the peer finds its own payload under the signature");
        peer_verifies(&bytes).unwrap();
    }
}

#[test]
fn a_signature_that_the_peer_refuses_is_refused() {
    let identity = Identity::new();
    let peer = Peer::build(&[BOOT], 0, Some(&identity));
    let mut image = Image::decode(&peer.bytes).unwrap();
    // The last integer of the section is the last byte of s.
    let mut changed = image.signature_section.clone().unwrap().into_owned();
    *changed.last_mut().unwrap() ^= 1;
    image.signature_section = Some(changed.into());
    assert!(image.measure().is_err());
    assert!(peer_verifies(&image.encode().unwrap()).is_err());
}

#[test]
fn certificates_measure_alike() {
    let identity = Identity::new();
    let certificate = SigningCertificate::from_pem(&identity.certificate_pem()).unwrap();
    assert_eq!(certificate.der(), identity.certificate_der());
    assert_eq!(certificate.to_pem().as_bytes(), identity.certificate_pem());
}

#[test]
fn reference_values_in_the_form_of_r3e_eif_are_what_the_verifier_reads() {
    let peer = Peer::build(&[BOOT, APPLICATION], 0, Some(&Identity::new()));
    let measured = Image::decode(&peer.bytes).unwrap().measure().unwrap();
    let pcrs: serde_json::Map<String, serde_json::Value> =
        measured.iter().map(|(index, pcr)| (index.to_string(), hex::encode(pcr).into())).collect();
    let file = serde_json::json!({ "releases": [{ "name": "1.0", "pcrs": pcrs }] });
    let releases = parse_reference_values(file.to_string().as_bytes()).unwrap();
    assert_eq!(releases[0].pcrs()[&8], measured.pcr8.unwrap());
}

/// Writes the vectors that are checked in, when it is asked to.
#[test]
fn vectors() {
    let folder = setting::vectors();
    let update = std::env::var_os("R3E_UPDATE_VECTORS").is_some();
    let identity = Identity::new();
    let images = [
        ("one-ramdisk.eif", Peer::build(&[BOOT], 0, None)),
        ("two-ramdisks.eif", Peer::build(&[BOOT, APPLICATION], 0, None)),
        ("signed.eif", Peer::build(&[BOOT, APPLICATION], 0, Some(&identity))),
    ];
    let mut measurements = serde_json::Map::new();
    for (name, peer) in &images {
        if update {
            std::fs::write(folder.join(name), &peer.bytes).unwrap();
        }
        let mut pcrs = peer.pcrs.clone();
        pcrs.remove("HashAlgorithm");
        measurements.insert((*name).to_owned(), serde_json::to_value(pcrs).unwrap());
    }
    if update {
        let text = serde_json::to_string_pretty(&measurements).unwrap() + "\n";
        std::fs::write(folder.join("measurements.json"), text).unwrap();
    }
    for (name, peer) in images.iter().filter(|(name, _)| *name != "signed.eif") {
        assert!(std::fs::read(folder.join(name)).unwrap() == peer.bytes, "{name} is not the peer's");
    }
    let signed = std::fs::read(folder.join("signed.eif")).unwrap();
    peer_verifies(&signed).unwrap();
}
