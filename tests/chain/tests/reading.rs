//! What functions read of contracts, on nodes of both kinds, some of which lie or say nothing.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{Account, Anvil, Contract, FeedContract, HttpNodes, NeoGo};
use r3e_client::TenantChannel;
use r3e_e2e::front::Manner;
use r3e_e2e::tenant::output;
use r3e_proto::api::functions::{Deploy, Limits, Permissions};
use r3e_proto::report::FeedId;
use serde_json::{Value, json};
use tokio::time::timeout;

/// What a call gives; the error where it gives none.
const READ: &str = "export default async (call) => {
    try { return await r3e.chain.read(call); } catch (error) { return `${error.code}: ${error.message}`; }
};";
/// The native contract of GAS.
const GAS: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";
const TREASURY: &str = "NfgHwwTi3wHAS8aFAN243C5vGbkYDpqLHP";

async fn deploy(channel: &mut TenantChannel, networks: &[&String]) -> anyhow::Result<()> {
    let limits = Limits { timeout_ms: 60_000, ..Limits::default() };
    channel.deploy("f", &function(networks, limits)).await?;
    Ok(())
}

fn function(networks: &[&String], limits: Limits) -> Deploy {
    let networks = networks.iter().map(|network| (*network).clone()).collect();
    let permissions = Permissions { networks, ..Permissions::default() };
    Deploy { permissions, limits, ..Deploy::javascript(READ) }
}

async fn said(channel: &mut TenantChannel, call: &Value) -> Value {
    output(&channel.invoke("f", call.to_string()).await.unwrap())
}

/// Whether it is the error of this code.
fn is_error(said: &Value, code: &str) -> bool {
    said.as_str().is_some_and(|text| text.starts_with(&format!("{code}: ")))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn functions_read_contracts_of_both_kinds() -> anyhow::Result<()> {
    let (anvil, neogo) = (Anvil::start().await?, NeoGo::start().await?);
    let (chain, node) = (anvil.chain(), HttpNodes::new(&[anvil.port()]));
    let mut admin = Account::number(0, chain)?;
    let feed = FeedContract {
        id: FeedId::named("btc-usd").unwrap().0,
        decimals: 8,
        history: 4,
        signer: admin.address,
        config: [5; 32],
        attestation: FeedContract::ATTESTATION,
    };
    let aggregator = Contract::deploy_feed(&anvil, &mut admin, feed).await?.address;
    anvil.mine(3).await?;
    let (evm, neo) = (format!("eip155:{chain}"), format!("neo-n3:{}", NeoGo::MAGIC));
    let networks = [(evm.clone(), anvil.port()), (neo.clone(), neogo.port())];
    let Behind { fronts, appliance: _appliance, alice } =
        behind_fronts::start_all(&networks, "", (String::new(), Vec::new())).await;
    let mut channel = alice.channel().await;
    let of = |method: &str, args: Value| json!({ "network": evm, "contract": aggregator, "method": method, "args": args });

    // Not without the grant.
    deploy(&mut channel, &[&neo]).await?;
    assert!(is_error(&said(&mut channel, &of("decimals() returns (uint8)", json!([]))).await, "denied"));
    deploy(&mut channel, &[&evm, &neo, &"eip155:5".to_owned()]).await?;

    // One node lies about what contracts give; the others are believed.
    fronts[1].behave(Manner::Lying("42544320".into(), "45544820".into()));
    let description = said(&mut channel, &of("description() view returns (string)", json!([]))).await;
    assert_eq!(description["values"], json!(["BTC / USD"]));
    let height = node.ask("eth_blockNumber", json!([])).await?;
    assert_eq!(json!(format!("{:#x}", description["height"].as_u64().unwrap())), height);
    assert!(description["data"].as_str().unwrap().contains("425443202f20555344"));
    let config = format!("0x{}", "05".repeat(32));
    let authority =
        said(&mut channel, &of("authorityOf(address,bytes32)(bytes27)", json!([admin.address, config])))
            .await;
    let key = authority["values"][0].as_str().unwrap();
    let attestation = said(&mut channel, &of("attestationOf(bytes27)(bytes32)", json!([key]))).await;
    assert_eq!(attestation["values"], json!([format!("0x{}", "a7".repeat(32))]));
    // The same by its data, as of a library.
    let raw = json!({ "network": evm, "contract": aggregator, "data": "0x313ce567" });
    let raw = said(&mut channel, &raw).await;
    assert_eq!((&raw["values"], raw["data"].as_str().unwrap().ends_with("08")), (&json!([]), true));

    // What fails is said by enough nodes, and what is no contract gives nothing.
    let nothing_yet = said(&mut channel, &of("latest() returns (uint256)", json!([]))).await;
    assert!(is_error(&nothing_yet, "reverted"), "{nothing_yet}");
    let nowhere = json!({ "network": evm, "contract": format!("0x{}", "11".repeat(20)), "method": "decimals()(uint8)" });
    assert!(is_error(&said(&mut channel, &nowhere).await, "reverted"));
    for (wrong, code) in [
        (of("decimals() returns uint8", json!([])), "invalid"),
        (of("f(uint8)", json!([256])), "invalid"),
        (of("f(uint8)", json!([])), "invalid"),
        (json!({ "network": evm, "contract": aggregator, "method": "f()", "data": "0x00" }), "invalid"),
        (json!({ "network": evm, "contract": GAS, "method": "symbol" }), "invalid"),
        (json!({ "network": evm, "contract": aggregator }), "invalid"),
        (json!({ "network": "eip155:5", "contract": aggregator, "data": "0x00" }), "not_found"),
        (json!({ "network": neo, "contract": GAS, "method": "symbol", "confirmations": 1 }), "invalid"),
        (json!({ "network": neo, "contract": GAS, "method": "balanceOf", "args": ["x"] }), "invalid"),
    ] {
        let said = said(&mut channel, &wrong).await;
        assert!(is_error(&said, code), "{wrong}: {said}");
    }

    // As it was some blocks ago: before there was a contract.
    let mut before = of("decimals() returns (uint8)", json!([]));
    let now = said(&mut channel, &before).await;
    before["confirmations"] = json!(now["height"]);
    assert!(is_error(&said(&mut channel, &before).await, "reverted"));
    assert_eq!(now["values"], json!(["8"]));

    // Neo N3.
    let of = |method: &str, args: Value| json!({ "network": neo, "contract": GAS, "method": method, "args": args });
    let symbol = said(&mut channel, &of("symbol", json!([]))).await;
    assert_eq!(
        (&symbol["values"], &symbol["data"]),
        (&json!([{ "type": "ByteString", "value": "R0FT" }]), &Value::Null)
    );
    let balance =
        said(&mut channel, &of("balanceOf", json!([{ "type": "account", "value": TREASURY }]))).await;
    let balance: u128 = balance["values"][0]["value"].as_str().unwrap().parse()?;
    assert!(balance > 1_000_000_000);
    let account = json!({ "type": "account", "value": TREASURY });
    let send = json!([account, account, { "type": "integer", "value": "1" }, { "type": "null" }]);
    for (method, args) in [("nothing", json!([])), ("transfer", send)] {
        let failed = said(&mut channel, &of(method, args)).await;
        assert!(is_error(&failed, "reverted"), "{method}: {failed}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_node_that_says_nothing_holds_up_nobody() -> anyhow::Result<()> {
    let neogo = NeoGo::start().await?;
    let network = format!("neo-n3:{}", NeoGo::MAGIC);
    let Behind { fronts, appliance: _appliance, alice } =
        behind_fronts::start(&network, neogo.port(), "").await;
    let mut channel = alice.channel().await;
    // In a function's usual time, also where no height is known yet.
    channel.deploy("f", &function(&[&network], Limits::default())).await?;
    fronts[2].behave(Manner::Silent);
    let symbol = json!({ "network": network, "contract": GAS, "method": "symbol" });
    let ten = async {
        for _ in 0..10 {
            let told = said(&mut channel, &symbol).await;
            assert_eq!(told["values"], json!([{ "type": "ByteString", "value": "R0FT" }]), "{told}");
        }
    };
    timeout(Duration::from_secs(30), ten).await?;
    // Where another lies, too few say the same.
    deploy(&mut channel, &[&network]).await?;
    fronts[1].behave(Manner::Lying("R0FT".into(), "RkFU".into()));
    let unknown = said(&mut channel, &symbol).await;
    assert!(is_error(&unknown, "unavailable") || is_error(&unknown, "timed_out"), "{unknown}");
    Ok(())
}
