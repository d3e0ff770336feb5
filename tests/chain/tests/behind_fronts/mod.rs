//! An appliance with three nodes of a network, which are one node behind three fronts, and a tenant of its.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_e2e::front::Front;
use r3e_e2e::{Appliance, Options, Tenant};

pub(crate) struct Behind {
    pub(crate) fronts: Vec<Front>,
    pub(crate) appliance: Appliance,
    pub(crate) alice: Tenant,
}

/// Two of the three must agree. `more` is more of the configuration's tables of chains.
#[allow(dead_code, reason = "each test file uses its own part")]
pub(crate) async fn start(network: &str, port: u16, more: &str) -> Behind {
    start_beside(network, port, more, (String::new(), Vec::new())).await
}

/// The same, beside other hosts: the roots of their certificates, and where they are.
pub(crate) async fn start_beside(
    network: &str,
    port: u16,
    more: &str,
    (mut extra_roots, mut resolve): (String, Vec<String>),
) -> Behind {
    let mut fronts = Vec::new();
    for number in 1..=3 {
        fronts.push(Front::start(&format!("node{number}.example"), port).await);
    }
    let nodes =
        r#"nodes = ["https://node1.example/", "https://node2.example/a/path", "https://node3.example"]"#;
    let chains = format!("[[chain]]\nnetwork = \"{network}\"\n{nodes}\npoll_ms = 250\n{more}");
    extra_roots.extend(fronts.iter().map(Front::authority));
    resolve.extend(fronts.iter().map(Front::resolve_rule));
    let options = Options { extra_roots, resolve, chains, ..Options::default() };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    Behind { fronts, appliance, alice }
}
