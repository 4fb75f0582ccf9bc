//! Which addresses are not on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of the registries of special-purpose addresses (IANA) that the names below don't cover.
const SPECIAL_V4: [(Ipv4Addr, u8, &str); 6] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an unspecified"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a shared"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "a reserved"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay's"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "a test network's"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved"),
];
const SPECIAL_V6: [(Ipv6Addr, u8, &str); 8] = [
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "a private"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "a reserved"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "a documentation"),
    // 6to4: an IPv4 address of any kind is within.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "a relay's"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "a documentation"),
];
/// Only these are given out as public addresses of version 6.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// NAT64: the last 32 bits are the address of version 4 that is really reached.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// What kind of address it is, with its article, unless it is a public one.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return Some("a loopback");
    }
    if address.is_private() {
        return Some("a private");
    }
    if address.is_link_local() {
        return Some("a link-local");
    }
    if address.is_multicast() {
        return Some("a multicast");
    }
    if address.is_broadcast() {
        return Some("a broadcast");
    }
    if address.is_documentation() {
        return Some("a documentation");
    }
    let within =
        |(block, bits, _): &&(Ipv4Addr, u8, _)| has_prefix(u32::from(address), u32::from(*block), *bits);
    SPECIAL_V4.iter().find(within).map(|(_, _, kind)| *kind)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("an unspecified");
    }
    if address.is_loopback() {
        return Some("a loopback");
    }
    if address.to_ipv4_mapped().is_some() {
        return Some("an IPv4-mapped");
    }
    let is_in = |block: Ipv6Addr, bits: u8| has_prefix_v6(address, block, bits);
    if is_in(NAT64.0, NAT64.1) {
        let [.., a, b, c, d] = address.octets();
        return special_v4(Ipv4Addr::new(a, b, c, d));
    }
    let found = SPECIAL_V6.iter().find(|(block, bits, _)| is_in(*block, *bits)).map(|(_, _, kind)| *kind);
    found.or_else(|| (!is_in(GLOBAL_V6.0, GLOBAL_V6.1)).then_some("a reserved"))
}

fn has_prefix(address: u32, block: u32, bits: u8) -> bool {
    (address ^ block).leading_zeros() >= u32::from(bits)
}

fn has_prefix_v6(address: Ipv6Addr, block: Ipv6Addr, bits: u8) -> bool {
    (u128::from(address) ^ u128::from(block)).leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_known() {
        let check = |addresses: &[&str], kind: Option<&str>| {
            for address in addresses {
                assert_eq!(special(address.parse().unwrap()), kind, "{address}");
            }
        };
        check(&["127.0.0.1", "127.255.255.254", "::1"], Some("a loopback"));
        check(&["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1"], Some("a private"));
        check(&["169.254.169.254", "fe80::1", "febf::1"], Some("a link-local"));
        check(&["224.0.0.1", "239.1.1.1", "ff02::1"], Some("a multicast"));
        check(&["0.0.0.0", "0.1.2.3", "::"], Some("an unspecified"));
        check(&["::ffff:127.0.0.1", "::ffff:8.8.8.8"], Some("an IPv4-mapped"));
        check(&["255.255.255.255"], Some("a broadcast"));
        check(&["100.64.0.1", "100.127.255.255"], Some("a shared"));
        check(
            &["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
            Some("a documentation"),
        );
        check(&["198.18.0.1", "198.19.255.255"], Some("a test network's"));
        check(
            &["240.0.0.1", "192.0.0.170", "2001:0:1::1", "64:ff9b:1::1", "100::1", "::7f00:1"],
            Some("a reserved"),
        );
        check(&["2002:7f00:1::", "192.88.99.1"], Some("a relay's"));
        check(&["64:ff9b::a00:1"], Some("a private"));
        check(&["64:ff9b::808:808", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"], None);
    }
}
