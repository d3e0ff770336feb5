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
pub(crate) async fn start(network: &str, port: u16, more: &str) -> Behind {
    let mut fronts = Vec::new();
    for number in 1..=3 {
        fronts.push(Front::start(&format!("node{number}.example"), port).await);
    }
    let nodes =
        r#"nodes = ["https://node1.example/", "https://node2.example/a/path", "https://node3.example"]"#;
    let chains = format!("[[chain]]\nnetwork = \"{network}\"\n{nodes}\npoll_ms = 250\n{more}");
    let options = Options {
        extra_roots: fronts.iter().map(Front::authority).collect(),
        resolve: fronts.iter().map(Front::resolve_rule).collect(),
        chains,
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    Behind { fronts, appliance, alice }
}
