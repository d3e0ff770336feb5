//! Functions in C#: what they are given and what they give, what their failures say, what one event leaves for the next, and what
//! they cannot reach. Compiler and runtime are the real ones: `scripts/csharp-layer` puts them beside the runner.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use r3e_proto::api::functions::{Deploy, FunctionError, Instance, Limits, Outcome, Permissions, Runtime};

use appliance::web::RATES;
use appliance::{ALICE, Appliance, NOW_S, ample, output, seal};
use r3e_proto::api::data::SignedObservation;
use support::runner_path;

fn csharp(source: &str) -> Deploy {
    let layer = runner_path().with_file_name("r3e-csharp");
    assert!(layer.is_file(), "build it first: scripts/csharp-layer");
    Deploy { runtime: Runtime::Csharp, limits: ample(), ..Deploy::javascript(source) }
}

/// A function of one class, whose methods these are.
fn class(methods: &str) -> Deploy {
    csharp(&format!(
        "using System; using System.Collections.Generic; using System.Linq; using System.Threading; \
         using System.Threading.Tasks; using R3E;\npublic static class F {{\n{methods}\n}}"
    ))
}

async fn failure(appliance: &Appliance, methods: &str, event: &str) -> FunctionError {
    appliance.deploy("f", class(methods)).await;
    match appliance.invoke("f", event).await.unwrap().outcome {
        Outcome::Error(error) => error,
        other @ Outcome::Output(_) => panic!("{methods}: {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn an_event_comes_in_and_a_result_goes_out() {
    let appliance = Appliance::new().await;
    for (methods, event, result) in [
        (
            "public static object Handle(object e) => e;",
            r#"{"a":[1,2.50,null,true,"\u00e4\ud83d\ude00\n",{}],"b":12345678901234567890}"#,
            r#"{"a":[1,2.50,null,true,"ä😀\n",{}],"b":12345678901234567890}"#,
        ),
        ("public static int[] Handle(List<int> e) => e.OrderBy(n => n).ToArray();", "[3,1,2]", "[1,2,3]"),
        ("public static void Handle() {}", "1", "null"),
        (
            "public sealed class Order { public string Id; public decimal Price { get; set; } public int? Count; }\n\
             public static object Handle(Order e) => new { e.Id, cost = e.Price * (e.Count ?? 1) };",
            r#"{"id":"a","price":12.10,"COUNT":3,"more":[{}]}"#,
            r#"{"Id":"a","cost":36.30}"#,
        ),
        (
            "public static async Task<int> Handle(int e) { await Task.Delay(5); await Task.Yield(); \
             return e + await Task.Run(() => 1); }",
            "41",
            "42",
        ),
        ("public static async Task Handle() { await Task.Delay(1); }", "1", "null"),
        (
            "public static int Handle(int e) { var n = 0; var t = Enumerable.Range(0, 8).Select(_ => new Thread(() => \
             Interlocked.Add(ref n, e))).ToList(); t.ForEach(x => x.Start()); t.ForEach(x => x.Join()); return n; }",
            "2",
            "16",
        ),
        (
            "public static string Handle(string e) { using (var h = System.Security.Cryptography.SHA256.Create()) return \
             BitConverter.ToString(h.ComputeHash(System.Text.Encoding.UTF8.GetBytes(e))).Substring(0, 11); }",
            r#""a""#,
            r#""CA-97-81-12""#,
        ),
        (
            "public static object Handle(Dictionary<string, double> e) => new object[] { e.Values.Sum(), 1e300, 'c', \
             DayOfWeek.Friday, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), new byte[] { 1, 2 }, (1, 2).Item2 };",
            r#"{"a":0.5,"b":1}"#,
            r#"[1.5,1E+300,"c","Friday","2026-01-02T03:04:05.0000000Z","AQI=",2]"#,
        ),
        (
            "public static bool Handle() => DateTime.UtcNow.Year > 2024 && TimeZoneInfo.Local.BaseUtcOffset == TimeSpan.Zero \
             && System.Diagnostics.Stopwatch.StartNew().ElapsedTicks >= 0;",
            "1",
            "true",
        ),
        (
            "public static string Handle(string e) => new System.Text.RegularExpressions.Regex(\"b+\").Replace(e, \"-\") \
             + System.Numerics.BigInteger.Pow(2, 70);",
            r#""abbc""#,
            r#""a-c1180591620717411303424""#,
        ),
    ] {
        assert_eq!(appliance.output(class(methods), event).await, result, "{methods}");
    }
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn several_files_are_one_function() {
    let appliance = Appliance::new().await;
    let modules = |files: &[(&str, &str)]| {
        let modules: BTreeMap<_, _> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Deploy { limits: ample(), ..Deploy::modules(Runtime::Csharp, files[0].0, modules) }
    };
    let main = "public static class A { public static int Handle(int e) => lib.B.Twice(e); }";
    let library = "namespace lib { static class B { internal static int Twice(int n) => 2 * n; } }";
    assert_eq!(appliance.output(modules(&[("A.cs", main), ("lib/B.cs", library)]), "21").await, "42");
    let refused = appliance.refusal_of(modules(&[("A.cs", main), ("lib/B.cs", "class B\n{ int; }")])).await;
    assert!(refused.contains("lib/B.cs:2:"), "{refused}");
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn what_is_printed_is_the_log() {
    let appliance = Appliance::new().await;
    let methods = "public static void Handle() { Console.WriteLine(\"one {0}\", 2); Console.Write(\"three\\nfour\"); \
                   Console.Error.WriteLine(\"bad\"); Log.Warn(\"mind\"); Log.Debug(\"a\\nb\"); }";
    appliance.deploy("f", class(methods)).await;
    let logs = appliance.invoke("f", "1").await.unwrap().logs;
    let logs: Vec<_> = logs.iter().map(|line| (line.level.as_str(), line.text.as_str())).collect();
    let expected = [
        ("info", "one 2"),
        ("info", "three"),
        ("error", "bad"),
        ("warn", "mind"),
        ("debug", "a"),
        ("debug", "b"),
        ("info", "four"),
    ];
    assert_eq!(logs, expected);
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn the_appliance_is_asked_by_the_classes_of_r3e() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "s3cret");
    let methods = r#"
static string Code(Action ask) { try { ask(); return "none"; } catch (HostException error) { return error.Code; } }
public static object Handle() {
    var before = Store.Get("a");
    Store.Set("a", new { n = 1 });
    var after = Store.Get<Dictionary<string, int>>("a")["n"];
    Store.Delete("a");
    var taken = Events.Publish("t", new { n = 1 }, "k");
    var codes = new[] {
        Code(() => Events.Publish("u", 1)), Code(() => Secrets.Get("OTHER")), Code(() => Http.Fetch("https://elsewhere.test/")),
    };
    var answer = Http.Fetch("https://api.example.com/a", headers: new Dictionary<string, string> { ["x-a"] = "b" });
    Secrets.Set("SET", "value");
    var made = Trigger.Create(new { type = "event", topic = "t" });
    var price = Oracle.GetPrice("neo-usd");
    var drawn = Oracle.GetRandomness(1, 6, "block 7");
    var same = Oracle.GetRandom(1, 6, "block 7") == drawn.Value && drawn.Proof.Length == 164;
    var missing = Code(() => Oracle.GetPrice("other"));
    var gone = new[] { Trigger.Delete("t"), Trigger.Delete("none") };
    var document = Encoding(Tee.GetAttestation("data"));
    var big = System.Numerics.BigInteger.Pow(2, 200);
    var read = Chain.Read("eip155:1", "0xA", "f(uint256)", new object[] { big, 5, new byte[] { 1 }, new[] { true } }, confirmations: 2);
    var raw = Chain.Read("eip155:1", "0xA", data: "0x02");
    var denied = "none";
    try { Chain.Read("eip155:2", "0xA", "f()"); } catch (HostException error) { denied = error.Code; }
    var proved = Zk.CreateRangeProof(new[] { new HiddenNumber { Value = ulong.MaxValue, Min = 1, Max = ulong.MaxValue } }, "auction 7");
    if (!Zk.VerifyRangeProof(proved.Proof) || proved.Blindings.Count != 1) throw new Exception(proved.Proof);
    if (Zk.VerifyRangeProof(proved.Proof.Replace("auction 7", "auction 8"))) throw new Exception("another context");
    var sent = Chain.Send("w", "eip155:1", "0xB", "k", 21000, "7", "f(uint8)", new object[] { 1 });
    var ended = Chain.Sent(sent.Name);
    if (sent.Stage != "waiting" || sent.Height != null || sent.Succeeded != null) throw new Exception(sent.Stage);
    if (ended.Outcome != "included" || ended.Height != 12 || ended.Succeeded != false) throw new Exception(ended.Outcome);
    Store.Set("read", new object[] { read.Height, read.Values, read.Data, raw.Data, denied });
    return new object[] { same, drawn.ToDictionary().Count, price.Pair, price.Answer, price.Decimals, price.ValidUntilMs, price.Sequence, price.IsStale, missing, made.Name, made.Created, gone, before, after, Store.Get("a"), taken.Queued, taken.Failed, codes, answer.Status, answer.Text(),
        answer.Headers["x-kind"], Secrets.Get("KEY"), document };
}
static string Encoding(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);
"#;
    let permissions = Permissions {
        secrets: vec!["KEY".into()],
        net: vec!["api.example.com".into()],
        publish: vec!["t".into()],
        set_secrets: vec!["SET".into()],
        triggers: true,
        networks: vec!["eip155:1".into()],
        wallets: vec!["w".into()],
    };
    let deploy = Deploy { permissions, ..class(methods) };
    let expected = r#"[true,7,"NEO/USD","-50.12000000",8,1795291200000,412,false,"not_found","t",true,[true,false],null,1,null,2,1,["denied","denied","denied"],200,"hello","test","s3cret","document"]"#;
    assert_eq!(appliance.output(deploy, "1").await, expected);
    let read = class("public static object Handle() => Store.Get(\"read\");");
    let exact = "1606938044258990275541962092341162602522202993782792835301376";
    let expected = format!(
        r#"[7,[["eip155:1","0xA","f(uint256)",2],["{exact}","5","0x01",[true]]],null,"0x02","denied"]"#
    );
    assert_eq!(appliance.output(read, "1").await, expected);
    assert_eq!(appliance.attestation.asked.lock().unwrap()[0].2, b"data");
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn proofs_of_circuits_are_verified() {
    let appliance = Appliance::new().await;
    let [key, proof] = <[&str; 2]>::from(appliance::SNARK).map(|json| json.replace('"', "\"\""));
    let methods = format!(
        r#"
public static object Handle() {{
    string key = @"{key}", proof = @"{proof}";
    return new[] {{ Zk.VerifyProof(key, new[] {{ "33", "106" }}, proof), Zk.VerifyProof(key, new[] {{ "33", "107" }}, proof) }};
}}
"#
    );
    assert_eq!(appliance.output(class(&methods), "1").await, "[true,false]");
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn endpoints_are_asked_and_sign() {
    let appliance = Appliance::new().await;
    let methods = r#"
public static object Handle() {
    var url = "https://api.example.com/rates";
    var headers = new Dictionary<string, string> { ["x-a"] = "b" };
    var data = Oracle.GetCustomData(url, headers, "data.rate", new[] { "neo-n3:1:0xd2a4cff31913016155e38e474a2c06d08be276cf" });
    var bytes = Oracle.GetCustomData("https://api.example.com/bytes");
    var code = "none";
    try { Oracle.GetCustomData(url, path: "nothing"); } catch (HostException error) { code = error.Code; }
    var weather = Oracle.GetWeather("New York");
    return new object[] { data.ToDictionary(), data.Value, data.Status, data.ObservedAtS, bytes.BodyBase64, bytes.Body, code,
        weather.Place, weather.TemperatureC, weather.Data.Value };
}
"#;
    let hosts = ["api.example.com", "geocoding-api.open-meteo.com", "api.open-meteo.com"];
    let permissions = Permissions { net: hosts.map(Into::into).into(), ..Permissions::default() };
    let told = appliance.output(Deploy { permissions, ..class(methods) }, "1").await;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let data: SignedObservation = serde_json::from_value(told[0].clone()).unwrap();
    let targets = ["neo-n3:1:0xd2a4cff31913016155e38e474a2c06d08be276cf".parse().unwrap()];
    let signed = seal(ALICE).sign_observation(ALICE, data.observation(), &targets).unwrap();
    assert_eq!(data.body.as_deref(), Some(RATES));
    assert_eq!(data.signatures, signed.signatures);
    let rest = &told.as_array().unwrap()[1..];
    let expected =
        serde_json::json!(["1.0830", 200, NOW_S, "AP8=", null, "not_found", "New York", "-3.4", "-3.4"]);
    assert_eq!(serde_json::json!(rest), expected);
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn calls_of_several_threads_are_out_at_once() {
    let appliance = Appliance::new().await;
    let methods = "public static async Task<object> Handle() { var all = Enumerable.Range(0, 30).Select(n => Task.Run(() => { \
                   Store.Set(\"k\" + n, n); return Store.Get<int>(\"k\" + n); })); return (await Task.WhenAll(all)).Sum(); }";
    assert_eq!(appliance.output(class(methods), "1").await, "435");
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn the_example_keeps_the_widest_spread() {
    let appliance = Appliance::new().await;
    let files = [
        ("Spread.cs", include_str!("../../../examples/spread/Spread.cs")),
        ("Book.cs", include_str!("../../../examples/spread/Book.cs")),
    ];
    let modules = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let deploy = Deploy { limits: ample(), ..Deploy::modules(Runtime::Csharp, "Spread.cs", modules) };
    appliance.deploy("spread", deploy).await;
    let event = |ask: &str| {
        format!(r#"{{"venues":{{"a":{{"bid":99.5,"ask":{ask}}},"b":{{"bid":100.4,"ask":101}}}}}}"#)
    };
    let first = appliance.invoke("spread", &event("100.0")).await.unwrap();
    assert_eq!(output(&first), r#"{"buy":"a","sell":"b","width":0.4,"record":true}"#);
    assert_eq!(first.logs[0].text, "wider than ever: a to b");
    let second = appliance.invoke("spread", &event("100.1")).await.unwrap();
    assert_eq!(output(&second), r#"{"buy":"a","sell":"b","width":0.3,"record":false}"#);
    let few = appliance.invoke("spread", r#"{"venues":{}}"#).await.unwrap();
    assert!(output(&few).contains("ArgumentException: a spread of 0 venues"), "{}", output(&few));
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn a_failure_names_the_lines_of_its_author() {
    let appliance = Appliance::new().await;
    let thrown = failure(
        &appliance,
        "static void Inner() {\n    throw new InvalidOperationException(\"no\");\n}\npublic static void Handle() { Inner(); }",
        "1",
    )
    .await;
    assert_eq!(
        (thrown.code.as_str(), thrown.message.as_str()),
        ("function_error", "InvalidOperationException: no")
    );
    let stack = thrown.stack.unwrap();
    assert!(stack.contains("function.cs:6") && !stack.contains("R3E.Loop"), "{stack}");
    for (methods, event, said) in [
        ("public static object Handle() => double.NaN;", "1", "JSON"),
        ("public static object Handle() => (Action)(() => {});", "1", "JSON"),
        ("public static object Handle(int e) => e;", "\"a\"", "Int32"),
        ("public static object Handle(byte e) => e;", "256", "Byte"),
        ("public static object Handle(int e) => e;", "1.5", "Int32"),
        (
            "public static async Task Handle() { await Task.Yield(); throw new Exception(\"late\"); }",
            "1",
            "late",
        ),
        ("public static object Handle() { Environment.Exit(3); return 1; }", "1", ""),
        ("public static int Handle(string e) => e.Length;", "null", "NullReferenceException"),
        (
            "public static void Handle() { var t = new Thread(() => throw new Exception(\"aside\")); t.Start(); t.Join(); \
             Thread.Sleep(2000); }",
            "1",
            "aside",
        ),
        ("static F() { throw new Exception(\"early\"); } public static void Handle() {}", "1", "early"),
    ] {
        let error = failure(&appliance, methods, event).await;
        let told = format!("{} {:?}", error.message, error.stack);
        assert!(told.contains(said), "{methods}: {told}");
        let code = if said.is_empty() { "crashed" } else { "function_error" };
        assert_eq!(error.code, code, "{methods}");
    }
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn what_does_not_compile_is_refused_when_it_is_deployed() {
    let appliance = Appliance::new().await;
    for (source, said) in [
        ("public static class F { public static int Handle() => 1 }", "function.cs:1:"),
        ("public static class F { public static int Handle() => x; }", "CS0103"),
        ("public static class F { }", "`Handle`"),
        ("static class F { public static int Handle() => 1; }", "`Handle`"),
        ("public static class F { public static int Handle(int a, int b) => 1; }", "the event"),
        (
            "public class F { public static int Handle() => 1; } public class G { public static int Handle() => 1; }",
            "two",
        ),
        ("using Newtonsoft.Json; public static class F { public static int Handle() => 1; }", "Newtonsoft"),
        ("#error no\npublic static class F { public static int Handle() => 1; }", "no"),
        ("\u{1}", "function.cs:1:"),
    ] {
        let refused = appliance.refusal_of(csharp(source)).await;
        assert!(refused.contains(said), "{source}: {refused}");
    }
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn events_share_nothing_unless_they_may() {
    let appliance = Appliance::new().await;
    let counts = "static int n; public static int Handle() => ++n;";
    for (reuse, second) in [(false, "1"), (true, "2")] {
        appliance.deploy("f", Deploy { instance: Instance { reuse }, ..class(counts) }).await;
        assert_eq!(output(&appliance.invoke("f", "1").await.unwrap()), "1");
        assert_eq!(output(&appliance.invoke("f", "1").await.unwrap()), second);
    }
    let random = "public static string Handle() { var b = new byte[8]; using (var r = \
                  System.Security.Cryptography.RandomNumberGenerator.Create()) r.GetBytes(b); \
                  return new Random().NextDouble() + \" \" + Guid.NewGuid() + \" \" + BitConverter.ToString(b); }";
    appliance.deploy("g", class(random)).await;
    let mut drawn = BTreeSet::new();
    for _ in 0..4 {
        let output = output(&appliance.invoke("g", "1").await.unwrap());
        for part in output.trim_matches('"').split(' ') {
            assert!(drawn.insert(part.to_owned()), "{part}");
        }
    }
}

#[tokio::test]
#[ignore = "needs the runtime: scripts/csharp-layer"]
async fn limits_hold_and_nothing_outside_is_there() {
    let appliance = Appliance::new().await;
    for (methods, limits, codes) in [
        (
            "public static void Handle() { while (true) {} }",
            Limits { cpu_ms: 300, ..ample() },
            &["cpu_limit"][..],
        ),
        (
            "public static void Handle() => Thread.Sleep(3600000);",
            Limits { timeout_ms: 700, ..ample() },
            &["timeout"],
        ),
        ("public static string Handle() => new string('a', 400000);", ample(), &["output_limit"]),
        (
            "public static void Handle() { var a = new List<byte[]>(); while (true) a.Add(new byte[1 << 20]); }",
            ample(),
            &["memory_limit"],
        ),
        ("public static void Handle() { while (true) Store.Get(\"a\"); }", ample(), &["host_call_limit"]),
        (
            "public static string Handle() => System.IO.File.ReadAllText(\"/etc/passwd\");",
            ample(),
            &["function_error"],
        ),
        (
            "public static void Handle() => new System.Net.Sockets.TcpClient().Connect(\"127.0.0.1\", 80);",
            ample(),
            &["function_error"],
        ),
        (
            "[System.Runtime.InteropServices.DllImport(\"libc\")] static extern int getpid();\n\
             public static int Handle() => getpid();",
            ample(),
            &["function_error"],
        ),
    ] {
        appliance.deploy("f", Deploy { limits, ..class(methods) }).await;
        let told = output(&appliance.invoke("f", "1").await.unwrap());
        assert!(codes.iter().any(|code| told.starts_with(&format!("{code}: "))), "{methods}: {told}");
    }
}
