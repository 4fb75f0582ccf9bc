//! The address of a request, taken apart as the host wants it.

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) is_https: bool,
    /// The host and, if it is not that of the scheme, the port.
    pub(crate) authority: String,
    /// Begins with a slash.
    pub(crate) path_and_query: String,
}

impl Url {
    /// Reads an absolute `http` or `https` URL; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Url, String> {
        let wrong = |why: &str| Err(format!("the URL {text:?} {why}"));
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("must begin with https:// or http://");
        };
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return wrong("must begin with https:// or http://");
        }
        if let Some(bad) = text.chars().find(|character| !character.is_ascii_graphic()) {
            return wrong(&format!("has {bad:?}, which must be percent-encoded, as Request::query does"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return wrong("must not have a user: send a header instead");
        }
        if authority.is_empty() || authority.starts_with(':') {
            return wrong("has no host");
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        let authority = authority.to_ascii_lowercase();
        Ok(Url { is_https, authority, path_and_query: format!("{slash}{path}") })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority)
    }

    /// The rule of a manifest that lets a request through.
    pub(crate) fn grant(&self, method: &str) -> String {
        // The colons of an IPv6 address stand in brackets.
        let colon = self.authority.rfind(':').filter(|colon| !self.authority[*colon..].contains(']'));
        let (host, port) = match colon {
            Some(colon) => (&self.authority[..colon], format!(", port = {}", &self.authority[colon + 1..])),
            None => (self.authority.as_str(), String::new()),
        };
        let scheme = self.scheme();
        format!("{{ scheme = \"{scheme}\", host = \"{host}\"{port}, methods = [\"{method}\"] }}")
    }

    fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

/// A text as a part of a query.
pub(crate) fn percent_encode(text: &str, encoded: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)]));
            encoded.push('%');
            encoded.extend(digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let check = |text: &str, is_https: bool, authority: &str, path: &str| {
            let (authority, path_and_query) = (authority.to_owned(), path.to_owned());
            assert_eq!(Url::parse(text), Ok(Url { is_https, authority, path_and_query }), "{text}");
        };
        check("https://api.example.com", true, "api.example.com", "/");
        check(
            "HTTP://API.example.com:8080/Rates?base=EUR#top",
            false,
            "api.example.com:8080",
            "/Rates?base=EUR",
        );
        check("https://[::1]:8443?a=/b", true, "[::1]:8443", "/?a=/b");
    }

    #[test]
    fn what_is_no_url_is_told_why() {
        let check = |text: &str, why: &str| {
            let told = Url::parse(text).expect_err(text);
            assert!(told.contains(why), "{told}");
        };
        check("/rates", "must begin with https://");
        check("ftp://example.com/", "must begin with https://");
        check("https:///rates", "has no host");
        check("https://:80/", "has no host");
        check("https://key@example.com/", "must not have a user");
        check("https://example.com/a b", "' ', which must be percent-encoded");
        check("https://example.com/ü", "must be percent-encoded");
        check("https://example.com/\r\nHost: other", "must be percent-encoded");
    }

    #[test]
    fn a_grant_names_what_a_request_needs() {
        let grant = |url: &str| Url::parse(url).unwrap().grant("POST");
        assert_eq!(
            grant("https://a.example/b"),
            r#"{ scheme = "https", host = "a.example", methods = ["POST"] }"#
        );
        let address = grant("http://[::1]:80/");
        assert_eq!(address, r#"{ scheme = "http", host = "[::1]", port = 80, methods = ["POST"] }"#);
    }

    #[test]
    fn parts_of_a_query_are_encoded() {
        let mut encoded = String::new();
        percent_encode("a b&c=ü~", &mut encoded);
        assert_eq!(encoded, "a%20b%26c%3D%C3%BC~");
    }
}
