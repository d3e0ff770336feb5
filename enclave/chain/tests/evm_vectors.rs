//! Against anvil: headers under the rules of several forks, and logs (`vectors/evm.json`, made by `tests/chain/evm-vectors.py`).
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_chain::evm::abi::{AbiError, ArgumentError, Event, Kind, Method, SignatureError, Value as Decoded};
use r3e_chain::evm::{Header, LogFilter, Quantity, read_block, read_logs};
use r3e_chain::limits::MAX_CALL_DATA_BYTES;
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

#[test]
fn methods_are_read_as_people_write_them() {
    let of = |text: &str| text.parse::<Method>().unwrap();
    let plain = of("balanceOf(address)(uint256)");
    for text in [
        "balanceOf(address owner) returns (uint256)",
        "function balanceOf(address owner) external view returns (uint256 balance);",
        "  function balanceOf( address )  public   pure returns(uint256)  ",
        "balanceOf(address) (uint256)",
    ] {
        assert_eq!(of(text), plain, "{text}");
    }
    // Of ERC-20.
    assert_eq!(plain.selector(), [0x70, 0xa0, 0x82, 0x31]);
    let many = of(
        "f((uint8 a, bytes b)[2] memory x, string calldata) returns (int8, (bool, address)[] memory rows)",
    );
    assert_eq!(many.parameters[0].to_string(), "(uint8,bytes)[2]");
    assert_eq!(many.returns[1].to_string(), "(bool,address)[]");
    for nothing in ["f()", "f() view", "function f();", "f()()", "f() external payable", "f() returns ()"] {
        assert!(of(nothing).parameters.is_empty() && of(nothing).returns.is_empty(), "{nothing}");
    }
    for wrong in [
        "",
        "f",
        "(uint256)",
        "f(uint256",
        "f(uint256) view (",
        "f() returns",
        "f() returns uint256",
        "f() returns (uint256) x",
        "f() returns (uint256)(uint256)",
        "f(uint256 indexed a b)",
        "f(uint)",
        "f() whatever",
        "1f()",
        "f(,)",
        "f() viewreturns (uint8) x",
    ] {
        assert!(wrong.parse::<Method>().is_err(), "{wrong}");
    }
}

/// The examples of Solidity's ABI specification, byte for byte.
#[test]
fn calls_of_the_specification() {
    let data = |method: &str, arguments: Value| {
        let method: Method = method.parse().unwrap();
        hex::encode(method.call(arguments.as_array().unwrap()).unwrap())
    };
    let word = |last: &str| format!("{last:0>64}");
    let padded = |first: &str| format!("{first:0<64}");
    assert_eq!(data("baz(uint32,bool)", json!([69, true])), format!("cdcd77c0{}{}", word("45"), word("1")));
    let bar = format!("fce353f6{}{}", padded("616263"), padded("646566"));
    assert_eq!(data("bar(bytes3[2])", json!([["0x616263", "0x646566"]])), bar);
    let sam = ["60", "1", "a0", "4"].map(word).join("")
        + &padded("64617665")
        + &["3", "1", "2", "3"].map(word).join("");
    assert_eq!(
        data("sam(bytes,bool,uint256[])", json!(["0x64617665", true, [1, "2", 3]])),
        format!("a5643bf2{sam}")
    );
    let f = word("123")
        + &word("80")
        + &padded("31323334353637383930")
        + &["e0", "2", "456", "789", "d"].map(word).join("")
        + &padded("48656c6c6f2c20776f726c6421");
    let arguments = json!([0x123, [0x456, 0x789], "0x31323334353637383930", "0x48656c6c6f2c20776f726c6421"]);
    assert_eq!(data("f(uint256,uint32[],bytes10,bytes)", arguments), format!("8be65246{f}"));
    let g = ["40", "140", "2", "40", "a0", "2", "1", "2", "1", "3", "3", "60", "a0", "e0"].map(word).join("")
        + &word("3")
        + &padded("6f6e65")
        + &word("3")
        + &padded("74776f")
        + &word("5")
        + &padded("7468726565");
    let arguments = json!([[[1, 2], [3]], ["one", "two", "three"]]);
    assert_eq!(data("g(uint256[][],string[])", arguments), format!("2289b18c{g}"));
    // Below zero, in two's complement.
    assert_eq!(data("h(int8)", json!(["-1"])).split_at(8).1, "f".repeat(64));
}

#[test]
fn arguments_that_are_none_of_the_types() {
    let wrong = |kind: &str, argument: Value| {
        let method: Method = format!("f({kind})").parse().unwrap();
        matches!(method.call(std::slice::from_ref(&argument)), Err(ArgumentError::Kind { .. }))
    };
    let above = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    for (kind, argument) in [
        ("uint8", json!(256)),
        ("uint8", json!(-1)),
        ("uint8", json!("-1")),
        ("uint8", json!("0x1")),
        ("uint8", json!("01")),
        ("uint8", json!(1.0)),
        ("uint8", json!(true)),
        ("uint8", json!(null)),
        ("uint256", json!(above)),
        ("uint256", json!(9_007_199_254_740_992_u64)),
        ("int8", json!(128)),
        ("int8", json!("-129")),
        ("bool", json!(1)),
        ("bool", json!("true")),
        ("address", json!("0x00")),
        ("address", json!(0)),
        // EIP-55.
        ("address", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")),
        ("bytes2", json!("0x01")),
        ("bytes2", json!("0x010203")),
        ("bytes", json!("01")),
        ("bytes", json!("0x0")),
        ("string", json!(1)),
        ("uint8[]", json!("0x01")),
        ("uint8[2]", json!([1])),
        ("(uint8,bool)", json!([1])),
        ("(uint8)", json!(1)),
    ] {
        assert!(wrong(kind, argument.clone()), "{kind} {argument}");
    }
    let method: Method = "f(uint8)".parse().unwrap();
    assert_eq!(method.call(&[]), Err(ArgumentError::Count { expected: 1, found: 0 }));
    // Types ask for more than anybody wrote, and values for more than a call has.
    let wide: Method = "f(uint8[1024][1024][1024][])".parse().unwrap();
    assert!(wide.call(&[json!([])]).is_ok());
    assert!(wide.call(&[json!([[[]]])]).is_err());
    let bytes: Method = "f(bytes)".parse().unwrap();
    let of = |length: usize| bytes.call(&[json!(format!("0x{}", "00".repeat(length)))]);
    assert!(of(MAX_CALL_DATA_BYTES - 64).is_ok());
    assert_eq!(of(MAX_CALL_DATA_BYTES - 63), Err(ArgumentError::TooLong));
}
