//! A function on its author's machine: begun, tested and served by the tools, with no appliance anywhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use r3e_e2e::languages::fee_in;
use r3e_e2e::ports::free_port;
use r3e_e2e::process::Process;
use r3e_e2e::programs::program;
use serde_json::{Value, json};
use tempfile::TempDir;

/// For a program of a debug build to see a changed file, compile it and load it, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

struct Author(TempDir);

impl Author {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn r3e(&self, arguments: &[&str]) -> Output {
        Command::new(program("r3e"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// The report of a folder's tests, and the exit code.
    fn test(&self, folder: &str) -> (Value, Option<i32>) {
        let done = self.r3e(&["functions", "test", folder, "--json"]);
        let report = serde_json::from_slice(&done.stdout);
        (report.unwrap_or_else(|_| panic!("{}", text(&done.stderr))), done.status.code())
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn replace(path: &Path, from: &str, to: &str) {
    let before = fs::read_to_string(path).unwrap();
    assert!(before.contains(from), "{from:?} is not in {}", path.display());
    fs::write(path, before.replace(from, to)).unwrap();
}

#[test]
fn each_template_begins_with_tests_that_pass_and_is_not_written_over() {
    let author = Author::new();
    for (template, cases) in
        [("function", 3), ("price-alert", 3), ("cron", 2), ("http", 3), ("chain-event", 3)]
    {
        let folder = format!("my-{template}");
        let done = author.r3e(&["init", &folder, "--template", template, "--json"]);
        assert!(done.status.success(), "{}", text(&done.stderr));
        let shown: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(shown["name"], folder);
        for file in shown["files"].as_array().unwrap() {
            assert!(author.path(&folder).join(file.as_str().unwrap()).is_file(), "{file}");
        }
        let (report, code) = author.test(&folder);
        assert_eq!(
            (code, &report["passed"], &report["failed"]),
            (Some(0), &json!(cases), &json!(0)),
            "{report}"
        );

        fs::write(author.path(&folder).join("src/main.ts"), "mine").unwrap();
        let again = author.r3e(&["init", &folder, "--template", template]);
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("nothing was written"), "{}", text(&again.stderr));
        assert_eq!(fs::read_to_string(author.path(&folder).join("src/main.ts")).unwrap(), "mine");
    }
    let unnamed = author.r3e(&["init", "no name"]);
    assert_eq!(unnamed.status.code(), Some(2));
    assert!(text(&unnamed.stderr).contains("--name"), "{}", text(&unnamed.stderr));
}

#[test]
fn a_test_that_fails_says_what_was_not_as_expected() {
    let author = Author::new();
    assert!(author.r3e(&["init", "alert", "--template", "price-alert"]).status.success());
    let source = author.path("alert/src/main.ts");
    let tests = author.path("alert/tests/main.test.toml");
    // It asks another host than it was granted, and another address than the case answers for.
    replace(&source, "https://venue.example/v1/ticker", "https://elsewhere.example/v1/ticker");
    let (report, code) = author.test("alert");
    assert_eq!((code, &report["passed"]), (Some(1), &json!(0)));
    let reasons = report["cases"][0]["reasons"].to_string();
    assert!(
        reasons.contains("not granted that host") && reasons.contains("it never asked for GET"),
        "{reasons}"
    );
    replace(&source, "https://elsewhere.example/v1/ticker", "https://venue.example/v2/ticker");
    let (report, _) = author.test("alert");
    let reasons = report["cases"][0]["reasons"].to_string();
    assert!(reasons.contains("v2/ticker?pair=NEO-USD, for which the case has no answer"), "{reasons}");
    replace(&source, "v2", "v1");

    // Another output, a value that it did not keep, a line that it did not log.
    replace(&tests, r#"alert = "crossed up""#, r#"alert = "crossed down""#);
    replace(&tests, r#"store = { NEO-USD = "over" }"#, "store = { NEO-USD = 1 }\nlogs = [\"crossed\"]");
    let (report, code) = author.test("alert");
    assert_eq!((code, &report["passed"], &report["failed"]), (Some(1), &json!(2), &json!(1)));
    let reasons = report["cases"][0]["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    let human = author.r3e(&["functions", "test", "alert", "--only", "crosses"]);
    assert_eq!(human.status.code(), Some(1));
    assert!(
        text(&human.stdout).contains("FAIL an alert") && text(&human.stdout).contains("0 passed, 1 failed")
    );

    // What is no test, and what does not compile, is wrong usage.
    replace(&tests, "[[case.fetch]]", "[[case.fetches]]");
    let broken = author.r3e(&["functions", "test", "alert"]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(text(&broken.stderr).contains("main.test.toml"), "{}", text(&broken.stderr));
    replace(&tests, "[[case.fetches]]", "[[case.fetch]]");
    replace(&source, "export default", "export default export");
    let broken = author.r3e(&["functions", "test", "alert"]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(text(&broken.stderr).contains("src/main.ts:"), "{}", text(&broken.stderr));
}

#[test]
fn a_served_function_follows_its_files_and_outlives_their_mistakes() {
    let author = Author::new();
    assert!(author.r3e(&["init", "sum"]).status.success());
    let (source, port) = (author.path("sum/src/main.ts"), free_port());
    let (listen, folder) = (format!("127.0.0.1:{port}"), author.path("sum"));
    let arguments = ["run".as_ref(), folder.as_os_str(), "--listen".as_ref(), listen.as_ref()];
    let log = author.path("log");
    let _serving = Process::start("r3e-dev", &program("r3e-dev"), arguments, &log);

    await_answer(port, r#"{"a":1,"b":2}"#, r#"{"sum":3,"calls":1}"#);
    assert_eq!(
        ask(port, r#"{"a":1,"b":2}"#),
        Some((200, r#"{"sum":3,"calls":2}"#.to_owned())),
        "it keeps values"
    );
    let (status, body) = ask(port, r#"{"a":"1"}"#).unwrap();
    assert_eq!(status, 422);
    assert!(body.contains("function_error") && body.contains("src/main.ts:"), "{body}");
    assert_eq!(ask(port, "{").unwrap().0, 400);

    replace(&source, "sum: a + b", "sum: a * b");
    await_answer(port, r#"{"a":3,"b":4}"#, r#"{"sum":12"#);
    replace(&source, "export default", "export default export");
    await_log(&log, "src/main.ts:");
    assert!(ask(port, r#"{"a":3,"b":4}"#).unwrap().1.contains(r#""sum":12"#), "what loaded serves on");
    replace(&source, "export default export", "export default");
    replace(&source, "sum: a * b", "sum: a - b");
    await_answer(port, r#"{"a":3,"b":4}"#, r#"{"sum":-1"#);
}

#[test]
fn one_event_is_given_with_the_secrets_of_a_file() {
    let author = Author::new();
    assert!(author.r3e(&["init", "told"]).status.success());
    let folder = author.path("told");
    let source =
        "export default async (names: string[]) => Promise.all(names.map((name) => r3e.secrets.get(name)));";
    fs::write(folder.join("src/main.ts"), source).unwrap();
    replace(&folder.join("r3e.toml"), "secrets = []", r#"secrets = ["KEY"]"#);
    fs::write(folder.join("secrets.dev.toml"), "KEY = \"one\"\nOTHER = \"two\"\n").unwrap();
    let invoke = |arguments: &[&str]| {
        let mut command = Command::new(program("r3e-dev"));
        command.arg("invoke").arg(&folder).args(arguments).env_clear().output().unwrap()
    };
    let done = invoke(&["--event", r#"["KEY"]"#]);
    assert_eq!(
        (done.status.code(), text(&done.stdout).trim()),
        (Some(0), r#"["one"]"#),
        "{}",
        text(&done.stderr)
    );
    let other = author.path("other.toml");
    fs::write(&other, "KEY = \"three\"\n").unwrap();
    let done = invoke(&["--event", r#"["KEY"]"#, "--secrets", other.to_str().unwrap(), "--json"]);
    let shown: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(shown["outcome"]["output"], r#"["three"]"#, "{shown}");
    // What its manifest does not declare, it is not given.
    let done = invoke(&["--event", r#"["OTHER"]"#]);
    assert_eq!(done.status.code(), Some(4));
    assert!(text(&done.stderr).contains("does not name that secret"), "{}", text(&done.stderr));
    assert_eq!(invoke(&["--event", "{"]).status.code(), Some(2));
}

#[test]
fn a_function_in_webassembly_runs_as_one_in_javascript_does() {
    let author = Author::new();
    let folder = author.path("fee");
    fee_in(&folder);
    let mut command = Command::new(program("r3e-dev"));
    let done = command.arg("invoke").arg(&folder).args(["--event", r#"{"amount":12345,"bp":25}"#]);
    let done = done.env_clear().output().unwrap();
    assert_eq!((done.status.code(), text(&done.stdout).trim()), (Some(0), "30"), "{}", text(&done.stderr));
}

/// Asks until the answer begins so.
fn await_answer(port: u16, event: &str, beginning: &str) {
    let end = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < end {
        last = ask(port, event);
        if last.as_ref().is_some_and(|(status, body)| *status == 200 && body.starts_with(beginning)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{last:?} does not begin with {beginning}");
}

fn await_log(log: &Path, text: &str) {
    let end = Instant::now() + PATIENCE;
    while !fs::read_to_string(log).unwrap().contains(text) {
        assert!(Instant::now() < end, "{}", fs::read_to_string(log).unwrap());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Status and body of an event; none where nobody answers.
fn ask(port: u16, event: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let length = event.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{event}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
