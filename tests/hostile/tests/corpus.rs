//! Every hostile function ends as it must, another tenant is served beside it and after it, and nothing is left of it.

use std::collections::BTreeMap;
use std::process::Command;

use r3e_hostile::{Script, corpus};

/// The corpus covers what it is for.
const AT_LEAST: usize = 220;

#[test]
fn every_script_says_what_it_is() {
    let scripts = corpus::read().unwrap();
    assert!(scripts.len() >= AT_LEAST, "{} scripts", scripts.len());
    let mut attacks = BTreeMap::new();
    for script in &scripts {
        let other = attacks.insert(script.attack.clone(), script.name.clone());
        assert_eq!(other, None, "{} is the attack of {other:?}", script.name);
        assert!(script.attack.ends_with('.'), "{}: a sentence", script.name);
    }
}

#[test]
fn a_script_that_does_not_say_so_is_refused() {
    for source in [
        "export default () => 1;",
        "// attack: A.\n// limit: cpu\n",
        "// attack: A.\n// ends: timeout\n",
        "// limit: cpu\n// ends: timeout\n",
        "// attack: A.\n// limit: soon\n// ends: timeout\n",
        "// attack: A.\n// limit: cpu\n// ends: whatever\n",
        "// attack: A.\n// limit: cpu\n// ends: timeout\n// ends: timeout\n",
        "// attack: A.\n// limit: cpu\n// ends: timeout\n// again: maybe\n",
        "// attack: A.\n// limit: cpu\n// colour: red\n// ends: timeout\n",
    ] {
        assert!(Script::parse("bad", source.to_owned()).is_err(), "{source}");
    }
}

#[test]
fn every_attack_ends_as_it_must_and_leaves_nothing() {
    let done = Command::new(env!("CARGO_BIN_EXE_r3e-hostile")).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    println!("{told}");
    assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
}
