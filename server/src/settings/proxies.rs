//! Who may say where a request came from.

use std::net::IpAddr;

/// Addresses and networks of proxies whose `X-Forwarded-For` is believed.
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

    /// The client behind a chain of proxies: the right-most address that is not one of ours. What stands further left
    /// was written by the client itself.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in forwarded.rev() {
            if !self.contains(client) {
                break;
            }
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        client
    }
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
        assert_eq!(own.client(ip("10.0.0.1"), forwarded.into_iter()), ip("9.9.9.9"));
        assert_eq!(own.client(ip("8.8.8.8"), forwarded.into_iter()), ip("8.8.8.8"));
        assert_eq!(own.client(ip("10.0.0.1"), ["nonsense"].into_iter()), ip("10.0.0.1"));
        assert_eq!(own.client(ip("10.0.0.1"), std::iter::empty()), ip("10.0.0.1"));
    }
}
