//! The polyglot order: one workflow with tasks in Rust, Python and JavaScript.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::promises::Promises;
use super::watch::{Watch, is_end};
use super::{Demo, Finished};
use crate::polyglot::{self, Language};
use crate::server::Server;
use crate::workspace;

const ORDER: &str = "polyglot-order";
const NAME: &str = "demo";
/// What the workflow calls.
const MODULES: [&str; 5] =
    ["validate-order", "reserve-stock", "ship-item", "loyalty-points", "shipping-label"];
/// No state of it waits.
const TIMEOUT: Duration = Duration::from_secs(120);
/// As the input and the tasks have it: the mugs come from two warehouses.
const LABELS: usize = 4;

impl Demo {
    pub(super) fn build_polyglot(&mut self) -> anyhow::Result<()> {
        self.heading("Build the modules in Python and JavaScript: a minute the first time");
        for language in [Language::Python, Language::JavaScript] {
            let toolchain = language.toolchain();
            let toolchain =
                toolchain.with_context(|| format!("modules in {} cannot be built here", language.name()))?;
            self.note(&polyglot::build(language, &toolchain)?.told(language));
        }
        Ok(())
    }

    pub(super) fn show_polyglot(&mut self) -> anyhow::Result<Server> {
        let server = self.start()?;
        self.upload(&MODULES, &[ORDER])?;
        self.heading("Run an order through Rust, Python and JavaScript");
        let input = workspace::guests().join("workflows").join(ORDER).join("input.json");
        let mut watch = Watch::start(self.terminal, self.start_command(ORDER, NAME, &input), Vec::new())?;
        watch.until("the order to be fulfilled", TIMEOUT, is_end)?;
        let order = Finished { arn: self.execution_arn(ORDER, NAME)?, output: watch.finish(TIMEOUT)? };
        let mut promises = Promises::new(self.terminal);
        self.heading("Results");
        self.note(&order.arn);
        self.show_polyglot_order(&order.output, &mut promises);
        promises.finish()?;
        Ok(server)
    }

    fn show_polyglot_order(&self, order: &Value, promises: &mut Promises) {
        let points = &order["points"];
        self.note(&format!("order {} of {}", text(&order["orderId"]), text(&order["total"])));
        self.note(&format!(
            "Python: {} points, {} until the tier after {}, good until {}",
            points["total"],
            points["pointsToNextTier"],
            text(&points["tier"]),
            text(&points["goodUntil"])
        ));
        let shipments = order["shipments"].as_array().map(Vec::as_slice).unwrap_or_default();
        let labels: Vec<_> =
            shipments.iter().filter_map(|shipment| shipment["labels"].as_array()).flatten().collect();
        for label in &labels {
            let svg = text(&label["svg"]);
            self.note(&format!(
                "JavaScript: label of {}, an SVG of {} bytes",
                text(&label["trackingNumber"]),
                svg.len()
            ));
        }
        let are_drawn = labels.iter().all(|label| text(&label["svg"]).starts_with("<svg "));
        promises.check(
            &format!("each of {LABELS} parcels has its label, drawn in JavaScript"),
            labels.len() == LABELS && are_drawn,
        );
        promises.check(
            "the points of the order, counted in Python, made the customer silver",
            points["tier"] == "silver",
        );
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
