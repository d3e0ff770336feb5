//! The main job of the end-to-end tests, unchanged, with the image in a machine as the enclave.

use r3e_e2e::Appliance;
use r3e_e2e::main_job::Town;
use r3e_qemu::{Image, MachinePlace, options};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn the_main_job_is_done_in_the_image() {
    let image = Image::under_test();
    let town = Town::with(options(), |folder| MachinePlace::new(folder, &image)).await;
    town.do_main_job();
    town.do_webassembly_job();
    town.do_proofs_job();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots machines: scripts/test --only qemu"]
async fn twenty_boots_in_a_row_all_serve() {
    let image = Image::under_test();
    for _ in 0..20 {
        let appliance = Appliance::start_at(options(), |folder| MachinePlace::new(folder, &image)).await;
        // Verified under this machine's own root, by the image's reference values.
        appliance.connect().await;
    }
}
