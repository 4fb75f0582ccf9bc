//! Lines for the task's log: `stepwell::log::info!("priced {count} items")`.
//!
//! Standard output and standard error go to the same log; these carry a level.

use crate::host;

pub use crate::{
    __log_debug as debug, __log_error as error, __log_info as info, __log_trace as trace, __log_warn as warn,
};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step, for finding a fault.
    Trace,
    /// Details that help while developing.
    Debug,
    /// What usually happens.
    Info,
    /// Something odd that the task could deal with.
    Warn,
    /// Something that made the task fail.
    Error,
}

/// One line as a test reads it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much the line matters.
    pub level: Level,
    /// What it says.
    pub message: String,
}

/// Writes one line to the task's log; the macros of this module call it.
pub fn write(level: Level, message: &str) {
    host::write_log(level, message);
}

/// Writes a line that only helps to find a fault.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_trace {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Trace, &::std::format!($($message)+)) };
}

/// Writes a line that helps while developing.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($message)+)) };
}

/// Writes a line on what usually happens.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($message)+)) };
}

/// Writes a line on something odd that the task could deal with.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($message)+)) };
}

/// Writes a line on something that made the task fail.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($message)+)) };
}
