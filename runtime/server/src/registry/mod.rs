//! The registry of modules: what names mean, how uploads come in, and which components are no longer needed.

mod change;
mod components;
mod find;
mod kept;
mod weight;

pub(crate) use change::{Change, ChangeError, Upload, Uploaded, change, collect_later, upload};
pub(crate) use components::Components;
pub(crate) use find::LATEST;
pub use find::{Registry, functions};
pub(crate) use weight::{version_name, weight_millionths};
