//! What a call of a module costs: in wasmtime alone, through the module host, through the executor of tasks, and as a
//! whole execution; the first call after a restart; and the memory of many modules and of many calls.
//!
//! `cargo bench --package tests --bench modules` runs everything; a name after `--` runs one section: `calls`, `cold`,
//! `resident` or `suspended`. The example modules are built before, by `cargo xtask guests`.
//!
//! Each section has a process of its own, so that memory is not what another one left. CPU time is that of all threads:
//! it hardly moves when the machine has other work, while calls per second do.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it finds trouble"
)]

mod bare;
mod calls;
mod cold;
mod folder;
mod measure;
mod resident;
mod suspended;
mod world;

use std::process::Command;
use std::time::Duration;

/// How long the way of one call is measured at a time, and how often, in turns with the other ways.
const ROUND: Duration = Duration::from_millis(1_500);
const ROUNDS: usize = 5;

/// Each with its arguments, in a process of its own.
const SECTIONS: &[&[&str]] =
    &[&["calls", "1"], &["calls", "2"], &["cold"], &["resident", "1"], &["resident", "1000"], &["suspended"]];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["child", "calls", ..] => calls::run(),
        ["child", "cold"] => cold::run(),
        ["child", "resident", modules] => resident::run(modules.parse().unwrap()),
        ["child", "suspended"] => suspended::run(),
        [] => SECTIONS.iter().for_each(|section| in_a_process_of_its_own(section)),
        [wanted] => SECTIONS
            .iter()
            .filter(|section| section[0] == wanted)
            .for_each(|section| in_a_process_of_its_own(section)),
        _ => panic!("there is no section {arguments:?}"),
    }
}

fn in_a_process_of_its_own(section: &[&str]) {
    let this = std::env::current_exe().unwrap();
    let mut command = match *section {
        ["calls", cores] => {
            let mut command = Command::new("taskset");
            let last = cores.parse::<usize>().unwrap() - 1;
            command.args(["-c", &format!("0-{last}")]).arg(this);
            command
        }
        _ => Command::new(this),
    };
    let ended = command.arg("child").args(section).status().unwrap();
    assert!(ended.success(), "{section:?}");
}
