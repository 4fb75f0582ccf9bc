//! What the attempts of an execution used together, and those of each module: what a bill is made of.

use std::collections::BTreeMap;

use asl::interpreter::TaskUsage;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(super) struct Totals {
    all: Total,
    modules: BTreeMap<String, Total>,
}

#[derive(Debug, Default)]
struct Total {
    /// Attempts that have ended and of which the usage is known.
    calls: u64,
    fuel: u64,
    cpu_microseconds: u64,
    wall_microseconds: u64,
}

impl Totals {
    pub(super) fn add(&mut self, module: &str, usage: &TaskUsage) {
        self.all.add(usage);
        self.modules.entry(module.to_owned()).or_default().add(usage);
    }

    pub(super) fn render(&self) -> Value {
        let mut total = self.all.render();
        let modules = self.modules.iter().map(|(name, total)| {
            let mut total = total.render();
            total["module"] = json!(name);
            total
        });
        total["modules"] = modules.collect();
        total
    }
}

impl Total {
    fn add(&mut self, usage: &TaskUsage) {
        self.calls += 1;
        self.fuel = self.fuel.saturating_add(usage.fuel);
        self.cpu_microseconds = self.cpu_microseconds.saturating_add(usage.cpu_microseconds.unwrap_or(0));
        self.wall_microseconds = self.wall_microseconds.saturating_add(usage.wall_microseconds);
    }

    fn render(&self) -> Value {
        json!({
            "calls": self.calls,
            "fuel": self.fuel,
            "cpuMicroseconds": self.cpu_microseconds,
            "wallMicroseconds": self.wall_microseconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_summed_by_module_and_for_all() {
        let usage = |fuel, cpu_microseconds| TaskUsage { fuel, cpu_microseconds, ..TaskUsage::default() };
        let mut totals = Totals::default();
        for (module, usage) in
            [("b", usage(1, Some(10))), ("a", usage(2, None)), ("b", usage(u64::MAX, Some(30)))]
        {
            totals.add(module, &usage);
        }
        let shown = totals.render();
        assert_eq!((&shown["calls"], &shown["fuel"]), (&json!(3), &json!(u64::MAX)));
        assert_eq!(shown["cpuMicroseconds"], 40);
        let modules: Vec<_> = shown["modules"].as_array().unwrap().iter().collect();
        assert_eq!([&modules[0]["module"], &modules[1]["module"]], ["a", "b"]);
        assert_eq!([&modules[0]["calls"], &modules[1]["calls"]], [1, 2]);
    }
}
