//! Which requests to the outside a rule lets through, and what two rules let through together.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::ManifestError;
use super::reader::{Field, Table};

/// Ours: methods that one rule can name.
const METHODS_MAX: usize = 16;
/// Ours, well above the longest method that is registered.
const METHOD_CHARS_MAX: usize = 32;
/// RFC 1035: a name has at most 253 characters.
const HOST_CHARS_MAX: usize = 253;
/// Stands for every host or every method.
const ANY: &str = "*";

/// Lets requests go to one scheme, host and port with some methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRule {
    scheme: Scheme,
    host: HostPattern,
    port: u16,
    methods: Methods,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// Of `*.example.com`: `.example.com`.
    Suffix(String),
    Name(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Methods {
    Any,
    Named(BTreeSet<String>),
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn parse(text: &str) -> Option<Scheme> {
        [Scheme::Http, Scheme::Https].into_iter().find(|scheme| scheme.name() == text)
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl HttpRule {
    pub(super) fn read(table: Table<'_>) -> Result<HttpRule, ManifestError> {
        let table = table.with_only(&["scheme", "host", "port", "methods"])?;
        let field = table.required("scheme", "scheme = \"https\"")?;
        let scheme = Scheme::parse(field.text()?);
        let scheme = scheme.ok_or_else(|| field.wrong("it must be \"https\" or \"http\""))?;
        let field = table.required("host", "host = \"api.example.com\"")?;
        let host = HostPattern::parse(field.text()?).map_err(|why| field.wrong(why))?;
        let port = match table.field("port") {
            Some(field) => field.count()?,
            None => scheme.default_port(),
        };
        let field = table.required("methods", "methods = [\"GET\"]")?;
        Ok(HttpRule { scheme, host, port, methods: Methods::read(&field)? })
    }

    /// A rule for one request, as a suggestion.
    pub(crate) fn for_request(scheme: &str, host: &str, port: Option<u16>, method: &str) -> Option<HttpRule> {
        let scheme = Scheme::parse(scheme)?;
        let host = HostPattern::parse(host).ok()?;
        let methods = Methods::Named(BTreeSet::from([method.to_owned()]));
        Some(HttpRule { scheme, host, port: port.unwrap_or_else(|| scheme.default_port()), methods })
    }

    /// Whether a request may be made. The host is a name, or an address with or without brackets.
    pub fn covers(&self, scheme: &str, host: &str, port: Option<u16>, method: &str) -> bool {
        let Some(scheme) = Scheme::parse(scheme).filter(|scheme| *scheme == self.scheme) else {
            return false;
        };
        let port = port.unwrap_or_else(|| scheme.default_port());
        port == self.port && self.host.covers(host) && self.methods.covers(method)
    }

    /// What both let through, if there is anything.
    pub(super) fn intersection(&self, other: &HttpRule) -> Option<HttpRule> {
        if self.scheme != other.scheme || self.port != other.port {
            return None;
        }
        let host = self.host.intersection(&other.host)?;
        let methods = self.methods.intersection(&other.methods)?;
        Some(HttpRule { scheme: self.scheme, host, port: self.port, methods })
    }
}

impl HostPattern {
    fn parse(text: &str) -> Result<HostPattern, &'static str> {
        if text == ANY {
            return Ok(HostPattern::Any);
        }
        if let Ok(address) = bare(text).parse() {
            return Ok(HostPattern::Address(address));
        }
        let text = normal(text);
        let (is_suffix, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text.as_str()),
        };
        let is_label = |label: &str| {
            let is_fine =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
            !label.is_empty() && label.bytes().all(is_fine)
        };
        if name.len() > HOST_CHARS_MAX || !name.split('.').all(is_label) {
            return Err(
                "it must be a host's name as api.example.com, *.example.com for all below it, or an address",
            );
        }
        // Every way of writing an address ends with a number, and no name does.
        if name.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_digit()))
        {
            return Err("it looks like an address and is none: write four numbers, as 192.0.2.1");
        }
        Ok(if is_suffix { HostPattern::Suffix(format!(".{name}")) } else { HostPattern::Name(text) })
    }

    fn covers(&self, host: &str) -> bool {
        let address = bare(host).parse::<IpAddr>();
        match self {
            HostPattern::Any => true,
            HostPattern::Suffix(suffix) => address.is_err() && normal(host).ends_with(suffix),
            HostPattern::Name(name) => normal(host) == *name,
            HostPattern::Address(own) => address == Ok(*own),
        }
    }

    fn intersection(&self, other: &HostPattern) -> Option<HostPattern> {
        use HostPattern::{Address, Any, Name, Suffix};
        match (self, other) {
            (Any, narrower) | (narrower, Any) => Some(narrower.clone()),
            (Suffix(a), Suffix(b)) if a.ends_with(b.as_str()) => Some(self.clone()),
            (Suffix(a), Suffix(b)) if b.ends_with(a.as_str()) => Some(other.clone()),
            (Suffix(suffix), Name(name)) | (Name(name), Suffix(suffix))
                if name.ends_with(suffix.as_str()) =>
            {
                Some(Name(name.clone()))
            }
            (Name(a), Name(b)) if a == b => Some(self.clone()),
            (Address(a), Address(b)) if a == b => Some(self.clone()),
            (Suffix(_) | Name(_) | Address(_), Suffix(_) | Name(_) | Address(_)) => None,
        }
    }
}

impl Methods {
    fn read(field: &Field<'_>) -> Result<Methods, ManifestError> {
        let mut methods = BTreeSet::new();
        for item in field.items(METHODS_MAX)? {
            let method = item.text()?;
            let is_named = !method.is_empty()
                && method.len() <= METHOD_CHARS_MAX
                && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
            if method != ANY && !is_named {
                return Err(
                    item.wrong("it must be a method in capital letters, as \"GET\", or \"*\" for all")
                );
            }
            methods.insert(method.to_owned());
        }
        if methods.is_empty() {
            return Err(field.wrong("it names no method: write methods = [\"GET\"]"));
        }
        Ok(if methods.contains(ANY) { Methods::Any } else { Methods::Named(methods) })
    }

    fn covers(&self, method: &str) -> bool {
        match self {
            Methods::Any => true,
            Methods::Named(methods) => methods.contains(method),
        }
    }

    fn intersection(&self, other: &Methods) -> Option<Methods> {
        match (self, other) {
            (Methods::Any, narrower) | (narrower, Methods::Any) => Some(narrower.clone()),
            (Methods::Named(a), Methods::Named(b)) => {
                let both: BTreeSet<String> = a.intersection(b).cloned().collect();
                (!both.is_empty()).then_some(Methods::Named(both))
            }
        }
    }
}

/// As it stands in TOML, on one line.
impl fmt::Display for HttpRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.host {
            HostPattern::Any => ANY.to_owned(),
            HostPattern::Suffix(suffix) => format!("*{suffix}"),
            HostPattern::Name(name) => name.clone(),
            HostPattern::Address(address) => address.to_string(),
        };
        let methods = match &self.methods {
            Methods::Any => format!("\"{ANY}\""),
            Methods::Named(methods) => {
                methods.iter().map(|method| format!("\"{method}\"")).collect::<Vec<_>>().join(", ")
            }
        };
        write!(
            formatter,
            "{{ scheme = \"{}\", host = \"{host}\", port = {}, methods = [{methods}] }}",
            self.scheme.name(),
            self.port
        )
    }
}

/// Names are the same in any case, and with or without the root's dot.
fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// An address of version 6 has brackets in a URL.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
