//! What a connection adds to a request: who asks, and parameters that are kept with it.

use asl::interpreter::ErrorOutput;

/// A connection as EventBridge has it, with its secrets in the clear; it lives as long as one request.
#[derive(Clone)]
pub struct Connection {
    /// Changes with every change of the connection, so that a token of before is not used after.
    pub revision: String,
    pub authorization: Authorization,
    pub parameters: Parameters,
}

/// How the API knows who asks.
#[derive(Clone)]
pub enum Authorization {
    Basic { username: String, password: String },
    ApiKey { name: String, value: String },
    OAuth(Box<OAuth>),
}

/// The flow of client credentials (RFC 6749, section 4.4).
#[derive(Clone)]
pub struct OAuth {
    pub client_id: String,
    pub client_secret: String,
    /// Where tokens are given out.
    pub endpoint: String,
    /// GET, POST or PUT.
    pub method: String,
    pub parameters: Parameters,
}

/// `InvocationHttpParameters` and `OAuthHttpParameters`.
#[derive(Clone, Default)]
pub struct Parameters {
    pub headers: Vec<Parameter>,
    pub query: Vec<Parameter>,
    pub body: Vec<Parameter>,
}

#[derive(Clone)]
pub struct Parameter {
    pub key: String,
    pub value: String,
    pub is_secret: bool,
}

/// Finds connections; whoever keeps them implements it.
pub trait Connections: Send + Sync + 'static {
    /// By its ARN, `arn:aws:events:REGION:ACCOUNT:connection/NAME/UUID`; the UUID may be missing.
    fn find(&self, arn: &str) -> impl Future<Output = Result<Connection, ConnectionError>> + Send;
}

/// Why a connection cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionError {
    /// The text is no ARN of a connection.
    InvalidArn,
    NotFound,
    /// It was found, but cannot be read.
    Unreadable(String),
}

impl ConnectionError {
    pub(crate) fn into_output(self, arn: &str) -> ErrorOutput {
        match self {
            ConnectionError::InvalidArn => ErrorOutput::new(
                "States.Runtime",
                format!("The ConnectionArn '{arn}' is not the ARN of an EventBridge connection."),
            ),
            ConnectionError::NotFound => ErrorOutput::new(
                "Events.ConnectionResource.NotFound",
                format!("The connection {arn} does not exist."),
            ),
            ConnectionError::Unreadable(why) => ErrorOutput::new(
                "Events.ConnectionResource.AccessDenied",
                format!("The secrets of the connection {arn} cannot be read: {why}"),
            ),
        }
    }
}

impl Connection {
    /// All that nobody should see.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<_> = self.parameters.secrets().collect();
        match &self.authorization {
            Authorization::Basic { password, .. } => secrets.push(password.clone()),
            Authorization::ApiKey { value, .. } => secrets.push(value.clone()),
            Authorization::OAuth(oauth) => {
                secrets.push(oauth.client_secret.clone());
                secrets.extend(oauth.parameters.secrets());
            }
        }
        secrets
    }
}

impl Parameters {
    fn secrets(&self) -> impl Iterator<Item = String> {
        let all = self.headers.iter().chain(&self.query).chain(&self.body);
        all.filter(|parameter| parameter.is_secret).map(|parameter| parameter.value.clone())
    }
}

/// Secrets are no business of a log.
impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authorization").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OAuth {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OAuth").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parameters").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parameter").field("key", &self.key).finish_non_exhaustive()
    }
}
