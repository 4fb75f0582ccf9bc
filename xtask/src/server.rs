//! A Stepwell server as a child process: started, stopped gently, or killed.

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::command;
use crate::http::Client;

/// The port that the command line asks by default.
const PORT_DEFAULT: u16 = 8083;
/// Starting takes a fraction of a second; a machine may be busy.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The server lets requests end for 10 seconds, and task modules as long again.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Lines of the log that are shown when something went wrong.
const LOG_LINES_SHOWN: usize = 20;

/// Where a server is and where it keeps things.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Place {
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The program as a client of this server.
    pub(crate) fn client(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("STEPWELL_ENDPOINT", self.endpoint());
        command
    }
}

/// The given port, or the usual one, or a free one if that is taken.
pub(crate) fn choose_address(port: Option<u16>) -> anyhow::Result<SocketAddr> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match port {
        Some(port) => bind(port).with_context(|| format!("port {port} cannot be used"))?,
        None => bind(PORT_DEFAULT).or_else(|_taken| bind(0)).context("no port is free")?,
    };
    Ok(listener.local_addr()?)
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    place: Place,
}

impl Server {
    /// Starts a server and waits until it answers.
    pub(crate) fn start(place: &Place) -> anyhow::Result<Server> {
        fs::create_dir_all(&place.folder)?;
        let log = OpenOptions::new().create(true).append(true).open(place.log())?;
        let child = Command::new(&place.program)
            .args(["serve", "--region", "us-east-1", "--account", "123456789012", "--data"])
            .arg(place.data())
            .arg("--listen")
            .arg(place.address.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for this program, which then stops the server.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", place.program.display()))?;
        let mut server = Server { child, place: place.clone() };
        let client = Client::new(place.address);
        command::wait_for("the server to answer", START_TIMEOUT, || {
            server.check()?;
            Ok(client.get("/health").ok())
        })?;
        Ok(server)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the server has ended by itself.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the server ended ({status}).\n{}", log_tail(&self.place.log())),
        }
    }

    /// SIGKILL: the server gets no chance to put anything in order.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        command::run(Command::new("kill").args(["-TERM", &self.id().to_string()]))?;
        let begun = std::time::Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("the server did not stop well ({status}).\n{}", log_tail(&self.place.log()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("the server did not stop within {} s of SIGTERM", STOP_TIMEOUT.as_secs());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn log_tail(log: &Path) -> String {
    let text = File::open(log).and_then(std::io::read_to_string).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
    format!("The end of its log, {}:\n{}", log.display(), tail.join("\n"))
}
