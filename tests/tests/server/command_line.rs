//! The program as a person uses it: commands with their output, and commands that go on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use rustix::process::{Pid, Signal, kill_process};
use tests::process::{PATIENCE, program, wait_for};

/// The program with compiled modules in `folder`, and with no server that somebody's environment names.
pub(crate) fn stepwell(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "STEPWELL_ENDPOINT"] {
        command.env_remove(name);
    }
    command.env("STEPWELL_CACHE", folder.join("cache")).args(arguments).current_dir(folder);
    command
}

#[track_caller]
pub(crate) fn check(output: &Output, code: i32, told: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    for part in told {
        assert!(errors.contains(part), "{part} is not in:\n{errors}");
    }
}

/// More lines than a test waits for.
const LINES_MAX: usize = 1_000;

/// A command that goes on, and all of its lines.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = sync_channel(LINES_MAX);
        let sources: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for source in sources {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(source).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Running { child, lines, seen: Vec::new() }
    }

    /// Waits for a line that is yet to come. Lines of standard output and of standard error are in no order to each other.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: &str) {
        wait_for(wanted, PATIENCE, || {
            let line = self.lines.try_recv().ok()?;
            let found = line.contains(wanted);
            self.seen.push(line);
            found.then_some(())
        });
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("the command to end", PATIENCE, || self.child.try_wait().unwrap())
    }

    /// Ctrl-C, and its end.
    #[track_caller]
    pub(crate) fn interrupt(&mut self) -> ExitStatus {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, Signal::INT).unwrap();
        self.ended()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("stepwell said:\n{}", self.seen.join("\n"));
        }
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
