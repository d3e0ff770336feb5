//! `[witness]`: who remembers how far this appliance is, out of the parent's reach; and `[restore]`: whose signatures go over
//! that.

use std::time::Duration;

use r3e_attestation::{Pcr, ReferenceValues};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::is_name;
use r3e_proto::api::witness::Hex;
use r3e_proto::channel::binding::Digest;
use r3e_proto::limits::MAX_HOST_NAME_BYTES;
use r3e_proto::restore::RestorePolicy;
use r3e_store::limits::MAX_STALE_MS;
use serde::Deserialize;

use super::ConfigurationError;
use crate::limits::{MAX_WITNESS_PEER_VALUES, MAX_WITNESS_PEERS, WITNESS_STALE_S};

/// The witness that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WitnessChoice {
    /// None: a rolled-back state is noticed by clients alone.
    #[default]
    None,
    /// Other appliances.
    Peers(PeersChoice),
}

/// Whose confirmation it takes, and how long what they confirmed is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeersChoice {
    /// The peers.
    pub current: PeersList,
    /// Those of the configuration before, while they are changed: so many of them must confirm as well.
    pub former: Option<PeersList>,
    /// How long anything is read after they confirmed last.
    pub max_stale: Duration,
}

/// Peers, and how many of them must confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeersList {
    /// More than half of the peers, so that any two sets of so many have one in common.
    pub threshold: u8,
    /// At most nine.
    pub peers: Vec<PeerChoice>,
}

/// One peer, and what it must prove to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerChoice {
    /// What it is called.
    pub name: String,
    /// A DNS name in lower case.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The commitment to its root secret: a fresh appliance of the same image would remember nothing.
    pub identity: [u8; 32],
    /// The images that it may be.
    pub releases: Vec<ReferenceValues>,
    /// The configurations that it may have, SHA-384; none means any.
    pub configurations: Vec<Digest>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WitnessTable {
    provider: String,
    peers: Option<PeersTable>,
    former: Option<PeersTable>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersTable {
    threshold: u8,
    max_stale_s: Option<u32>,
    #[serde(default)]
    peer: Vec<PeerTable>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeerTable {
    name: String,
    host: String,
    identity: Hex<32>,
    reference_values: Vec<[Hex<48>; 3]>,
    #[serde(default)]
    configurations: Vec<Hex<48>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreTable {
    threshold: u8,
    keys: Vec<PublicKey>,
}

impl RestoreTable {
    /// The policy, if it keeps every rule.
    pub(super) fn policy(&self) -> Result<RestorePolicy, ConfigurationError> {
        RestorePolicy::new(self.threshold, self.keys.clone()).map_err(ConfigurationError::Restore)
    }
}

impl WitnessTable {
    /// The choice, if it keeps every rule.
    pub(super) fn choice(&self) -> Result<WitnessChoice, ConfigurationError> {
        match (self.provider.as_str(), &self.peers, &self.former) {
            ("none", None, None) => Ok(WitnessChoice::None),
            ("peers", Some(peers), former) => peers.choice(former.as_ref()).map(WitnessChoice::Peers),
            ("none", ..) => {
                wrong("witness.provider = \"none\" takes no tables [witness.peers] and [witness.former]")
            }
            ("peers", None, _) => wrong("witness.provider = \"peers\" needs the table [witness.peers]"),
            _ => wrong("witness.provider is none or peers"),
        }
    }
}

impl PeersTable {
    fn choice(&self, former: Option<&Self>) -> Result<PeersChoice, ConfigurationError> {
        let max_stale = match self.max_stale_s {
            None => Duration::from_millis(MAX_STALE_MS),
            Some(seconds) if WITNESS_STALE_S.contains(&seconds) => Duration::from_secs(seconds.into()),
            Some(seconds) => {
                let (least, most) = (WITNESS_STALE_S.start(), WITNESS_STALE_S.end());
                return wrong(format!(
                    "witness.peers.max_stale_s = {seconds} is not between {least} and {most}"
                ));
            }
        };
        if former.is_some_and(|former| former.max_stale_s.is_some()) {
            return wrong("max_stale_s stands in [witness.peers] alone");
        }
        let former = former.map(Self::list).transpose()?;
        Ok(PeersChoice { current: self.list()?, former, max_stale })
    }

    fn list(&self) -> Result<PeersList, ConfigurationError> {
        let (threshold, count) = (usize::from(self.threshold), self.peer.len());
        if count > MAX_WITNESS_PEERS {
            return wrong(format!("[witness.peers] has {count} peers, more than {MAX_WITNESS_PEERS}"));
        }
        if threshold > count || 2 * threshold <= count {
            return wrong(format!(
                "witness.peers.threshold = {threshold} of {count} peers: it takes more than half of them, so that any two \
                 sets of so many have a peer in common"
            ));
        }
        for (place, peer) in self.peer.iter().enumerate() {
            let before = self.peer.get(..place).unwrap_or_default();
            if before.iter().any(|other| {
                other.name == peer.name || other.identity == peer.identity || other.host == peer.host
            }) {
                return wrong(format!(
                    "the witness peer {:?} stands there twice, by name, host or identity",
                    peer.name
                ));
            }
        }
        let peers = self.peer.iter().map(PeerTable::choice).collect::<Result<_, _>>()?;
        Ok(PeersList { threshold: self.threshold, peers })
    }
}

impl PeerTable {
    fn choice(&self) -> Result<PeerChoice, ConfigurationError> {
        let name = &self.name;
        if !is_name(name) {
            return wrong(format!("{name:?} cannot name a witness peer: letters, digits, -, _ and ."));
        }
        let address = self.host.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let Some((host, port)) = address.filter(|(host, port)| is_host(host) && *port != 0) else {
            return wrong(format!(
                "the witness peer {name:?}: host is HOST:PORT, with a DNS name in lower case"
            ));
        };
        if ![&self.reference_values.len(), &self.configurations.len()]
            .iter()
            .all(|count| **count <= MAX_WITNESS_PEER_VALUES)
            || self.reference_values.is_empty()
        {
            return wrong(format!(
                "the witness peer {name:?}: reference_values takes 1 to {MAX_WITNESS_PEER_VALUES} triples of PCR0, 1 and \
                 2, configurations at most {MAX_WITNESS_PEER_VALUES}"
            ));
        }
        let zero: Pcr = [0; 48];
        if self.reference_values.iter().flatten().any(|pcr| pcr.0 == zero) {
            return wrong(format!("the witness peer {name:?}: a PCR is all zero, as in debug mode"));
        }
        let release = |[pcr0, pcr1, pcr2]: &[Hex<48>; 3]| {
            ReferenceValues::new(name, pcr0.0, pcr1.0, pcr2.0)
                .map_err(|error| ConfigurationError::Witness(error.to_string()))
        };
        Ok(PeerChoice {
            name: name.clone(),
            host: host.to_owned(),
            port,
            identity: self.identity.0,
            releases: self.reference_values.iter().map(release).collect::<Result<_, _>>()?,
            configurations: self.configurations.iter().map(|digest| digest.0).collect(),
        })
    }
}

/// Labels of letters, digits and hyphens, in lower case, with dots between; no address.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    host.len() <= MAX_HOST_NAME_BYTES
        && host.split('.').all(label)
        && host.rsplit('.').next().is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()))
}

fn wrong<T>(what: impl Into<String>) -> Result<T, ConfigurationError> {
    Err(ConfigurationError::Witness(what.into()))
}

#[cfg(test)]
mod tests {
    use super::super::Configuration;
    use super::*;

    const WITHOUT: &str = "[operator]\npublic_key = \"0707070707070707070707070707070707070707070707070707070707070707\"\n\
                           [unlock]\nprovider = \"ephemeral\"\n";

    fn parse(tables: &str) -> Result<Configuration, String> {
        Configuration::parse(format!("{WITHOUT}{tables}").into_bytes()).map_err(|error| error.to_string())
    }

    fn peer(number: u8) -> String {
        let pcr = |number: u8| hex::encode([number; 48]);
        format!(
            "[[witness.peers.peer]]\nname = \"p{number}\"\nhost = \"p{number}.example:443\"\nidentity = \"{}\"\n\
             reference_values = [[\"{}\", \"{}\", \"{}\"]]\n",
            hex::encode([number; 32]),
            pcr(number),
            pcr(2),
            pcr(3)
        )
    }

    fn peers(threshold: u8, count: u8) -> String {
        let peers: String = (1..=count).map(peer).collect();
        format!("[witness]\nprovider = \"peers\"\n[witness.peers]\nthreshold = {threshold}\n{peers}")
    }

    #[test]
    fn without_the_table_there_is_none() {
        assert_eq!(parse("").unwrap().witness(), &WitnessChoice::None);
        assert_eq!(parse("[witness]\nprovider = \"none\"\n").unwrap().witness(), &WitnessChoice::None);
        assert!(parse("").unwrap().restore().is_none());
    }

    #[test]
    fn more_than_half_of_the_peers_must_confirm() {
        for (threshold, count, good) in [
            (1, 1, true),
            (2, 2, true),
            (1, 2, false),
            (2, 3, true),
            (1, 3, false),
            (3, 3, true),
            (4, 3, false),
            (3, 4, true),
            (2, 4, false),
            (5, 9, true),
            (6, 10, false),
            (0, 0, false),
            (0, 1, false),
        ] {
            let parsed = parse(&peers(threshold, count));
            assert_eq!(parsed.is_ok(), good, "{threshold} of {count}: {parsed:?}");
        }
        let configuration = parse(&peers(2, 3)).unwrap();
        let WitnessChoice::Peers(choice) = configuration.witness() else { panic!("no peers") };
        let second = &choice.current.peers[1];
        assert_eq!((second.host.as_str(), second.port, second.identity), ("p2.example", 443, [2; 32]));
        assert_eq!(second.releases.len(), 1);
    }

    #[test]
    fn a_peer_that_proves_nothing_is_refused() {
        let good = peers(2, 3);
        for (from, to) in [
            ("\"peers\"", "\"none\""),
            ("\"peers\"", "\"chain\""),
            ("p2", "p1"),
            ("p2.example", "p1.example"),
            ("p2.example:443", "p2.example"),
            ("p2.example:443", "p2.example:0"),
            ("p2.example:443", "p2.example:65536"),
            ("p2.example:443", "10.0.0.1:443"),
            ("p2.example:443", "P2.example:443"),
            ("p2.example:443", ":443"),
            ("name = \"p2\"", "name = \"p 2\""),
            (
                &format!("identity = \"{}", hex::encode([2; 32])),
                &format!("identity = \"{}", hex::encode([1; 32])),
            ),
            (&hex::encode([2; 48]), &hex::encode([0; 48])),
            (&hex::encode([3; 48]), "03"),
            ("identity", "identities"),
        ] {
            assert!(good.contains(from));
            assert!(parse(&good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
        }
        let no_values = format!("{}reference_values = []\n", peers(1, 0)) + &peer(1);
        assert!(parse(&no_values).is_err());
        let pinned = format!("{}configurations = [\"{}\"]\n", peers(1, 1), hex::encode([9; 48]));
        let configuration = parse(&pinned).unwrap();
        let WitnessChoice::Peers(choice) = configuration.witness() else { panic!("no peers") };
        assert_eq!(choice.current.peers[0].configurations, [[9; 48]]);
        assert!(parse("[witness]\nprovider = \"peers\"\n").unwrap_err().contains("[witness.peers]"));
    }

    #[test]
    fn former_peers_keep_the_rules_of_the_others() {
        let former = |threshold, count| peers(threshold, count).replace("witness.peers", "witness.former");
        let former =
            |threshold, count| former(threshold, count).replacen("[witness]\nprovider = \"peers\"\n", "", 1);
        let configuration = parse(&format!("{}{}", peers(2, 3), former(3, 4))).unwrap();
        let WitnessChoice::Peers(choice) = configuration.witness() else { panic!("no peers") };
        let list = choice.former.as_ref().unwrap();
        assert_eq!((list.threshold, list.peers.len(), choice.current.peers.len()), (3, 4, 3));
        for wrong in [former(2, 4), former(0, 0), former(1, 1).replacen("p1", "p 1", 1)] {
            assert!(parse(&format!("{}{wrong}", peers(2, 3))).is_err(), "{wrong}");
        }
        assert!(parse(&format!("[witness]\nprovider = \"none\"\n{}", former(1, 1))).is_err());
        assert!(parse(&format!("[witness]\nprovider = \"peers\"\n{}", former(1, 1))).is_err());
    }

    #[test]
    fn how_long_is_read_without_the_peers_has_bounds() {
        let with = |seconds: &str| {
            let set = format!("threshold = 2\nmax_stale_s = {seconds}\n");
            parse(&peers(2, 3).replacen("threshold = 2\n", &set, 1))
        };
        let stale = |configuration: Configuration| match configuration.witness() {
            WitnessChoice::Peers(choice) => choice.max_stale,
            WitnessChoice::None => panic!("no peers"),
        };
        assert_eq!(stale(parse(&peers(2, 3)).unwrap()), Duration::from_mins(1));
        assert_eq!(stale(with("300").unwrap()), Duration::from_mins(5));
        for wrong in ["0", "59", "3601", "-1", "\"60\""] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_restore_takes_a_threshold_of_keys() {
        let keys = format!("keys = [{:?}, {:?}]\n", hex::encode([3; 32]), hex::encode([4; 32]));
        let configuration = parse(&format!("[restore]\nthreshold = 2\n{keys}")).unwrap();
        assert_eq!(configuration.restore().unwrap().threshold(), 2);
        for threshold in [0, 3] {
            let refused = parse(&format!("[restore]\nthreshold = {threshold}\n{keys}")).unwrap_err();
            assert!(refused.contains("[restore]"), "{refused}");
        }
    }
}
