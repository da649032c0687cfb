//! The proxies that may tell the address of a client.

use std::net::IpAddr;

/// Addresses and networks of proxies whose `X-Forwarded-For` is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<(IpAddr, u8)>);

impl TrustedProxies {
    pub(super) fn parse<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        parts
            .map(|part| {
                let refuse = || format!("{part:?} is no address and no network like 10.0.0.0/8");
                let (address, bits) =
                    part.split_once('/').map_or((part, None), |(address, bits)| (address, Some(bits)));
                let address: IpAddr = address.parse().map_err(|_| refuse())?;
                let width = if address.is_ipv4() { 32 } else { 128 };
                let bits = bits.map_or(Ok(width), str::parse).map_err(|_| refuse())?;
                if bits > width { Err(refuse()) } else { Ok((address, bits)) }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| match (*network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                leading(u128::from(network.to_bits()) << 96, *bits)
                    == leading(u128::from(address.to_bits()) << 96, *bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                leading(network.to_bits(), *bits) == leading(address.to_bits(), *bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        })
    }

    /// The client behind a chain of proxies: the right-most address that is not a trusted proxy. The client itself may have
    /// written the entries further left, so they are never read.
    ///
    /// `Err` contains an entry of a trusted proxy that is not an address. Such an entry may be the same word for all clients,
    /// so it must not count as the address of one client, and a client can't use it to count as another one.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Result<IpAddr, &'a str> {
        let mut address = peer.to_canonical();
        for hop in forwarded.rev().map(str::trim).filter(|hop| !hop.is_empty()) {
            if !self.contains(address) {
                break;
            }
            address = read(hop).ok_or(hop)?.to_canonical();
        }
        Ok(address)
    }
}

/// Reads an address as proxies write it: bare, with a port, in brackets, in quotes, with the zone of a link.
fn read(hop: &str) -> Option<IpAddr> {
    let hop = hop.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(hop);
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let bare = if let Some(rest) = hop.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)?
    } else {
        // An IPv6 address without brackets has no port: it could not be told from the address.
        match hop.split_once(':') {
            Some((address, port)) if !port.contains(':') => is_port(port).then_some(address)?,
            Some(_) | None => hop,
        }
    };
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    without_zone.parse().ok()
}

fn leading(bits: u128, count: u8) -> u128 {
    bits.checked_shr(128 - u32::from(count)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(list: &[&str]) -> TrustedProxies {
        TrustedProxies::parse(list.iter().copied()).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_contain_their_addresses_only() {
        let own = proxies(&["10.0.0.0/8", "192.168.1.5", "fd00::/8", "0.0.0.0/0"]);
        assert!(own.contains(ip("10.9.9.9")) && own.contains(ip("fd12::1")) && own.contains(ip("::ffff:10.1.1.1")));
        assert!(!own.contains(ip("fe80::1")));
        let one = proxies(&["192.168.1.5"]);
        assert!(one.contains(ip("192.168.1.5")) && !one.contains(ip("192.168.1.4")));
        for text in ["x", "10.0.0.0/33", "10.0.0.0/", "/8"] {
            assert!(TrustedProxies::parse([text].into_iter()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_client_can_not_choose_its_own_address() {
        let own = proxies(&["10.0.0.0/8"]);
        let forwarded = ["1.2.3.4", " 9.9.9.9", "10.0.0.2"];
        let client = |peer, hops: &[&'static str]| own.client(ip(peer), hops.iter().copied()).unwrap();
        assert_eq!(client("10.0.0.1", &forwarded), ip("9.9.9.9"));
        assert_eq!(client("8.8.8.8", &forwarded), ip("8.8.8.8"));
        assert_eq!(client("10.0.0.1", &["nonsense", "9.9.9.9"]), ip("9.9.9.9"), "what the client wrote is not read");
        assert_eq!(client("10.0.0.1", &["9.9.9.9", " ", ""]), ip("9.9.9.9"));
        assert_eq!(client("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    /// When an entry could not be read, all clients counted as the proxy. So thirty failed sign-ins of thirty people locked
    /// out all users of the site.
    #[test]
    fn what_real_proxies_write_is_read() {
        let own = proxies(&["10.0.0.0/8", "::1"]);
        for (hop, address) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("[2001:db8::7]:80", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("\"[2001:db8::7]:80\"", "2001:db8::7"),
            ("\"1.2.3.4\"", "1.2.3.4"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            let found = own.client(ip("10.0.0.1"), ["6.6.6.6", hop].into_iter());
            assert_eq!(found, Ok(ip(address)), "{hop}");
        }
    }

    /// All users behind a proxy that writes `unknown` counted as one address.
    #[test]
    fn what_can_not_be_read_is_nobody_and_never_whom_the_client_names() {
        let own = proxies(&["10.0.0.0/8"]);
        for hop in ["unknown", "_hidden-1", "1.2.3", "1.2.3.4:x", "1.2.3.4:70000", "[::1", "[::1]x", "[1.2.3.4", "a:b"]
        {
            assert_eq!(own.client(ip("10.0.0.1"), ["6.6.6.6", hop].into_iter()), Err(hop));
        }
    }
}
