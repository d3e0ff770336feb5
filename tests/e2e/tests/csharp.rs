//! A function in C#, from the folder on a developer's disk to the receipt.

use r3e_e2e::main_job::Town;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn the_example_is_deployed_and_takes_spreads() {
    Town::new().await.do_csharp_job("");
}
