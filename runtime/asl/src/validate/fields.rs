//! The tables of fields: what each object of a definition may hold, in which query language.

use crate::definition::parse::outline::StateType;

/// An object of a definition whose fields are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Machine,
    Branch,
    Processor,
    State(StateType),
    Rule,
    NestedRule,
    Retrier,
    Catcher,
    ItemReader,
    ReaderConfig,
    ItemBatcher,
    ResultWriter,
    WriterConfig,
}

/// The fields of a part.
pub(crate) struct Fields {
    /// What an error message calls the part.
    pub(crate) title: &'static str,
    /// Those that every state has.
    pub(crate) common: &'static [&'static str],
    pub(crate) both: &'static [&'static str],
    pub(crate) json_path: &'static [&'static str],
    pub(crate) jsonata: &'static [&'static str],
    pub(crate) required: &'static [&'static str],
    pub(crate) required_json_path: &'static [&'static str],
    pub(crate) required_jsonata: &'static [&'static str],
    /// One of each group must be there, and no more; fields of the other language do not count.
    pub(crate) exactly_one: &'static [&'static [&'static str]],
    pub(crate) at_most_one: &'static [&'static [&'static str]],
    /// In JSONPath the other fields are a family of names that the reader of the part checks.
    pub(crate) open: bool,
}

const NONE: Fields = Fields {
    title: "",
    common: &[],
    both: &[],
    json_path: &[],
    jsonata: &[],
    required: &[],
    required_json_path: &[],
    required_jsonata: &[],
    exactly_one: &[],
    at_most_one: &[],
    open: false,
};

const NEXT_OR_END: &[&str] = &["Next", "End"];

pub(crate) fn fields(part: Part) -> Fields {
    match part {
        Part::Machine => Fields {
            title: "a state machine",
            both: &["Comment", "Version", "TimeoutSeconds", "QueryLanguage", "StartAt", "States"],
            required: &["States", "StartAt"],
            ..NONE
        },
        Part::Branch => Fields {
            title: "a branch",
            both: &["Comment", "StartAt", "States"],
            required: &["States", "StartAt"],
            ..NONE
        },
        Part::Processor => Fields {
            title: "the processor of a Map state",
            both: &["Comment", "StartAt", "States", "ProcessorConfig"],
            required: &["States", "StartAt"],
            ..NONE
        },
        Part::State(kind) => state_fields(kind),
        Part::Rule => RULE,
        Part::NestedRule => NESTED_RULE,
        Part::Retrier => RETRIER,
        Part::Catcher => CATCHER,
        Part::ItemReader => ITEM_READER,
        Part::ReaderConfig => READER_CONFIG,
        Part::ItemBatcher => ITEM_BATCHER,
        Part::ResultWriter => RESULT_WRITER,
        Part::WriterConfig => WRITER_CONFIG,
    }
}

const RULE: Fields = Fields {
    title: "a choice rule",
    both: &["Comment", "Next", "Assign"],
    // Operators are read, and unknown ones reported, by the rule itself.
    json_path: &["Variable", "And", "Or", "Not"],
    jsonata: &["Condition", "Output"],
    required: &["Next"],
    required_jsonata: &["Condition"],
    open: true,
    ..NONE
};

const NESTED_RULE: Fields = Fields {
    title: "a nested choice rule",
    both: &["Comment"],
    json_path: &["Variable", "And", "Or", "Not"],
    open: true,
    ..NONE
};

const RETRIER: Fields = Fields {
    title: "a retrier",
    both: &[
        "Comment",
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    ],
    required: &["ErrorEquals"],
    ..NONE
};

const CATCHER: Fields = Fields {
    title: "a catcher",
    both: &["Comment", "ErrorEquals", "Next", "Assign"],
    json_path: &["ResultPath"],
    jsonata: &["Output"],
    required: &["ErrorEquals", "Next"],
    ..NONE
};

const ITEM_READER: Fields = Fields {
    title: "an ItemReader",
    both: &["Resource", "ReaderConfig"],
    json_path: &["Parameters"],
    jsonata: &["Arguments"],
    required: &["Resource"],
    ..NONE
};

const READER_CONFIG: Fields = Fields {
    title: "a ReaderConfig",
    both: &[
        "InputType",
        "CSVHeaderLocation",
        "CSVHeaders",
        "CSVDelimiter",
        "ManifestType",
        "Transformation",
        "ItemsPointer",
        "MaxItems",
    ],
    json_path: &["MaxItemsPath"],
    at_most_one: &[&["MaxItems", "MaxItemsPath"]],
    ..NONE
};

const ITEM_BATCHER: Fields = Fields {
    title: "an ItemBatcher",
    both: &["MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"],
    json_path: &["MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"],
    at_most_one: &[
        &["MaxItemsPerBatch", "MaxItemsPerBatchPath"],
        &["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"],
    ],
    ..NONE
};

const RESULT_WRITER: Fields = Fields {
    title: "a ResultWriter",
    both: &["Resource", "WriterConfig"],
    json_path: &["Parameters"],
    jsonata: &["Arguments"],
    ..NONE
};

const WRITER_CONFIG: Fields =
    Fields { title: "a WriterConfig", both: &["Transformation", "OutputType"], ..NONE };

const STATE_FIELDS: &[&str] = &["Type", "Comment", "QueryLanguage"];

fn state_fields(kind: StateType) -> Fields {
    match kind {
        StateType::Pass => Fields {
            title: "a Pass state",
            common: STATE_FIELDS,
            both: &["Next", "End", "Assign"],
            json_path: &["Result", "InputPath", "Parameters", "ResultPath", "OutputPath"],
            jsonata: &["Output"],
            exactly_one: &[NEXT_OR_END],
            ..NONE
        },
        StateType::Task => task_fields(),
        StateType::Choice => Fields {
            title: "a Choice state",
            common: STATE_FIELDS,
            both: &["Choices", "Default", "Assign"],
            json_path: &["InputPath", "OutputPath"],
            jsonata: &["Output"],
            required: &["Choices"],
            ..NONE
        },
        StateType::Wait => Fields {
            title: "a Wait state",
            common: STATE_FIELDS,
            both: &["Seconds", "Timestamp", "Next", "End", "Assign"],
            json_path: &["SecondsPath", "TimestampPath", "InputPath", "OutputPath"],
            jsonata: &["Output"],
            exactly_one: &[NEXT_OR_END, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]],
            ..NONE
        },
        StateType::Succeed => Fields {
            title: "a Succeed state",
            common: STATE_FIELDS,
            json_path: &["InputPath", "OutputPath"],
            jsonata: &["Output"],
            ..NONE
        },
        StateType::Fail => Fields {
            title: "a Fail state",
            common: STATE_FIELDS,
            both: &["Error", "Cause"],
            json_path: &["ErrorPath", "CausePath"],
            at_most_one: &[&["Error", "ErrorPath"], &["Cause", "CausePath"]],
            ..NONE
        },
        StateType::Parallel => Fields {
            title: "a Parallel state",
            common: STATE_FIELDS,
            both: &["Branches", "Next", "End", "Assign", "Retry", "Catch"],
            json_path: &["InputPath", "Parameters", "ResultSelector", "ResultPath", "OutputPath"],
            jsonata: &["Arguments", "Output"],
            required: &["Branches"],
            exactly_one: &[NEXT_OR_END],
            ..NONE
        },
        StateType::Map => map_fields(),
    }
}

fn task_fields() -> Fields {
    Fields {
        title: "a Task state",
        common: STATE_FIELDS,
        both: &[
            "Resource",
            "TimeoutSeconds",
            "HeartbeatSeconds",
            "Credentials",
            // Ours.
            "CallbackLinks",
            "Next",
            "End",
            "Assign",
            "Retry",
            "Catch",
        ],
        json_path: &[
            "TimeoutSecondsPath",
            "HeartbeatSecondsPath",
            "InputPath",
            "Parameters",
            "ResultSelector",
            "ResultPath",
            "OutputPath",
        ],
        jsonata: &["Arguments", "Output"],
        required: &["Resource"],
        exactly_one: &[NEXT_OR_END],
        at_most_one: &[
            &["TimeoutSeconds", "TimeoutSecondsPath"],
            &["HeartbeatSeconds", "HeartbeatSecondsPath"],
        ],
        ..NONE
    }
}

fn map_fields() -> Fields {
    Fields {
        title: "a Map state",
        common: STATE_FIELDS,
        both: &[
            "ItemProcessor",
            "Iterator",
            "ItemSelector",
            "MaxConcurrency",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
            "Label",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "Next",
            "End",
            "Assign",
            "Retry",
            "Catch",
        ],
        json_path: &[
            "ItemsPath",
            "MaxConcurrencyPath",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentagePath",
            "InputPath",
            "Parameters",
            "ResultSelector",
            "ResultPath",
            "OutputPath",
        ],
        jsonata: &["Items", "Output"],
        exactly_one: &[NEXT_OR_END, &["ItemProcessor", "Iterator"]],
        at_most_one: &[
            &["ItemSelector", "Parameters"],
            &["MaxConcurrency", "MaxConcurrencyPath"],
            &["ToleratedFailureCount", "ToleratedFailureCountPath"],
            &["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"],
        ],
        ..NONE
    }
}
