//! The documents of the machine's security module: they measure the image, and one that nobody signed is refused.

use r3e_client::{ClientError, SigningKey};
use r3e_e2e::Appliance;
use r3e_e2e::command::Home;
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::{configuration_digest, pcr_extended_once};
use r3e_qemu::{Image, MachinePlace, options};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn the_document_measures_the_bytes_of_the_image() {
    let image = Image::under_test();
    let bytes = std::fs::read(&image.eif).unwrap();
    let measured = r3e_eif_format::Image::decode(&bytes).unwrap().measure().unwrap();

    let appliance = Appliance::start_at(options(), |folder| MachinePlace::new(folder, &image)).await;
    let channel = appliance.connect().await;
    for (index, register) in measured.iter() {
        assert_eq!(channel.attestation().pcr(index), Some(&register), "PCR{index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn the_document_measures_the_configuration_of_the_boot_and_no_later_one() {
    let image = Image::under_test();
    let mut appliance = Appliance::start_at(options(), |folder| MachinePlace::new(folder, &image)).await;
    let file = appliance.folder().join("configuration.toml");
    let first = std::fs::read(&file).unwrap();
    let of_first = appliance.connector();
    let connect = async || {
        let mut channel = of_first.connect().await.unwrap();
        let measured = pcr_extended_once(&configuration_digest(&first));
        assert_eq!(channel.attestation().pcr(CONFIGURATION_PCR), Some(&measured));
        assert_eq!(channel.configuration().await.unwrap(), first);
    };
    connect().await;

    // The parent's doing, once the enclave runs: another operator's configuration.
    appliance.kill_parent();
    appliance.set_operator_key(SigningKey::generate().unwrap());
    appliance.start_parent();
    appliance.ready().await;
    let second = std::fs::read(&file).unwrap();
    assert_ne!(first, second);
    connect().await;
    let refused = appliance.connector().connect().await.err();
    let Some(ClientError::OtherConfiguration { pinned, found }) = refused else { panic!("{refused:?}") };
    assert_eq!((*pinned, *found), (configuration_digest(&second), configuration_digest(&first)));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn a_document_that_nobody_signed_is_refused() {
    let image = Image::under_test();
    let signing = Appliance::start_at(options(), |folder| MachinePlace::new(folder, &image)).await;
    let root = std::fs::read(signing.trust().test_root_file).unwrap();
    drop(signing);
    let unsigned = |folder: &std::path::Path| {
        let place = MachinePlace::new(folder, &image);
        place.with(|config| config.sign_dir = None)
    };
    let appliance = Appliance::start_at(options(), unsigned).await;
    std::fs::write(appliance.trust().test_root_file, root).unwrap();
    let home = Home::new(&appliance, "anyone");
    home.r3e(&["enclave", "attest", "--json"]).exits(1).fails_with("algorithm");
}
