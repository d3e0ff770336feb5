//! An appliance with three nodes of a network, which are one node behind three fronts, and a tenant of its.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fmt::Write as _;

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
#[allow(dead_code, reason = "each test file uses its own part")]
pub(crate) async fn start_beside(
    network: &str,
    port: u16,
    more: &str,
    beside: (String, Vec<String>),
) -> Behind {
    start_all(&[(network.to_owned(), port)], more, beside).await
}

/// The same, of several networks. Their fronts stand one network after the other.
pub(crate) async fn start_all(
    networks: &[(String, u16)],
    more: &str,
    (mut extra_roots, mut resolve): (String, Vec<String>),
) -> Behind {
    let (mut fronts, mut chains) = (Vec::new(), String::new());
    for (at, (network, port)) in networks.iter().enumerate() {
        let hosts = [1, 2, 3].map(|number| format!("node{}.example", 3 * at + number));
        for host in &hosts {
            fronts.push(Front::start(host, *port).await);
        }
        let [first, second, third] = hosts;
        let nodes = format!(r#"nodes = ["https://{first}/", "https://{second}/a/path", "https://{third}"]"#);
        write!(chains, "[[chain]]\nnetwork = \"{network}\"\n{nodes}\npoll_ms = 250\n").unwrap();
    }
    chains.push_str(more);
    extra_roots.extend(fronts.iter().map(Front::authority));
    resolve.extend(fronts.iter().map(Front::resolve_rule));
    let options = Options { extra_roots, resolve, chains, ..Options::default() };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    Behind { fronts, appliance, alice }
}
