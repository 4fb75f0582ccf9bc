//! What tasks may reach: origins that the operator named, and addresses of the public internet.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use reqwest::Url;

use crate::address;

/// Who decides what a client may reach.
#[derive(Debug, Clone)]
pub enum Policy {
    /// Whoever wrote the URL may reach anything: it is the operator.
    Trusted,
    /// The URL comes with a workflow.
    Guarded(Guard),
}

/// What requests of workflows may reach. The default is every public address, over HTTPS.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// If there are any, nothing else is reached.
    pub origins: Option<Vec<Origin>>,
    /// Addresses that may be reached although they are not public.
    pub addresses: Vec<IpNet>,
}

/// `https://api.example.com`, `http://10.0.0.7:8080`, `https://*.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    /// Of `*.example.com`: `.example.com`.
    Suffix(String),
    Address(IpAddr),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        let wrong = |why: &str| {
            format!(
                "'{text}' is no origin: {why}. Write one as https://api.example.com, with a port if it needs one."
            )
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        let (is_suffix, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("its scheme is neither http nor https"));
        }
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !is_bare || has_user(&url) {
            return Err(wrong("it has more than scheme, host and port"));
        }
        let host = url.host_str().ok_or_else(|| wrong("it has no host"))?;
        let host = match literal(&url) {
            Some(_) if is_suffix => return Err(wrong("an address has no part that could be a star")),
            Some(address) => Host::Address(address),
            None if is_suffix => Host::Suffix(format!(".{}", without_root(host))),
            None if host.contains('*') => {
                return Err(wrong("a star can only stand first, as in *.example.com"));
            }
            None => Host::Name(without_root(host).to_owned()),
        };
        let port = url.port_or_known_default().ok_or_else(|| wrong("it has no port"))?;
        Ok(Origin { scheme: url.scheme().to_owned(), host, port })
    }
}

impl Origin {
    fn covers(&self, url: &Url) -> bool {
        let host = url.host_str().map(without_root);
        let has_host = match &self.host {
            Host::Name(name) => host == Some(name),
            Host::Suffix(suffix) => host.is_some_and(|host| host.ends_with(suffix) && literal(url).is_none()),
            Host::Address(address) => literal(url) == Some(*address),
        };
        has_host && self.scheme == url.scheme() && url.port_or_known_default() == Some(self.port)
    }
}

impl Guard {
    /// Why a request to this URL is refused before its host is looked up. The text is for whoever wrote the URL.
    pub(crate) fn refuses(&self, url: &Url) -> Option<String> {
        let place = || url.origin().ascii_serialization();
        if !matches!(url.scheme(), "http" | "https") {
            return Some(format!("The scheme of {url} is neither http nor https."));
        }
        let named =
            self.origins.as_deref().and_then(|origins| origins.iter().find(|origin| origin.covers(url)));
        if named.is_none() && self.origins.is_some() {
            return Some(format!(
                "{} is not among the places that the server may reach (--http-allow).",
                place()
            ));
        }
        if named.is_none() && url.scheme() == "http" {
            return Some(format!(
                "{} would be reached without TLS. Use https, or let the server allow it with --http-allow.",
                place()
            ));
        }
        let address = literal(url)?;
        if named.is_some_and(|origin| matches!(origin.host, Host::Address(_))) {
            return None;
        }
        self.refuses_address(address).map(|kind| format!("{} is {kind} address. {ALLOW_ADDRESS}", place()))
    }

    /// What kind of address it is, if it may not be connected to.
    pub(crate) fn refuses_address(&self, address: IpAddr) -> Option<&'static str> {
        let is_allowed = |address: IpAddr| self.addresses.iter().any(|range| range.contains(&address));
        if is_allowed(address) || is_allowed(address.to_canonical()) {
            return None;
        }
        address::special(address)
    }

    /// Whether the operator named this host itself, of which no name server has a say.
    pub(crate) fn names_localhost(&self) -> bool {
        let is_localhost = |origin: &Origin| origin.host == Host::Name("localhost".to_owned());
        self.origins.as_deref().is_some_and(|origins| origins.iter().any(is_localhost))
    }
}

/// How the operator lets requests go there.
pub(crate) const ALLOW_ADDRESS: &str = "The server reaches it only if --http-allow-address allows it.";

/// The host, if it is an address. The parser has taken every way of writing one for what it is.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// A name may end with the root's dot and mean the same.
fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(origins: &[&str], addresses: &[&str]) -> Guard {
        let origins: Vec<Origin> = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        Guard {
            origins: (!origins.is_empty()).then_some(origins),
            addresses: addresses.iter().map(|range| range.parse().unwrap()).collect(),
        }
    }

    fn refuses(guard: &Guard, url: &str, why: &str) {
        let refusal = guard.refuses(&url.parse().unwrap()).unwrap_or_else(|| panic!("{url} is let through"));
        assert!(refusal.contains(why), "{url}: {refusal}");
    }

    fn lets(guard: &Guard, url: &str) {
        assert_eq!(guard.refuses(&url.parse().unwrap()), None, "{url}");
    }

    #[test]
    fn without_origins_public_places_are_reached_over_https() {
        let guard = guard(&[], &["10.1.0.0/16"]);
        lets(&guard, "https://api.example.com/a?b=c");
        lets(&guard, "https://8.8.8.8/");
        lets(&guard, "https://10.1.2.3/");
        refuses(&guard, "http://api.example.com/", "without TLS");
        refuses(&guard, "ftp://api.example.com/", "neither http nor https");
        refuses(&guard, "https://10.2.0.1/", "a private address");
        // Other ways of writing 127.0.0.1 and 169.254.169.254.
        for url in ["https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/"] {
            refuses(&guard, url, "a loopback address");
        }
        for url in [
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://169.254.43518/",
            "https://１６９。254.169.254/",
            "https://[64:ff9b::a9fe:a9fe]/",
        ] {
            refuses(&guard, url, "a link-local address");
        }
        refuses(&guard, "https://[::ffff:169.254.169.254]/", "an IPv4-mapped address");
        refuses(&guard, "https://[::1]/", "a loopback address");
    }

    #[test]
    fn origins_are_all_that_is_reached() {
        let guard = guard(
            &[
                "https://api.example.com",
                "https://*.example.org:8443",
                "http://127.0.0.1:9000",
                "http://[::1]",
            ],
            &[],
        );
        lets(&guard, "https://api.example.com:443/x");
        lets(&guard, "https://API.example.com./x");
        lets(&guard, "https://a.b.example.org:8443/");
        lets(&guard, "http://127.0.0.1:9000/");
        lets(&guard, "http://[::1]:80/");
        for url in [
            "http://api.example.com/",
            "https://api.example.com:444/",
            "https://example.org:8443/",
            "https://badexample.org:8443/",
            "http://127.0.0.1:9001/",
            "http://localhost:9000/",
        ] {
            refuses(&guard, url, "--http-allow");
        }
    }

    #[test]
    fn origins_are_scheme_host_and_port() {
        for text in [
            "api.example.com",
            "ftp://example.com",
            "https://",
            "https://a.example.com/path",
            "https://user@a.example.com",
            "https://a.*.example.com",
            "https://*.10.0.0.1",
            "https://a.example.com?x",
        ] {
            let error = text.parse::<Origin>().unwrap_err();
            assert!(error.contains("is no origin") && error.contains("https://api.example.com"), "{error}");
        }
    }
}
