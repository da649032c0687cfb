//! Admission: limits the number of sockets, in total and per address. A socket over a limit is rejected before it
//! causes work (G13), and open sockets keep their places.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use caravana_hub::Network;
use caravana_telemetry::metrics;

/// How many sockets over the limit still get an answer with a refusal; further ones are closed without an answer.
const COURTESY: usize = 256;

/// Counts sockets. Clones share the counts.
#[derive(Debug, Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: usize,
    limit_of_address: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    open: usize,
    of_networks: HashMap<Network, usize>,
}

/// Why a socket is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shed {
    /// The process has reached its limit.
    Full,
    /// The address has reached its limit.
    Address,
}

impl Shed {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Address => "address",
        }
    }
}

/// A socket's place. Dropping it makes the place free.
#[derive(Debug)]
pub struct Place {
    shared: Arc<Shared>,
    /// Whether the place is for a socket, and not for a client behind a proxy's socket.
    socket: bool,
    network: Option<Network>,
    refused: Option<Shed>,
}

impl Admission {
    /// At most `limit` sockets, and `limit_of_address` per address.
    #[must_use]
    pub fn new(limit: usize, limit_of_address: usize) -> Self {
        Self { shared: Arc::new(Shared { limit, limit_of_address, counts: Mutex::default() }) }
    }

    /// A place for a new socket of this address (`None`: a proxy, whose clients are counted one by one). The place may
    /// be one at which requests are only refused; `None` if there is not even such a place.
    #[must_use]
    pub fn enter(&self, address: Option<IpAddr>) -> Option<Place> {
        let mut counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.open >= self.shared.limit + COURTESY {
            metrics::shed(Shed::Full.word());
            return None;
        }
        let mut refused = (counts.open >= self.shared.limit).then_some(Shed::Full);
        let mut counted = None;
        if let Some(network) = address.map(Network::of) {
            let count = counts.of_networks.entry(network).or_default();
            if *count < self.shared.limit_of_address {
                *count += 1;
                counted = Some(network);
            } else {
                refused = refused.or(Some(Shed::Address));
            }
        }
        counts.open += 1;
        if let Some(refused) = refused {
            metrics::shed(refused.word());
        }
        Some(Place { shared: Arc::clone(&self.shared), socket: true, network: counted, refused })
    }

    /// A place for one client of a proxy, in addition to the place of the proxy's socket. A client whose address the
    /// proxy does not tell is not counted.
    pub fn enter_behind_proxy(&self, address: impl Into<Option<IpAddr>>) -> Result<Place, Shed> {
        let Some(network) = address.into().map(Network::of) else {
            return Ok(Place { shared: Arc::clone(&self.shared), socket: false, network: None, refused: None });
        };
        let mut counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.of_networks.entry(network).or_default();
        if *count >= self.shared.limit_of_address {
            metrics::shed(Shed::Address.word());
            return Err(Shed::Address);
        }
        *count += 1;
        Ok(Place { shared: Arc::clone(&self.shared), socket: false, network: Some(network), refused: None })
    }
}

impl Place {
    /// Why requests at this place are refused.
    #[must_use]
    pub fn refused(&self) -> Option<Shed> {
        self.refused
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.open -= usize::from(self.socket);
        if let Some(network) = self.network
            && let Some(count) = counts.of_networks.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                counts.of_networks.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    #[test]
    fn one_address_can_not_take_all_places() {
        let admission = Admission::new(10, 2);
        let enter = |address| admission.enter(Some(address)).unwrap();
        let (first, second) = (enter(HERE), enter(HERE));
        assert_eq!((first.refused(), second.refused()), (None, None));
        assert_eq!(enter(HERE).refused(), Some(Shed::Address));
        assert_eq!(enter(THERE).refused(), None);
        assert_eq!(admission.enter_behind_proxy(HERE).unwrap_err(), Shed::Address);
        drop(first);
        assert_eq!(enter(HERE).refused(), None);
    }

    /// A client with one IPv6 address has 2^64 of them.
    #[test]
    fn one_slash_64_can_not_take_all_places() {
        let admission = Admission::new(10, 2);
        let places: Vec<_> =
            (1..=3).map(|n| admission.enter(Some(format!("2001:db8::{n}").parse().unwrap())).unwrap()).collect();
        assert_eq!(places.iter().map(Place::refused).collect::<Vec<_>>(), [None, None, Some(Shed::Address)]);
        assert_eq!(admission.enter(Some("2001:db8:0:1::1".parse().unwrap())).unwrap().refused(), None);
    }

    #[test]
    fn places_are_free_again() {
        let admission = Admission::new(2, 100);
        let places: Vec<_> = (0..2 + COURTESY).map(|_| admission.enter(None).unwrap()).collect();
        assert_eq!(places.iter().filter(|place| place.refused().is_none()).count(), 2);
        assert!(admission.enter(None).is_none());
        drop(places);
        let client = admission.enter_behind_proxy(HERE).unwrap();
        assert_eq!(admission.enter(Some(HERE)).unwrap().refused(), None);
        drop(client);
        let counts = admission.shared.counts.lock().unwrap();
        assert_eq!((counts.open, counts.of_networks.len()), (0, 0));
    }
}
