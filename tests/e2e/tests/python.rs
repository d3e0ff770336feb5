//! A function in Python, from the folder on a developer's disk to the receipt.

use r3e_e2e::main_job::Town;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn the_example_is_deployed_and_takes_medians() {
    Town::new().await.do_python_job();
}
