//! `AuthParameters` of a connection: read, merged with what was there, shown without secrets, and sealed whole.

use executors::{Authorization, Connection, OAuth, Parameter, Parameters, is_forbidden_header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::error::ApiError;
use crate::api::fields::{Fields, TextRule};

/// AWS service model.
const PARAMETERS_MAX: usize = 100;
const TEXT: TextRule = TextRule::secret(1, 512);
const KEY: TextRule = TextRule::of(0, 512);
const VALUE: TextRule = TextRule::secret(0, 512);
const ENDPOINT: TextRule = TextRule::of(1, 2_048);
const METHODS: &[(&str, &str)] = &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT")];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Kind {
    Basic,
    OauthClientCredentials,
    ApiKey,
}

pub(super) const KINDS: &[(&str, Kind)] = &[
    ("BASIC", Kind::Basic),
    ("OAUTH_CLIENT_CREDENTIALS", Kind::OauthClientCredentials),
    ("API_KEY", Kind::ApiKey),
];

/// In the shape of the API, in which it is sealed too. It has secrets.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AuthParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    basic_auth_parameters: Option<Basic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_auth_parameters: Option<ApiKey>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "OAuthParameters")]
    oauth_parameters: Option<OAuthParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_http_parameters: Option<HttpParameters>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Basic {
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiKey {
    api_key_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_value: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OAuthParameters {
    client_parameters: Option<Client>,
    authorization_endpoint: Option<String>,
    http_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "OAuthHttpParameters")]
    oauth_http_parameters: Option<HttpParameters>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Client {
    #[serde(rename = "ClientID")]
    client_id: Option<String>,
    #[serde(rename = "ClientSecret", skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HttpParameters {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    header_parameters: Vec<Pair>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    query_string_parameters: Vec<Pair>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    body_parameters: Vec<Pair>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    is_value_secret: bool,
}

/// Secrets are no business of a log.
impl std::fmt::Debug for AuthParameters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AuthParameters").finish_non_exhaustive()
    }
}

impl AuthParameters {
    /// None if the request has none.
    pub(super) fn read(fields: &mut Fields) -> Result<Option<AuthParameters>, ApiError> {
        let Some(mut given) = fields.structure("AuthParameters")? else { return Ok(None) };
        let parameters = AuthParameters {
            basic_auth_parameters: within(&mut given, "BasicAuthParameters", |basic| {
                Ok(Basic { username: basic.text("Username", TEXT)?, password: basic.text("Password", TEXT)? })
            })?,
            api_key_auth_parameters: within(&mut given, "ApiKeyAuthParameters", |key| {
                Ok(ApiKey {
                    api_key_name: key.text("ApiKeyName", TEXT)?,
                    api_key_value: key.text("ApiKeyValue", TEXT)?,
                })
            })?,
            oauth_parameters: within(&mut given, "OAuthParameters", read_oauth)?,
            invocation_http_parameters: within(&mut given, "InvocationHttpParameters", read_http)?,
        };
        if given.structure("ConnectivityParameters")?.is_some() {
            return Err(ApiError::validation("Private connectivity of a connection is not supported."));
        }
        fields.absorb(given);
        Ok(Some(parameters))
    }

    /// What is given anew takes the place of what was there.
    pub(super) fn updated(self, newer: AuthParameters) -> AuthParameters {
        let basic = |old: Basic, new: Basic| Basic {
            username: new.username.or(old.username),
            password: new.password.or(old.password),
        };
        let key = |old: ApiKey, new: ApiKey| ApiKey {
            api_key_name: new.api_key_name.or(old.api_key_name),
            api_key_value: new.api_key_value.or(old.api_key_value),
        };
        let client = |old: Client, new: Client| Client {
            client_id: new.client_id.or(old.client_id),
            client_secret: new.client_secret.or(old.client_secret),
        };
        let oauth = |old: OAuthParameters, new: OAuthParameters| OAuthParameters {
            client_parameters: merged(old.client_parameters, new.client_parameters, client),
            authorization_endpoint: new.authorization_endpoint.or(old.authorization_endpoint),
            http_method: new.http_method.or(old.http_method),
            oauth_http_parameters: new.oauth_http_parameters.or(old.oauth_http_parameters),
        };
        AuthParameters {
            basic_auth_parameters: merged(self.basic_auth_parameters, newer.basic_auth_parameters, basic),
            api_key_auth_parameters: merged(self.api_key_auth_parameters, newer.api_key_auth_parameters, key),
            oauth_parameters: merged(self.oauth_parameters, newer.oauth_parameters, oauth),
            invocation_http_parameters: newer.invocation_http_parameters.or(self.invocation_http_parameters),
        }
    }

    /// Those of one kind alone, which must be whole.
    pub(super) fn of_kind(self, kind: Kind) -> Result<AuthParameters, ApiError> {
        let parameters = AuthParameters {
            basic_auth_parameters: self.basic_auth_parameters.filter(|_| kind == Kind::Basic),
            api_key_auth_parameters: self.api_key_auth_parameters.filter(|_| kind == Kind::ApiKey),
            oauth_parameters: self.oauth_parameters.filter(|_| kind == Kind::OauthClientCredentials),
            invocation_http_parameters: self.invocation_http_parameters,
        };
        parameters.authorization().map_err(|missing| {
            ApiError::validation(format!(
                "Parameter(s) {missing} must be specified for this AuthorizationType."
            ))
        })?;
        parameters.check_headers()?;
        Ok(parameters)
    }

    fn check_headers(&self) -> Result<(), ApiError> {
        let of_oauth = self.oauth_parameters.as_ref().and_then(|oauth| oauth.oauth_http_parameters.as_ref());
        let all = self.invocation_http_parameters.iter().chain(of_oauth);
        let names = all.flat_map(|http| &http.header_parameters).map(|pair| pair.key.as_str());
        let key = self.api_key_auth_parameters.as_ref().and_then(|key| key.api_key_name.as_deref());
        for name in names.chain(key) {
            if is_forbidden_header(name) {
                return Err(ApiError::validation(format!(
                    "The header '{name}' cannot be set by a connection."
                )));
            }
        }
        Ok(())
    }

    /// As everybody may see them.
    pub(super) fn shown(&self) -> Value {
        let mut shown = self.clone();
        if let Some(basic) = &mut shown.basic_auth_parameters {
            basic.password = None;
        }
        if let Some(key) = &mut shown.api_key_auth_parameters {
            key.api_key_value = None;
        }
        if let Some(oauth) = &mut shown.oauth_parameters {
            if let Some(client) = &mut oauth.client_parameters {
                client.client_secret = None;
            }
            hide(oauth.oauth_http_parameters.as_mut());
        }
        hide(shown.invocation_http_parameters.as_mut());
        serde_json::to_value(shown).unwrap_or_default()
    }

    /// For a request that uses the connection. None if something is missing, which `of_kind` has excluded.
    pub(super) fn connection(&self, revision: String) -> Option<Connection> {
        let parameters = plain(self.invocation_http_parameters.as_ref());
        Some(Connection { revision, authorization: self.authorization().ok()?, parameters })
    }

    /// The error names what is missing.
    fn authorization(&self) -> Result<Authorization, &'static str> {
        if let Some(Basic { username, password }) = self.basic_auth_parameters.clone() {
            return Ok(Authorization::Basic {
                username: username.ok_or("AuthParameters.BasicAuthParameters.Username")?,
                password: password.ok_or("AuthParameters.BasicAuthParameters.Password")?,
            });
        }
        if let Some(ApiKey { api_key_name, api_key_value }) = self.api_key_auth_parameters.clone() {
            return Ok(Authorization::ApiKey {
                name: api_key_name.ok_or("AuthParameters.ApiKeyAuthParameters.ApiKeyName")?,
                value: api_key_value.ok_or("AuthParameters.ApiKeyAuthParameters.ApiKeyValue")?,
            });
        }
        let oauth = self.oauth_parameters.clone();
        let oauth = oauth.ok_or("of AuthParameters")?;
        let client = oauth.client_parameters.ok_or("AuthParameters.OAuthParameters.ClientParameters")?;
        Ok(Authorization::OAuth(Box::new(OAuth {
            client_id: client.client_id.ok_or("AuthParameters.OAuthParameters.ClientParameters.ClientID")?,
            client_secret: client
                .client_secret
                .ok_or("AuthParameters.OAuthParameters.ClientParameters.ClientSecret")?,
            endpoint: oauth
                .authorization_endpoint
                .ok_or("AuthParameters.OAuthParameters.AuthorizationEndpoint")?,
            method: oauth.http_method.ok_or("AuthParameters.OAuthParameters.HttpMethod")?,
            parameters: plain(oauth.oauth_http_parameters.as_ref()),
        })))
    }
}

fn merged<T>(old: Option<T>, new: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (old, new) {
        (Some(old), Some(new)) => Some(merge(old, new)),
        (old, new) => new.or(old),
    }
}

fn within<T>(
    fields: &mut Fields,
    name: &str,
    read: impl FnOnce(&mut Fields) -> Result<T, ApiError>,
) -> Result<Option<T>, ApiError> {
    let Some(mut inner) = fields.structure(name)? else { return Ok(None) };
    let found = read(&mut inner)?;
    fields.absorb(inner);
    Ok(Some(found))
}

fn read_oauth(fields: &mut Fields) -> Result<OAuthParameters, ApiError> {
    let client_parameters = within(fields, "ClientParameters", |client| {
        Ok(Client {
            client_id: client.text("ClientID", TEXT)?,
            client_secret: client.text("ClientSecret", TEXT)?,
        })
    })?;
    let endpoint = fields.text("AuthorizationEndpoint", ENDPOINT)?;
    let is_url = |text: &String| {
        outbound::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    if endpoint.as_ref().is_some_and(|text| !is_url(text)) {
        return Err(ApiError::validation("AuthorizationEndpoint must be an HTTPS URL."));
    }
    Ok(OAuthParameters {
        client_parameters,
        authorization_endpoint: endpoint,
        http_method: fields.choice("HttpMethod", METHODS)?.map(str::to_owned),
        oauth_http_parameters: within(fields, "OAuthHttpParameters", read_http)?,
    })
}

fn read_http(fields: &mut Fields) -> Result<HttpParameters, ApiError> {
    Ok(HttpParameters {
        header_parameters: read_pairs(fields, "HeaderParameters")?,
        query_string_parameters: read_pairs(fields, "QueryStringParameters")?,
        body_parameters: read_pairs(fields, "BodyParameters")?,
    })
}

fn read_pairs(fields: &mut Fields, name: &str) -> Result<Vec<Pair>, ApiError> {
    let mut pairs = Vec::new();
    for mut member in fields.bounded_list(name, 0, PARAMETERS_MAX)?.unwrap_or_default() {
        pairs.push(Pair {
            key: member.text("Key", KEY)?.unwrap_or_default(),
            value: Some(member.text("Value", VALUE)?.unwrap_or_default()),
            is_value_secret: member.flag("IsValueSecret")?.unwrap_or(false),
        });
        fields.absorb(member);
    }
    Ok(pairs)
}

fn hide(parameters: Option<&mut HttpParameters>) {
    let Some(http) = parameters else { return };
    let lists = [&mut http.header_parameters, &mut http.query_string_parameters, &mut http.body_parameters];
    for pair in lists.into_iter().flatten().filter(|pair| pair.is_value_secret) {
        pair.value = None;
    }
}

fn plain(parameters: Option<&HttpParameters>) -> Parameters {
    let list = |pairs: &[Pair]| {
        let parameter = |pair: &Pair| Parameter {
            key: pair.key.clone(),
            value: pair.value.clone().unwrap_or_default(),
            is_secret: pair.is_value_secret,
        };
        pairs.iter().map(parameter).collect()
    };
    parameters.map_or_else(Parameters::default, |http| Parameters {
        headers: list(&http.header_parameters),
        query: list(&http.query_string_parameters),
        body: list(&http.body_parameters),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(parameters: &Value) -> Result<AuthParameters, ApiError> {
        let body = json!({"AuthParameters": parameters}).to_string();
        let mut fields = Fields::parse(body.as_bytes())?;
        let read = AuthParameters::read(&mut fields)?.unwrap();
        fields.finish()?;
        Ok(read)
    }

    #[test]
    fn secrets_are_not_shown() {
        let pair = |secret: bool| json!({"Key": "k", "Value": "s3cret", "IsValueSecret": secret});
        let parameters = read(&json!({
            "BasicAuthParameters": {"Username": "ann", "Password": "s3cret"},
            "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"},
            "OAuthParameters": {
                "ClientParameters": {"ClientID": "id", "ClientSecret": "s3cret"},
                "AuthorizationEndpoint": "https://a.example/token", "HttpMethod": "POST",
                "OAuthHttpParameters": {"BodyParameters": [pair(true)]},
            },
            "InvocationHttpParameters": {"HeaderParameters": [pair(true)], "QueryStringParameters": [pair(true)]},
        }))
        .unwrap();
        let shown = parameters.shown().to_string();
        assert!(
            !shown.contains("s3cret") && shown.contains("ann") && shown.contains("\"ClientID\":\"id\""),
            "{shown}"
        );
        assert!(!format!("{parameters:?}").contains("s3cret"));
        let open = read(&json!({"InvocationHttpParameters": {"BodyParameters": [pair(false)]}})).unwrap();
        assert!(open.shown().to_string().contains("s3cret"));
    }

    #[test]
    fn an_update_keeps_what_it_does_not_name() {
        let old = read(&json!({"BasicAuthParameters": {"Username": "ann", "Password": "one"}})).unwrap();
        let new = read(&json!({"BasicAuthParameters": {"Password": "two"}})).unwrap();
        let connection = old.updated(new).of_kind(Kind::Basic).unwrap().connection("1".to_owned()).unwrap();
        let Authorization::Basic { username, password } = connection.authorization else {
            panic!("another kind")
        };
        assert_eq!((username.as_str(), password.as_str()), ("ann", "two"));
    }

    #[test]
    fn what_is_missing_or_not_allowed_is_named() {
        let refused = |kind, parameters: Value, expected: &str| {
            let error = read(&parameters).and_then(|read| read.of_kind(kind)).unwrap_err();
            assert_eq!(error.code(), "ValidationException");
            assert!(error.message().contains(expected), "{}", error.message());
        };
        refused(
            Kind::Basic,
            json!({"BasicAuthParameters": {"Username": "a"}}),
            "BasicAuthParameters.Password",
        );
        refused(
            Kind::ApiKey,
            json!({"BasicAuthParameters": {"Username": "a", "Password": "b"}}),
            "of AuthParameters",
        );
        let client = json!({"ClientID": "a", "ClientSecret": "b"});
        refused(
            Kind::OauthClientCredentials,
            json!({"OAuthParameters": {"ClientParameters": client}}),
            "AuthorizationEndpoint",
        );
        refused(
            Kind::OauthClientCredentials,
            json!({"OAuthParameters": {"AuthorizationEndpoint": "a.example"}}),
            "URL",
        );
        let host = json!({"Key": "Host", "Value": "b"});
        refused(
            Kind::ApiKey,
            json!({"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"},
                "InvocationHttpParameters": {"HeaderParameters": [host]}}),
            "'Host' cannot be set",
        );
        refused(
            Kind::ApiKey,
            json!({"ApiKeyAuthParameters": {"ApiKeyName": "a b", "ApiKeyValue": "v"}}),
            "'a b'",
        );
    }
}
