//! What came of the demo, and where it can be seen.

use std::fs;

use anyhow::Context;
use serde_json::Value;

use super::promises::Promises;
use super::{Demo, Finished, IMAGES, ORDER, base64};
use crate::workspace;

/// Each rendition with what the workflow's own page says of it.
const RENDITIONS: [(&str, &str, u64, u64); 3] =
    [("thumbnail", "png", 48, 32), ("preview", "jpeg", 128, 85), ("banner", "webp", 160, 48)];

impl Demo {
    pub(super) fn show_results(
        &mut self,
        order: &Finished,
        images: &Finished,
        promises: &mut Promises,
    ) -> anyhow::Result<()> {
        self.heading("What came of it");
        let folder = workspace::target(&workspace::root())?.join("demo");
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let result = &order.output;
        let title = text(result, "/receipt/title");
        self.note(&format!("order    {}, {}", text(result, "/orderId"), text(result, "/status")));
        self.note(&format!("receipt  {title}, {}", text(result, "/total")));
        let attempts = &result["paymentAttempts"];
        self.note(&format!("payment  {}, at attempt {attempts}", text(result, "/paymentId")));
        let parcels = result["trackingNumbers"].as_array().map_or(&[][..], Vec::as_slice);
        let numbers: Vec<_> = parcels.iter().filter_map(Value::as_str).collect();
        self.note(&format!("parcels  {}", numbers.join(", ")));
        fs::write(folder.join("receipt.html"), text(result, "/receipt/html"))?;
        let mut fits = true;
        for (name, format, width, height) in RENDITIONS {
            let rendition = &images.output["renditions"][name];
            let bytes = base64::decode(text(rendition, "/image"))?;
            self.note(&format!(
                "image    {name}: {}×{} {format}, {} bytes",
                rendition["width"],
                rendition["height"],
                bytes.len()
            ));
            fits &= rendition["width"] == width && rendition["height"] == height;
            fits &= rendition["bytes"] == bytes.len();
            fs::write(folder.join(name).with_extension(format), bytes)?;
        }
        promises.check(
            "the order is fulfilled, paid at the third attempt and sent in four parcels",
            result["status"] == "FULFILLED"
                && *attempts == 3
                && numbers.len() == 4
                && title.contains("ord-1001"),
        );
        promises.check("the images have the sizes that were asked for", fits);
        self.show_places(order, images, &workspace::shown(&folder));
        Ok(())
    }

    fn show_places(&self, order: &Finished, images: &Finished, folder: &str) {
        let endpoint = self.place.endpoint();
        let program = workspace::shown(&self.place.program);
        self.note(&format!("files    {folder}/: receipt.html, thumbnail.png, preview.jpeg, banner.webp"));
        self.terminal.line("\n      See for yourself while the server runs:");
        for command in [
            format!("export STEPWELL_ENDPOINT={endpoint}"),
            format!("{program} module list"),
            format!("{program} history {}", machine_and_name(&order.arn, ORDER)),
            format!("{program} history {} --json", machine_and_name(&images.arn, IMAGES)),
            format!("{program} logs {}", machine_and_name(&order.arn, ORDER)),
            format!(
                "curl -s {endpoint}/executions/{}/tasks    # attempts: fuel, CPU, memory, time",
                order.arn
            ),
            "export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1".to_owned(),
            format!(
                "aws --endpoint-url {endpoint} stepfunctions describe-execution --execution-arn {}",
                order.arn
            ),
        ] {
            self.terminal.line(&format!("        {command}"));
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("?")
}

/// How the command line names an execution.
fn machine_and_name(arn: &str, machine: &str) -> String {
    format!("{machine}:{}", arn.rsplit(':').next().unwrap_or_default())
}
