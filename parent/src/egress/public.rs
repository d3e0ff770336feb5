//! Which addresses are public: reachable by anyone, and so no gate into this machine's own surroundings.
//!
//! By the IANA special-purpose address registries (RFC 6890 and successors), read strictly: what they list is not public,
//! even where some host in it may be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::network::Network;

/// Why `address` is not public, or none if it is.
pub(super) fn objection(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(_) => listed(&NOT_PUBLIC_V4, address),
        // A v4 address inside a v6 one (mapped, compatible, NAT64, 6to4, Teredo) reaches the v4 host or nobody, and
        // all these forms lie outside the global unicast block or are listed in it.
        IpAddr::V6(_) if !GLOBAL_UNICAST_V6.contains(address) => Some("not in the global unicast block"),
        IpAddr::V6(_) => listed(&NOT_PUBLIC_V6, address),
    }
}

fn listed(table: &[(Network, &'static str)], address: IpAddr) -> Option<&'static str> {
    table.iter().find(|(network, _)| network.contains(address)).map(|(_, why)| *why)
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Network {
    Network::of(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Network {
    Network::of(IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), prefix)
}

const NOT_PUBLIC_V4: [(Network, &str); 15] = [
    (v4(0, 0, 0, 8), "this network (RFC 791)"),
    (v4(10, 0, 0, 8), "private (RFC 1918)"),
    (v4(100, 64, 0, 10), "carrier-grade NAT (RFC 6598)"),
    (v4(127, 0, 0, 8), "loopback (RFC 1122)"),
    (v4(169, 254, 0, 16), "link-local, with the instance's metadata (RFC 3927)"),
    (v4(172, 16, 0, 12), "private (RFC 1918)"),
    (v4(192, 0, 0, 24), "protocol assignments (RFC 6890)"),
    (v4(192, 0, 2, 24), "documentation (RFC 5737)"),
    (v4(192, 88, 99, 24), "6to4 relays (RFC 7526)"),
    (v4(192, 168, 0, 16), "private (RFC 1918)"),
    (v4(198, 18, 0, 15), "benchmarking (RFC 2544)"),
    (v4(198, 51, 100, 24), "documentation (RFC 5737)"),
    (v4(203, 0, 113, 24), "documentation (RFC 5737)"),
    (v4(224, 0, 0, 4), "multicast (RFC 1112)"),
    (v4(240, 0, 0, 4), "reserved, with broadcast (RFC 1112)"),
];

const GLOBAL_UNICAST_V6: Network = v6(0x2000, 0, 3);

const NOT_PUBLIC_V6: [(Network, &str); 4] = [
    (v6(0x2001, 0, 23), "protocol assignments, with Teredo and ORCHID (RFC 2928)"),
    (v6(0x2001, 0xdb8, 32), "documentation (RFC 3849)"),
    (v6(0x2002, 0, 16), "6to4 (RFC 3056)"),
    (v6(0x3fff, 0, 20), "documentation (RFC 9637)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_refused_in_every_form() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // IPv6: unspecified, loopback, mapped, compatible, NAT64, local NAT64, discard, link-local, site-local,
            // unique local (the metadata service has one), multicast, Teredo, ORCHID, benchmarking, documentation, 6to4,
            // segment routing.
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "ff0e::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:10::1",
            "2001:20::1",
            "2001:2::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "4000::1",
        ] {
            assert!(objection(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_public_passes() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.1.1",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2a00::1",
            "2600:1f18::1",
            "3ffe::1",
        ] {
            assert_eq!(objection(text.parse().unwrap()), None, "{text}");
        }
    }
}
