//! The fields that only a distributed Map has: readers, batches, writers.

use crate::definition::{Distributed, ItemBatcher, Mode};
use crate::validate::express;
use crate::validate::structure::{self, Part};

use super::reader::Reader;
use super::resource;
use super::values::Numbers;

/// AWS: characters in the label of a distributed Map.
const LABEL_CHARACTERS_MAX: usize = 40;
/// AWS: bytes of input that one batch may have.
const BATCH_BYTES_MAX: u32 = 262_144;
/// AWS: characters that a label, as any name in an ARN, must not hold, beside blanks and control characters.
const LABEL_FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";
/// The fields that need `Mode` to be `DISTRIBUTED`.
const FIELDS: [&str; 4] = ["Label", "ItemReader", "ItemBatcher", "ResultWriter"];

/// Checks the fields in the order in which their findings are told; reads the one that has to be.
pub(crate) fn check_fields(reader: &Reader<'_>, mode: &mut Mode) {
    match mode {
        Mode::Distributed(distributed) => {
            label(reader);
            item_reader(reader);
            distributed.item_batcher = item_batcher(reader);
            result_writer(reader);
            if reader.scope.express {
                express::report_distributed_map(&reader.place);
            }
        }
        Mode::Inline => {
            for field in FIELDS {
                if reader.has(field) {
                    reader.place.field(field).error(format!(
                        "The field '{field}' needs the 'Mode' of 'ProcessorConfig' to be DISTRIBUTED"
                    ));
                }
            }
        }
    }
}

pub(crate) fn read(reader: &Reader<'_>, express: bool) -> Distributed {
    let [label, item_reader, _, result_writer] = FIELDS.map(|name| reader.get(name).cloned());
    Distributed {
        express,
        label: label.as_ref().and_then(serde_json::Value::as_str).map(String::from),
        item_reader,
        item_batcher: None,
        result_writer,
    }
}

fn label(reader: &Reader<'_>) {
    let Some(label) = reader.text("Label") else { return };
    let forbidden =
        |letter: char| letter.is_whitespace() || letter.is_control() || LABEL_FORBIDDEN.contains(letter);
    if label.is_empty() || label.chars().count() > LABEL_CHARACTERS_MAX || label.chars().any(forbidden) {
        let wanted = format!("1 to {LABEL_CHARACTERS_MAX} characters without blanks and {LABEL_FORBIDDEN}");
        reader.wrong("Label", &wanted);
    }
}

fn item_reader(reader: &Reader<'_>) {
    let Some(fields) = reader.object("ItemReader") else { return };
    let place = reader.place.field("ItemReader");
    let part = reader.at(place, fields);
    structure::check_part(&part, Part::ItemReader);
    storage(&part);
    let Some(config) = part.object("ReaderConfig") else { return };
    let config_place = place.field("ReaderConfig");
    let config = reader.at(config_place, config);
    structure::check_part(&config, Part::ReaderConfig);
    config.word("InputType", &words(["CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"]));
    config.word("CSVHeaderLocation", &words(["FIRST_ROW", "GIVEN"]));
    config.word("CSVDelimiter", &words(["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"]));
    config.word("ManifestType", &words(["S3_INVENTORY", "ATHENA_DATA"]));
    config.word("Transformation", &words(["NONE", "LOAD_AND_FLATTEN"]));
    config.number_field("MaxItems", &Numbers::Integers(0..=u32::MAX));
}

/// Checks the field while it reads it.
fn item_batcher(reader: &Reader<'_>) -> Option<ItemBatcher> {
    let fields = reader.object("ItemBatcher")?;
    let place = reader.place.field("ItemBatcher");
    let part = reader.at(place, fields);
    structure::check_part(&part, Part::ItemBatcher);
    Some(ItemBatcher {
        items_max: part.number_field("MaxItemsPerBatch", &Numbers::Integers(1..=u32::MAX)),
        bytes_max: part.number_field("MaxInputBytesPerBatch", &Numbers::Integers(1..=BATCH_BYTES_MAX)),
        input: part.template("BatchInput"),
    })
}

fn result_writer(reader: &Reader<'_>) {
    let Some(fields) = reader.object("ResultWriter") else { return };
    let place = reader.place.field("ResultWriter");
    let part = reader.at(place, fields);
    structure::check_part(&part, Part::ResultWriter);
    storage(&part);
    let Some(config) = part.object("WriterConfig") else { return };
    let config_place = place.field("WriterConfig");
    let config = reader.at(config_place, config);
    structure::check_part(&config, Part::WriterConfig);
    config.word("Transformation", &words(["NONE", "COMPACT", "FLATTEN"]));
    config.word("OutputType", &words(["JSON", "JSONL"]));
}

/// What a reader and a writer share: the service and its arguments.
fn storage(part: &Reader<'_>) {
    if let Some(arn) = part.text("Resource")
        && resource::parse(arn).is_none()
    {
        part.place.field("Resource").error(resource::unrecognized(arn));
    }
    part.template(if part.is_jsonata() { "Arguments" } else { "Parameters" });
}

fn words<const COUNT: usize>(words: [&str; COUNT]) -> [(&str, ()); COUNT] {
    words.map(|word| (word, ()))
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::check_state;

    fn check(fields: &str, expected: &[&str]) {
        check_state(
            &format!(
                r#""Type": "Map", "End": true, "ItemProcessor": {{
                    "ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
                    "StartAt": "I", "States": {{"I": {{"Type": "Succeed"}}}}}}, {fields}"#
            ),
            expected,
        );
    }

    #[test]
    fn readers_batches_and_writers() {
        check(
            r#""Label": "Files", "MaxConcurrency": 0, "ToleratedFailurePercentage": 1.5,
               "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
                   "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItemsPath": "$.max"},
                   "Parameters": {"Bucket": "b", "Key.$": "$.key"}},
               "ItemBatcher": {"MaxItemsPerBatch": 10, "BatchInput": {"a.$": "$.a"}},
               "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"},
                   "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"}}"#,
            &[],
        );
        check(
            r#""Label": "a b", "ItemReader": {"Resource": "s3", "ReaderConfig": {"InputType": "XML"}},
               "ItemBatcher": {"MaxInputBytesPerBatch": 262145, "Size": 1}, "MaxConcurrency": -1,
               "ToleratedFailurePercentage": 100.5"#,
            &[
                "The field 'Label' should be 1 to 40 characters without blanks and <>{}[]?*\"#%\\^|~`$&,;:/ at \
                 /States/A/Label",
                "The resource provided s3 is not recognized. The value is not a valid resource ARN, or the resource \
                 is not available in this region. at /States/A/ItemReader/Resource",
                "The field 'InputType' should have one of these values: [CSV, JSON, JSONL, MANIFEST, PARQUET] at \
                 /States/A/ItemReader/ReaderConfig/InputType",
                "The field 'Size' is not supported in an ItemBatcher at /States/A/ItemBatcher/Size",
                "The field 'MaxInputBytesPerBatch' should be an integer between 1 and 262144 at \
                 /States/A/ItemBatcher/MaxInputBytesPerBatch",
                "The field 'MaxConcurrency' should be an integer between 0 and 99999999 at /States/A/MaxConcurrency",
                "The field 'ToleratedFailurePercentage' should be a number between 0 and 100 at \
                 /States/A/ToleratedFailurePercentage",
            ],
        );
    }

    #[test]
    fn inline_maps_have_none_of_them() {
        let processor = r#"{"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}"#;
        check_state(
            &format!(r#""Type": "Map", "End": true, "Label": "x", "ItemProcessor": {processor}"#),
            &["The field 'Label' needs the 'Mode' of 'ProcessorConfig' to be DISTRIBUTED at /States/A/Label"],
        );
        check_state(
            r#""Type": "Map", "End": true"#,
            &["One of these fields is required: [ItemProcessor, Iterator] at /States/A"],
        );
    }
}
