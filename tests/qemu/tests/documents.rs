//! The documents of the machine's security module: they measure the image, and one that nobody signed is refused.

use r3e_e2e::command::Home;
use r3e_e2e::{Appliance, Options};
use r3e_qemu::{Image, MachinePlace};

fn options() -> Options {
    Options { unlock: "ephemeral", ..Options::default() }
}

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
