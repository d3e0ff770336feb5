//! Functions in Python: what they are given and what they give, what their failures say, what one event leaves for the next, and what
//! they cannot reach. The interpreter is the real one: `scripts/python-layer` puts it beside the runner.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::collections::BTreeSet;

use r3e_proto::api::functions::{Deploy, FunctionError, Instance, Limits, Outcome, Permissions, Runtime};

use appliance::web::RATES;
use appliance::{ALICE, Appliance, ample, output, seal};
use r3e_proto::api::data::SignedObservation;
use support::runner_path;

fn python(source: &str) -> Deploy {
    let layer = runner_path().with_file_name("r3e-python.cwasm");
    assert!(layer.is_file(), "build it first: scripts/python-layer");
    Deploy { runtime: Runtime::Python, limits: ample(), ..Deploy::javascript(source) }
}

async fn failure(appliance: &Appliance, source: &str, event: &str) -> FunctionError {
    appliance.deploy("f", python(source)).await;
    match appliance.invoke("f", event).await.unwrap().outcome {
        Outcome::Error(error) => error,
        other @ Outcome::Output(_) => panic!("{source}: {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn an_event_comes_in_and_a_result_goes_out() {
    let appliance = Appliance::new().await;
    for (source, event, result) in [
        (
            "def handler(event): return event",
            r#"{"a":[1,2.5,null,true,"\u00e4"]}"#,
            r#"{"a":[1,2.5,null,true,"\u00e4"]}"#,
        ),
        ("def main(event): return sorted(event)", "[3,1,2]", "[1,2,3]"),
        ("handler = lambda event, r3e: type(r3e).__name__", "1", r#""module""#),
        ("async def handler(event):\n  async def one(): return 1\n  return await one() + event", "41", "42"),
        (
            "from decimal import Decimal\ndef handler(event): return str(Decimal(event) / 3)",
            "1",
            r#""0.3333333333333333333333333333""#,
        ),
        (
            "import hashlib\ndef handler(event): return hashlib.sha256(event.encode()).hexdigest()[:8]",
            r#""a""#,
            r#""ca978112""#,
        ),
        (
            "import statistics, datetime, re, urllib.parse, dataclasses, zoneinfo, csv\ndef handler(event): return statistics.median(event)",
            "[1,2,9]",
            "2",
        ),
        ("def handler(event): pass", "1", "null"),
    ] {
        assert_eq!(appliance.output(python(source), event).await, result, "{source}");
    }
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn what_is_printed_is_the_log() {
    let appliance = Appliance::new().await;
    let source = "import sys\ndef handler(event):\n  print('one', 2)\n  print('three\\nfour', end='')\n  print('bad', file=sys.stderr)";
    appliance.deploy("f", python(source)).await;
    let logs = appliance.invoke("f", "1").await.unwrap().logs;
    let logs: Vec<_> = logs.iter().map(|line| (line.level.as_str(), line.text.as_str())).collect();
    assert_eq!(logs, [("info", "one 2"), ("info", "three"), ("error", "bad"), ("info", "four")]);
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn the_appliance_is_asked_by_the_module_r3e() {
    let appliance = Appliance::new().await;
    let source = r#"
import r3e
def handler(event):
    before = r3e.store.get("a")
    r3e.store.set("a", {"n": 1})
    after = r3e.store.get("a")
    r3e.store.delete("a")
    codes = []
    taken = r3e.events.publish("t", {"n": 1}, key="k")
    for ask in (lambda: r3e.events.publish("u", 1), lambda: r3e.secrets.get("OTHER"), lambda: r3e.fetch("https://elsewhere.test/")):
        try:
            ask()
        except r3e.HostError as error:
            codes.append(error.code)
    r3e.secrets.set("SET", "value")
    made = r3e.trigger.create({"type": "event", "topic": "t"})
    price = r3e.oracle.get_price("neo-usd")
    drawn = r3e.oracle.get_randomness(1, 6, "block 7")
    same = r3e.oracle.get_random(1, 6, seed="block 7") == drawn["value"]
    gone = [r3e.trigger.delete("t"), r3e.trigger.delete("none")]
    answer = r3e.fetch("https://api.example.com/a", headers={"x-a": "b"})
    read = r3e.chain.read("eip155:1", "0xA", "f(uint256)", [2**200, b"\x01", [True]], confirmations=2)
    assert read == {"height": 7, "values": [["eip155:1", "0xA", "f(uint256)", 2], [str(2**200), "0x01", [True]]], "data": None}, read
    assert r3e.chain.read("eip155:1", "0xA", data=b"\x02")["data"] == "0x02"
    try:
        r3e.chain.read("eip155:2", "0xA", "f()")
    except r3e.HostError as error:
        assert error.code == "denied"
    proved = r3e.zk.create_range_proof([{"value": 2**64 - 1, "min": 0, "max": 2**64 - 1}], "auction 7")
    assert (sorted(proved), proved["proof"]["context"], len(proved["blindings"])) == (["blindings", "proof"], "auction 7", 1), proved
    assert r3e.zk.verify_range_proof(proved["proof"]) is True
    assert r3e.zk.verify_range_proof(proved["proof"] | {"context": "auction 8"}) is False
    sent = r3e.chain.send("w", "eip155:1", "0xB", "f(uint8)", [1], gas_limit=21000, fee_limit=2**70, value=3, key="k")
    assert (sent["name"], sent["stage"], sent["reason"], sorted(sent)) == ("f k", "waiting", "nobody mines", ["hash", "height", "name", "outcome", "reason", "stage", "succeeded"]), sent
    assert r3e.chain.sent(sent["name"])["height"] == 12
    return [same, sorted(drawn), price["answer"], price["sequence"], price["is_stale"], len(price), made, gone, before, after, r3e.store.get("a"), taken, codes, answer.status, answer.text(), answer.headers["x-kind"]]
"#;
    let permissions = Permissions {
        net: vec!["api.example.com".into()],
        publish: vec!["t".into()],
        set_secrets: vec!["SET".into()],
        triggers: true,
        networks: vec!["eip155:1".into()],
        wallets: vec!["w".into()],
        ..Permissions::default()
    };
    let deploy = Deploy { permissions, ..python(source) };
    let expected = r#"[true,["key","max","message","min","output","proof","value"],"-50.12000000",412,false,9,{"name":"t","created":true},[true,false],null,{"n":1},null,{"queued":2,"failed":1},["denied","denied","denied"],200,"hello","test"]"#;
    assert_eq!(appliance.output(deploy, "1").await, expected);
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn proofs_of_circuits_are_verified() {
    let appliance = Appliance::new().await;
    let source = r#"
import r3e
def handler(event):
    key, proof = event["key"], event["proof"]
    return [r3e.zk.verify_proof(key, ["33", 106], proof), r3e.zk.verify_proof(key, ["33", "107"], proof)]
"#;
    let (key, proof) = appliance::SNARK;
    let event = format!(r#"{{"key":{key},"proof":{proof}}}"#);
    assert_eq!(appliance.output(python(source), &event).await, "[true,false]");
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn endpoints_are_asked_and_sign() {
    let appliance = Appliance::new().await;
    let source = r#"
import r3e
def handler(event):
    url = "https://api.example.com/rates"
    data = r3e.oracle.get_custom_data(url, headers={"x-a": "b"}, path="data.rate", targets=["neo-n3:1:0xd2a4cff31913016155e38e474a2c06d08be276cf"])
    try:
        r3e.oracle.get_custom_data(url, path="nothing")
    except r3e.HostError as error:
        code = error.code
    weather = r3e.oracle.get_weather("New York")
    return [data, code, weather["place"], weather["temperature_c"], weather["data"]["value"], len(weather)]
"#;
    let hosts = ["api.example.com", "geocoding-api.open-meteo.com", "api.open-meteo.com"];
    let permissions = Permissions { net: hosts.map(Into::into).into(), ..Permissions::default() };
    let told = appliance.output(Deploy { permissions, ..python(source) }, "1").await;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let data: SignedObservation = serde_json::from_value(told[0].clone()).unwrap();
    let targets = ["neo-n3:1:0xd2a4cff31913016155e38e474a2c06d08be276cf".parse().unwrap()];
    let signed = seal(ALICE).sign_observation(ALICE, data.observation(), &targets).unwrap();
    assert_eq!((data.value.as_str(), data.body.as_deref()), ("1.0830", Some(RATES)));
    assert_eq!(data.signatures, signed.signatures);
    let rest = &told.as_array().unwrap()[1..];
    assert_eq!(serde_json::json!(rest), serde_json::json!(["not_found", "New York", "-3.4", "-3.4", 12]));
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn the_example_keeps_a_median() {
    let appliance = Appliance::new().await;
    appliance.deploy("median", python(include_str!("../../../examples/median/median.py"))).await;
    let event = |a: &str| format!(r#"{{"prices":{{"a":"{a}","b":"12.10","c":"11.90"}}}}"#);
    let first = appliance.invoke("median", &event("12.04")).await.unwrap();
    assert_eq!(output(&first), r#"{"median":"12.04","moved":null}"#);
    let second = appliance.invoke("median", &event("13.00")).await.unwrap();
    assert_eq!(output(&second), r#"{"median":"12.10","moved":"0.06"}"#);
    assert_eq!(second.logs[0].text, "more than 2 % from the median: a");
    let few = appliance.invoke("median", r#"{"prices":{"a":"1"}}"#).await.unwrap();
    assert!(output(&few).contains("ValueError: a median of 1 venues"), "{}", output(&few));
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn a_failure_names_the_lines_of_its_author() {
    let appliance = Appliance::new().await;
    let raised = failure(
        &appliance,
        "def inner():\n    raise ValueError('no')\n\ndef handler(event):\n    inner()\n",
        "1",
    )
    .await;
    assert_eq!((raised.code.as_str(), raised.message.as_str()), ("function_error", "ValueError: no"));
    let stack = raised.stack.unwrap();
    assert!(
        stack.contains("File \"function.py\", line 5, in handler")
            && stack.contains("raise ValueError('no')"),
        "{stack}"
    );
    assert!(!stack.contains("<string>"), "{stack}");
    for (source, said) in [
        ("def handler(event): return {1, 2}", "not JSON serializable"),
        ("def handler(event): return float('nan')", "JSON"),
        ("def handler(event): return handler(event)", "recursion"),
        ("import sys\ndef handler(event): sys.exit(3)", "SystemExit"),
        ("import os\ndef handler(event): os._exit(3)", "status 3"),
        ("import os\ndef handler(event): os.write(1, b'print')", "descriptor"),
        (
            "async def handler(event):\n  class Never:\n    def __await__(self): yield\n  await Never()",
            "never happen",
        ),
    ] {
        let error = failure(&appliance, source, "1").await;
        assert!(error.message.contains(said), "{source}: {}", error.message);
        assert_eq!(error.code, "function_error", "{source}");
    }
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn what_does_not_load_is_refused_when_it_is_deployed() {
    let appliance = Appliance::new().await;
    for (source, said) in [
        ("def handler(event)\n  pass", "SyntaxError"),
        ("x = 1", "handler"),
        ("raise KeyError('a')", "KeyError"),
        ("import numpy\ndef handler(event): pass", "numpy"),
        ("import r3e\nr3e.store.get('a')\ndef handler(event): pass", "only then"),
        ("open('/etc/passwd')\ndef handler(event): pass", "FileNotFoundError"),
        ("x = 'a' * 500_000_000\ndef handler(event): pass", "64 MiB"),
    ] {
        let refused = appliance.refusal_of(python(source)).await;
        assert!(refused.contains(said), "{source}: {refused}");
    }
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn events_share_nothing_unless_they_may() {
    let appliance = Appliance::new().await;
    let counts = "n = 0\ndef handler(event):\n  global n\n  n += 1\n  return n";
    for (reuse, second) in [(false, "1"), (true, "2")] {
        appliance.deploy("f", Deploy { instance: Instance { reuse }, ..python(counts) }).await;
        assert_eq!(output(&appliance.invoke("f", "1").await.unwrap()), "1");
        assert_eq!(output(&appliance.invoke("f", "1").await.unwrap()), second);
    }
    let random = "import random, uuid, secrets\ndef handler(event): return f'{random.random()} {uuid.uuid4()} {secrets.token_hex()}'";
    appliance.deploy("g", python(random)).await;
    let mut drawn = BTreeSet::new();
    for _ in 0..4 {
        let output = output(&appliance.invoke("g", "1").await.unwrap());
        for part in output.trim_matches('"').split(' ') {
            assert!(drawn.insert(part.to_owned()), "{part}");
        }
    }
}

#[tokio::test]
#[ignore = "needs the interpreter: scripts/python-layer"]
async fn limits_hold_and_nothing_outside_is_there() {
    let appliance = Appliance::new().await;
    let limited = |source: &str, limits: Limits| Deploy { limits, ..python(source) };
    for (source, limits, code) in [
        ("def handler(event):\n  while True: pass", Limits { cpu_ms: 300, ..ample() }, "cpu_limit"),
        (
            "import time\ndef handler(event): time.sleep(3600)",
            Limits { timeout_ms: 500, ..ample() },
            "timeout",
        ),
        ("def handler(event): return 'a' * 400_000", ample(), "output_limit"),
        (
            "def handler(event):\n  a = []\n  while True: a.append(bytearray(1 << 20))",
            ample(),
            "memory_limit",
        ),
        ("import r3e\ndef handler(event):\n  while True: r3e.store.get('a')", ample(), "host_call_limit"),
        ("def handler(event): return eval('(' * 5000 + ')' * 5000)", ample(), "function_error"),
        ("import json\ndef handler(event): return json.loads('[' * 100_000)", ample(), "function_error"),
        (
            "import socket\ndef handler(event): return socket.create_connection(('127.0.0.1', 80))",
            ample(),
            "function_error",
        ),
        ("import subprocess\ndef handler(event): return subprocess.run(['ls'])", ample(), "function_error"),
        ("import os\ndef handler(event): return os.listdir('/proc')", ample(), "function_error"),
        (
            "import threading\ndef handler(event): threading.Thread(target=print).start()",
            ample(),
            "function_error",
        ),
        ("import ctypes\ndef handler(event): pass", ample(), "refused"),
    ] {
        if code == "refused" {
            appliance.refusal_of(limited(source, limits)).await;
            continue;
        }
        appliance.deploy("f", limited(source, limits)).await;
        let told = output(&appliance.invoke("f", "1").await.unwrap());
        assert!(told.starts_with(&format!("{code}: ")), "{source}: {told}");
    }
}
