//! Nodes that lie, lag, differ, or say nothing, and what is believed of them.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::Mutex;

use r3e_chain::evm::{
    Called, EvmAccounts, EvmAddress, EvmBlocks, EvmCalls, EvmSource, Hash32, HexBytes, LogFilter,
};
use r3e_chain::follow::{Cursor, NextError, Rules, Source, next_batch};
use r3e_chain::neo::{NeoBlocks, NeoCalls, NeoEvents, NeoSource};
use r3e_chain::rpc::{
    AnswerError, JsonLimits, Post, Posted, Question, Quorum, QuorumError, RpcError, Said, Transport,
    TransportError, read_answer,
};
use r3e_chain::watch::{Network, NetworkError, Watch, WatchError};
use r3e_neo::{Hash160, Hash256};
use serde_json::{Value, json};

/// What a node does with a question.
type Node = Box<dyn Fn(&str, &Value) -> Reply + Send + Sync>;

enum Reply {
    Result(Value),
    Raw(u16, String),
    Broken,
    Never,
}

#[derive(Default)]
struct Nodes {
    nodes: Vec<Node>,
    asked: Mutex<Vec<(usize, String)>>,
}

impl Nodes {
    fn with(mut self, node: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static) -> Self {
        self.nodes.push(Box::new(node));
        self
    }

    fn count(&self, method: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(_, asked)| asked == method).count()
    }
}

impl Transport for Nodes {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        let question: Value = serde_json::from_slice(&body).unwrap();
        let method = question["method"].as_str().unwrap().to_owned();
        self.asked.lock().unwrap().push((endpoint, method.clone()));
        let reply = self.nodes[endpoint](&method, &question["params"]);
        Box::pin(async move {
            let (status, body) = match reply {
                Reply::Result(result) => {
                    (200, json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }).to_string())
                }
                Reply::Raw(status, text) => (status, text.replace("ID", &question["id"].to_string())),
                Reply::Broken => return Err(TransportError { code: "timeout" }),
                Reply::Never => return std::future::pending().await,
            };
            assert!(body.len() <= max_bytes, "a test says more than anybody asked for");
            Ok(Posted { status, body: body.into_bytes() })
        })
    }
}

fn says(value: Value) -> impl Fn(&str, &Value) -> Reply + Send + Sync {
    move |_, _| Reply::Result(value.clone())
}

fn source<T: Transport>(nodes: &Quorum<T>) -> EvmSource<'_, T> {
    let wanted = LogFilter {
        address: "0x5fbdb2315678afecb367f032d93f642f64180aa3".parse().unwrap(),
        topic: "0xfd8d0c1dc3ab254ec49463a1192bb2423b3b851adedec1aa94dcd362dc063c9d".parse().unwrap(),
    };
    EvmSource::new(nodes, wanted)
}

#[test]
fn quorums_that_are_none() {
    for (endpoints, needed) in [(0, 0), (1, 0), (1, 2), (2, 1), (4, 2), (17, 17)] {
        let refused = Quorum::new(Nodes::default(), endpoints, needed).err();
        assert_eq!(refused, Some(QuorumError::Rule { needed, endpoints }));
    }
    for (endpoints, needed) in [(1, 1), (2, 2), (3, 2), (16, 9)] {
        assert!(Quorum::new(Nodes::default(), endpoints, needed).is_ok());
    }
}

#[tokio::test]
async fn who_said_what() {
    let nodes = Nodes::default()
        .with(says(json!("0x1")))
        .with(says(json!("0x2")))
        .with(|_, _| Reply::Broken)
        .with(|_, _| {
            Reply::Raw(422, r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"no"}}"#.into())
        })
        .with(|_, _| Reply::Raw(200, r#"{"jsonrpc":"2.0","id":77777,"result":"0x1"}"#.into()))
        .with(|_, _| Reply::Raw(200, "{".into()));
    let quorum = Quorum::new(nodes, 6, 4).unwrap();
    let refused = EvmBlocks::new(&quorum).chain_id().await.unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("4 nodes must agree on eth_chainId: node 0 says 0x01; node 1 says 0x02"),
        "{text}"
    );
    let QuorumError::Disagreement { statements, .. } = refused else { unreachable!("{refused}") };
    let endpoints: Vec<_> = statements.iter().map(|one| one.endpoint).collect();
    assert_eq!(endpoints, [0, 1, 2, 3, 4, 5]);
    assert_eq!(statements[2].said, Said::Failed(TransportError { code: "timeout" }.into()));
    assert_eq!(statements[3].said, Said::Failed(RpcError::Node { code: -32_601, message: "no".into() }));
    assert_eq!(statements[4].said, Said::Failed(RpcError::Id));
    assert!(matches!(statements[5].said, Said::Failed(RpcError::Json(_))));
}

#[tokio::test]
async fn enough_that_agree_are_believed_at_once() {
    let nodes = Nodes::default()
        .with(|_, _| Reply::Never)
        .with(says(json!("0x8a")))
        .with(says(json!("0x1")))
        .with(says(json!("0x8a")))
        .with(|_, _| Reply::Broken)
        .with(says(json!("0x8a")))
        .with(says(json!("0x8a")));
    let quorum = Quorum::new(nodes, 7, 4).unwrap();
    assert_eq!(EvmBlocks::new(&quorum).chain_id().await, Ok(138));
}

#[tokio::test]
async fn a_height_is_what_enough_have_reached() {
    for (heights, needed, expected) in [
        (vec!["0x64", "0x63", "0x62"], 2, Some(0x63)),
        // One that says anything changes nothing.
        (vec!["0xffffffffffffffff", "0x63", "0x62"], 2, Some(0x63)),
        (vec!["0x0", "0x63", "0x62"], 2, Some(0x62)),
        (vec!["0x64", "0x63", "0x62"], 3, Some(0x62)),
        (vec!["0x64", "bad", "0x62"], 2, Some(0x62)),
        (vec!["0x64", "bad", "0x062"], 2, None),
    ] {
        let nodes = heights.iter().fold(Nodes::default(), |nodes, height| nodes.with(says(json!(height))));
        let quorum = Quorum::new(nodes, heights.len(), needed).unwrap();
        assert_eq!(source(&quorum).height().await.ok(), expected, "{heights:?}");
    }
}

/// Answers as anvil did, from the vectors.
fn anvil(method: &str, parameters: &Value) -> Reply {
    let vectors: Value = serde_json::from_str(include_str!("vectors/evm.json")).unwrap();
    let prague = &vectors["forks"][5];
    Reply::Result(match (method, parameters[0].as_str()) {
        ("eth_blockNumber", _) => json!("0x2"),
        ("eth_getBlockByNumber", Some("0x0")) => prague["empty"].clone(),
        ("eth_getBlockByNumber", Some("0x2")) => prague["block"].clone(),
        ("eth_getLogs", _) if parameters[0]["blockHash"] == prague["block"]["hash"] => prague["logs"].clone(),
        _ => Value::Null,
    })
}

#[tokio::test]
async fn one_that_withholds_or_makes_up_logs() {
    let withholds = |method: &str, parameters: &Value| match method {
        "eth_getLogs" => Reply::Result(json!([])),
        _ => anvil(method, parameters),
    };
    let makes_up = |method: &str, parameters: &Value| match (method, anvil(method, parameters)) {
        ("eth_getLogs", Reply::Result(mut logs)) => {
            logs[0]["data"] = json!(format!("0x{}", "ff".repeat(32)));
            Reply::Result(logs)
        }
        (_, reply) => reply,
    };
    let nodes = Nodes::default().with(withholds).with(anvil).with(anvil);
    let quorum = Quorum::new(nodes, 3, 2).unwrap();
    let batch = next_batch(&source(&quorum), Cursor::at(2), Rules::confirmed(0)).await.unwrap();
    assert_eq!(batch.blocks[0].events.len(), 1);
    // Two that lie in two ways, and one that does not: nobody is believed.
    let nodes = Nodes::default().with(withholds).with(makes_up).with(anvil);
    let quorum = Quorum::new(nodes, 3, 2).unwrap();
    let refused = next_batch(&source(&quorum), Cursor::at(2), Rules::confirmed(0)).await.unwrap_err();
    assert!(matches!(refused, NextError::Source(QuorumError::Disagreement { method: "eth_getLogs", .. })));
}

#[tokio::test]
async fn a_block_without_such_logs_is_not_asked_for_them() {
    let nodes = Nodes::default().with(anvil);
    let quorum = Quorum::new(&nodes, 1, 1).unwrap();
    let source = source(&quorum);
    let header = source.block(0).await.unwrap();
    assert_eq!(source.events(&header).await, Ok(Vec::new()));
    assert_eq!(nodes.count("eth_getLogs"), 0);
    assert_eq!(source.events(&source.block(2).await.unwrap()).await.unwrap().len(), 1);
    assert_eq!(nodes.count("eth_getLogs"), 1);
    // A block that no node has.
    let missing = source.block(1).await.unwrap_err();
    assert!(missing.to_string().contains("no such block"), "{missing}");
}

#[tokio::test]
async fn neo_by_its_bytes() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/neo.json")).unwrap();
    let block = vectors["blocks"][2].clone();
    let transactions: Vec<String> = block["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| hash.as_str().unwrap().to_owned())
        .collect();
    let encoded = hex::decode(block["bytes"].as_str().unwrap()).unwrap();
    let contract = "0xd2a4cff31913016155e38e474a2c06d08be276cf";
    let node = |shift: u8| {
        let (encoded, transactions) = (encoded.clone(), transactions.clone());
        move |method: &str, parameters: &Value| {
            use base64::Engine as _;
            let mut encoded = encoded.clone();
            // Another signature of the block, which its hash is not over.
            encoded[120] ^= shift;
            let said = |name: &str| json!({ "contract": contract, "eventname": name, "state": { "type": "Array", "value": [] } });
            Reply::Result(match method {
                "getversion" => json!({ "protocol": { "network": 860_833_102 } }),
                "getblockcount" => json!(103),
                "getblock" if parameters[0] == json!(102) => {
                    json!(base64::engine::general_purpose::STANDARD.encode(&encoded))
                }
                "getapplicationlog" => {
                    let first = parameters[0] == json!(transactions[0]);
                    let notifications =
                        if first { vec![said("Other")] } else { vec![said("Other"), said("Transfer")] };
                    json!({ "txid": parameters[0], "executions": [{ "trigger": "Application", "vmstate": "HALT",
                        "gasconsumed": "1", "notifications": notifications }] })
                }
                _ => Value::Null,
            })
        }
    };
    let quorum = Quorum::new(Nodes::default().with(node(0)).with(node(1)), 2, 2).unwrap();
    let wanted = NeoEvents { contract: contract.parse().unwrap(), name: "Transfer".into() };
    let source = NeoSource::new(&quorum, wanted);
    assert_eq!(NeoBlocks::new(&quorum).magic().await, Ok(860_833_102));
    let batch = next_batch(&source, Cursor::at(102), Rules::confirmed(0)).await.unwrap();
    let events = &batch.blocks[0].events;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].index, events[0].transaction.to_string()), (1, transactions[1].clone()));
    assert_eq!(batch.cursor.next(), 103);
    let watch = Watch::new(Network::NeoN3(860_833_102), contract, "Transfer").unwrap();
    watch.check_network(&quorum).await.unwrap();
    let batch = watch.next(&quorum, Cursor::at(102), Rules::confirmed(0)).await.unwrap();
    let seen = &batch.blocks[0].events[0];
    assert_eq!(seen.key, format!("neo-n3:860833102/{}/1", transactions[1]));
    assert_eq!(seen.event["values"], json!({ "type": "Array", "value": [] }));
    assert_eq!(seen.event["block"], json!({ "height": 102, "hash": block["hash"] }));
    let blocks = Watch::blocks(Network::NeoN3(860_833_102));
    blocks.check_network(&quorum).await.unwrap();
    let batch = blocks.next(&quorum, Cursor::at(102), Rules::confirmed(0)).await.unwrap();
    let seen = &batch.blocks[0].events[0];
    assert_eq!(
        Some(seen.key.as_str()),
        block["hash"].as_str().map(|hash| format!("neo-n3:860833102/{hash}")).as_deref()
    );
    assert_eq!(
        seen.event["block"],
        json!({ "height": 102, "hash": block["hash"], "timestamp_ms": 1_468_595_301_002_u64 })
    );
}

#[tokio::test]
async fn how_a_transaction_ended_on_neo() {
    let hash: Hash256 = format!("0x{}", "5a".repeat(32)).parse().unwrap();
    let log = |state: &str| {
        // What contracts said is not looked at.
        let execution = json!({ "trigger": "Application", "vmstate": state, "gasconsumed": "19",
            "notifications": ["not a notification"] });
        says(json!({ "txid": hash, "executions": [execution] }))
    };
    let unknown = |code: i64| {
        move |_: &str, _: &Value| {
            let error = json!({ "code": code, "message": "Unknown transaction" });
            Reply::Raw(200, format!(r#"{{"jsonrpc":"2.0","id":ID,"error":{error}}}"#))
        }
    };
    let asked = async |nodes: Nodes| {
        let quorum = Quorum::new(nodes, 3, 2).unwrap();
        NeoCalls::new(&quorum).has_halted(hash).await
    };
    let ended_well = Nodes::default().with(log("FAULT")).with(log("HALT")).with(log("HALT"));
    assert_eq!(asked(ended_well).await, Ok(Some(true)));
    let failed = Nodes::default().with(log("FAULT")).with(unknown(-100)).with(log("FAULT"));
    assert_eq!(asked(failed).await, Ok(Some(false)));
    let nowhere = Nodes::default().with(unknown(-103)).with(log("HALT")).with(unknown(-100));
    assert_eq!(asked(nowhere).await, Ok(None));
    // One that is told nothing of it by enough nodes knows nothing: neither that it is there nor that it is not.
    for other in [-32_603, -500] {
        let unclear = Nodes::default().with(unknown(other)).with(log("HALT")).with(unknown(-100));
        assert!(asked(unclear).await.is_err());
    }
    let another = format!("0x{}", "5b".repeat(32));
    let of_another = says(json!({ "txid": another, "executions": [] }));
    assert!(asked(Nodes::default().with(of_another).with(log("HALT")).with(unknown(-100))).await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_asked_for() {
    let quorum = Quorum::new(Nodes::default().with(says(json!("0x1ffffffffffffffff"))), 1, 1).unwrap();
    let refused = EvmBlocks::new(&quorum).chain_id().await.unwrap_err();
    let QuorumError::Disagreement { statements, .. } = refused else { unreachable!("{refused}") };
    assert_eq!(statements[0].said, Said::Failed(AnswerError::Form { what: "chain id" }.into()));
    // The limits of a question are those of its answer.
    let question = Question { method: "m", parameters: Vec::new(), limits: JsonLimits::of_bytes(8) };
    let posted = Posted { status: 200, body: b"[1,2,3,4,5,6]".to_vec() };
    assert!(matches!(read_answer(&posted, 1, &question.limits), Err(RpcError::Json(_))));
}

#[test]
fn networks_by_name() {
    for (text, network) in [
        ("eip155:1", Network::Eip155(1)),
        ("eip155:18446744073709551615", Network::Eip155(u64::MAX)),
        ("neo-n3:860833102", Network::NeoN3(860_833_102)),
        ("neo-n3:0", Network::NeoN3(0)),
    ] {
        assert_eq!(text.parse(), Ok(network));
        assert_eq!(network.to_string(), text);
    }
    for wrong in [
        "",
        "eip155",
        "eip155:",
        "eip155:0",
        "eip155:01",
        "eip155:+1",
        "EIP155:1",
        "neo-n3:4294967296",
        "neo:1",
        "eip155:1 ",
    ] {
        assert_eq!(wrong.parse::<Network>(), Err(WatchError::Network), "{wrong}");
    }
}

#[test]
fn what_cannot_be_watched() {
    let (evm, neo) = (Network::Eip155(1), Network::NeoN3(42));
    let (address, hash) =
        ("0x5FbDB2315678afecb367f032d93F642f64180aa3", "0xd2a4cff31913016155e38e474a2c06d08be276cf");
    assert!(Watch::new(evm, address, "Ping(address,uint256)").is_ok());
    assert!(Watch::new(neo, hash, "Transfer").is_ok());
    for (network, contract, event, expected) in [
        (evm, "0x5FbDB2315678afecb367f032d93F642f64180aA3", "Ping()", WatchError::Contract),
        (evm, &address[2..], "Ping()", WatchError::Contract),
        (neo, &hash[2..], "Transfer", WatchError::Contract),
        (neo, "NfgHwwTi3wHAS8aFAN243C5vGbkYDpqLHP", "Transfer", WatchError::Contract),
        (neo, hash, "", WatchError::Name),
        (neo, hash, "Transfer(address)", WatchError::Name),
        (neo, hash, "a b", WatchError::Name),
        (neo, hash, &"x".repeat(33), WatchError::Name),
    ] {
        assert_eq!(Watch::new(network, contract, event), Err(expected), "{contract} {event}");
    }
    assert!(matches!(Watch::new(evm, address, "Ping"), Err(WatchError::Declaration(_))));
}

#[tokio::test]
async fn an_event_as_a_function_gets_it() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/evm.json")).unwrap();
    let (block, log) = (&vectors["forks"][5]["block"], &vectors["forks"][5]["logs"][0]);
    let node = |method: &str, parameters: &Value| match method {
        "eth_chainId" => Reply::Result(json!("0x7a69")),
        _ => anvil(method, parameters),
    };
    let quorum = Quorum::new(Nodes::default().with(node), 1, 1).unwrap();
    let contract = log["address"].as_str().unwrap();
    let watch = |declaration: &str| Watch::new(Network::Eip155(31_337), contract, declaration).unwrap();
    let ping = watch("Ping(address indexed who, uint256)");
    ping.check_network(&quorum).await.unwrap();
    assert_eq!(ping.height(&quorum).await, Ok(2));
    let batch = ping.next(&quorum, Cursor::at(2), Rules::confirmed(0)).await.unwrap();
    let seen = &batch.blocks[0].events[0];
    let hash = block["hash"].as_str().unwrap();
    assert_eq!(seen.key, format!("eip155:31337/{hash}/0"));
    assert_eq!(
        seen.event,
        json!({
            "network": "eip155:31337",
            "contract": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
            "event": "Ping",
            "block": { "height": 2, "hash": hash },
            "transaction": log["transactionHash"],
            "index": 0,
            "values": {
                "who": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
                "1": "22774453838368691933757882222884355840",
            },
        })
    );
    // The same event by another declaration, which does not fit what was said: it is seen, and says so.
    let batch =
        watch("Ping(address, uint256)").next(&quorum, Cursor::at(2), Rules::confirmed(0)).await.unwrap();
    let event = &batch.blocks[0].events[0].event;
    assert_eq!(event["error"], "the log has 2 topics, where the event has 1");
    assert_eq!(event.get("values"), None);
    // Names that are the same are not lost.
    let batch =
        watch("Ping(address indexed a, uint256 a)").next(&quorum, Cursor::at(2), Rules::confirmed(0)).await;
    assert_eq!(batch.unwrap().blocks[0].events[0].event["values"].as_object().unwrap().len(), 2);
    let other = Watch::new(Network::Eip155(1), contract, "Ping()").unwrap();
    let refused = other.check_network(&quorum).await.unwrap_err();
    let (expected, found) = (Network::Eip155(1), Network::Eip155(31_337));
    assert_eq!(refused, NetworkError::Other { expected, found });
}

const TRANSACTION: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

/// A node that has the chain, and a transaction in its block 2, which is final.
fn complete(method: &str, parameters: &Value) -> Reply {
    match (method, parameters[1].as_str()) {
        ("eth_getTransactionCount", Some("0x2")) => Reply::Result(json!("0x6")),
        ("eth_getTransactionCount", Some("0x0")) => Reply::Result(json!("0x5")),
        ("eth_getTransactionReceipt", _) => Reply::Result(json!({
            "transactionHash": TRANSACTION, "blockNumber": "0x2", "status": "0x1", "gasUsed": "0x5208",
            "blockHash": "0x0202020202020202020202020202020202020202020202020202020202020202", "logs": [{}],
        })),
        _ => anvil(method, parameters),
    }
}

/// One that has fallen behind, and so knows of nothing that happened since.
fn behind(method: &str, _: &Value) -> Reply {
    Reply::Result(if method == "eth_blockNumber" { json!("0x0") } else { Value::Null })
}

/// One that shows the chain as it is, and no transaction in it.
fn withholds(method: &str, parameters: &Value) -> Reply {
    match method {
        "eth_getTransactionReceipt" => Reply::Result(Value::Null),
        _ => complete(method, parameters),
    }
}

#[tokio::test]
async fn one_that_lies_and_one_that_lags_are_not_two() {
    let account = EvmAddress([7; 20]);
    let transaction = TRANSACTION.parse().unwrap();
    let three = |first: fn(&str, &Value) -> Reply, second: fn(&str, &Value) -> Reply| {
        let nodes = Nodes::default().with(complete).with(first).with(second);
        Quorum::new(nodes, 3, 2).unwrap()
    };
    let quorum = three(behind, complete);
    let accounts = EvmAccounts::new(&quorum);
    let view = accounts.account(account, 2, 2).await.unwrap();
    assert_eq!((view.header.number, view.count, view.final_count), (2, 6, 5));
    let found = accounts.receipt(transaction, 2, view.header.hash).await.unwrap().unwrap();
    assert_eq!((found.height, found.succeeded, found.gas_used), (2, true, 21_000));
    // Nobody is believed, where only the one that lies and the one that lags say the same.
    let quorum = three(behind, withholds);
    let accounts = EvmAccounts::new(&quorum);
    assert_eq!(accounts.account(account, 2, 2).await.unwrap(), view);
    assert!(accounts.receipt(transaction, 2, view.header.hash).await.is_err());
    // Nor is anything said of a block that they do not have.
    let other = Hash32([9; 32]);
    assert!(accounts.receipt(transaction, 2, other).await.is_err());
    // A block above the one that is looked at is none yet.
    assert_eq!(accounts.receipt(transaction, 0, anvil_hash("0x0")).await, Ok(None));
}

fn anvil_hash(height: &str) -> Hash32 {
    match anvil("eth_getBlockByNumber", &json!([height])) {
        Reply::Result(block) => block["hash"].as_str().unwrap().parse().unwrap(),
        _ => unreachable!("anvil answers"),
    }
}

#[tokio::test]
async fn a_receipt_is_read_however_much_was_logged() {
    let loud = |method: &str, parameters: &Value| match complete(method, parameters) {
        Reply::Result(mut receipt) if method == "eth_getTransactionReceipt" => {
            let log = json!({ "address": "0x", "topics": [], "data": "0x", "removed": false });
            receipt["logs"] = Value::Array(vec![log; 60_000]);
            Reply::Result(receipt)
        }
        reply => reply,
    };
    let quorum = Quorum::new(Nodes::default().with(loud), 1, 1).unwrap();
    let found = EvmAccounts::new(&quorum).receipt(TRANSACTION.parse().unwrap(), 2, anvil_hash("0x2")).await;
    assert!(found.unwrap().is_some());
}

#[tokio::test]
async fn a_contract_that_fails_is_told_from_nodes_that_do() {
    let says = |reply: fn() -> Reply| move |_: &str, _: &Value| reply();
    let reverts = || {
        let error =
            r#"{"jsonrpc":"2.0","id":ID,"error":{"code":3,"message":"execution reverted: no","data":"0x"}}"#;
        Reply::Raw(200, error.to_owned())
    };
    let refuses = || {
        let error = r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32005,"message":"limit exceeded"}}"#;
        Reply::Raw(200, error.to_owned())
    };
    let one = || Reply::Result(json!("0x01"));
    let (contract, data) = (EvmAddress([1; 20]), HexBytes(vec![2]));
    let called = async |nodes: Nodes| {
        let quorum = Quorum::new(nodes, 3, 2).unwrap();
        EvmCalls::new(&quorum).call(contract, &data, 7).await
    };
    // Two are enough: the third is not waited for.
    let silent = |_: &str, _: &Value| Reply::Never;
    let nodes = Nodes::default().with(silent).with(says(reverts)).with(says(reverts));
    assert_eq!(called(nodes).await, Ok(Called::Reverted));
    let nodes = Nodes::default().with(says(one)).with(silent).with(|method, parameters| {
        assert_eq!(method, "eth_call");
        assert_eq!(*parameters, json!([{ "to": EvmAddress([1; 20]), "data": "0x02" }, "0x7"]));
        Reply::Result(json!("0x01"))
    });
    assert_eq!(called(nodes).await, Ok(Called::Returned(vec![1])));
    // One that lies either way changes nothing, and two refusals are no revert.
    let nodes = Nodes::default().with(says(one)).with(says(reverts)).with(says(one));
    assert_eq!(called(nodes).await, Ok(Called::Returned(vec![1])));
    for third in
        [refuses as fn() -> Reply, one, reverts, || Reply::Result(json!(1)), || Reply::Result(json!("0x1"))]
    {
        let nodes = Nodes::default().with(says(refuses)).with(says(refuses)).with(says(third));
        assert!(matches!(called(nodes).await, Err(QuorumError::Disagreement { .. })));
    }
}

#[tokio::test]
async fn a_script_that_fails_does_so_for_enough_nodes() {
    let run = |state: &str, exception: &str, value: i64| {
        let stack = json!([{ "type": "Integer", "value": value.to_string() }]);
        let answer = json!({ "state": state, "exception": exception, "gasconsumed": "1", "script": "", "stack": stack });
        move |method: &str, _: &Value| {
            assert_eq!(method, "invokescript");
            Reply::Result(answer.clone())
        }
    };
    let ran = async |nodes: Nodes| {
        let quorum = Quorum::new(nodes, 3, 2).unwrap();
        NeoCalls::new(&quorum).run(&[0x40]).await
    };
    let same = Nodes::default().with(run("HALT", "", 5)).with(run("FAULT", "x", 5)).with(run("HALT", "", 5));
    let value = ran(same).await.unwrap().value.unwrap();
    assert_eq!(value.to_json(), json!({ "type": "Integer", "value": "5" }));
    // Each node has words of its own for it.
    let failing = Nodes::default()
        .with(run("FAULT", "one", 5))
        .with(run("FAULT, BREAK", "two", 6))
        .with(run("HALT", "", 5));
    let failed = ran(failing).await.unwrap();
    assert!(failed.value.is_none() && failed.fault == "one");
    let differing =
        Nodes::default().with(run("HALT", "", 5)).with(run("HALT", "", 6)).with(run("FAULT", "", 5));
    assert!(ran(differing).await.is_err());
}

/// What a node says of a transaction: its last block, in which one it is, and how running it ended.
fn knows(last: u64, height: i64, state: i64) -> impl Fn(&str, &Value) -> Reply + Send + Sync + 'static {
    move |method: &str, _: &Value| {
        assert_eq!(method, "invokescript");
        let number = |number: i128| json!({ "type": "Integer", "value": number.to_string() });
        let array = [number(state.into()), number(height.into()), number(last.into())];
        Reply::Result(
            json!({ "state": "HALT", "gasconsumed": "1", "stack": [{ "type": "Array", "value": array }] }),
        )
    }
}

#[tokio::test]
async fn where_a_transaction_is_on_neo_and_how_far_the_chain() {
    let hash: Hash256 = format!("0x{}", "5a".repeat(32)).parse().unwrap();
    let find = async |nodes: Nodes| {
        let quorum = Quorum::new(nodes, 3, 2).unwrap();
        NeoCalls::new(&quorum).find(hash, 20).await
    };
    let there = Nodes::default().with(knows(30, 12, 1)).with(knows(30, -1, 0)).with(knows(29, 12, 1));
    let place = find(there).await.unwrap();
    assert_eq!((place.at, place.is_beyond), (Some((12, true)), true));
    let failed = Nodes::default().with(knows(14, 12, 2)).with(knows(15, 12, 2)).with(knows(14, 12, 1));
    assert_eq!(find(failed).await.unwrap().at, Some((12, false)));
    // Beyond it is whoever has a block above it; each node says both, so one that lags is none of those that know of nothing.
    let not_yet = Nodes::default().with(knows(20, -1, 0)).with(knows(30, -1, 0)).with(knows(19, -1, 0));
    let place = find(not_yet).await.unwrap();
    assert_eq!((place.at, place.is_beyond), (None, false));
    let over = Nodes::default().with(knows(21, -1, 0)).with(knows(99, -1, 0)).with(knows(12, -1, 0));
    let place = find(over).await.unwrap();
    assert_eq!((place.at, place.is_beyond), (None, true));
    let split = Nodes::default().with(knows(21, -1, 0)).with(knows(20, -1, 0)).with(knows(22, 20, 1));
    assert!(find(split).await.is_err());
    // What no node says of a transaction is believed of none.
    for (height, state) in [(-1, 1), (12, 0), (12, 4), (-2, 1), (-1, 2)] {
        let odd = Nodes::default()
            .with(knows(30, height, state))
            .with(knows(30, height, state))
            .with(knows(30, 12, 1));
        assert!(find(odd).await.is_err(), "{height} {state}");
    }
}

#[tokio::test]
async fn what_a_trial_gives_is_compared_too() {
    let run = |state: &str, stack: Value| {
        let answer = json!({ "state": state, "exception": "why", "gasconsumed": "7", "stack": stack });
        move |_: &str, parameters: &Value| {
            assert_eq!(parameters[1][0]["scopes"], "CalledByEntry");
            Reply::Result(answer.clone())
        }
    };
    let boolean = |value: bool| json!([{ "type": "Boolean", "value": value }]);
    let trial = async |nodes: Nodes| {
        let quorum = Quorum::new(nodes, 3, 2).unwrap();
        NeoCalls::new(&quorum).trial(&[0x40], Hash160::GAS, "CalledByEntry").await
    };
    let nothing = Nodes::default()
        .with(run("HALT", boolean(false)))
        .with(run("HALT", boolean(true)))
        .with(run("HALT", boolean(false)));
    let done = trial(nothing).await.unwrap();
    assert!(done.gives_false && done.fault.is_none() && done.gas_consumed == 7);
    let something = Nodes::default()
        .with(run("HALT", boolean(true)))
        .with(run("HALT", json!([{ "type": "Integer", "value": "0" }])))
        .with(run("HALT", boolean(false)));
    assert!(!trial(something).await.unwrap().gives_false);
    let differing = Nodes::default()
        .with(run("HALT", boolean(true)))
        .with(run("HALT", boolean(false)))
        .with(run("FAULT", boolean(false)));
    assert!(trial(differing).await.is_err());
}

#[tokio::test]
async fn a_height_by_those_that_answer_first_is_one_that_enough_have_reached() {
    let at = |height: &'static str| {
        move |method: &str, _: &Value| {
            assert_eq!(method, "eth_blockNumber");
            Reply::Result(json!(height))
        }
    };
    let silent = |_: &str, _: &Value| Reply::Never;
    let broken = |_: &str, _: &Value| Reply::Broken;
    let height = async |nodes: Nodes| {
        let quorum = Quorum::new(nodes, 3, 2).unwrap();
        Watch::blocks(Network::Eip155(1)).height_of_first(&quorum).await
    };
    // One that is silent is not waited for, and one that lies pushes nothing up.
    assert_eq!(height(Nodes::default().with(at("0x5")).with(silent).with(at("0xff"))).await, Ok(5));
    assert_eq!(height(Nodes::default().with(at("0x5")).with(at("0x4")).with(silent)).await, Ok(4));
    assert_eq!(height(Nodes::default().with(broken).with(at("0x7")).with(at("0x7"))).await, Ok(7));
    let too_few = height(Nodes::default().with(broken).with(at("0x7")).with(broken)).await;
    assert!(matches!(too_few, Err(QuorumError::Disagreement { .. })));
}

#[tokio::test]
async fn nodes_that_are_slow_are_waited_for_as_long_as_there_is_patience() {
    let at = |count: u64| move |_: &str, _: &Value| Reply::Result(json!(count));
    let silent = |_: &str, _: &Value| Reply::Never;
    let quorum = |nodes: Nodes| Quorum::new(nodes, 3, 2).unwrap();
    // One that lags does not hold it back while the others are waited for; and one that is silent is not waited for longer.
    let all = quorum(Nodes::default().with(at(5)).with(at(9)).with(at(8)));
    assert_eq!(NeoCalls::new(&all).height(std::future::pending()).await, Ok(7));
    let two = quorum(Nodes::default().with(at(5)).with(silent).with(at(8)));
    assert_eq!(NeoCalls::new(&two).height(std::future::ready(())).await, Ok(4));
    let told = NeoCalls::new(&two).send(&[1], std::future::ready(())).await;
    assert_eq!(told, [Ok(()), Ok(())], "of the two that answered");
    // Too few are waited for, whatever patience there is.
    let one = quorum(Nodes::default().with(at(5)).with(|_, _| Reply::Broken).with(|_, _| Reply::Broken));
    assert!(NeoCalls::new(&one).height(std::future::ready(())).await.is_err());
}
