//! The settings of `serve`: each has one name in three forms, `--wait-time-scale`, `STEPWELL_WAIT_TIME_SCALE` and
//! `wait_time_scale` in a file. The arguments of the command line are the table from which all of them are made.

mod file;
mod print;
mod resolve;
mod table;
#[cfg(test)]
mod tests;

pub(super) use file::{File, Problem};
pub(super) use print::{example, origin, show};
pub(super) use resolve::{Environment, FILE, FILE_VARIABLE, Resolved, resolve};
pub(super) use table::command;
