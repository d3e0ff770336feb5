//! An image that was built with the layers of Python and C# runs functions in both.

use r3e_e2e::Options;
use r3e_e2e::main_job::Town;
use r3e_qemu::{Image, MachinePlace, options};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine with an image of its own: scripts/test --only qemu"]
async fn an_image_with_layers_runs_them() {
    let image = Image::under_test();
    // Emulated, a processor is some twenty times slower, and C# starts its runtime for each event.
    let options = Options { max_compile_ms: 60_000, ..options() };
    let town = Town::with(options, |folder| MachinePlace::new(folder, &image)).await;
    town.do_python_job();
    town.do_csharp_job("\n[limits]\ntimeout_ms = 60000\ncpu_ms = 30000\n");
}
