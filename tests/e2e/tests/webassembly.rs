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
    // One of megabytes goes over in one request, and runs.
    let large = [module.as_slice(), &custom_section(4 << 20)].concat();
    std::fs::write(&file, large).unwrap();
    let large =
        alice.r3e(&["functions", "deploy", file.to_str().unwrap(), "--name", "fee", "--json"]).ok().json();
    assert!(large["version"] != deployed["version"] && large["source_bytes"].as_u64() > Some(5 << 20));
    let event = r#"{"amount":12345,"bp":25}"#;
    let invoked = alice.r3e(&["functions", "invoke", "fee", "--input", event, "--json"]).ok().json();
    assert_eq!((&invoked["output"], &invoked["version"]), (&"30".into(), &large["version"]));

    std::fs::write(&file, &module[..module.len() - 1]).unwrap();
    let refused = alice.r3e(&["functions", "deploy", file.to_str().unwrap(), "--name", "fee"]);
    assert!(refused.code != 0 && refused.err.contains("function.wasm"), "{}", refused.err);
}

/// A section that means nothing, with so many bytes that do not deflate.
fn custom_section(bytes: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let content = [b"\x05noise".as_slice(), &noise.take(bytes).collect::<Vec<u8>>()].concat();
    let mut section = vec![0];
    // LEB128, seven bits a byte.
    let mut length = content.len();
    while length > 0x7f {
        section.push((length & 0x7f).to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    section.push(length.to_le_bytes()[0]);
    section.extend(content);
    section
}
