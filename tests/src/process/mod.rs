//! The real `stepwell` program as a child process: started, asked over HTTP, killed, and what it wrote checked.

mod client;
mod guests;
pub mod history;
mod outside;
mod program;
mod server;
mod wait;

pub use client::{Answer, CallError, Client, Refused};
pub use guests::guest;
pub use outside::{Asked, Outside, Reply, Transport};
pub use program::{program, root, target};
pub use server::{Home, Server, take_descriptors};
pub use wait::{PATIENCE, pause, wait_for};
