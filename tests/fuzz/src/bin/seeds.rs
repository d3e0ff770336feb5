//! Writes the seed corpora that are checked in: `cargo run --bin seeds`, in the folder of this package. Files are
//! named by their content, so nothing changes where nothing is new.
#![forbid(unsafe_code)]

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;

use r3e_cbor::{Value, encode};
use r3e_fuzz::documents::{REAL, payload};
use r3e_fuzz::pki::Holder;
use r3e_parent::backup::{Encoder, Entry};
use r3e_proto::api::functions::Usage;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::channel::evidence::{Evidence, EvidenceReply};
use r3e_proto::channel::merkle::Tree;
use r3e_proto::channel::statement::Statement;
use r3e_proto::host::blob::{Commit, Operation, Outcome, Request, Response};
use r3e_proto::host::credentials::{self, AwsCredentials};
use r3e_proto::host::egress::{Connect, RefusalCode, Reply};
use r3e_proto::host::lifecycle;
use r3e_proto::notice::Notice;
use r3e_proto::random::Occasion;
use r3e_proto::receipt::{Bundle, Receipt};
use r3e_proto::release::{Change, Measured, Release, SignedRelease};
use r3e_proto::report::{Report, Tree as ReportTree};
use r3e_proto::restore::{RestoreOrder, SignedRestoreOrder};
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use r3e_proto::unlock::setup::{AttestedSetup, SealedShare, Setup};
use r3e_runner_api::bundling::{Problem, encode_answer};
use r3e_runner_api::process::{Ending, Identity};
use r3e_runner_api::program::{Module, ModuleKind, Program};
use r3e_runner_api::{
    ChainSend, Fault, FaultKind, FunctionLimits, HostCall, HostError, HostErrorCode, HostMessage, HostValue,
    LogLevel, LogRecord, Purpose, RunnerMessage,
};
use r3e_vrf::SecretKey;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

fn main() -> io::Result<()> {
    write("api", &api())?;
    write("backup", &backup())?;
    write("blob", &blob())?;
    write("cbor", &cbor())?;
    write("certificate", &certificate())?;
    write("chain", &chain())?;
    write("chain_answer", &chain_answers())?;
    write("contract_call", &contract_calls())?;
    write("credentials", &credentials())?;
    write("document", &REAL.map(|(_, bytes)| bytes.to_vec()))?;
    write("egress", &egress())?;
    write("eif", &eif())?;
    write("evidence", &evidence())?;
    write("frames", &frames())?;
    write("handoff", &handoff())?;
    write("json", &json())?;
    write("groth16", &groth16())?;
    write("kms", &kms())?;
    write("lifecycle", &lifecycle())?;
    write("program", &programs())?;
    write("project_zip", &project_zips()?)?;
    write("proof", &proofs())?;
    write("interpreter", &interpreters())?;
    write("neo_transaction", &neo_transactions())?;
    write("notice", &notices())?;
    write("random", &randoms())?;
    write("range_proof", &range_proofs())?;
    write("receipt", &receipts())?;
    write("reference_values", &reference_values())?;
    write("release", &releases())?;
    write("report", &reports())?;
    write("restore_order", &restore_orders())?;
    write("runner_messages", &runner_messages())?;
    write("runner_session", &runner_session())?;
    write("signed_document", &signed_documents())?;
    write("statement", &statements().map(|statement| statement.encode()))?;
    write("trigger_expression", &expressions())?;
    write("trigger_request", &hook_requests())?;
    write("trigger_schedule", &schedules())?;
    write("unlock", &unlock())?;
    write("zkey", &zkeys())?;
    write("venue_answer", &venue_answers())
}

/// Reports that another implementation wrote, alone and with a proof.
fn reports() -> Vec<Vec<u8>> {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../proto/vectors/report.json")).unwrap_or_default();
    let mut seeds = Vec::new();
    for vector in vectors["reports"].as_array().into_iter().flatten() {
        let Ok(report) = serde_json::from_value::<Report>(vector["report"].clone()) else { continue };
        seeds.push(report.encode().to_vec());
        // A batch of seven, as the target makes it.
        let batch: Vec<_> = (1..=7).map(|sequence| Report { sequence, ..report }).collect();
        let Some(proof) = ReportTree::new(&batch).ok().and_then(|tree| tree.proof(4)) else { continue };
        let path: Vec<u8> = proof.path.iter().flat_map(|node| node.0).collect();
        seeds.push([report.encode().as_slice(), &[6, 4], &path].concat());
    }
    seeds
}

/// What random numbers are drawn for, a proof, and a key with a proof of a message.
fn randoms() -> Vec<Vec<u8>> {
    let (function, seed) = ("f".to_owned(), "block 7".to_owned());
    let mut seeds: Vec<Vec<u8>> = [
        Occasion::Seed { seed: seed.clone() },
        Occasion::FunctionSeed { function: function.clone(), seed },
        Occasion::Invocation { function: function.clone(), invocation: [7; 16], index: 1 },
        Occasion::Job { function, job: [8; 16], index: u32::MAX },
    ]
    .iter()
    .map(Occasion::encode)
    .collect();
    let Ok(key) = SecretKey::from_bytes(&[7; 32]) else { return seeds };
    seeds.extend(key.prove(b"message").map(|(proof, _)| proof.0.to_vec()));
    let proven =
        key.prove(b"m").map(|(proof, _)| [&key.public_key().as_bytes()[..], &proof.0, b"m"].concat());
    seeds.extend(proven);
    seeds
}

/// What snarkjs wrote: keys, proofs, signals.
fn groth16() -> Vec<Vec<u8>> {
    let files: [&[u8]; 6] = [
        include_bytes!("../../../../proto/groth16/tests/snarkjs/bn128/verification_key.json"),
        include_bytes!("../../../../proto/groth16/tests/snarkjs/bn128/proof.json"),
        include_bytes!("../../../../proto/groth16/tests/snarkjs/bn128/public.json"),
        include_bytes!("../../../../proto/groth16/tests/snarkjs/bls12381/verification_key.json"),
        include_bytes!("../../../../proto/groth16/tests/snarkjs/bls12381/proof.json"),
        include_bytes!("../../../../proto/groth16/tests/snarkjs/bls12381/public.json"),
    ];
    files.map(<[u8]>::to_vec).into()
}

/// What snarkjs and Circom wrote: proving keys, witnesses, circuits.
fn zkeys() -> Vec<Vec<u8>> {
    let files: [&[u8]; 6] = [
        include_bytes!("../../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.zkey"),
        include_bytes!("../../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.wtns"),
        include_bytes!("../../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.r1cs"),
        include_bytes!("../../../../proto/groth16-prover/tests/snarkjs/bls12381/multiplier.zkey"),
        include_bytes!("../../../../proto/groth16-prover/tests/snarkjs/bls12381/multiplier.wtns"),
        include_bytes!("../../../../proto/groth16-prover/tests/snarkjs/bls12381/multiplier.r1cs"),
    ];
    files.map(<[u8]>::to_vec).into()
}

/// Range proofs that another implementation made, as JSON and as bytes, and what is asked for.
fn range_proofs() -> Vec<Vec<u8>> {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../proto/vectors/range-proof.json")).unwrap_or_default();
    let mut seeds = vec![
        br#"{"context":"a","numbers":[{"value":"42","min":"18","max":"150"}]}"#.to_vec(),
        br#"{"job":"verify_ranges","proof":{"owner":"a","context":"","claims":[],"proof":"0x"}}"#.to_vec(),
        br#"{"answer":"does_not_hold","reason":"it was changed"}"#.to_vec(),
    ];
    for vector in vectors["proofs"].as_array().into_iter().flatten() {
        seeds.push(vector["proof"].to_string().into_bytes());
        let text = vector["proof"]["proof"].as_str().unwrap_or_default();
        seeds.extend(text.parse().ok().map(|bytes: r3e_proto::api::wallets::HexBytes| bytes.0));
    }
    seeds
}

/// Answers of each venue that is built in, in their order, and a definition with an answer.
fn venue_answers() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 8] = [
        include_bytes!("../../../../enclave/oracle/tests/answers/binance.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/bitstamp.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/coinbase.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/gate.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/gemini.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/kraken.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/kucoin.json"),
        include_bytes!("../../../../enclave/oracle/tests/answers/okx.json"),
    ];
    let definition = r#"{"id":"x","url":"https://x.example/{base}?{pair}","pair":"{BASE}-{QUOTE}","assets":{"BTC":"XBT"},
        "markets":{"BTC/USD":{"quote":"EUR","inverse":true}},"expect":[{"path":"ok","is":"true"}],"price":"a.*.b[0][1]",
        "volume":{"path":"{pair}.v","of":"base"},"time":{"path":"t","unit":"rfc3339"},"weight":7,"max_bytes":9000}"#;
    let answer =
        r#"{"ok":true,"a":{"x":{"b":[[1,2.5e-3]]}},"EUR-XBT":{"v":"1e3"},"t":"2023-11-14T22:13:20.5+01:00"}"#;
    let mut seeds: Vec<_> = (0..).zip(answers).map(|(kind, answer)| [&[kind], answer].concat()).collect();
    seeds.push(
        [b"\x08".as_slice(), r#"[{"a":-0.10,"\u0062\n":[1e-7,null,true,false,""]},{},[]]"#.as_bytes()]
            .concat(),
    );
    seeds.push([b"\x09".as_slice(), definition.as_bytes(), b"\0", answer.as_bytes()].concat());
    for path in ["a.*.b[0][1]", "ok", "t", "*"] {
        seeds.push([b"\x0a".as_slice(), path.as_bytes(), b"\0", answer.as_bytes()].concat());
    }
    seeds
}

/// Answers of Ethereum's and Neo's nodes, and what is read from them.
fn contract_calls() -> Vec<Vec<u8>> {
    let word = |last: u8| [[0; 31].as_slice(), &[last]].concat();
    let text = [word(32), word(2), b"ok".to_vec(), vec![0; 30]].concat();
    vec![
        b"function balanceOf(address owner) view returns (uint256)\0[\"0x0808080808080808080808080808080808080808\"]".to_vec(),
        b"f((uint8,bytes)[2],int16[],bool,bytes3)(string)\0[[[1,\"0x02\"],[3,\"0x\"]],[\"-4\",5],true,\"0x060708\"]".to_vec(),
        [b"g(string memory name) external pure returns (string, (uint8, bool)[]);\0".as_slice(), &text].concat(),
        [b"decimals()(uint8)\0".as_slice(), &word(8)].concat(),
    ]
}

fn chain_answers() -> Vec<Vec<u8>> {
    let evm: serde_json::Value =
        serde_json::from_str(include_str!("../../../../enclave/chain/tests/vectors/evm.json"))
            .unwrap_or_default();
    let prague = &evm["forks"][5];
    let hash = "11".repeat(32);
    let log = format!(
        r#"{{"txid":"0x{hash}","executions":[{{"trigger":"Application","vmstate":"HALT","gasconsumed":"1","notifications":[{{"contract":"0x{}","eventname":"Transfer","state":{{"type":"Array","value":[{{"type":"Any"}},{{"type":"Integer","value":"5"}}]}}}}]}}]}}"#,
        "22".repeat(20)
    );
    let map = r#"{"type":"Map","value":[{"key":{"type":"ByteString","value":"AQI="},"value":{"type":"Boolean","value":true}}]}"#;
    let word = |last: u8| [[0; 31].as_slice(), &[last]].concat();
    let data = [word(32), word(2), word(64), word(64), word(1), word(7)].concat();
    vec![
        [b"\0", r#"{"jsonrpc":"2.0","id":1,"result":[1,-2,3.5,null,true,"a"]}"#.as_bytes()].concat(),
        [b"\0", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-109,"message":"Unknown height"}}"#.as_bytes()]
            .concat(),
        [b"\x01", prague["block"].to_string().as_bytes()].concat(),
        [b"\x01", prague["logs"].to_string().as_bytes()].concat(),
        [b"\x01", log.as_bytes()].concat(),
        [b"\x01", map.as_bytes()].concat(),
        [b"\x02Transfer(address indexed from, uint256 value)\0".as_slice(), &word(9)].concat(),
        [b"\x02E(uint8[][])\0".as_slice(), &data].concat(),
        [
            b"\x03",
            format!(r#"{{"next":5,"tail":["{hash}"],"begun":{{"hash":"{hash}","given":3}}}}"#).as_bytes(),
        ]
        .concat(),
    ]
}

/// Transactions and blocks that another implementation wrote.
fn neo_transactions() -> Vec<Vec<u8>> {
    let neo: serde_json::Value =
        serde_json::from_str(include_str!("../../../../enclave/chain/tests/vectors/neo.json"))
            .unwrap_or_default();
    let mut seeds = Vec::new();
    for (kind, name) in [(0, "transactions"), (1, "blocks")] {
        for vector in neo[name].as_array().into_iter().flatten() {
            let digits = vector["bytes"].as_str().unwrap_or_default().as_bytes();
            let pairs =
                digits.chunks(2).filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
            seeds.push([kind].into_iter().chain(pairs).collect());
        }
    }
    seeds
}

/// Expressions of every kind.
fn expressions() -> Vec<Vec<u8>> {
    let sources = [
        "event.body.total > 100 && has(event.none)",
        "event.body.items.exists(i, i.p == 50) || !event.yes",
        "{'a': event.n, 'b': [event.d, -1, 0x1f, 2.5e3, null]}",
        "event.list.map(x, [x, x]).filter(x, size(x) == 2)",
        "event.s.startsWith('t') ? string(event.n) + '\\u00e9' : \"no\"",
        "int('1') + 2 * (3 - 4) / 5 % 6 <= 7 && 'n' in event",
    ];
    sources.map(|source| source.as_bytes().to_vec()).to_vec()
}

/// What texts of the target's are made of; it finds out how they are cut.
fn hook_requests() -> Vec<Vec<u8>> {
    let tag = "00".repeat(32);
    let text = format!(
        "t=1700000000,v1={tag}v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= msg_1 1700000000 Bearer x"
    );
    vec![text.into_bytes()]
}

/// The same for schedules.
fn schedules() -> Vec<Vec<u8>> {
    let texts = [
        "*/10 * * * * *UTC",
        "30 2 * * MON-FRIEurope/Berlin",
        "0 0 L * *Asia/Kolkata",
        "@daily",
        "0 0 1W 2#3 +5",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// What an interpreter says, each thing alone and all in a row.
fn interpreters() -> Vec<Vec<u8>> {
    let frame = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len()).expect("a short body");
        [&[kind][..], &length.to_be_bytes(), body].concat()
    };
    let fault = br#"{"kind":"thrown","name":"ValueError","message":"no","stack":"line 1"}"#;
    let mut seeds = vec![
        frame(b'I', b""),
        frame(b'L', b"\x01a line"),
        frame(b'C', br#"{"op":"store_get","key":"a"}"#),
        frame(b'R', b"[1]"),
        frame(b'F', fault),
    ];
    seeds.push(seeds.concat());
    seeds
}

/// Programs as sources and as compiled, and the bundler's answers.
fn programs() -> Vec<Vec<u8>> {
    let module = |path: &str, kind, code: &str, map: &str| Module {
        path: path.to_owned(),
        kind,
        imports: [("./d.json".to_owned(), "d.json".to_owned())].into(),
        code: code.to_owned(),
        map: map.to_owned(),
    };
    let modules = vec![
        module(
            "src/main.ts",
            ModuleKind::Script,
            "export default () => 1;",
            r#"{"version":3,"mappings":"AAAA"}"#,
        ),
        module("d.json", ModuleKind::Json, "{}", ""),
    ];
    let compiled = Program { entry: "src/main.ts".to_owned(), modules };
    let sources = Program::of_sources("a.js", &[("a.js".to_owned(), "1".to_owned())].into());
    let problem =
        Problem { path: "a.ts".to_owned(), line: 3, column: 1, message: "no such module".to_owned() };
    let texts = [compiled, sources].map(|program| program.encode().expect("a program"));
    let mut seeds: Vec<Vec<u8>> = texts.iter().map(|text| text.clone().into_bytes()).collect();
    seeds.push(texts.concat().into_bytes());
    seeds.push(encode_answer(Err(problem)));
    seeds.push(encode_answer(Ok(texts[1].clone())));
    seeds
}

/// Zips of a small project, stored and deflated, with a folder and a file that is no part of it.
fn project_zips() -> io::Result<Vec<Vec<u8>>> {
    let manifest = "name = \"f\"\nruntime = \"typescript\"\nentry = \"a.ts\"\n";
    let mut seeds = Vec::new();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let options: SimpleFileOptions = SimpleFileOptions::default().compression_method(method);
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        writer.add_directory("lib/", options)?;
        for (path, text) in [
            ("r3e.toml", manifest),
            ("a.ts", "export default () => 1"),
            ("lib/d.json", "{}"),
            ("README.md", "#"),
        ] {
            writer.start_file(path, options)?;
            io::Write::write_all(&mut writer, text.as_bytes())?;
        }
        seeds.push(writer.finish()?.into_inner());
    }
    Ok(seeds)
}

/// Proofs against the map that their first four bytes name.
fn proofs() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for seed in [[0, 0x40, 0x80, 0xc0], [1, 2, 3, 4], [7; 4]] {
        let mut map = r3e_store::Trie::of(seed.map(|byte| ([byte; 32], [!byte; 32])).to_vec());
        for name in [seed[0], seed[2], 0x11, 0xff] {
            seeds.push([seed.as_slice(), &map.prove(&[name; 32]).encode()].concat());
        }
    }
    seeds
}

fn write(target: &str, seeds: &[Vec<u8>]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for seed in seeds {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        fs::write(folder.join(format!("{:016x}", hasher.finish())), seed)?;
    }
    Ok(())
}

fn api() -> Vec<Vec<u8>> {
    let key = "0b".repeat(32);
    let bodies = [
        (0, r#"{"runtime":"javascript","source":"export default () => 1"}"#.to_owned()),
        (
            0,
            r#"{"runtime":"javascript","source":"","permissions":{"secrets":["a"],"net":["h.example:8443"]},
                "limits":{"timeout_ms":1,"cpu_ms":2,"memory_mib":3,"output_bytes":4,"host_calls":5,"concurrency":6}}"#
                .to_owned(),
        ),
        (1, format!(r#"{{"role":"tenant","public_key":"{key}","signature":"{key}{key}"}}"#)),
        (2, format!(r#"{{"public_key":"{key}","name":"a tenant"}}"#)),
        (3, r#"{"name":"ci","scopes":["invoke","deploy","secrets"]}"#.to_owned()),
        (4, r#""suspended""#.to_owned()),
        (5, "price_feed.v2-1".to_owned()),
        (5, "0B".repeat(16)),
        (5, "price@staging".to_owned()),
        (5, "price@3f2a9b".to_owned()),
        (6, r#"{"version":"3f2a9b","canary":{"version":"77c0de","percent":10},"if_revision":0}"#.to_owned()),
        (7, r#"{"if_revision":3}"#.to_owned()),
        (8, r#"{"promote":false,"alias":"staging","if_revision":1}"#.to_owned()),
        (5, key.clone()),
        (
            10,
            r#"{"pair":"BTC/USD","sources":["okx",{"venue":"binance","markets":{"BTC/USD":{"quote":"USDC"}}}],"policy":{"decimals":2},"targets":["eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]}"#
                .to_owned(),
        ),
        (
            11,
            concat!(
                r#"{"feed":"f","tenant":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b","report":{"feed_id":"0x6600000000000000000000000000000000000000000000000000000000000000","#,
                r#""answer":"-5","confidence":"1","decimals":2,"observed_at_s":1,"valid_until_s":2,"sequence":3,"sources":5,"config_digest":"0x0101010101010101010101010101010101010101010101010101010101010101"},"#,
                r#""signatures":[{"target":"neo-n3:1:0xd2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2","digest":"0x0202020202020202020202020202020202020202020202020202020202020202","signer":"0x02","signature":"0x03"}]}"#
            )
            .to_owned(),
        ),
        (
            12,
            format!(
                r#"{{"value":7,"min":1,"max":9,"message":"0x80","output":"0x{0}{0}","proof":"0x03","key":"0x02","document":"AA=="}}"#,
                "05".repeat(16)
            ),
        ),
        (
            13,
            r#"{"wallet":"w","chain_id":1,"call":{"to":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","value":"1","data":"0x01","gas_limit":21000,"fee_limit":"21000"},"timeout_ms":60000}"#
                .to_owned(),
        ),
        (
            14,
            format!(
                r#"{{"tenant":"{0}","function":"f","url":"https://a.example/","path":"a","value":"1","status":200,"observed_at_s":7,"certificate":"0x{0}{0}","response_hash":"0x{0}{0}","request_hash":"0x{0}{0}","signatures":[{{"digest":"0x{0}{0}","signer":"0x02","signature":"0x03"}},{{"target":"neo-n3:1:0xd2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2","digest":"0x{0}{0}","signer":"0x02","signature":"0x03"}}],"body":"x"}}"#,
                "0b".repeat(16)
            ),
        ),
        (
            15,
            r#"{"key_type":"secp256r1","policy":{"neo":[{"magic":42,"contracts":{"only":[{"hash":"0xd2a4cff31913016155e38e474a2c06d08be276cf","methods":{"only":["transfer"]},"witness":true,"recipients":["NLZ8LNgU1PcT4JjNhUWnA7vLKZ5yHLGuXe"]}]},"max_fee":"1","max_spend":"2"}],"window":{"seconds":60,"max_signatures":3}}}"#
                .to_owned(),
        ),
        (16, neo_request()),
    ];
    bodies.into_iter().map(|(kind, body)| [&[kind], body.as_bytes()].concat()).collect()
}

/// A call with an argument of each type, by the account of the key that the target signs with.
fn neo_request() -> String {
    let sender = r3e_neo::address(r3e_proto::wallet::neo_account(&[2; 33]));
    format!(
        r#"{{"payload":{{"kind":"neo_transaction","magic":42,"nonce":7,"sender":"{sender}","contract":"0xd2a4cff31913016155e38e474a2c06d08be276cf","method":"transfer","arguments":[{{"type":"account","value":"{sender}"}},{{"type":"integer","value":"-150"}},{{"type":"null"}},{{"type":"boolean","value":true}},{{"type":"bytes","value":"0x0102"}},{{"type":"text","value":"x"}},{{"type":"hash160","value":"0xd2a4cff31913016155e38e474a2c06d08be276cf"}},{{"type":"hash256","value":"0x{}"}},{{"type":"array","value":[{{"type":"array","value":[]}}]}}],"scope":"called_by_entry","system_fee":"997780","network_fee":"122852","valid_until_block":6543210}}}}"#,
        "0b".repeat(32)
    )
}

/// Whole files, and one whose checksum does not fit.
fn backup() -> Vec<Vec<u8>> {
    let entries = [
        Entry::Head(b"head".to_vec()),
        Entry::Slot(b"wrapped".to_vec()),
        Entry::Record([3; 32], vec![4; 40]),
        Entry::Record([5; 32], Vec::new()),
    ];
    let file = |entries: &[Entry]| {
        let (mut encoder, mut bytes) = Encoder::begin(1_763_000_000);
        entries.iter().for_each(|entry| bytes.extend(encoder.entry(entry)));
        bytes.extend(encoder.end());
        bytes
    };
    let mut damaged = file(&entries);
    damaged.iter_mut().rev().take(1).for_each(|byte| *byte ^= 1);
    vec![file(&entries), file(&entries[..1]), file(&[]), damaged]
}

fn blob() -> Vec<Vec<u8>> {
    let commit = Commit {
        expected: Some([1; 32]),
        head: vec![2; 80],
        puts: vec![([3; 32], vec![4; 40]), ([5; 32], vec![])],
        deletes: vec![[6; 32]],
    };
    let operations = [
        Operation::Head,
        Operation::Read { name: [7; 32] },
        Operation::List { after: None },
        Operation::List { after: Some([8; 32]) },
        Operation::Commit(commit),
        Operation::SlotRead,
        Operation::SlotWrite { expected: Some([7; 32]), value: b"wrapped".to_vec() },
    ];
    let outcomes = [
        Outcome::Head(None),
        Outcome::Head(Some(vec![1; 80])),
        Outcome::Read(None),
        Outcome::Read(Some(vec![2; 40])),
        Outcome::List { records: vec![([3; 32], vec![4; 40])], more: true },
        Outcome::Committed,
        Outcome::Conflict,
        Outcome::Failed("the disk is full".to_owned()),
        Outcome::Slot(None),
        Outcome::Slot(Some(b"wrapped".to_vec())),
    ];
    let requests = operations.map(|operation| Request { id: 1, operation }.encode());
    let responses = outcomes.map(|outcome| Response { id: 1, outcome }.encode());
    requests.into_iter().chain(responses).collect()
}

fn cbor() -> Vec<Vec<u8>> {
    let examples: [&[u8]; 16] = [
        &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x38, 0x63],
        &[0xf9, 0x7e, 0x00],
        &[0xfa, 0x47, 0xc3, 0x50, 0x00],
        &[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a],
        &[0xf6],
        &[0xf5],
        &[0xc0, 0x61, 0x61],
        &[0x5f, 0x42, 0x01, 0x02, 0x41, 0x03, 0xff],
        &[0x7f, 0x61, 0x61, 0x60, 0xff],
        &[0x9f, 0x01, 0x82, 0x02, 0x03, 0xff],
        &[0xbf, 0x61, 0x61, 0x01, 0xff],
        &[0xa2, 0x01, 0x02, 0x03, 0x04],
        &[0xa1, 0x61, 0x61, 0x81, 0x05],
        &[0x98, 0x01, 0x00],
        &[0xd8, 0x12, 0x84, 0x40, 0xa0, 0x40, 0x40],
    ];
    examples.iter().map(|item| [&[8, 4], *item].concat()).collect()
}

fn certificate() -> Vec<Vec<u8>> {
    // Those of the real documents, as they lie in them; the root is among them.
    let mut seeds: Vec<_> = REAL.iter().flat_map(|(_, document)| certificates_in(document)).collect();
    seeds.push(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec());
    seeds
}

fn certificates_in(document: &[u8]) -> Vec<Vec<u8>> {
    // A certificate of this PKI begins with a long SEQUENCE of two length bytes, in which a SEQUENCE lies.
    let starts = document
        .windows(5)
        .enumerate()
        .filter(|(_, head)| matches!(head, [0x30, 0x82, 0x01..=0x03, _, 0x30]));
    starts
        .filter_map(|(at, head)| {
            let length = 4 + usize::from(u16::from_be_bytes([head[2], head[3]]));
            document.get(at..at + length).map(<[u8]>::to_vec)
        })
        .filter(|der| r3e_attestation::UnsafeTestRoot::from_der(der).is_ok())
        .collect()
}

fn chain() -> Vec<Vec<u8>> {
    let tbs = |which: u8, holder: Holder| [&[which], holder.tbs().as_slice()].concat();
    vec![
        tbs(0, Holder::Leaf),
        tbs(1, Holder::Intermediate),
        tbs(0, Holder::Intermediate),
        tbs(1, Holder::Leaf),
    ]
}

fn credentials() -> Vec<Vec<u8>> {
    let token = |token: Option<&str>| {
        credentials::Reply::Credentials(AwsCredentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG".to_owned().into(),
            session_token: token.map(|token| token.to_owned().into()),
            expires_at_ms: 1_800_000_000_000,
        })
    };
    let failed = credentials::Reply::Failed("no role is attached".to_owned());
    let replies = [token(Some("AQoDYXdzEPT//////////wEX==")), token(None), failed];
    let request = credentials::Request { service: credentials::Service::Kms }.encode();
    replies.iter().map(|reply| reply.encode().to_vec()).chain([request]).collect()
}

fn handoff() -> Vec<Vec<u8>> {
    use r3e_proto::handoff::{Grant, Request};
    let request = Request { manifest: vec![7; 40], document: vec![8; 50], configuration: [9; 48] };
    let grant =
        |sequence| Grant { root: Box::new([1; 32].into()), identity: [2; 32], sequence, head: [4; 32] };
    vec![request.encode(), grant(7).encode().to_vec(), grant(70_000).encode().to_vec()]
}

fn restore_orders() -> Vec<Vec<u8>> {
    let order = RestoreOrder { identity: [1; 32], sequence: 40, head: [2; 32], over: 99 };
    let unsigned = SignedRestoreOrder::unsigned(&order);
    let mut signed = unsigned.clone();
    for number in 1..=3 {
        signed.add(PublicKey([number; 32]), [number; 64]).expect("there is room for three signatures");
    }
    vec![order.encode(), unsigned.encode(), signed.encode()]
}

fn lifecycle() -> Vec<Vec<u8>> {
    use lifecycle::{Reply, Request};
    let failed = Request::Failed("downgrade: the release is older".to_owned());
    let requests = [Request::Predecessor, Request::Serving, Request::RestoreOrder, failed]
        .map(|request| request.encode());
    let ordered = Reply::RestoreOrder(vec![7; 40]);
    let replies = [Reply::None, Reply::Offered { manifest: vec![7; 40] }, Reply::Noted, ordered];
    requests.into_iter().chain(replies.map(|reply| reply.encode())).collect()
}

/// Answers of the real service, and a slot.
fn kms() -> Vec<Vec<u8>> {
    let bytes = |length| Value::Bytes(vec![7; length]);
    let slot = encode(&Value::Array(vec![
        "r3e/1/unlock-sealed-root".into(),
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".into(),
        bytes(32),
        bytes(184),
        bytes(32),
        bytes(12),
        bytes(48),
    ]));
    let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    vec![
        with(0, include_bytes!("../../../../enclave/keys/vectors/kms/kms_ciphertext_for_recipient_2.ber")),
        with(0, include_bytes!("../../../../enclave/keys/vectors/kms/kms_ciphertext_for_recipient_3.ber")),
        with(0, include_bytes!("../../../../enclave/keys/vectors/kms/kms_ciphertext_for_recipient_4.ber")),
        with(1, &slot),
    ]
}

fn egress() -> Vec<Vec<u8>> {
    let refused = Reply::Refused { code: RefusalCode::NotPublic, message: "a private address".to_owned() };
    vec![
        Connect { host: "api.example".to_owned(), port: 443 }.encode(),
        Reply::Connected.encode(),
        refused.encode(),
    ]
}

/// The images of AWS's library, as they are and for a checksum that is put right, and their parts.
fn eif() -> Vec<Vec<u8>> {
    let signed = include_bytes!("../../../../eif/format/vectors/signed.eif");
    let images = [
        signed.as_slice(),
        include_bytes!("../../../../eif/format/vectors/one-ramdisk.eif"),
        include_bytes!("../../../../eif/format/vectors/two-ramdisks.eif"),
    ];
    let ramdisks = [
        include_bytes!("../../../../eif/format/vectors/boot.cpio").as_slice(),
        include_bytes!("../../../../eif/format/vectors/application.cpio"),
    ];
    let image = r3e_eif_format::Image::decode(signed).expect("an image");
    let signature = image.signature_section.as_deref().expect("it is signed");
    let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    let packed = with(2, &r3e_eif_format::packing::pack(ramdisks[1]));
    let images = images.iter().flat_map(|image| [with(0, image), with(1, image)]);
    images
        .chain(ramdisks.iter().map(|ramdisk| with(2, ramdisk)))
        .chain([packed, with(3, signature)])
        .collect()
}

fn evidence() -> Vec<Vec<u8>> {
    let mut seeds = vec![EvidenceReply::Unavailable("busy".to_owned()).encode()];
    for (size, index) in [(1, 0), (2, 1), (5, 4), (13, 6), (64, 63)] {
        let bindings: Vec<_> = (0..size).map(|leaf| [leaf; 48]).collect();
        let tree = Tree::new(&bindings).expect("a size within the limit");
        let evidence = Evidence {
            document: b"a document".to_vec(),
            index,
            size: tree.size(),
            path: tree.path(usize::try_from(index).expect("a small number")).expect("a leaf of the tree"),
            configuration: [9; 48],
            hpke_public_key: vec![],
        };
        seeds.push(EvidenceReply::Evidence(evidence).encode());
    }
    seeds
}

fn frames() -> Vec<Vec<u8>> {
    let stream = |step: u8, max_bytes: u16, bytes: &[u8]| {
        [&[step], max_bytes.to_be_bytes().as_slice(), bytes].concat()
    };
    vec![
        stream(1, 16, b"\0\0\0\x01a\0\0\0\x03abc"),
        stream(7, 16, b"\0\0\0\x05abc"),
        stream(3, 16, b"\0\0\0\0"),
        stream(9, 2, b"\0\0\0\x03abc"),
        stream(2, 500, &[b"\0\0\x01\0".as_slice(), &[b'x'; 256]].concat()),
        stream(4, 16, b"\0\0"),
    ]
}

fn json() -> Vec<Vec<u8>> {
    let deep = "[".repeat(128) + &"]".repeat(128);
    let too_deep = r#"{"a":"#.repeat(129) + "1" + &"}".repeat(129);
    let texts = [
        "null",
        r#"{"a":[1,-2.5e3,"\u00e9\"\\",true],"b":{}}"#,
        "[[[[]]]]",
        r#""[[[""#,
        "1e999",
        r#""\ud800""#,
        &deep,
        &too_deep,
    ];
    texts.map(|text| text.as_bytes().to_vec()).into()
}

/// About an empty body, whose SHA-256 this is.
fn notices() -> Vec<Vec<u8>> {
    const OF_NOTHING: [u8; 32] = [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ];
    let notice = Notice {
        job: [1; 16],
        tenant: [2; 16],
        function: "price".into(),
        state: "dead".into(),
        outcome: "timeout".into(),
        output: [3; 32],
        time_ms: 1_763_000_000_000,
        body: OF_NOTHING,
    };
    vec![notice.sign(|_| [9; 64])]
}

fn receipts() -> Vec<Vec<u8>> {
    let receipt = Receipt {
        invocation: [1; 16],
        tenant: [2; 16],
        function: "price".to_owned(),
        version: [3; 32],
        input: [4; 32],
        outcome: "ok".to_owned(),
        output: [5; 32],
        log: [6; 32],
        usage: Usage { cpu_us: 1, wall_us: 2_000, peak_memory_bytes: 3 << 20, host_calls: 4, bytes_out: 5 },
        sequence: 7,
        time_ms: 1_763_000_000_000,
        configuration: [8; 48],
    };
    let signed = receipt.sign(|_| [9; 64]);
    let bundle = Bundle { receipt: signed.clone(), document: vec![10; 100] }.encode();
    vec![signed, bundle]
}

fn reference_values() -> Vec<Vec<u8>> {
    let pcr = "ab".repeat(48);
    let pcrs = format!(r#""0":"{pcr}","1":"{pcr}","2":"{pcr}""#);
    vec![
        format!(r#"{{"releases":[{{"name":"1.4.0","pcrs":{{{pcrs}}}}}]}}"#).into_bytes(),
        format!(
            r#"{{"releases":[{{"name":"a","pcrs":{{{pcrs},"8":"{pcr}"}}}},{{"name":"b","pcrs":{{{pcrs}}}}}]}}"#
        )
        .into_bytes(),
    ]
}

/// Signed releases, the release of one alone, and versions.
fn releases() -> Vec<Vec<u8>> {
    let image = |number: u8| [[number; 48], [number + 64; 48], [number + 128; 48]];
    let measured = |number: u8| Measured { configuration: [number; 48], unlock: [number + 64; 48] };
    let change = |number: u8| Change { from: measured(2 * number - 1), to: measured(2 * number) };
    let release = |text: &str, predecessors: u8, changes: u8| {
        let predecessors = (2..2 + predecessors).map(image).collect();
        let changes = (1..=changes).map(change).collect();
        let version = text.parse().expect("a version");
        Release::new(version, image(1), 42, predecessors, changes).expect("a release")
    };
    let signed = |release: &Release, signatures: u8| {
        let mut signed = SignedRelease::unsigned(release);
        for number in 1..=signatures {
            signed.add(PublicKey([number; 32]), [number; 64]).expect("another key");
        }
        signed.encode()
    };
    let (small, large) = (release("1.4.0", 1, 0), release("1.4.0-rc.2", 3, 2).for_appliance([9; 32]));
    let versions = ["1.0.0-alpha.beta", "1.0.0--.0.9a", "18446744073709551615.0.0"];
    let files = [signed(&small, 0), signed(&small, 1), signed(&large, 3), large.encode()];
    files.into_iter().chain(versions.map(|text| text.as_bytes().to_vec())).collect()
}

fn runner_messages() -> Vec<Vec<u8>> {
    let fault = Fault::new(FaultKind::Thrown, "TypeError", "x is not a function", Some("at f.js:1:2"));
    let fetch = HostCall::Fetch {
        url: "https://api.example/v1".to_owned(),
        method: "POST".to_owned(),
        headers: vec![("accept".to_owned(), "text/plain".to_owned())],
        body_base64: Some("AAEC".to_owned()),
    };
    let data = HostCall::OracleData {
        url: "https://api.example/v1".to_owned(),
        headers: vec![("x-key".to_owned(), "k".to_owned())],
        path: Some("a[0]".to_owned()),
        targets: vec!["neo-n3:1:0xd2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2".to_owned()],
    };
    let weather = HostCall::OracleWeather { place: "Z\u{fc}rich".to_owned(), targets: vec![] };
    let read = HostCall::ChainRead {
        network: "eip155:1".to_owned(),
        contract: "0x0808080808080808080808080808080808080808".to_owned(),
        method: Some("decimals()(uint8)".to_owned()),
        args: "[]".to_owned(),
        data: None,
        confirmations: 2,
    };
    let send = HostCall::ChainSend(Box::new(ChainSend {
        wallet: "w".to_owned(),
        network: "eip155:1".to_owned(),
        to: "0x0808080808080808080808080808080808080808".to_owned(),
        method: None,
        args: "[]".to_owned(),
        data: Some("0x01".to_owned()),
        value: "1".to_owned(),
        gas_limit: 21_000,
        fee_limit: "42000".to_owned(),
        scope: None,
        timeout_ms: Some(60_000),
        key: "k".to_owned(),
    }));
    let log = LogRecord { level: LogLevel::Warn, truncated: true, text: "a line".to_owned() };
    let from_runner = [
        RunnerMessage::Ready(Identity::OwnUser),
        RunnerMessage::Forked { number: 1 },
        RunnerMessage::ForkFailed { number: 2, errno: 11 },
        RunnerMessage::Ended { number: 1, ending: Ending::Signaled(9) },
        RunnerMessage::Loaded,
        RunnerMessage::LoadFailed(fault.clone()),
        RunnerMessage::HostCall { call_id: 1, call: fetch },
        RunnerMessage::HostCall { call_id: 2, call: HostCall::SecretGet { name: "token".to_owned() } },
        RunnerMessage::HostCall { call_id: 3, call: HostCall::StoreSet { key: "k".to_owned(), value: None } },
        RunnerMessage::HostCall { call_id: 4, call: HostCall::Attestation { data_base64: None } },
        RunnerMessage::HostCall { call_id: 12, call: read },
        RunnerMessage::HostCall { call_id: 13, call: send },
        RunnerMessage::HostCall { call_id: 6, call: HostCall::OraclePrice { feed: "neo-usd".to_owned() } },
        RunnerMessage::HostCall { call_id: 7, call: HostCall::OracleRandom { min: 1, max: 6, seed: None } },
        RunnerMessage::HostCall { call_id: 8, call: HostCall::ZkVerifyRanges { proof: "{}".into() } },
        RunnerMessage::HostCall { call_id: 8, call: HostCall::ZkVerifyProof { asked: "{}".into() } },
        RunnerMessage::HostCall { call_id: 8, call: data },
        RunnerMessage::HostCall { call_id: 9, call: weather },
        RunnerMessage::HostCall { call_id: 5, call: HostCall::TriggerDelete { name: "t".to_owned() } },
        RunnerMessage::Log(log),
        RunnerMessage::Done { id: 1, outcome: Ok(r#"{"a":1}"#.to_owned()) },
        RunnerMessage::Done { id: 2, outcome: Err(fault) },
    ];
    let denied = HostError { code: HostErrorCode::Denied, message: "not granted".to_owned() };
    let answer = HostValue::Fetch { status: 200, headers: vec![], body_base64: "AA==".to_owned() };
    let to_runner = [
        HostMessage::Load {
            limits: limits(),
            purpose: Purpose::Copies,
            source: "export default () => 1".to_owned(),
        },
        HostMessage::Fork { number: 1 },
        HostMessage::Rehearse,
        HostMessage::Invoke { id: 1, event: "{}".to_owned() },
        HostMessage::HostReply { call_id: 1, reply: Ok(answer) },
        HostMessage::HostReply { call_id: 2, reply: Err(denied) },
        HostMessage::HostReply { call_id: 3, reply: Ok(HostValue::StoreGet { value: Some("1".to_owned()) }) },
    ];
    let from_runner = from_runner.map(|message| message.encode().expect("it fits"));
    let to_runner = to_runner.map(|message| message.encode().expect("it fits").to_vec());
    let mut seeds: Vec<_> =
        from_runner.iter().chain(&to_runner).map(|frame| [&[3], frame.as_slice()].concat()).collect();
    seeds.push([&[11], from_runner.concat().as_slice()].concat());
    seeds
}

fn limits() -> FunctionLimits {
    FunctionLimits { memory_mib: 64, output_bytes: 1024, log_bytes: 1024 }
}

/// Scripts: see the target for what the bytes do.
fn runner_session() -> Vec<Vec<u8>> {
    let started = [3, 0, 4];
    let done = |output: &[u8]| [&[6, u8::try_from(output.len()).expect("short")], output].concat();
    let framed =
        |kind: u8, body: &[u8]| [&[5, kind, u8::try_from(body.len()).expect("short")], body].concat();
    let call = br#"{"call_id":1,"call":{"op":"secret_get","name":"a"}}"#;
    let fault = br#"{"kind":"thrown","name":"E","message":"m"}"#;
    vec![
        [started.as_slice(), &[1], &done(b"{}"), &[1], &done(b"[1]")].concat(),
        [started.as_slice(), &[1], &framed(0x84, call), &[2, 1], &done(b"1")].concat(),
        [started.as_slice(), &[1], &framed(0x85, b"\x01\0hello"), &done(b"\"x\"")].concat(),
        [[3, 0].as_slice(), &framed(0x83, fault)].concat(),
        [started.as_slice(), &[1], &framed(0x87, &[&[0, 0, 0, 0, 0, 0, 0, 1], fault.as_slice()].concat())]
            .concat(),
        [started.as_slice(), &[1, 7, 4, 0, 0, 0, 9]].concat(),
    ]
}

fn signed_documents() -> Vec<Vec<u8>> {
    // The certificates are put in by the target.
    let fields: Vec<_> = payload()
        .into_iter()
        .filter(|(key, _)| !matches!(key.as_text(), Some("certificate" | "cabundle")))
        .collect();
    let without = |name: &str| {
        let fields = fields.iter().filter(|(key, _)| key.as_text() != Some(name)).cloned();
        encode(&Value::Map(fields.collect()))
    };
    ["none", "nonce", "public_key", "user_data", "pcrs"].map(without).into()
}

/// An attested setup, its setup alone, and its policy bytes.
fn unlock() -> [Vec<u8>; 3] {
    let member = |number: u8| Member {
        name: format!("member-{number}"),
        signing_key: [number; 32],
        encryption_key: [number + 100; 32],
    };
    let share = |number: u8| SealedShare {
        digest: [number; 48],
        encapsulated: [number; 32],
        ciphertext: [number; 48],
    };
    let members = (1..=3).map(member).collect();
    let policy = QuorumPolicy::new(2, members).expect("a quorum");
    let bytes = policy.encode();
    let setup = Setup {
        id: [7; 16],
        policy,
        commitment: [9; 32],
        made_at_ms: 1_763_000_000_000,
        shares: (1..=3).map(share).collect(),
    };
    let attested = AttestedSetup { setup: setup.encode(), document: b"document".to_vec() };
    [attested.encode(), setup.encode(), bytes]
}

fn statements() -> [Statement; 6] {
    [
        Statement::Sessions { root: [7; 48], size: 3 },
        Statement::ReportKey { public_key: [9; 32] },
        Statement::UnlockSetup { setup: [6; 48] },
        Statement::Successor { binding: [8; 48] },
        Statement::Oracle { tenant: [1; 16], evm: [4; 20], neo: [2; 33] },
        Statement::Function { tenant: [1; 16], version: [2; 32], data: b"of the function's choice".to_vec() },
    ]
}
