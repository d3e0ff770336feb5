//! A function in WebAssembly, from the folder on a developer's disk to the receipt.

use std::path::Path;

use r3e_client::project::Project;
use r3e_e2e::main_job::Town;
use r3e_proto::api::functions::Deploy;
use r3e_proto::function_version::version;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fee");

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_deployed_and_computes_a_fee() {
    let town = Town::new().await;
    let (alice, _) = town.admit("alice");
    let folder = alice.path("fee");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(Path::new(EXAMPLE).join("r3e.toml"), folder.join("r3e.toml")).unwrap();
    let module = wat::parse_file(Path::new(EXAMPLE).join("fee.wat")).unwrap();
    std::fs::write(folder.join("fee.wasm"), &module).unwrap();

    let shown = alice.r3e(&["deploy", folder.to_str().unwrap(), "--json"]).ok();
    assert!(shown.err.contains("1 modules of wasm"), "{}", shown.err);
    let deployed = shown.json();
    assert_eq!(deployed["runtime"], "wasm");

    // Whoever holds the folder computes the same version.
    let project = Project::from_folder(&folder).unwrap();
    let Deploy { runtime, ref permissions, ref limits, instance, .. } = project.deploy;
    let expected = version(runtime, project.deploy.code().unwrap(), permissions, limits, instance);
    assert_eq!(deployed["version"], hex::encode(expected));

    for (event, fee) in
        [(r#"{"amount":12345,"bp":25}"#, "30"), (r#"{"bp": 10000, "amount": 7}"#, "7"), ("{}", "0")]
    {
        let invoked = alice.r3e(&["functions", "invoke", "fee", "--input", event, "--json"]).ok().json();
        assert_eq!(invoked["output"], fee, "{event}");
        assert_eq!(invoked["version"], deployed["version"]);
    }

    // A single file, too; and what is no module is refused with the compiler's reason.
    let file = folder.join("fee.wasm");
    let single =
        alice.r3e(&["functions", "deploy", file.to_str().unwrap(), "--name", "fee", "--json"]).ok().json();
    assert_eq!(single["version"], deployed["version"]);
    std::fs::write(&file, &module[..module.len() - 1]).unwrap();
    let refused = alice.r3e(&["functions", "deploy", file.to_str().unwrap(), "--name", "fee"]);
    assert!(refused.code != 0 && refused.err.contains("function.wasm"), "{}", refused.err);
}
