//! Attacks from inside the box, one system call or one lie each, and what is left after each.

use std::process::Command;

/// Calls and deeds, each in the stages that it is tried in.
const AT_LEAST: usize = 200;

#[test]
fn every_attack_from_inside_the_box_fails() {
    assert!(r3e_hostile::native::attacks().len() >= AT_LEAST);
    let done = Command::new(env!("CARGO_BIN_EXE_r3e-hostile")).arg("--native").output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    println!("{told}");
    assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
}
