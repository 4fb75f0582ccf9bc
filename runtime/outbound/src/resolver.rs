//! Looks names up and lets through what may be connected to: the addresses that it hands on are those to which the
//! connection is made, so nobody can answer a second look-up otherwise.
//!
//! A look-up may take as long as whoever answers for the name likes, so nobody has more than a part of those that are
//! made at once.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::runtime::Handle;

use crate::guard::{ALLOW_ADDRESS, Policy};
use crate::limits::{ADDRESSES_MAX, LOOKUPS_MAX, LOOKUPS_OF_ONE_MAX};
use crate::places::Places;

tokio::task_local! {
    /// On whose behalf the request is made that needs a look-up. Whoever makes connections does not hand it through.
    static WHO: Arc<str>;
}

/// Makes the look-ups of a request those of somebody.
pub(crate) async fn on_behalf_of<F: Future>(who: Arc<str>, request: F) -> F::Output {
    WHO.scope(who, request).await
}

/// A connection that is refused whatever is at its other end.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Forbidden(pub(crate) String);

/// A name without an address, as the system says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotFound(io::Error);

/// Finds the addresses of names.
pub trait Lookup: fmt::Debug + Send + Sync + 'static {
    /// Blocks its thread for as long as it takes. The ports mean nothing.
    fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// Asks whom the system asks.
#[derive(Debug)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok((name, 0).to_socket_addrs()?.take(ADDRESSES_MAX).collect())
    }
}

#[derive(Debug)]
pub(crate) struct GuardedResolver {
    policy: Arc<Policy>,
    lookup: Arc<dyn Lookup>,
    lookups: Arc<Places>,
    /// Whose threads wait for the answers: those of whoever made the client, and not of whoever makes a request.
    threads: Option<Handle>,
}

impl GuardedResolver {
    pub(crate) fn new(policy: Arc<Policy>, lookup: Arc<dyn Lookup>) -> GuardedResolver {
        let lookups = Arc::new(Places::new(LOOKUPS_MAX, LOOKUPS_OF_ONE_MAX));
        GuardedResolver { policy, lookup, lookups, threads: Handle::try_current().ok() }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, lookup) = (Arc::clone(&self.policy), Arc::clone(&self.lookup));
        let (lookups, threads) = (Arc::clone(&self.lookups), self.threads.clone());
        let who = WHO.try_with(Arc::clone).unwrap_or_else(|_nobody| name.as_str().into());
        Box::pin(async move {
            let place = lookups.take(&who).await?;
            let host = name.as_str().to_owned();
            let threads = threads.unwrap_or_else(Handle::current);
            let found = threads.spawn_blocking(move || {
                let found = lookup.addresses(&host);
                drop(place);
                found
            });
            let found = found.await?.map_err(NotFound)?;
            let permitted = permitted(&policy, name.as_str(), found)?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name to which a connection may be made.
fn permitted(policy: &Policy, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Forbidden> {
    let Policy::Guarded(guard) = policy else { return Ok(found) };
    let mut refused = None;
    let is_localhost = name == "localhost" && guard.names_localhost();
    let permitted: Vec<_> = found
        .into_iter()
        .filter(|address| {
            if is_localhost && address.ip().is_loopback() {
                return true;
            }
            let kind = guard.refuses_address(address.ip());
            if let Some(kind) = kind {
                tracing::warn!(host = name, %address, kind, "a request of a workflow was not let through");
                refused = Some(kind);
            }
            kind.is_none()
        })
        .collect();
    match refused {
        Some(kind) if permitted.is_empty() => {
            Err(Forbidden(format!("The host {name} has {kind} address. {ALLOW_ADDRESS}")))
        }
        Some(_) | None => Ok(permitted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
    }

    fn check(guard: Guard, name: &str, found: &[&str], expected: Result<&[&str], &str>) {
        let permitted = permitted(&Policy::Guarded(guard), name, addresses(found));
        match expected {
            Ok(expected) => assert_eq!(permitted.unwrap(), addresses(expected)),
            Err(why) => assert!(permitted.unwrap_err().to_string().contains(why)),
        }
    }

    #[test]
    fn only_permitted_addresses_are_handed_on() {
        let mixed = ["10.0.0.1", "93.184.216.34", "::1"];
        check(Guard::default(), "a.example", &mixed, Ok(&["93.184.216.34"]));
        check(Guard::default(), "a.example", &["169.254.169.254"], Err("a.example has a link-local address"));
        check(Guard::default(), "a.example", &[], Ok(&[]));
        let private = Guard { origins: None, addresses: vec!["10.0.0.0/8".parse().unwrap()] };
        check(private, "a.example", &mixed, Ok(&["10.0.0.1", "93.184.216.34"]));
    }

    #[test]
    fn a_name_that_the_operator_allows_is_still_no_way_inside() {
        let origins =
            |origin: &str| Guard { origins: Some(vec![origin.parse().unwrap()]), addresses: Vec::new() };
        check(origins("https://a.example"), "a.example", &["127.0.0.1"], Err("a loopback address"));
        check(origins("http://localhost:80"), "localhost", &["127.0.0.1", "::1"], Ok(&["127.0.0.1", "::1"]));
        check(origins("http://localhost:80"), "localhost", &["10.0.0.1"], Err("a private address"));
        check(Guard::default(), "localhost", &["127.0.0.1"], Err("a loopback address"));
    }
}
