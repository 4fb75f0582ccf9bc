//! The real `stepwell` program from the outside: killed, stopped, fed with hostile modules and bad requests, and used
//! by the AWS clients.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests too")]

mod authors;
mod bad_requests;
mod callbacks;
mod clients;
mod command_line;
mod connections;
mod functions;
mod grants;
mod hostile;
mod http_tasks;
mod keys;
mod kills;
mod load;
mod logs;
mod map_runs;
mod mocks;
mod model;
mod module_requests;
mod nested;
mod pollers;
mod polyglot;
mod recursion;
mod registry;
mod settings;
mod smuggling;
mod stops;
mod tasks;
mod tls;
mod tokens;
mod uploads;
