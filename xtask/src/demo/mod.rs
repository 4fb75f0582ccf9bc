//! `cargo xtask demo`: the example workflows on a real server that is killed in their midst.

mod base64;
mod order;
mod polyglot;
mod promises;
mod results;
mod watch;
mod worker;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::http::Client;
use crate::server::{self, Place, Server};
use crate::terminal::{Terminal, spoken};
use crate::{command, guests, toolchain, workspace};
use promises::Promises;
use watch::{Watch, is_end};

const ORDER: &str = "order-fulfilment";
const IMAGES: &str = "image-pipeline";
const ACTIVITY: &str = "approve-order";
/// What the two workflows call.
const MODULES: [&str; 7] = [
    "validate-order",
    "fraud-score",
    "charge-payment",
    "reserve-stock",
    "ship-item",
    "render-receipt",
    "resize-image",
];
/// Both demos have as many.
const STEPS: usize = 7;
const IMAGES_TIMEOUT: Duration = Duration::from_secs(60);

/// What the steps share.
struct Demo {
    terminal: Terminal,
    begun: Instant,
    step: usize,
    place: Place,
}

/// One execution that has ended well.
struct Finished {
    arn: String,
    output: Value,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The server stops at the end.
    pub(crate) once: bool,
    pub(crate) port: Option<u16>,
    /// The order in three languages instead of the two workflows.
    pub(crate) polyglot: bool,
}

pub(crate) fn run(terminal: &Terminal, wanted: &Wanted) -> anyhow::Result<()> {
    let begun = Instant::now();
    let folder = std::env::temp_dir().join(format!("stepwell-demo-{}", std::process::id()));
    let address = server::choose_address(wanted.port)?;
    let place = Place { program: std::path::PathBuf::new(), folder, address };
    let mut demo = Demo { terminal: *terminal, begun, step: 0, place };
    demo.build(wanted.polyglot)?;
    let result = demo.show(wanted);
    match &result {
        Ok(()) => _ = fs::remove_dir_all(&demo.place.folder),
        Err(_) if demo.place.folder.exists() => {
            terminal.dim(&format!("The demo's data and log are kept in {}", demo.place.folder.display()));
        }
        Err(_) => {}
    }
    result
}

impl Demo {
    fn heading(&mut self, text: &str) {
        self.step += 1;
        let elapsed = spoken(self.begun.elapsed());
        self.terminal.heading(&format!("[{}/{STEPS}] {text}  ({elapsed})", self.step));
    }

    fn note(&self, text: &str) {
        self.terminal.line(&format!("      {text}"));
    }

    fn client(&self) -> Client {
        Client::new(self.place.address)
    }

    fn build(&mut self, polyglot: bool) -> anyhow::Result<()> {
        self.heading("Build the task modules: Rust compiled to WebAssembly");
        let version = toolchain::prepare()?;
        let guests = guests::build()?;
        let state = if guests.fresh { "unchanged since the last time" } else { "built" };
        self.note(&format!("{} modules with {version} for {}, {state}", guests.count, toolchain::WASM));
        if polyglot {
            self.build_polyglot()?;
        }
        self.heading("Build the server: some minutes the first time, then seconds");
        let root = workspace::root();
        command::run(command::cargo(&root).args(["build", "--package", "server", "--bin", "stepwell"]))?;
        self.place.program = workspace::target(&root)?.join("debug").join("stepwell");
        self.note(&workspace::shown(&self.place.program));
        Ok(())
    }

    fn show(&mut self, wanted: &Wanted) -> anyhow::Result<()> {
        let server = if wanted.polyglot { self.show_polyglot()? } else { self.show_workflows()? };
        let took = spoken(self.begun.elapsed());
        if wanted.once {
            server.stop()?;
            self.terminal.heading(&format!("All as promised, in {took}. The server has stopped."));
            return Ok(());
        }
        self.terminal.heading(&format!(
            "All as promised, in {took}. The server goes on at {} until Ctrl-C.",
            self.place.endpoint()
        ));
        self.serve_until_interrupt(server)
    }

    fn start(&mut self) -> anyhow::Result<Server> {
        let begun = Instant::now();
        self.heading("Start the server on an empty folder");
        let server = Server::start(&self.place)?;
        self.note(&format!(
            "{} answers after {}, process {}",
            self.place.endpoint(),
            spoken(begun.elapsed()),
            server.id()
        ));
        Ok(server)
    }

    fn show_workflows(&mut self) -> anyhow::Result<Server> {
        let server = self.start()?;
        self.upload(&MODULES, &[ORDER, IMAGES])?;
        let activity = self.client().call("CreateActivity", &json!({"name": ACTIVITY}))?;
        self.note(activity["activityArn"].as_str().unwrap_or_default());
        let mut promises = Promises::new(self.terminal);
        let (order, server) = self.run_order(server, &mut promises)?;
        let images = self.run_images()?;
        self.show_results(&order, &images, &mut promises)?;
        promises.finish()?;
        Ok(server)
    }

    fn serve_until_interrupt(&self, mut server: Server) -> anyhow::Result<()> {
        while !command::is_interrupted() {
            server.check()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        server.stop()?;
        self.terminal.line("\nThe server has stopped, and the demo's data is removed.");
        Ok(())
    }

    fn upload(&mut self, modules: &[&str], machines: &[&str]) -> anyhow::Result<()> {
        self.heading("Upload the modules and create the workflows");
        let guests = guests::build()?;
        for name in modules {
            let mut push = self.place.client();
            let pushed = command::output(push.args(["module", "push", name]).arg(guests.file(name)))?;
            // The digest's end would only fill the line.
            self.note(&format!("{}…)", pushed.trim_end().chars().take(70).collect::<String>()));
        }
        for name in machines {
            let definition = workspace::guests().join("workflows").join(name).join("definition.asl.json");
            let created = command::output(self.place.client().args(["create", name]).arg(definition))?;
            self.note(created.trim_end());
        }
        Ok(())
    }

    fn run_images(&mut self) -> anyhow::Result<Finished> {
        self.heading("Run the image pipeline: three renditions at the same time");
        let input = workspace::guests().join("workflows").join(IMAGES).join("input.json");
        let mut watch = Watch::start(self.terminal, self.start_command(IMAGES, "demo", &input), Vec::new())?;
        watch.until("the image pipeline to end", IMAGES_TIMEOUT, is_end)?;
        let output = watch.finish(IMAGES_TIMEOUT)?;
        Ok(Finished { arn: self.execution_arn(IMAGES, "demo")?, output })
    }

    fn start_command(&self, machine: &str, name: &str, input: &std::path::Path) -> Command {
        let mut start = self.place.client();
        start.args(["start", machine, "--name", name, "--input"]).arg(input);
        start
    }

    fn execution_arn(&self, machine: &str, name: &str) -> anyhow::Result<String> {
        let health = self.client().get("/health")?;
        let part = |name: &str| health[name].as_str().with_context(|| format!("/health has no {name}"));
        Ok(format!("arn:aws:states:{}:{}:execution:{machine}:{name}", part("region")?, part("account")?))
    }
}
