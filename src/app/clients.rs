//! Who holds how many connections. One client, which is an IPv4 address or an IPv6 /64, gets so many and no more, so that it
//! can't hold all there are; the proxies of the configuration speak for many clients and are not counted. Asked by the accept loop.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{config::Network, platform::ip_subject};

/// The connections of all clients.
#[derive(Clone)]
pub(super) struct Clients(Arc<Counted>);

struct Counted {
    most: u32,
    proxies: Vec<Network>,
    clients: Mutex<HashMap<String, Client>>,
}

#[derive(Default)]
struct Client {
    connections: u32,
    was_refused: bool,
}

impl Clients {
    /// Each client holds at most so many connections at once, but the proxies any number.
    pub fn new(most: u32, proxies: Vec<Network>) -> Self {
        Self(Arc::new(Counted { most, proxies, clients: Mutex::default() }))
    }

    /// A place for a connection of this client, given back when it is dropped; `None` where it holds all of its own.
    pub fn enter(&self, ip: IpAddr) -> Option<Place> {
        if self.0.proxies.iter().any(|proxy| proxy.contains(ip)) {
            return Some(Place { counted: None });
        }
        let name = ip_subject(ip);
        let mut clients = self.0.clients();
        let client = clients.entry(name.clone()).or_default();
        if client.connections >= self.0.most {
            // Once, or whoever opens connections would fill the log, too.
            if !std::mem::replace(&mut client.was_refused, true) {
                tracing::warn!(
                    client = name,
                    connections = self.0.most,
                    "a client gets no more connections; `server.trusted_proxies` names those who speak for many"
                );
            }
            return None;
        }
        client.connections += 1;
        drop(clients);
        Some(Place { counted: Some((self.clone(), name)) })
    }
}

impl Counted {
    fn clients(&self) -> MutexGuard<'_, HashMap<String, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection.
pub(super) struct Place {
    /// Among whose, and whose.
    counted: Option<(Clients, String)>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((clients, name)) = self.counted.take() else { return };
        if let Entry::Occupied(mut client) = clients.0.clients().entry(name) {
            client.get_mut().connections -= 1;
            if client.get().connections == 0 {
                client.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_so_many_places_and_gets_them_back() {
        let clients = Clients::new(2, Vec::new());
        let first = clients.enter(ip("2001:db8::1")).unwrap();
        let _second = clients.enter(ip("2001:db8::2")).unwrap();
        assert!(clients.enter(ip("2001:db8::3")).is_none(), "one customer has a whole /64");
        assert!(clients.enter(ip("2001:db8:0:1::1")).is_some());
        assert!(clients.enter(ip("198.51.100.7")).is_some());
        drop(first);
        assert!(clients.enter(ip("2001:db8::3")).is_some());
    }

    #[test]
    fn nothing_is_kept_of_who_has_gone() {
        let clients = Clients::new(1, Vec::new());
        let place = clients.enter(ip("198.51.100.7")).unwrap();
        assert!(clients.enter(ip("::ffff:198.51.100.7")).is_none(), "it is the same address");
        drop(place);
        assert!(clients.0.clients().is_empty());
    }

    #[test]
    fn a_proxy_speaks_for_many() {
        let proxy = serde_json::from_str("\"10.0.0.0/8\"").unwrap();
        let clients = Clients::new(1, vec![proxy]);
        let places: Vec<_> = (0..9).map(|_| clients.enter(ip("::ffff:10.1.2.3"))).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
