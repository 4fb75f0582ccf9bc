//! The arguments of `serve` that say what tasks may reach outside.

use clap::Args;
use outbound::Url;

/// The second name of the endpoint's variable, which Step Functions Local has.
const LAMBDA_ENDPOINT_OF_LOCAL: &str = "LAMBDA_ENDPOINT";

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What tasks may reach")]
pub(crate) struct OutsideOptions {
    /// Lambda, or what answers like it, for functions that are no modules here; LAMBDA_ENDPOINT names it too. Calls are
    /// signed if AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_LAMBDA", value_parser = endpoint)]
    lambda_endpoint: Option<Url>,
}

impl OutsideOptions {
    /// An error if the variable has no URL.
    pub(crate) fn lambda_endpoint(&self) -> Result<Option<Url>, String> {
        if self.lambda_endpoint.is_some() {
            return Ok(self.lambda_endpoint.clone());
        }
        let named = std::env::var(LAMBDA_ENDPOINT_OF_LOCAL).ok().filter(|text| !text.is_empty());
        let named = named.map(|text| endpoint(&text)).transpose();
        named.map_err(|why| format!("{LAMBDA_ENDPOINT_OF_LOCAL}: {why}"))
    }
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
