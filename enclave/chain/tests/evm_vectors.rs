//! Against anvil: headers under the rules of several forks, and logs (`vectors/evm.json`, made by `tests/chain/evm-vectors.py`).
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_chain::evm::abi::{AbiError, Event, Kind, SignatureError, Value as Decoded};
use r3e_chain::evm::{Header, LogFilter, Quantity, read_block, read_logs};
use r3e_chain::rpc::AnswerError;
use serde_json::{Value, json};

fn forks() -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/evm.json")).unwrap();
    vectors["forks"].as_array().unwrap().clone()
}

fn filter(fork: &Value) -> LogFilter {
    let text = |name: &str| fork[name].as_str().unwrap();
    LogFilter { address: text("contract").parse().unwrap(), topic: text("topic").parse().unwrap() }
}

fn header(fork: &Value) -> Header {
    read_block(&fork["block"], 2).unwrap()
}

#[test]
fn headers_of_every_fork() {
    let forks = forks();
    assert_eq!(forks.len(), 6);
    for fork in forks {
        let header = header(&fork);
        assert_eq!(header.hash.to_string(), fork["block"]["hash"].as_str().unwrap());
        assert_eq!(read_block(&fork["block"], 3), Err(AnswerError::Other { what: "height" }));
        assert!(filter(&fork).may_match(&header));
        // Anvil's first block of older forks has members without those that forks added before them: no header has such a list.
        match (read_block(&fork["empty"], 0), fork["fork"].as_str()) {
            (Ok(empty), _) => assert!(!filter(&fork).may_match(&empty)),
            (Err(refused), Some("berlin" | "london" | "paris")) => {
                assert_eq!(refused, AnswerError::Form { what: "blobGasUsed" });
            }
            (Err(refused), fork) => unreachable!("{fork:?}: {refused}"),
        }
    }
}

#[test]
fn a_header_says_nothing_that_its_hash_is_not_over() {
    for fork in forks() {
        for name in fork["block"].as_object().unwrap().keys() {
            let mut block = fork["block"].clone();
            let said = block[name].as_str().map(str::to_owned);
            let Some(said) = said.filter(|said| said.starts_with("0x")) else { continue };
            if ["size", "totalDifficulty"].contains(&name.as_str()) {
                continue;
            }
            // Another last digit; of "0x" and "0x0", another number.
            let digit = if said.ends_with('1') { "2" } else { "1" };
            let changed = match said.as_str() {
                "0x" => "0x00".to_owned(),
                "0x0" => "0x1".to_owned(),
                said => format!("{}{digit}", &said[..said.len() - 1]),
            };
            block[name] = json!(changed);
            assert_eq!(read_block(&block, 2), Err(AnswerError::Hash { what: "a block's header" }), "{name}");
            block[name] = json!("0x");
            if said != "0x" {
                assert!(read_block(&block, 2).is_err(), "{name}");
            }
            block.as_object_mut().unwrap().remove(name);
            assert!(read_block(&block, 2).is_err(), "{name}");
        }
    }
    assert_eq!(read_block(&Value::Null, 2), Err(AnswerError::Missing { what: "block" }));
    for wrong in [json!([]), json!({}), json!("0x")] {
        assert!(read_block(&wrong, 2).is_err());
    }
}

#[test]
fn logs_of_the_block_that_was_asked_for() {
    for fork in forks() {
        let (header, wanted) = (header(&fork), filter(&fork));
        let logs = read_logs(&fork["logs"], &header, &wanted).unwrap();
        assert_eq!(logs.len(), 1);
        let event: Event = "Ping(address indexed who, uint256 what)".parse().unwrap();
        assert_eq!(event.topic(), wanted.topic);
        let values: Vec<_> = event.decode(&logs[0]).unwrap().iter().map(Decoded::to_json).collect();
        let expected =
            json!(["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "22774453838368691933757882222884355840"]);
        assert_eq!(json!(values), expected);

        let changes: [fn(&mut Value); 10] = [
            |logs| logs[0]["blockHash"] = json!(format!("0x{}", "11".repeat(32))),
            |logs| logs[0]["blockNumber"] = json!("0x3"),
            |logs| logs[0]["removed"] = json!(true),
            |logs| logs[0]["address"] = json!("0x1111111111111111111111111111111111111111"),
            |logs| logs[0]["topics"][0] = json!(format!("0x{}", "11".repeat(32))),
            |logs| logs[0]["topics"] = json!([]),
            |logs| logs[0]["data"] = json!("0x1"),
            |logs| logs[0]["logIndex"] = json!("0x00"),
            |logs| *logs = json!([logs[0], logs[0]]),
            |logs| *logs = json!({}),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut logs = fork["logs"].clone();
            change(&mut logs);
            assert!(read_logs(&logs, &header, &wanted).is_err(), "change {at}");
        }
        // A log in a block whose filter does not have it.
        let mut bare = header.clone();
        bare.bloom.0 = [0; 256];
        assert!(read_logs(&fork["logs"], &bare, &wanted).is_err());
    }
}

#[test]
fn quantities_have_one_form() {
    assert_eq!(Quantity::parse("0x0").unwrap().bytes(), [0; 0]);
    assert_eq!(Quantity::parse("0x400").unwrap().to_u64(), Some(1_024));
    assert_eq!(Quantity::parse(&format!("0x{}", "f".repeat(64))).unwrap().to_u64(), None);
    for wrong in
        ["", "0x", "0x00", "0x01", "1", "0X1", "0x-1", "0xg", "0x 1", &format!("0x1{}", "0".repeat(64))]
    {
        assert_eq!(Quantity::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn declarations() {
    let event: Event =
        " event  Transfer (address indexed from,address indexed to, uint256 value) ; ".parse().unwrap();
    assert_eq!(
        event.topic().to_string(),
        // Of ERC-20.
        "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    );
    let names: Vec<_> = event.parameters.iter().map(|one| one.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["from", "to", "value"]);
    let event: Event = "E((uint8 a, bytes b)[2][] indexed, string, bytes32)".parse().unwrap();
    assert_eq!(event.parameters[0].kind.to_string(), "(uint8,bytes)[2][]");
    assert!(event.parameters[0].indexed && event.parameters[1].kind == Kind::Text);
    assert!("Nothing()".parse::<Event>().unwrap().parameters.is_empty());
    for wrong in [
        "",
        "Transfer",
        "(uint256)",
        "E(uint256",
        "E(uint256))",
        "E(uint256,)",
        "E(,uint256)",
        "E(uint256 indexed a b)",
        "E(uint256 a) anonymous",
        "1E()",
        "E(uint)",
        "E(uint7)",
        "E(uint264)",
        "E(uint08)",
        "E(bytes33)",
        "E(bytes0)",
        "E(function)",
        "E(uint256[0])",
        "E(uint256[)",
        "E(uint256[2000])",
        "E(())",
        "E((uint256)",
        "E(uint8 indexed, uint8 indexed, uint8 indexed, uint8 indexed)",
        "Ä(uint8)",
    ] {
        assert!(wrong.parse::<Event>().is_err(), "{wrong}");
    }
    let deep = format!("E({}uint8{})", "(".repeat(100), ")".repeat(100));
    assert!(matches!(deep.parse::<Event>(), Err(SignatureError::TooMany { .. })));
    let deep = format!("E(uint8{})", "[]".repeat(100));
    assert!(matches!(deep.parse::<Event>(), Err(SignatureError::TooMany { .. })));
    let wide = format!("E({}uint8)", "uint8,".repeat(40));
    assert!(matches!(wide.parse::<Event>(), Err(SignatureError::TooMany { .. })));
    let long = format!("E({}uint8)", "uint8,".repeat(400));
    assert!(matches!(long.parse::<Event>(), Err(SignatureError::TooLong { .. })));
}

#[test]
fn data_that_points_anywhere() {
    let fork = &forks()[0];
    let log = read_logs(&fork["logs"], &header(fork), &filter(fork)).unwrap().remove(0);
    let decode = |declaration: &str, words: &[[u8; 32]]| {
        let event: Event = declaration.parse().unwrap();
        let mut log = log.clone();
        log.topics = vec![event.topic()];
        log.data = words.concat();
        event.decode(&log)
    };
    let word = |number: u64| {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&number.to_be_bytes());
        word
    };
    assert_eq!(decode("E(uint8)", &[word(255)]), Ok(vec![Decoded::Uint(255.into())]));
    assert!(matches!(decode("E(uint8)", &[word(256)]), Err(AbiError::Word { .. })));
    assert!(matches!(decode("E(int8)", &[word(128)]), Err(AbiError::Word { .. })));
    assert_eq!(decode("E(int8)", &[[0xff; 32]]), Ok(vec![Decoded::Int((-1).into())]));
    assert!(matches!(decode("E(bool)", &[word(2)]), Err(AbiError::Word { .. })));
    assert!(matches!(decode("E(address)", &[[1; 32]]), Err(AbiError::Word { .. })));
    assert!(matches!(decode("E(bytes31)", &[[1; 32]]), Err(AbiError::Word { .. })));
    // What stands behind the values counts for nothing.
    assert!(decode("E(bool)", &[word(1), word(9)]).is_ok());
    for (declaration, words) in [
        ("E(uint8)", vec![]),
        ("E(bytes)", vec![word(32)]),
        ("E(bytes)", vec![word(64), word(1)]),
        ("E(bytes)", vec![word(32), word(1)]),
        ("E(bytes)", vec![[0xff; 32], word(1)]),
        ("E(bytes)", vec![word(32), [0xff; 32], word(0)]),
        ("E(bytes)", vec![word(u64::MAX), word(1)]),
        ("E(uint8[])", vec![word(32), word(2), word(1)]),
        ("E(uint8[3])", vec![word(1), word(1)]),
        ("E((bytes,uint8)[])", vec![word(32), word(1), word(32), word(64)]),
    ] {
        assert_eq!(decode(declaration, &words), Err(AbiError::Truncated), "{declaration}");
    }
    let many = decode("E(uint8[])", &[word(32), word(1 << 40), word(1)]);
    assert!(matches!(many, Err(AbiError::TooMuch { .. })));
    // Lists that are all the same one.
    let mut bomb = vec![word(32), word(100)];
    bomb.extend(vec![word(3_200); 100]);
    bomb.push(word(1_000));
    bomb.extend(vec![word(7); 1_000]);
    assert!(matches!(decode("E(uint8[][])", &bomb), Err(AbiError::TooMuch { what: "values", .. })));
    let mut bomb = vec![word(32), word(4_000)];
    bomb.extend(vec![word(128_000); 4_000]);
    bomb.push(word(1_000));
    bomb.extend(vec![word(7); 40]);
    assert!(matches!(decode("E(bytes[])", &bomb), Err(AbiError::TooMuch { what: "bytes", .. })));
    // Text that is none is bytes.
    assert_eq!(decode("E(string)", &[word(32), word(1), [0xff; 32]]), Ok(vec![Decoded::Bytes(vec![0xff])]));
    let event: Event = "Other(uint8)".parse().unwrap();
    assert_eq!(event.decode(&log), Err(AbiError::OtherEvent));
    let event: Event = "Ping(address, uint256)".parse().unwrap();
    assert_eq!(event.decode(&log), Err(AbiError::Topics { expected: 1, found: 2 }));
}
