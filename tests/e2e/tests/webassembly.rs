//! A function in WebAssembly, from the folder on a developer's disk to the receipt.

use r3e_client::project::Project;
use r3e_e2e::languages::fee;
use r3e_e2e::main_job::Town;
use r3e_proto::api::functions::Deploy;
use r3e_proto::function_version::version;

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_deployed_and_computes_a_fee() {
    Town::new().await.do_webassembly_job();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_the_folders_and_a_broken_module_is_refused() {
    let town = Town::new().await;
    let (alice, _) = town.admit("alice");
    let (folder, module) = fee(&alice);
    let deployed = alice.r3e(&["deploy", folder.to_str().unwrap(), "--json"]).ok().json();

    // Whoever holds the folder computes the same version.
    let project = Project::from_folder(&folder).unwrap();
    let Deploy { runtime, ref permissions, ref limits, instance, .. } = project.deploy;
    let expected = version(runtime, project.deploy.code().unwrap(), permissions, limits, instance);
    assert_eq!(deployed["version"], hex::encode(expected));

    // A single file, too; and what is no module is refused with the compiler's reason.
    let file = folder.join("fee.wasm");
    let single =
        alice.r3e(&["functions", "deploy", file.to_str().unwrap(), "--name", "fee", "--json"]).ok().json();
    assert_eq!(single["version"], deployed["version"]);
    std::fs::write(&file, &module[..module.len() - 1]).unwrap();
    let refused = alice.r3e(&["functions", "deploy", file.to_str().unwrap(), "--name", "fee"]);
    assert!(refused.code != 0 && refused.err.contains("function.wasm"), "{}", refused.err);
}
