//! A server on a folder of its own and on a free port.

use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tempfile::TempDir;

use super::client::Client;
use super::program::program;
use super::wait::{PATIENCE, wait_for};

/// What the server prints before its address, once it takes requests.
const LISTENS: &str = "Stepwell listens on http://";
/// Where servers listen unless a test wants another address.
const LOOPBACK: &str = "127.0.0.1:0";
/// Lines of the log in a message about a server that failed.
const LOG_LINES_SHOWN: usize = 20;

/// Where the server of one test keeps everything; gone after the test.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// How many files its servers may have open before they ask for more; none for what this process may.
    descriptors: Option<u32>,
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Home {
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Home {
        let folder = tempfile::tempdir().expect("the temporary folder takes another one");
        Home { folder, arguments: Vec::new(), environment: Vec::new(), descriptors: None }
    }

    /// With one more argument and its value.
    #[must_use]
    pub fn with(mut self, argument: &str, value: impl Into<String>) -> Home {
        self.arguments.extend([argument.to_owned(), value.into()]);
        self
    }

    /// With a variable of the environment.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: impl Into<String>) -> Home {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// One whose servers log as much as `STEPWELL_LOG` says.
    pub fn logging(log_level: &str) -> Home {
        Home::new().with_env("STEPWELL_LOG", log_level)
    }

    /// All that the servers in this folder have logged.
    pub fn logged(&self) -> String {
        fs::read_to_string(self.log()).expect("the log can be read")
    }

    /// A file or folder of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Of servers that a shell starts with so few descriptors.
    pub fn with_descriptors(descriptors: u32) -> Home {
        Home { descriptors: Some(descriptors), ..Home::new() }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("server.out")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, listen: &str) -> Command {
        let mut command = match self.descriptors {
            None => Command::new(program()),
            Some(descriptors) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -Sn {descriptors} && exec \"$0\" \"$@\"")]).arg(program());
                shell
            }
        };
        command.args(["serve", "--listen", listen, "--region", "us-east-1"]);
        command.args(["--account", "123456789012", "--data"]).arg(self.data());
        command.env("STEPWELL_LOG", "warn").stdin(Stdio::null());
        command.args(&self.arguments).envs(self.environment.iter().cloned());
        command
    }

    /// Starts the server without waiting for it.
    pub fn spawn(&self) -> Child {
        self.spawn_on(LOOPBACK)
    }

    fn spawn_on(&self, listen: &str) -> Child {
        let log = OpenOptions::new().create(true).append(true).open(self.log());
        let output = File::create(self.output()).expect("the output can be written");
        let log = log.expect("the log can be written");
        self.command(listen).stdout(output).stderr(log).spawn().expect("the server can be started")
    }

    /// Starts the server and waits until it takes requests.
    #[track_caller]
    pub fn start(&self) -> Server {
        self.start_on(LOOPBACK)
    }

    /// The same on another address.
    #[track_caller]
    pub fn start_on(&self, listen: &str) -> Server {
        let mut child = self.spawn_on(listen);
        let address = wait_for("the server to listen", PATIENCE, || {
            if let Some(status) = child.try_wait().expect("the child can be waited for") {
                panic!("the server ended ({status}):\n{}", self.log_tail());
            }
            let output = fs::read_to_string(self.output()).ok()?;
            let (_, address) = output.split_once(LISTENS)?;
            address.split_once('\n')?.0.parse().ok()
        });
        Server { child, address }
    }

    /// Starts a server that is expected to end by itself.
    pub fn run(&self) -> Output {
        self.run_on(LOOPBACK)
    }

    /// The same on another address.
    pub fn run_on(&self, listen: &str) -> Output {
        self.command(listen).output().expect("the server can be started")
    }

    /// The names of the files in a folder of it.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join(folder)).expect("the folder can be read");
        let mut names: Vec<_> =
            files.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The end of what the servers in this folder logged.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Server {
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// SIGKILL: it gets no chance to put anything in order.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("the child can be waited for");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a child has an id"), Signal::TERM).expect("a child can be signalled");
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn wait(mut self) -> ExitStatus {
        wait_for("the server to end", PATIENCE, || {
            self.child.try_wait().expect("the child can be waited for")
        })
    }

    #[track_caller]
    pub fn assert_alive(&mut self) {
        let ended = self.child.try_wait().expect("the child can be waited for");
        assert!(ended.is_none(), "the server ended: {ended:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Lets this process have as many files open as the system grants it, for tests with many connections.
pub fn take_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("what is granted can be taken");
}
