//! What tasks reach outside, as the operator has set it.

use std::env;
use std::sync::Arc;

use engine::shard::Mocks;
use executors::{FunctionEndpoint, HttpTasks, ModuleRequests};
use outbound::Credentials;
use store::Store;
use wasm_host::Outgoing;

use crate::api::Kept;
use crate::app::Account;
use crate::cli::OutsideOptions;
use crate::serve::ServeError;

/// Where functions are called for which there is no module.
pub(crate) fn function_endpoint(options: &OutsideOptions) -> Result<Option<FunctionEndpoint>, ServeError> {
    let Some(url) = options.lambda_endpoint().cloned() else { return Ok(None) };
    let credentials = credentials();
    if credentials.is_none() {
        tracing::warn!(
            endpoint = %url,
            "calls of functions are not signed, because AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
        );
    }
    Ok(Some(FunctionEndpoint::new(url, credentials)?))
}

/// The performer of HTTP tasks.
pub(crate) fn http_tasks<S: Store + Clone>(
    options: &OutsideOptions,
    account: &Account,
    connections: Kept<S>,
) -> Result<HttpTasks<Kept<S>>, ServeError> {
    Ok(HttpTasks::new(options.guard(), connections, account.region.clone())?)
}

/// Whoever makes the requests of modules.
pub(crate) fn module_requests(options: &OutsideOptions) -> Result<Arc<dyn Outgoing>, ServeError> {
    Ok(Arc::new(ModuleRequests::new(options.guard())?))
}

/// The test cases with which executions may be started.
pub(crate) fn mocks(options: &OutsideOptions) -> Result<Arc<Mocks>, ServeError> {
    let Some(file) = options.mock_config.as_deref().filter(|file| !file.as_os_str().is_empty()) else {
        return Ok(Arc::default());
    };
    crate::mocks::read(file).map(Arc::new).map_err(ServeError::Mocks)
}

/// The keys with which requests to AWS are signed. They are read from the environment alone: arguments can be seen
/// by every user of the machine.
fn credentials() -> Option<Credentials> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let (id, secret) = (set("AWS_ACCESS_KEY_ID")?, set("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(&id, &secret, set("AWS_SESSION_TOKEN").as_deref()))
}
