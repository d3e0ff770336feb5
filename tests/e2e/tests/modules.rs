//! Functions of several modules and in TypeScript, from the folder on a developer's disk to the receipt.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use r3e_client::ClientError;
use r3e_client::project::Project;
use r3e_e2e::main_job::Town;
use r3e_e2e::tenant::output;
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::functions::{Deploy, Outcome, Runtime};
use r3e_proto::function_version::version;
use serde_json::json;

const PRICES: &str = r#"{"prices":{"NEO":"12.04","GAS":"3.1"}}"#;

fn example() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/basket")).to_owned()
}

fn typescript(modules: &[(&str, &str)]) -> Deploy {
    let texts: BTreeMap<_, _> =
        modules.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Deploy::modules(Runtime::Typescript, modules[0].0, texts)
}

/// The example as a zip that nobody but this test wrote: stored entries, no compression.
fn zip_of(folder: &Path) -> Vec<u8> {
    let (mut bytes, mut list, mut count) = (Vec::new(), Vec::new(), 0u16);
    let files =
        ["r3e.toml", "README.md", "data/weights.json", "src/decimal.ts", "src/main.ts", "src/weights.ts"];
    for name in files {
        let content = std::fs::read(folder.join(name)).unwrap();
        let offset = u32::try_from(bytes.len()).unwrap();
        let size = u32::try_from(content.len()).unwrap();
        // Version 2.0, no flags, stored, no time; checksum, sizes, length of the name, no extra field.
        let mut header = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        header.extend(crc32(&content).to_le_bytes());
        header.extend(size.to_le_bytes());
        header.extend(size.to_le_bytes());
        header.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        header.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&header);
        bytes.extend(name.as_bytes());
        bytes.extend(&content);
        list.extend(b"PK\x01\x02\x14\x03");
        list.extend(&header);
        list.extend([0; 10]);
        list.extend(offset.to_le_bytes());
        list.extend(name.as_bytes());
        count += 1;
    }
    let start = u32::try_from(bytes.len()).unwrap();
    let size = u32::try_from(list.len()).unwrap();
    bytes.extend(list);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    bytes.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    bytes.extend([0, 0]);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_zip_of_it_are_one_version() {
    let town = Town::new().await;
    let (alice, _) = town.admit("alice");
    let folder = example();
    let shown = alice.r3e(&["deploy", folder.to_str().unwrap(), "--json"]).ok();
    assert!(
        shown.err.contains("4 modules of typescript") && shown.err.contains("no secret and no host"),
        "{}",
        shown.err
    );
    let deployed = shown.json();
    assert_eq!(deployed["entry"], "src/main.ts");
    assert_eq!(
        deployed["modules"],
        json!(["data/weights.json", "src/decimal.ts", "src/main.ts", "src/weights.ts"])
    );

    // Whoever holds the folder computes the same version.
    let project = Project::from_folder(&folder).unwrap();
    let Deploy { runtime, ref permissions, ref limits, instance, .. } = project.deploy;
    let expected = version(runtime, project.deploy.code().unwrap(), permissions, limits, instance);
    assert_eq!(deployed["version"], hex::encode(expected));

    let zip = alice.path("basket.zip");
    std::fs::File::create(&zip).unwrap().write_all(&zip_of(&folder)).unwrap();
    let again = alice.r3e(&["deploy", zip.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!(again["version"], deployed["version"]);

    let invoked = alice.r3e(&[
        "functions",
        "invoke",
        "basket",
        "--input",
        PRICES,
        "--receipt",
        "one.receipt",
        "--json",
    ]);
    let invoked = invoked.ok().json();
    assert_eq!(invoked["output"], r#"{"value":"9.895","assets":["NEO","GAS"]}"#);
    assert_eq!(invoked["version"], deployed["version"]);

    let failed =
        alice.r3e(&["functions", "invoke", "basket", "--input", r#"{"prices":{"NEO":"12","GAS":"-"}}"#]);
    assert_eq!(failed.code, 4);
    assert!(
        failed.err.contains("src/decimal.ts:9:31") && failed.err.contains("src/main.ts:13:29"),
        "{}",
        failed.err
    );

    let copy = alice.path("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::write(copy.join("r3e.toml"), "name = 'basket'\nruntime = 'typescript'\nentry = 'a.ts'\n")
        .unwrap();
    std::fs::write(copy.join("a.ts"), "\nexport default (): number => {\n").unwrap();
    let refused = alice.r3e(&["deploy", copy.to_str().unwrap(), "--json"]);
    refused.fails_with("invalid_function");
    std::os::unix::fs::symlink("/etc/passwd", copy.join("b.json")).unwrap();
    alice.r3e(&["deploy", copy.to_str().unwrap(), "--json"]).fails_with("project");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_breaks_a_rule_is_refused_with_its_place() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    for (modules, words) in [
        (&[("a.ts", "export default () => {\n  return 1 +;\n}")][..], "a.ts:2:13: Expression expected"),
        (&[("a.ts", "import './b.ts'; export default () => 1")], "a.ts:1:8: there is no module \"./b.ts\""),
        (
            &[("a.ts", "export default () => import('https://a.test/')")],
            "a.ts:1:29: \"https://a.test/\" is outside",
        ),
        (
            &[
                ("a.ts", "import { b } from './b.ts'; export default () => b"),
                ("b.ts", "export const b = 1;\nthrow new Error('b');"),
            ],
            "b.ts:2:7",
        ),
    ] {
        let refused = channel.deploy("f", &typescript(modules)).await.unwrap_err();
        let ClientError::Api { code, message, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(code, "invalid_function");
        assert!(message.contains(words), "{words}\n{message}");
    }
    let bomb = format!("x={}1", "!".repeat(1_000_000));
    let refused = channel.deploy("f", &typescript(&[("a.ts", &bomb)])).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_function");
    // Nothing of what breaks a rule is sent by this client; another one is told the same by the appliance.
    let escapes = typescript(&[("../a.ts", "export default () => 1")]);
    assert_eq!(channel.deploy("f", &escapes).await.unwrap_err().code(), "input");
    let fine = typescript(&[("a.ts", "export default (n: number): number => n + 1")]);
    channel.deploy("f", &fine).await.unwrap();
    assert_eq!(output(&channel.invoke("f", "41").await.unwrap()), json!(42));
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_deploy_at_once_beside_one_who_breaks_the_compiler() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let nested = format!("type X = {}", "keyof ".repeat(100_000));
    let hostile = async {
        let mut channel = alice.channel().await;
        for _ in 0..6 {
            let refused = channel.deploy("nested", &typescript(&[("a.ts", &nested)])).await.unwrap_err();
            assert_eq!(refused.code(), "invalid_function");
        }
    };
    let honest = async {
        let mut channel = bob.channel().await;
        for n in 0..6 {
            let source = format!("import {{ b }} from './b.ts';\nexport default (): number => b + {n};");
            let deploy = typescript(&[("a.ts", &source), ("b.ts", "export const b: number = 40;")]);
            channel.deploy("f", &deploy).await.unwrap();
            let invocation = channel.invoke("f", "null").await.unwrap();
            assert!(matches!(invocation.outcome(), Outcome::Output(_)));
            assert_eq!(output(&invocation), json!(40 + n));
        }
    };
    tokio::join!(hostile, honest);
}
