//! One attempt of `http:invoke`, from its parameters to its result.

use std::time::Duration;

use asl::interpreter::{ErrorOutput, TaskRequest};
use bytes::Bytes;
use engine::{Line, TaskDispatch, TaskOutcome, Watch};
use outbound::http::{Request, StatusCode};
use outbound::{Bounds, Client, ClientError, Guard, Policy, Response};
use tokio_util::sync::CancellationToken;

use crate::failure::unusable;

use super::connection::{Authorization, Connection, Connections, OAuth};
use super::parameters::HttpCall;
use super::token::Tokens;
use super::{exchange, parameters, request, response};

const RESOURCE: &str = "arn:aws:states:::http:invoke";
/// AWS: a task may wait this long for its answer, and no larger one can go on as a state's output.
const ANSWER: Bounds =
    Bounds { timeout: Duration::from_secs(60), body_bytes_max: asl::limits::PAYLOAD_BYTES_MAX };

/// Performs HTTP tasks, with the connections of whoever keeps them.
#[derive(Debug)]
pub struct HttpTasks<C> {
    client: Client,
    connections: C,
    tokens: Tokens,
    region: String,
}

/// Whether a task's Resource is an HTTP task.
pub(crate) fn is_http(resource: &str) -> bool {
    resource == RESOURCE
}

/// A host that hangs keeps nobody waiting who asks another one. A workflow may name any number of hosts, so they are a
/// group.
pub(crate) fn line(request: &TaskRequest) -> Line {
    let host = parameters::host(&request.input);
    let name = host.map_or_else(|| request.resource.clone(), |host| host.into());
    Line { name, group: Some(RESOURCE) }
}

impl<C: Connections> HttpTasks<C> {
    /// The guard says what may be reached.
    pub fn new(guard: Guard, connections: C, region: String) -> Result<HttpTasks<C>, ClientError> {
        let client = Client::new(Policy::Guarded(guard))?;
        Ok(HttpTasks { client, connections, tokens: Tokens::default(), region })
    }

    pub(crate) async fn run(&self, task: &TaskDispatch, cancel: &CancellationToken) -> TaskOutcome {
        let result = tokio::select! {
            result = self.perform(task) => result,
            () = cancel.cancelled() => Err(ErrorOutput::new("States.Http.Socket", "The task was cancelled.")),
        };
        TaskOutcome { result, usage: None }
    }

    async fn perform(&self, task: &TaskDispatch) -> Result<asl::Data, ErrorOutput> {
        let input = &task.request.input;
        let call = parameters::read(input)?;
        let connection = match &call.connection {
            None => None,
            Some(arn) => Some(self.connections.find(arn).await.map_err(|error| error.into_output(arn))?),
        };
        let attempt =
            Attempt { tasks: self, call: &call, connection: connection.as_ref(), watch: task.watch.as_ref() };
        let build = |token: Option<&str>| {
            request::build(&call, connection.as_ref(), token, &self.region)
                .map_err(|problem| unusable(input, &[problem]))
        };
        let Some(oauth) = oauth(connection.as_ref()) else {
            return response::result(&attempt.send(build(None)?, None).await?);
        };
        let token = attempt.token(oauth, None).await?;
        let answer = attempt.send(build(Some(&token))?, Some(&token)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return response::result(&answer);
        }
        let renewed = attempt.token(oauth, Some(&token)).await?;
        response::result(&attempt.send(build(Some(&renewed))?, Some(&renewed)).await?)
    }
}

fn oauth(connection: Option<&Connection>) -> Option<&OAuth> {
    match &connection?.authorization {
        Authorization::OAuth(oauth) => Some(oauth),
        Authorization::Basic { .. } | Authorization::ApiKey { .. } => None,
    }
}

struct Attempt<'a, C> {
    tasks: &'a HttpTasks<C>,
    call: &'a HttpCall,
    connection: Option<&'a Connection>,
    watch: Option<&'a Watch>,
}

impl<C> Attempt<'_, C> {
    async fn token(&self, oauth: &OAuth, refused: Option<&str>) -> Result<String, ErrorOutput> {
        let arn = self.call.connection.as_deref().unwrap_or_default();
        let revision = self.connection.map_or("", |connection| connection.revision.as_str());
        let key = format!("{arn} {revision}");
        self.tasks.tokens.get(&self.tasks.client, &key, oauth, refused).await.map_err(|why| {
            ErrorOutput::new(
                "Events.ConnectionResource.InvalidConnectionState",
                format!("The connection {arn} could not be authorized: {why}"),
            )
        })
    }

    async fn send(&self, request: Request<Bytes>, token: Option<&str>) -> Result<Response, ErrorOutput> {
        let Some(watch) = self.watch else {
            return self.tasks.client.send(request, ANSWER).await.map_err(|error| response::error(&error));
        };
        let mut secrets = self.connection.map(Connection::secrets).unwrap_or_default();
        secrets.extend(token.map(|token| token.split(' ').next_back().unwrap_or(token).to_owned()));
        let secrets = (!watch.reveals_secrets).then_some(secrets.as_slice());
        let sent = exchange::request(&request, secrets);
        let answer = self.tasks.client.send(request, ANSWER).await;
        let received = answer.as_ref().ok().map(|answer| exchange::response(answer, &sent.protocol, secrets));
        (watch.tell)(exchange::pair(sent, received));
        answer.map_err(|error| response::error(&error))
    }
}
