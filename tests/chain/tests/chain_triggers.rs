//! Triggers by chains as their tenants meet them: an appliance, and real nodes behind HTTPS of which some lie, lag or say nothing.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod behind_fronts;

use std::path::Path;
use std::time::Duration;

use behind_fronts::Behind;
use r3e_chain_under_test::{Anvil, NeoGo, PING, Pinger};
use r3e_client::{ClientError, TenantChannel, VerifiedOutcome};
use r3e_e2e::command::Home;
use r3e_e2e::front::{Front, Manner};
use r3e_e2e::tenant::{ended, javascript, output};
use r3e_e2e::{Appliance, Tenant};
use r3e_proto::api::triggers::{Definition, FireOutcome, Trigger};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const ECHO: &str = "export default (event) => ({ event });";

fn definition(value: Value) -> Definition {
    serde_json::from_value(value).unwrap()
}

/// An appliance with three nodes of a network, which are one node behind three fronts, and a tenant of its.
struct World {
    fronts: Vec<Front>,
    appliance: Appliance,
    alice: Tenant,
}

impl World {
    async fn start(network: &str, port: u16, more: &str) -> Self {
        let Behind { fronts, appliance, alice } = behind_fronts::start(network, port, more).await;
        alice.channel().await.deploy("echo", &javascript(ECHO)).await.unwrap();
        Self { fronts, appliance, alice }
    }

    /// Sets a trigger that follows the network from here on.
    async fn follow(&self, name: &str, chain: Value, filter: Option<&str>) {
        let mut set = json!({ "function": "echo", "chain": chain });
        if let Some(filter) = filter {
            set["filter"] = json!(filter);
        }
        self.alice.channel().await.set_trigger(name, &definition(set)).await.unwrap();
        self.until(name, |trigger| trigger.chain.as_ref().unwrap().next_block.is_some()).await;
    }

    async fn until(&self, name: &str, holds: impl Fn(&Trigger) -> bool) -> Trigger {
        let mut channel = self.alice.channel().await;
        let deadline = Instant::now() + LIMIT;
        loop {
            let trigger = channel.trigger(name).await.unwrap();
            if holds(&trigger) {
                return trigger;
            }
            assert!(Instant::now() < deadline, "{trigger:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The events that a trigger's jobs were given, in the order in which they were queued.
    async fn events(&self, name: &str) -> Vec<Value> {
        let mut channel = self.alice.channel().await;
        let history = channel.trigger_history(name).await.unwrap();
        let mut events = Vec::new();
        for fire in history.iter().rev() {
            if let FireOutcome::Job(id) = fire.outcome {
                events.push(event_of(&mut channel, id).await);
            }
        }
        events
    }

    async fn numbers(&self, name: &str) -> Vec<String> {
        let events = self.events(name).await;
        events.iter().map(|event| event["values"]["what"].as_str().unwrap().to_owned()).collect()
    }
}

async fn event_of(channel: &mut TenantChannel, id: r3e_proto::api::jobs::JobId) -> Value {
    let job = ended(channel, id).await;
    match &job.outcome {
        Some(VerifiedOutcome::Invocation(invocation)) => output(invocation)["event"].clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn an_event_has_one_job_whoever_lies_and_whatever_is_killed() -> anyhow::Result<()> {
    let mut pinger = Pinger::start().await?;
    // The same nodes under another network's name.
    let wrong = "[[chain]]\nnetwork = \"eip155:1\"\nnodes = [\"https://node1.example/\"]\npoll_ms = 250\n";
    let network = format!("eip155:{}", Anvil::CHAIN);
    let mut world = World::start(&network, pinger.anvil.port(), wrong).await;
    let contract = pinger.contract.to_string();
    let chain = json!({ "network": network, "contract": contract, "event": PING, "confirmations": 2 });
    world.follow("pings", chain.clone(), Some("event.values.what != '3'")).await;
    let blocks = json!({ "network": network, "confirmations": 0 });
    world.follow("blocks", blocks, Some("event.block.height % 2 == 0")).await;

    // One of three says something else of every event.
    let [one, another] = [7, 8].map(|number| format!("{number:064x}"));
    world.fronts[2].behave(Manner::Lying(one, another));
    for number in [1, 2, 3, 7] {
        pinger.ping(number).await?;
    }
    world.until("blocks", |trigger| trigger.fired >= 2).await;
    assert_eq!(
        world.alice.channel().await.trigger("pings").await?.fired,
        2,
        "the last two are not confirmed"
    );
    pinger.anvil.mine(2).await?;
    let shown = world.until("pings", |trigger| trigger.fired == 3).await;
    assert_eq!(shown.passed.filtered, 1);
    assert_eq!(world.numbers("pings").await, ["1", "2", "7"]);
    let first = world.events("pings").await[0].clone();
    let block = pinger.node.ask("eth_getBlockByNumber", json!(["0x2", false])).await?;
    assert_eq!(first["block"], json!({ "height": 2, "hash": block["hash"] }));
    assert_eq!((&first["kind"], &first["network"]), (&json!("chain"), &json!(network)));
    assert_eq!(first["values"]["who"], json!(pinger.account.address));
    assert_eq!(first["key"], json!(format!("{network}/{}/0", block["hash"].as_str().unwrap())));

    // One is silent: each look waits for it, and goes on. Killed at any time, it goes on where it was.
    world.fronts[2].behave(Manner::Honest);
    let mut expected: Vec<String> = ["1", "2", "7"].map(str::to_owned).to_vec();
    for kill in 0..3_u64 {
        for number in 0..3 {
            let number = 100 + u128::from(kill) * 10 + number;
            pinger.ping(number).await?;
            expected.push(number.to_string());
        }
        pinger.anvil.mine(2).await?;
        sleep(Duration::from_millis(150 + 130 * kill)).await;
        world.appliance.kill_enclave();
        world.appliance.start_enclave();
        world.appliance.ready().await;
    }
    let fired = expected.len() as u64;
    world.until("pings", |trigger| trigger.fired >= fired).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.numbers("pings").await, expected);

    // Two that disagree and one that is silent are no quorum, and that is on record; nobody's words are.
    world.fronts[1].behave(Manner::Silent);
    world.fronts[2].behave(Manner::Lying("\"result\"".into(), "\"secret\"".into()));
    pinger.ping(200).await?;
    let troubled = world.until("pings", |trigger| trigger.chain.as_ref().unwrap().trouble.is_some()).await;
    let trouble = troubled.chain.unwrap().trouble.unwrap();
    assert!(trouble.contains("2 of the network's nodes") && !trouble.contains("secret"), "{trouble}");
    for front in &world.fronts {
        front.behave(Manner::Honest);
    }
    pinger.anvil.mine(2).await?;
    expected.push("200".into());
    world
        .until("pings", |trigger| trigger.chain.as_ref().unwrap().trouble.is_none() && trigger.fired > fired)
        .await;
    assert_eq!(world.numbers("pings").await, expected);

    // Deeper than was agreed: it stops, and is resumed at the end.
    pinger.node.ask("anvil_reorg", json!([4, []])).await?;
    pinger.anvil.mine(4).await?;
    pinger.resume().await?;
    let stopped = world.until("pings", |trigger| trigger.chain.as_ref().unwrap().stopped.is_some()).await;
    let why = stopped.chain.unwrap().stopped.unwrap();
    assert!(why.contains("reorganised below 2 confirmations"), "{why}");
    world.alice.channel().await.pause_trigger("pings", false).await?;
    world.until("pings", |trigger| trigger.chain.as_ref().unwrap().next_block.is_some()).await;
    pinger.ping(300).await?;
    pinger.anvil.mine(2).await?;
    world.until("pings", |trigger| trigger.fired == fired + 2).await;
    expected.push("300".into());
    assert_eq!(world.numbers("pings").await, expected);

    // Nodes of another network are not believed, and a network without nodes is refused at once.
    let mut channel = world.alice.channel().await;
    let other = definition(json!({ "function": "echo", "chain": { "network": "eip155:1" } }));
    channel.set_trigger("other", &other).await?;
    let troubled = world.until("other", |trigger| trigger.chain.as_ref().unwrap().trouble.is_some()).await;
    let trouble = troubled.chain.unwrap().trouble.unwrap();
    assert_eq!(trouble, format!("the nodes are of {network}, not of eip155:1"));
    for (wrong, says) in [
        (json!({ "network": "eip155:5" }), "it has those of: eip155:1, eip155:138"),
        (json!({ "network": "ethereum" }), "a network is"),
        (json!({ "network": network, "contract": contract }), "both"),
        (json!({ "network": network, "contract": contract, "event": "Ping(" }), ""),
        (json!({ "network": network, "confirmations": 1_000_000 }), "confirmations"),
    ] {
        let set = definition(json!({ "function": "echo", "chain": wrong }));
        match channel.set_trigger("wrong", &set).await {
            Err(error @ ClientError::Api { .. }) => assert!(error.to_string().contains(says), "{error}"),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn notifications_of_neo() -> anyhow::Result<()> {
    const GAS: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";
    let neogo = NeoGo::start().await?;
    let network = format!("neo-n3:{}", NeoGo::MAGIC);
    let world = World::start(&network, neogo.port(), "").await;
    let chain = json!({ "network": network, "contract": GAS, "event": "Transfer" });
    // Amounts are the third of the values.
    let large = Some("int(event.values.value[2].value) >= 500000000");
    world.follow("transfers", chain.clone(), large).await;
    let triggers: Vec<String> = (0..6).map(|number| format!("same-{number}")).collect();
    for name in &triggers {
        world.follow(name, chain.clone(), large).await;
    }
    // The example, on this network.
    let home = Home::new(&world.appliance, "alice");
    world.alice.key().write_new(&home.path(".config/r3e/tenant.pem"))?;
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/gas-transfers"));
    let folder = home.path("gas-transfers");
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::copy(examples.join("src/main.js"), folder.join("src/main.js"))?;
    let toml = std::fs::read_to_string(examples.join("r3e.toml"))?;
    std::fs::write(folder.join("r3e.toml"), toml.replace("neo-n3:860833102", &network))?;
    let deployed = home.r3e(&["deploy", folder.to_str().unwrap()]).ok();
    assert!(deployed.err.contains("+ trigger gas-transfers (chain)"), "{}", deployed.err);
    world.until("gas-transfers", |trigger| trigger.chain.as_ref().unwrap().next_block.is_some()).await;
    let somebody = r3e_neo::address(r3e_neo::Hash160([7; 20]));
    let asked = world.fronts[0].asked();
    neogo.give(&somebody, 4).await?;
    neogo.give(&somebody, 5).await?;
    for name in triggers.iter().map(String::as_str).chain(["transfers", "gas-transfers"]) {
        world.until(name, |trigger| trigger.fired == 1).await;
    }
    let asked = world.fronts[0].asked() - asked;
    let event = world.events("transfers").await[0].clone();
    assert_eq!(event["values"]["value"][2]["value"], "500000000");
    assert_eq!(event["values"]["value"][1]["type"], "ByteString");
    assert_eq!(event["key"].as_str().unwrap().split('/').next(), Some(network.as_str()));
    let job = world.alice.channel().await.trigger_history("gas-transfers").await?;
    let FireOutcome::Job(job) = job[0].outcome else { panic!("{job:?}") };
    let result = home.r3e(&["jobs", "wait", &job.to_string()]).ok().out;
    assert_eq!(serde_json::from_str::<Value>(&result)?, json!({ "kept": 1, "largest": "500000000" }));
    let shown = home.r3e(&["triggers", "show", "gas-transfers"]).ok().out;
    assert!(
        shown.contains(&format!("Transfer of {GAS} on {network}")) && shown.contains("block "),
        "{shown}"
    );
    // Eight triggers ask hardly more than one: a height, a block and the logs of its transactions each second.
    assert!(asked < 100, "node 1 was asked {asked} times");
    let shown = world.alice.channel().await.trigger("transfers").await?;
    assert!(shown.chain.unwrap().next_block > Some(1));
    Ok(())
}
