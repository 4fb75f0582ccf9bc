//! The arguments of `serve` that say what tasks may reach outside.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use outbound::{Guard, IpNet, Origin, Url};

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What tasks may reach")]
pub(crate) struct OutsideOptions {
    /// Lambda, or what answers like it, for functions that are no modules here. Calls are signed if AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_LAMBDA", value_parser = endpoint)]
    lambda_endpoint: Option<Url>,
    /// An origin that HTTP tasks may reach, such as https://api.example.com or https://*.example.com:8443; may be
    /// repeated, and then they reach nothing else. Without it they reach every public address over HTTPS. `none` lets
    /// them reach nothing
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', value_parser = allowed)]
    http_allow: Vec<Allowed>,
    /// An address or a range that HTTP tasks may connect to although it is not public, such as 10.1.0.0/16; may be
    /// repeated
    #[arg(
        long,
        value_name = "ADDRESS|RANGE",
        value_delimiter = ',',
        value_parser = addresses
    )]
    http_allow_address: Vec<IpNet>,
    /// Mock configuration as Step Functions Local has it: answers that stand in for tasks, in executions that are started
    /// with ARN#TESTCASE
    #[arg(long, value_name = "FILE", env = "SFN_MOCK_CONFIG")]
    pub(crate) mock_config: Option<PathBuf>,
}

/// What `--http-allow` names.
#[derive(Debug, Clone)]
enum Allowed {
    None,
    Origin(Origin),
}

impl OutsideOptions {
    /// What HTTP tasks may reach.
    pub(crate) fn guard(&self) -> Guard {
        let origins = self.http_allow.iter().filter_map(|allowed| match allowed {
            Allowed::None => None,
            Allowed::Origin(origin) => Some(origin.clone()),
        });
        let is_open = self.http_allow.is_empty();
        Guard { origins: (!is_open).then(|| origins.collect()), addresses: self.http_allow_address.clone() }
    }

    pub(crate) fn lambda_endpoint(&self) -> Option<&Url> {
        self.lambda_endpoint.as_ref()
    }
}

fn allowed(text: &str) -> Result<Allowed, String> {
    if text == "none" { Ok(Allowed::None) } else { text.parse().map(Allowed::Origin) }
}

fn addresses(text: &str) -> Result<IpNet, String> {
    let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    range.ok_or_else(|| format!("'{text}' is no IP address and no range of them; write it as 10.1.0.0/16"))
}

fn endpoint(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| format!("'{text}' {why}; write it as http://127.0.0.1:3001");
    let url = Url::parse(text).map_err(|error| wrong(&format!("is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("is neither an http nor an https URL"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("has more than scheme, host, port and path"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_address_or_more_of_them() {
        assert_eq!(addresses("10.1.2.3").unwrap().to_string(), "10.1.2.3/32");
        assert_eq!(addresses("fd00::/8").unwrap().to_string(), "fd00::/8");
        assert!(addresses("localhost").unwrap_err().contains("10.1.0.0/16"));
    }

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        assert_eq!(endpoint("http://localhost:3001/base").unwrap().as_str(), "http://localhost:3001/base");
        for (text, why) in [
            ("localhost:3001", "neither an http nor an https URL"),
            ("3001", "is no URL"),
            ("https://a.example?x=1", "more than scheme"),
            ("https://key@a.example", "more than scheme"),
        ] {
            let error = endpoint(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
