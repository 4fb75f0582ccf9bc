//! The Map state.

use crate::definition::{Definition, Flow, Items, Map, Mode, NumberField, ScopeId, Template};
use crate::limits::SECONDS_MAX;

use super::distributed;
use super::outline::InnerScope;
use super::reader::Reader;
use super::template::jsonata_template;
use super::values::Numbers;

/// AWS service model: no bound is given; ours is that of the other counts.
const COUNT_MAX: u32 = SECONDS_MAX;

pub(crate) fn read(reader: &Reader<'_>, inner: &[InnerScope<'_>]) -> Map {
    let mut mode = mode(reader);
    distributed::check_fields(reader, &mut mode);
    let mut flow = reader.flow();
    let parameters = match &mut flow {
        Flow::JsonPath(flow) => flow.parameters.take(),
        Flow::Jsonata(_) => None,
    };
    Map {
        flow,
        items: items(reader),
        item_selector: reader.template("ItemSelector").or(parameters),
        processor: processor(inner),
        mode,
        concurrency_max: reader.number_field("MaxConcurrency", &Numbers::Integers(0..=COUNT_MAX)),
        tolerated_failure_count: count(reader),
        tolerated_failure_percentage: reader
            .number_field("ToleratedFailurePercentage", &Numbers::Reals(0.0..=100.0)),
        retry: reader.retry(),
        catch: reader.catch(),
        assign: reader.assign(),
        transition: reader.transition(),
    }
}

fn count(reader: &Reader<'_>) -> Option<NumberField> {
    reader.number_field("ToleratedFailureCount", &Numbers::Integers(0..=COUNT_MAX))
}

/// That one is there is a rule of `validate::structure`.
fn processor(inner: &[InnerScope<'_>]) -> ScopeId {
    inner.first().map_or(Definition::ROOT, |scope| scope.id)
}

fn items(reader: &Reader<'_>) -> Items {
    if !reader.is_jsonata() {
        return reader.reference_path("ItemsPath").map_or(Items::Input, Items::Path);
    }
    let Some(value) = reader.get("Items") else { return Items::Input };
    let template = jsonata_template(&reader.place.field("Items"), value);
    let is_collection = match &template {
        Template::Computed(_) | Template::Array(_) | Template::Object(_) => true,
        Template::Literal(value) => value.is_array() || value.is_object(),
    };
    if !is_collection {
        reader.wrong("Items", "an array, an object or a JSONata expression");
    }
    Items::Template(template)
}

/// `ProcessorConfig` of the processor: inline unless it says otherwise.
fn mode(reader: &Reader<'_>) -> Mode {
    let field = if reader.has("ItemProcessor") { "ItemProcessor" } else { "Iterator" };
    let Some(processor) = reader.object(field) else { return Mode::Inline };
    let place = reader.place.field(field);
    let processor = reader.at(place, processor);
    let Some(config) = processor.object("ProcessorConfig") else { return Mode::Inline };
    let place = place.field("ProcessorConfig");
    let config = reader.at(place, config);
    let is_distributed = config.word("Mode", &[("INLINE", false), ("DISTRIBUTED", true)]);
    if is_distributed != Some(true) {
        return Mode::Inline;
    }
    if !config.has("ExecutionType") {
        place.error("These fields are required: [ExecutionType]");
    }
    let express = config.word("ExecutionType", &[("STANDARD", false), ("EXPRESS", true)]);
    Mode::Distributed(Box::new(distributed::read(reader, express == Some(true))))
}
