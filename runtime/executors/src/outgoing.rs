//! Requests of modules to the outside, made within what the operator lets tasks reach.

use std::sync::Arc;

use outbound::{Bounds, Client, ClientError, Guard, NoConnection, Policy, Response, SendError, Stage, http};
use wasm_host::{Outgoing, OutgoingBounds, OutgoingError, OutgoingFuture, OutgoingRequest, OutgoingResponse};

/// Makes requests for modules, beside and apart from those of HTTP tasks.
#[derive(Debug)]
pub struct ModuleRequests {
    client: Client,
}

impl ModuleRequests {
    /// The guard says what may be reached, whatever a module was granted.
    pub fn new(guard: Guard) -> Result<ModuleRequests, ClientError> {
        Ok(ModuleRequests { client: Client::new(Policy::Guarded(guard))? })
    }
}

impl Outgoing for ModuleRequests {
    fn send(&self, module: &Arc<str>, request: OutgoingRequest, bounds: OutgoingBounds) -> OutgoingFuture {
        let (client, module) = (self.client.clone(), Arc::clone(module));
        let OutgoingBounds { timeout, body_bytes_max } = bounds;
        Box::pin(async move {
            let answer = client.send_for(module, request, Bounds { timeout, body_bytes_max }).await;
            answer.map(response).map_err(error)
        })
    }
}

fn response(answer: Response) -> OutgoingResponse {
    let Response { status, reason: _, headers, body } = answer;
    let mut response = http::Response::new(body);
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

fn error(error: SendError) -> OutgoingError {
    match error {
        SendError::Forbidden(why) => OutgoingError::Forbidden(why),
        SendError::Connect(NoConnection { stage: Stage::Lookup, why }) => OutgoingError::Lookup(why),
        SendError::Connect(NoConnection { stage: Stage::Connect, why }) => OutgoingError::Connect(why),
        SendError::Connect(NoConnection { stage: Stage::Tls, why }) => OutgoingError::Tls(why),
        SendError::TimedOut(_) => OutgoingError::TimedOut,
        SendError::TooLarge { .. } => OutgoingError::TooLarge,
        SendError::Broken(why) => OutgoingError::Broken(why),
        SendError::Invalid(why) => OutgoingError::Invalid(why),
    }
}
