//! Tasks that call an HTTP API: `http:invoke`.

mod connection;
mod encode;
mod exchange;
mod parameters;
mod request;
mod response;
mod task;
mod token;

pub use connection::{Authorization, Connection, ConnectionError, Connections, OAuth, Parameter, Parameters};
pub use parameters::is_forbidden_header;
pub use task::HttpTasks;
pub(crate) use task::{is_http, line};
