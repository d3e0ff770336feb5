//! A contract that remembers how far the appliance was: older states, and branches of them, are refused by it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::sync::Arc;
use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{Account, Anvil, Contract, HttpNodes, Word, of_address, word};
use r3e_client::{SigningKey, TenantChannel};
use r3e_e2e::Appliance;
use r3e_e2e::command::Home;
use r3e_e2e::front::Manner;
use r3e_e2e::rollback::{copy, put_back, refused_in};
use r3e_keys::{AnchorKey, RootSecret};
use r3e_proto::anchor::anchor_call;
use r3e_proto::api::anchor::{AnchorStatus, SignedAnchor};
use r3e_proto::api::codes;
use r3e_proto::api::wallets::{CreateWallet, EvmAddress};
use r3e_proto::report::EvmTarget;
use r3e_proto::restore::RestoreOrder;
use r3e_proto::witness::Commit;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

/// For what comes by itself.
const LIMIT: Duration = Duration::from_mins(1);
const UNKNOWN: &str = "which this state does not have written down";

/// A chain with the contract, and the appliance that it remembers.
struct World {
    anvil: Arc<Anvil>,
    contract: Contract,
    behind: Behind,
    holders: [SigningKey; 2],
    mining: JoinHandle<()>,
}

impl World {
    async fn new() -> anyhow::Result<Self> {
        let anvil = Arc::new(Anvil::start().await?);
        let mut deployer = Account::number(1, anvil.chain())?;
        let contract = Contract::deploy(&anvil, &mut deployer, "StateAnchor", &[]).await?;
        let network = format!("eip155:{}", anvil.chain());
        let holders = [SigningKey::generate()?, SigningKey::generate()?];
        let keys = holders.each_ref().map(|key| format!("\"{}\"", key.public_key()));
        let tables = format!(
            "[anchor]\nnetwork = \"{network}\"\ncontract = \"{}\"\nlook_s = 5\n\
             [restore]\nthreshold = 2\nkeys = [{}]\n",
            contract.address,
            keys.join(", ")
        );
        let behind = behind_fronts::start(&network, anvil.port(), &tables).await;
        let mining = tokio::spawn(mine(Arc::clone(&anvil)));
        Ok(Self { anvil, contract, behind, holders, mining })
    }

    fn own(&mut self) -> &mut Appliance {
        &mut self.behind.appliance
    }

    /// What the contract has of the appliance: sequence and head.
    async fn on_chain(&self, anchor: &SignedAnchor) -> anyhow::Result<(Word, Word)> {
        let asked = ("lastOf", &[of_address(anchor.appliance)][..]);
        let words = self.contract.ask(&self.anvil, anchor.contract, asked).await?;
        Ok((words[0], words[1]))
    }

    async fn status(&self) -> AnchorStatus {
        self.behind.appliance.connect().await.status().await.unwrap().anchor.unwrap()
    }

    /// A channel of hers that remembers nothing of earlier ones: she is shown older states here.
    async fn channel(&self) -> TenantChannel {
        let channel = self.behind.appliance.connect().await;
        channel.sign_in_tenant(self.behind.alice.key()).await.unwrap().into_tenant()
    }

    /// So many commits.
    async fn work(&self, name: &str, times: usize) {
        let mut channel = self.channel().await;
        for time in 0..times {
            channel.create_wallet(&format!("{name}-{time}"), &wallet(self.anvil.chain())).await.unwrap();
        }
    }

    /// Anyone brings it; the gas that it took.
    async fn bring(&self, anchor: &SignedAnchor) -> anyhow::Result<Value> {
        let mut anyone = Account::number(0, self.anvil.chain())?;
        let node = HttpNodes::new(&[self.anvil.port()]);
        anyone.resume(&node).await?;
        let sent = anyone.send(&node, Some(anchor.contract), anchor.data.0.clone()).await?;
        let deadline = Instant::now() + LIMIT;
        loop {
            let receipt = node.ask("eth_getTransactionReceipt", json!([sent])).await?;
            if receipt["status"] == "0x1" {
                return Ok(receipt["gasUsed"].clone());
            }
            assert!(Instant::now() < deadline && receipt["status"] != "0x0", "{receipt}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.mining.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn an_older_state_and_a_branch_are_refused_by_what_the_chain_remembers() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let home = Home::new(&world.behind.appliance, "alice");
    world.behind.alice.key().write_new(&home.path(".config/r3e/tenant.pem"))?;
    let account =
        world.channel().await.create_wallet("anchors", &wallet(world.anvil.chain())).await?.wallet.address;
    let identity = world.behind.appliance.connect().await.status().await?.identity;
    let node = HttpNodes::new(&[world.anvil.port()]);
    node.ask("anvil_setBalance", json!([account, "0xde0b6b3a7640000"])).await?;
    let folder = world.own().folder().to_owned();
    let (older, fork) = (folder.join("older"), folder.join("fork"));
    world.own().stop().await;
    copy(&world.own().data(), &older);
    world.own().starts().await;
    assert_eq!(world.status().await.on_chain, None);

    // One node lies about all there is; the others are believed.
    world.behind.fronts[1].behave(Manner::Lying("0x".into(), "0x1".into()));
    let bring = ["chain", "anchor", "--wallet", "anchors", "--fee-limit", "5000000000000000"];
    let brought = home.r3e(&[&bring[..], &["--wait", "--json"]].concat()).ok().json();
    let first: SignedAnchor = serde_json::from_value(brought["anchor"].clone())?;
    let sequence = word(i128::from(first.anchor.sequence));
    assert_eq!(world.on_chain(&first).await?, (sequence, first.anchor.head.0));
    println!(
        "an anchor takes {} gas, the first of an appliance",
        brought["transaction"]["included"]["gas_used"]
    );
    // It is shown once the chain was looked at.
    let deadline = Instant::now() + LIMIT;
    while world.status().await.on_chain.is_none_or(|last| last.sequence != first.anchor.sequence) {
        assert!(Instant::now() < deadline, "{:?}", world.status().await);
        sleep(Duration::from_millis(200)).await;
    }
    let shown = home.r3e(&["enclave", "status"]).ok().out;
    assert!(shown.contains(&format!("{}, brought ", first.anchor.sequence)), "{shown}");

    // The latest state knows of it, an older one does not.
    world.work("one", 3).await;
    world.own().stop().await;
    copy(&world.own().data(), &fork);
    put_back(&older, &world.own().data());
    world.own().refuses_to_start(UNKNOWN).await;
    // Nor does none at all.
    std::fs::remove_dir_all(world.own().data())?;
    world.own().refuses_to_start(UNKNOWN).await;
    put_back(&fork, &world.own().data());
    world.own().starts().await;

    // An anchor is signed, and kept back; the parent goes on from before it, to a higher number.
    let second = world.channel().await.anchor().await?;
    assert!(second.anchor.sequence > first.anchor.sequence);
    world.own().stop().await;
    put_back(&fork, &world.own().data());
    world.own().starts().await;
    world.work("two", 20).await;
    assert!(world.behind.appliance.connect().await.status().await?.sequence > second.anchor.sequence);
    // Now it is on the chain, and the branch that runs is found out.
    world.bring(&second).await?;
    let deadline = Instant::now() + LIMIT;
    while world.own().health().await.as_deref() != Some(codes::STORE_TAMPERED) {
        assert!(Instant::now() < deadline, "it serves on");
        sleep(Duration::from_millis(200)).await;
    }
    world.own().stop().await;
    let said = world.own().refuses_to_start(UNKNOWN).await;

    // What is refused stays as it is, so that an order can name it. By order of the quorum it goes on, above all that was anchored.
    let (sequence, head, over) = refusal(&said);
    assert_eq!(refusal(&world.own().refuses_to_start(UNKNOWN).await), (sequence, head, over));
    assert_eq!(over, second.anchor.sequence);
    let identity = hex::decode(identity)?.try_into().unwrap();
    let restored = RestoreOrder { identity, sequence, head, over: sequence.max(over) };
    let [one, two] = [&world.holders[0], &world.holders[1]];
    world.behind.appliance.order(&restored, &[one, two]);
    world.own().starts().await;
    world.own().restart().await;
    let third = world.channel().await.anchor().await?;
    let gas = world.bring(&third).await?;
    println!("a later anchor takes {gas} gas");
    assert_eq!(world.on_chain(&third).await?.1, third.anchor.head.0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn no_state_is_opened_before_enough_nodes_say_what_the_chain_holds() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.own().stop().await;
    // Two of the three say something else than the third, and than each other.
    world.behind.fronts[0].behave(Manner::Lying("0x".into(), "0x1".into()));
    world.behind.fronts[1].behave(Manner::Lying("0x".into(), "0x2".into()));
    world.own().start_parent();
    world.own().start_enclave();
    let log = world.own().enclave_place().log();
    let deadline = Instant::now() + LIMIT;
    while !std::fs::read_to_string(&log)?.contains("the anchor is not read yet") {
        assert!(Instant::now() < deadline, "nothing is said of it");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.own().health().await, None);
    world.behind.fronts[0].behave(Manner::Honest);
    world.own().ready().await;
    assert!(world.status().await.read_at_ms.is_some());
    Ok(())
}

/// Makes blocks until it is ended.
async fn mine(anvil: Arc<Anvil>) {
    loop {
        if let Err(error) = anvil.mine(1).await {
            println!("no block was made: {error}");
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// One that deploys the contract, and pays for anchors.
fn wallet(chain: u64) -> CreateWallet {
    let allowed = json!({
        "chain_id": chain, "recipients": "any", "creation": true, "max_data_bytes": 4_096,
        "max_value": "0", "max_fee": "100000000000000000", "max_spend": "900000000000000000",
    });
    let window = json!({ "seconds": 3_600, "max_signatures": 100 });
    let policy = json!({ "chains": [allowed], "window": window });
    serde_json::from_value(json!({ "key_type": "secp256k1", "policy": policy })).unwrap()
}

/// What a refusal names: the state's sequence and head, and the anchor.
fn refusal(said: &str) -> (u64, [u8; 32], u64) {
    refused_in(said, "another one went on from it", ", and the chain holds the anchor ")
}

/// The words of the call that brings an anchor, signed by `key` for the contract `signed_for`.
fn call(key: &AnchorKey, signed_for: &EvmTarget, commit: &Commit) -> Vec<Word> {
    let data = anchor_call(key.address(), commit, &key.sign(signed_for, commit).unwrap()).unwrap();
    data[4..].as_chunks::<32>().0.to_vec()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn the_contract_keeps_each_appliances_last_anchor_on_any_chain() -> anyhow::Result<()> {
    for chain in [1, 31_337, 138] {
        let anvil = Anvil::start_as(chain).await?;
        let mut anyone = Account::number(1, chain)?;
        let contract = Contract::deploy(&anvil, &mut anyone, "StateAnchor", &[]).await?;
        let target = EvmTarget { chain_id: chain, contract: contract.address };
        let key = |byte| AnchorKey::of(&RootSecret::from_recovered(&Zeroizing::new([byte; 32])));
        let (one, other) = (key(1)?, key(2)?);
        let last_of = async |key: &AnchorKey| {
            contract.ask(&anvil, target.contract, ("lastOf", &[of_address(key.address())])).await
        };
        assert_eq!(last_of(&one).await?, [word(0), word(0), word(0)]);
        let commit = |sequence, head| Commit { sequence, head: [head; 32] };
        let sent =
            contract.send(&anvil, &mut anyone, ("anchor", &call(&one, &target, &commit(9, 7)))).await?;
        assert_eq!(sent.topics.len(), 1, "one event");
        let held = last_of(&one).await?;
        assert_eq!(held[..2], [word(9), [7; 32]]);
        assert!(held[2] > word(1_700_000_000));
        assert_eq!(last_of(&other).await?, [word(0), word(0), word(0)], "each has its own");

        let elsewhere = EvmTarget { contract: EvmAddress([7; 20]), ..target };
        let other_chain = EvmTarget { chain_id: chain + 1, ..target };
        let good = call(&one, &target, &commit(10, 7));
        let mut others = good.clone();
        others[0] = of_address(other.address());
        let mut higher = good.clone();
        higher[1] = word(11);
        let mut another_head = good.clone();
        another_head[2] = [8; 32];
        let mut garbage = good.clone();
        garbage[3] = [0xff; 32];
        for (wrong, says) in [
            (call(&one, &target, &commit(9, 7)), "NotNewer"),
            (call(&one, &target, &commit(8, 7)), "NotNewer"),
            (call(&one, &target, &commit(0, 7)), "NotNewer"),
            (call(&one, &elsewhere, &commit(10, 7)), "NotSigned"),
            (call(&one, &other_chain, &commit(10, 7)), "NotSigned"),
            (others, "NotSigned"),
            (higher, "NotSigned"),
            (another_head, "NotSigned"),
            (garbage, "NotSigned"),
        ] {
            let refused = contract.ask(&anvil, anyone.address, ("anchor", &wrong)).await.unwrap_err();
            assert!(refused.to_string().contains(says), "{refused:?}");
        }
        contract.send(&anvil, &mut anyone, ("anchor", &good)).await?;
        assert_eq!(last_of(&one).await?[0], word(10));
        contract.send(&anvil, &mut anyone, ("anchor", &call(&other, &target, &commit(1, 1)))).await?;
        assert_eq!(last_of(&other).await?[..2], [word(1), [1; 32]]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn the_tool_deploys_the_contract_that_the_configuration_then_names() -> anyhow::Result<()> {
    let anvil = Arc::new(Anvil::start().await?);
    let network = format!("eip155:{}", anvil.chain());
    let Behind { mut appliance, alice, fronts: _fronts } =
        behind_fronts::start(&network, anvil.port(), "").await;
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem"))?;
    let mut channel = alice.channel().await;
    let account = channel.create_wallet("deployer", &wallet(anvil.chain())).await?.wallet.address;
    let node = HttpNodes::new(&[anvil.port()]);
    node.ask("anvil_setBalance", json!([account, "0xde0b6b3a7640000"])).await?;
    let bring = ["chain", "anchor", "--wallet", "deployer", "--fee-limit", "5000000000000000", "--json"];
    home.r3e(&bring).fails_with("not_found");

    let mining = tokio::spawn(mine(Arc::clone(&anvil)));
    let chain = anvil.chain().to_string();
    let deploy = ["chain", "deploy-anchor", "state-anchor", "--wallet", "deployer", "--chain-id", &chain];
    let deploy = [&deploy[..], &["--fee-limit", "50000000000000000"]].concat();
    let done = home.r3e(&[&deploy[..], &["--json"]].concat()).ok().json();
    println!("the contract takes {} gas", done["transaction"]["included"]["gas_used"]);
    let contract = done["contract"].as_str().unwrap();
    // Under its name it is done once, and shown again with what the configuration is to have.
    let table = format!("[anchor]\nnetwork = \"{network}\"\ncontract = \"{contract}\"\n");
    let again = home.r3e(&deploy).ok().out;
    assert!(again.contains(&table), "{again}");
    appliance.set_unlock_tables(table);
    appliance.restart().await;
    // It is another configuration, which the tool is told of.
    let configuration = appliance.connect().await.status().await?.configuration;
    let accepted = [&bring[..], &["--accept-configuration", &configuration]].concat();
    let brought = home.r3e(&accepted).ok().json();
    assert_eq!(brought["anchor"]["contract"], json!(contract));
    let name = format!("anchor-{}", brought["anchor"]["sequence"]);
    assert_eq!(brought["transaction"]["name"], json!(name));
    mining.abort();
    Ok(())
}
