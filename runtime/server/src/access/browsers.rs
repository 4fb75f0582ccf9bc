//! While there are no keys, whoever reaches the server may ask, but not the pages that its user looks at.
//!
//! A browser lets a page send some requests to other origins, and a page whose name is made to point at this
//! machine sends them to its own origin. Browsers tell both: by `Origin`, by `Sec-Fetch-Site`, and by `Host`.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use super::refusals::page;
use crate::api::ApiError;

const SITE: &str = "sec-fetch-site";

/// Refuses what a page asks for that is not this server's. `is_aws` says that the request is one of the AWS API,
/// which no browser sends to its own origin without `Origin`.
pub(super) fn check(headers: &HeaderMap, is_aws: bool, is_remote: bool) -> Result<(), ApiError> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (origin, site) = (text(header::ORIGIN.as_str()), text(SITE));
    let host = text(header::HOST.as_str());
    if origin.is_none() && site.is_none() {
        // A plain GET of a page to its own origin has neither. AWS clients put names of their own into Host.
        return match host {
            Some(host) if !is_aws && !is_remote && !is_address(host) => Err(page(format!(
                "The host name '{}' may be that of a web page. Ask for localhost or 127.0.0.1, or make an access key \
                 with `stepwell keys create` and sign requests.",
                host.escape_debug()
            ))),
            Some(_) | None => Ok(()),
        };
    }
    let is_own = host.is_some_and(|host| {
        is_loopback(host)
            && origin.is_none_or(|origin| origin == format!("http://{host}"))
            && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
    });
    if is_own {
        return Ok(());
    }
    Err(page(
        "A web page of another origin may not use this server. Make an access key with `stepwell keys create` and sign \
         requests.",
    ))
}

/// A name or address that no one else can point here.
fn is_address(host: &str) -> bool {
    is_loopback(host) || address(host).is_some()
}

fn is_loopback(host: &str) -> bool {
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || address(host).is_some_and(|address| address.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    without_port(host).trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(lines: &[(&'static str, &str)], is_aws: bool, is_remote: bool, expected: bool) {
        let headers: HeaderMap = lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        assert_eq!(super::check(&headers, is_aws, is_remote).is_ok(), expected, "{lines:?}");
    }

    #[test]
    fn clients_that_are_no_browsers_come_in() {
        for host in
            ["127.0.0.1:8083", "localhost:8083", "[::1]:8083", "LOCALHOST.", "192.168.1.2:1", "[fe80::1]:1"]
        {
            check(&[("host", host)], false, false, true);
        }
        check(&[], false, false, true);
        for host in ["sync-localhost:8083", "sync-127.0.0.1", "states.example.com", "stepwell:8083"] {
            check(&[("host", host)], true, false, true);
            check(&[("host", host)], false, true, true);
            check(&[("host", host)], false, false, false);
        }
    }

    #[test]
    fn a_page_of_another_origin_stays_out() {
        let local = ("host", "localhost:8083");
        for origin in ["http://example.com", "http://localhost:3000", "https://localhost:8083", "null", ""] {
            check(&[local, ("origin", origin)], true, false, false);
        }
        for site in ["cross-site", "same-site", "else"] {
            check(&[local, (SITE, site)], false, false, false);
            check(&[local, ("origin", "http://localhost:8083"), (SITE, site)], false, false, false);
        }
        check(&[local, ("origin", "http://localhost:8083"), (SITE, "same-origin")], false, false, true);
        check(&[local, (SITE, "none")], false, false, true);
    }

    #[test]
    fn a_page_that_rebinds_its_name_stays_out() {
        let host = ("host", "rebound.example.com:8083");
        for is_remote in [false, true] {
            check(&[host, ("origin", "http://rebound.example.com:8083")], true, is_remote, false);
            check(&[host, (SITE, "same-origin")], false, is_remote, false);
            check(&[host, (SITE, "none")], false, is_remote, false);
        }
        check(&[host], false, false, false);
        for host in
            ["localhost.example.com", "127.0.0.1.example.com", "127.0.0.1.example.com:8083", "xlocalhost"]
        {
            check(&[("host", host)], false, false, false);
        }
    }
}
