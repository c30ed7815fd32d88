//! Map states: their processor, and what a distributed one reads, batches and writes (AWS guide, "ItemReader
//! (Map)", "ItemBatcher (Map)" and "ResultWriter (Map)").

use serde_json::{Map, Value};

use super::super::jsonata;
use super::super::schema::{DISTRIBUTED_ONLY, wrong_label};
use super::Check;
use super::number::Range;
use super::state::{lacks_one, one};

type Object = Map<String, Value>;
type Inner = fn(&mut Check, &Object, &str, bool);

const READS: [&str; 2] = ["s3:getObject", "s3:listObjectsV2"];
const WRITES: [&str; 1] = ["s3:putObject"];

/// Fields of a ReaderConfig that hold one of some words.
const READER: [(&str, &[&str]); 5] = [
    ("InputType", &["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"]),
    ("CSVDelimiter", &["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"]),
    ("CSVHeaderLocation", &["FIRST_ROW", "GIVEN"]),
    ("ManifestType", &["ATHENA_DATA", "S3_INVENTORY"]),
    ("Transformation", &["NONE", "LOAD_AND_FLATTEN"]),
];
const WRITER: [(&str, &[&str]); 2] =
    [("Transformation", &["NONE", "COMPACT", "FLATTEN"]), ("OutputType", &["JSON", "JSONL"])];

const BATCHER: &[Range] =
    &[Range("MaxItemsPerBatch", 1, i64::MAX), Range("MaxInputBytesPerBatch", 1, 262_144)];

impl Check {
    pub(super) fn map(&mut self, state: &Object, at: &str, depth: usize, jsonata: bool) {
        let field = if state.contains_key("ItemProcessor") { "ItemProcessor" } else { "Iterator" };
        let Some(flow) = state.get(field) else {
            return self.schema(at, lacks_one("ItemProcessor, Iterator"));
        };
        if field == "ItemProcessor" && state.contains_key("Iterator") {
            self.schema(at, one("ItemProcessor, Iterator"));
        }
        let place = format!("{at}/{field}");
        self.inner(flow, &place, depth, &["Comment", "ProcessorConfig", "StartAt", "States"]);
        let mode = &flow["ProcessorConfig"]["Mode"];
        if !mode.is_null() && !matches!(mode.as_str(), Some("INLINE" | "DISTRIBUTED")) {
            let place = format!("{place}/ProcessorConfig/Mode");
            self.schema(&place, "Value should be one of the following: [INLINE, DISTRIBUTED]");
        }
        if mode.as_str() != Some("DISTRIBUTED") {
            for field in state.keys().filter(|f| DISTRIBUTED_ONLY.contains(&f.as_str())) {
                self.schema(at, format!("Field '{field}' is only supported for a DISTRIBUTED Map"));
            }
            return;
        }
        if let Some(label) = state.get("Label").and_then(Value::as_str) {
            let at = format!("{at}/Label");
            if let Some(why) = wrong_label(label) {
                self.schema(&at, why);
            }
            if !self.labels.insert(label.to_owned()) {
                self.report("DUPLICATE_LABEL_NAME", &at, format!("Duplicate Label name: {label}"));
            }
        }
        let inner: [(&str, Inner); 3] =
            [("ItemReader", Check::reader), ("ItemBatcher", Check::batcher), ("ResultWriter", Check::writer)];
        for (field, check) in inner {
            let at = format!("{at}/{field}");
            match state.get(field) {
                None => {}
                Some(Value::Object(object)) => check(self, object, &at, jsonata),
                Some(_) => self.schema(&at, "Expected value of type Object"),
            }
        }
    }

    fn reader(&mut self, reader: &Object, at: &str, jsonata: bool) {
        self.calls(reader, at, &READS);
        let Some(config) = reader.get("ReaderConfig").and_then(Value::as_object) else { return };
        let at = &format!("{at}/ReaderConfig");
        self.words(config, at, &READER, jsonata);
        self.integers(config, at, &[Range("MaxItems", 0, i64::MAX)], jsonata);
        self.both(config, at, &["MaxItems"]);
        let is = |field: &str, word: &str| config.get(field).and_then(Value::as_str) == Some(word);
        let header = config.contains_key("CSVHeaderLocation");
        if is("InputType", "CSV") && !header {
            self.schema(at, "The field 'CSVHeaderLocation' is required");
        }
        if is("InputType", "JSON") && header {
            self.schema(at, "Field 'CSVHeaderLocation' is not supported");
        }
        if is("CSVHeaderLocation", "GIVEN") {
            self.required(config, at, &["CSVHeaders"]);
        }
    }

    /// A batch is bounded by its items, its bytes, or both.
    fn batcher(&mut self, batcher: &Object, at: &str, jsonata: bool) {
        let fields = BATCHER.iter().map(|Range(field, ..)| *field).collect::<Vec<_>>();
        self.integers(batcher, at, BATCHER, jsonata);
        self.both(batcher, at, &fields);
        let bounds =
            |field: &&str| batcher.contains_key(*field) || batcher.contains_key(&format!("{field}Path"));
        if !fields.iter().any(bounds) {
            let why = format!("At least one of the following fields is required: [{}]", fields.join(", "));
            self.schema(at, why);
        }
    }

    /// A writer says where to, how, or both.
    fn writer(&mut self, writer: &Object, at: &str, jsonata: bool) {
        if writer.is_empty() {
            return self.schema(at, "Value cannot be empty");
        }
        self.calls(writer, at, &WRITES);
        if ["Parameters", "Arguments"].iter().any(|field| writer.contains_key(*field)) {
            self.required(writer, at, &["Resource"]);
        }
        if let Some(config) = writer.get("WriterConfig").and_then(Value::as_object) {
            self.words(config, &format!("{at}/WriterConfig"), &WRITER, jsonata);
        }
    }

    /// `Resource`: one of some actions.
    fn calls(&mut self, object: &Object, at: &str, actions: &[&str]) {
        let Some(resource) = object.get("Resource") else { return };
        let at = format!("{at}/Resource");
        let Some(arn) = resource.as_str() else {
            return self.schema(&at, "Expected value of type String");
        };
        let action = arn.strip_prefix("arn:").and_then(|rest| rest.split_once(":states:::"));
        if !action.is_some_and(|(_, action)| actions.contains(&action)) {
            self.schema(&at, "The field 'Resource' does not match any of the allowed values");
        }
    }

    /// Fields that hold one of some words, or an expression.
    fn words(&mut self, object: &Object, at: &str, fields: &[(&str, &[&str])], jsonata: bool) {
        for (field, words) in fields {
            let at = format!("{at}/{field}");
            match object.get(*field) {
                None => {}
                Some(Value::String(text)) if words.contains(&text.as_str()) => {}
                Some(Value::String(text)) if jsonata && jsonata::source(text).is_some() => {}
                Some(Value::String(_)) => {
                    let why = format!("Value should be one of the following: [{}]", words.join(", "));
                    self.schema(&at, why);
                }
                Some(_) => self.schema(&at, "Expected value of type String"),
            }
        }
    }
}
