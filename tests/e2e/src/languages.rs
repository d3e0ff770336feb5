//! Functions in the languages beside JavaScript, through the tools a user has, whatever kind of enclave the appliance has: each
//! deploys its example, and has it run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::command::{Home, argument};
use crate::enclave::Place;
use crate::main_job::Town;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

impl<P: Place> Town<P> {
    /// A tenant deploys `examples/fee`, which is in WebAssembly's text form, and has fees computed.
    ///
    /// # Panics
    /// Any of it went otherwise.
    pub fn do_webassembly_job(&self) {
        let (carol, _) = self.admit("carol");
        let (folder, _) = fee(&carol);
        let shown = carol.r3e(&["deploy", argument(&folder), "--json"]).ok();
        assert!(shown.err.contains("1 modules of wasm"), "{}", shown.err);
        let deployed = shown.json();
        assert_eq!(deployed["runtime"], "wasm");
        for (event, fee) in
            [(r#"{"amount":12345,"bp":25}"#, "30"), (r#"{"bp": 10000, "amount": 7}"#, "7"), ("{}", "0")]
        {
            let invoked = invoke(&carol, "fee", event);
            assert_eq!(invoked["output"], fee, "{event}");
            assert_eq!(invoked["version"], deployed["version"]);
        }
    }

    /// A tenant deploys `examples/median`, which is in Python, and has medians taken. The appliance needs Python's layer.
    ///
    /// # Panics
    /// Any of it went otherwise.
    pub fn do_python_job(&self) {
        let (dave, _) = self.admit("dave");
        let deployed =
            dave.r3e(&["deploy", argument(&Path::new(EXAMPLES).join("median")), "--json"]).ok().json();
        assert_eq!(deployed["runtime"], "python");
        for (event, expected) in [
            (
                r#"{"prices":{"a":"12.04","b":"12.10","c":"11.90"}}"#,
                json!({ "median": "12.04", "moved": null }),
            ),
            (
                r#"{"prices":{"a":"12.00","b":"12.10","c":"11.90"}}"#,
                json!({ "median": "12.00", "moved": "-0.04" }),
            ),
        ] {
            let invoked = invoke(&dave, "median", event);
            let output: Value =
                serde_json::from_str(invoked["output"].as_str().expect("a text")).expect("JSON");
            assert_eq!(output, expected, "{event}");
            assert_eq!(invoked["receipt"]["verified"], true);
        }
        let few = dave.r3e(&["functions", "invoke", "median", "--input", r#"{"prices":{"a":"1"}}"#]);
        assert!(few.code != 0 && few.err.contains("three are wanted"), "{}", few.err);
    }
}

impl<P: Place> Town<P> {
    /// A tenant deploys `examples/spread`, which is two files of C#, with `limits` behind its project file, and has spreads taken. The appliance needs
    /// C#'s layer.
    ///
    /// # Panics
    /// Any of it went otherwise.
    pub fn do_csharp_job(&self, limits: &str) {
        let (erin, _) = self.admit("erin");
        let folder = erin.path("spread");
        fs::create_dir(&folder).expect("a folder");
        for file in ["r3e.toml", "Spread.cs", "Book.cs"] {
            fs::copy(Path::new(EXAMPLES).join("spread").join(file), folder.join(file)).expect("the example");
        }
        let project = fs::read_to_string(folder.join("r3e.toml")).expect("the project file");
        fs::write(folder.join("r3e.toml"), project + limits).expect("the project file");
        let shown = erin.r3e(&["deploy", argument(&folder), "--json"]).ok();
        assert!(shown.err.contains("2 modules of csharp"), "{}", shown.err);
        assert_eq!(shown.json()["runtime"], "csharp");
        let event = |ask: &str| {
            format!(r#"{{"venues":{{"a":{{"bid":99.5,"ask":{ask}}},"b":{{"bid":100.4,"ask":101}}}}}}"#)
        };
        for (ask, width, record) in [("100.0", 0.4, true), ("100.1", 0.3, false)] {
            let invoked = invoke(&erin, "spread", &event(ask));
            let output: Value =
                serde_json::from_str(invoked["output"].as_str().expect("a text")).expect("JSON");
            assert_eq!(output, json!({ "buy": "a", "sell": "b", "width": width, "record": record }), "{ask}");
            assert_eq!(invoked["receipt"]["verified"], true);
        }
        let few = erin.r3e(&["functions", "invoke", "spread", "--input", r#"{"venues":{}}"#]);
        assert!(few.code != 0 && few.err.contains("two are wanted"), "{}", few.err);
        let wrong = erin.path("wrong.cs");
        fs::write(
            &wrong,
            "public static class F
{
    public static int Handle() => 1
}
",
        )
        .expect("a file");
        let refused = erin.r3e(&["functions", "deploy", argument(&wrong), "--name", "wrong"]);
        assert!(refused.code != 0 && refused.err.contains("function.cs:4:"), "{}", refused.err);
    }
}

/// `examples/fee` with its module, in a home: the folder, and the module's bytes.
///
/// # Panics
/// It cannot be written.
pub fn fee(home: &Home) -> (PathBuf, Vec<u8>) {
    let folder = home.path("fee");
    let module = fee_in(&folder);
    (folder, module)
}

/// The same, in a folder that is made for it: the module's bytes.
///
/// # Panics
/// It cannot be written.
pub fn fee_in(folder: &Path) -> Vec<u8> {
    let example = Path::new(EXAMPLES).join("fee");
    let module = wat::parse_file(example.join("fee.wat")).expect("a module");
    fs::create_dir(folder).expect("a folder");
    fs::copy(example.join("r3e.toml"), folder.join("r3e.toml")).expect("the example's project file");
    fs::write(folder.join("fee.wasm"), &module).expect("the module's file");
    module
}

fn invoke(home: &Home, function: &str, event: &str) -> Value {
    home.r3e(&["functions", "invoke", function, "--input", event, "--json"]).ok().json()
}
