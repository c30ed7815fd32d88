//! Map states: their processor, and what a distributed one reads, batches and writes (AWS guide, "ItemReader
//! (Map)", "ItemBatcher (Map)" and "ResultWriter (Map)").

use serde_json::{Map, Value};

use super::super::jsonata;
use super::super::schema::{DISTRIBUTED_ONLY, wrong_label};
use super::Check;
use super::number::Range;
use super::state::{lacks_one, one};

/// What a processor's configuration, a reader, a batcher and a writer may hold.
const PROCESSOR: &[&str] = &["Mode", "ExecutionType"];
const ITEM_READER: &[&str] = &["Resource", "Parameters", "Arguments", "ReaderConfig"];
const READER_CONFIG: &[&str] = &[
    "InputType",
    "CSVDelimiter",
    "CSVHeaderLocation",
    "CSVHeaders",
    "ItemsPointer",
    "ManifestType",
    "MaxItems",
    "MaxItemsPath",
    "Transformation",
];
const ITEM_BATCHER: &[&str] = &[
    "BatchInput",
    "MaxItemsPerBatch",
    "MaxItemsPerBatchPath",
    "MaxInputBytesPerBatch",
    "MaxInputBytesPerBatchPath",
];
const RESULT_WRITER: &[&str] = &["Resource", "Parameters", "Arguments", "WriterConfig"];
const WRITER_CONFIG: &[&str] = &["Transformation", "OutputType"];

/// Fields in them that only one query language has.
const JSON_PATH_ONLY: &[&str] =
    &["Parameters", "MaxItemsPath", "MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"];
const JSONATA_ONLY: &[&str] = &["Arguments"];

/// What the actions take (S3 API reference: GetObject, ListObjectsV2, PutObject): a writer names the files itself.
const GET: &[&str] = &[
    "Bucket",
    "Key",
    "VersionId",
    "ExpectedBucketOwner",
    "RequestPayer",
    "IfMatch",
    "IfNoneMatch",
    "IfModifiedSince",
    "IfUnmodifiedSince",
    "SSECustomerAlgorithm",
    "SSECustomerKey",
    "SSECustomerKeyMD5",
];
const LIST: &[&str] = &[
    "Bucket",
    "Prefix",
    "StartAfter",
    "MaxKeys",
    "Delimiter",
    "EncodingType",
    "FetchOwner",
    "ContinuationToken",
    "ExpectedBucketOwner",
    "RequestPayer",
];
const PUT: &[&str] = &[
    "Bucket",
    "Prefix",
    "ACL",
    "ExpectedBucketOwner",
    "RequestPayer",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "SSEKMSEncryptionContext",
    "BucketKeyEnabled",
    "StorageClass",
    "Tagging",
];

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
        if state.contains_key("ItemSelector") && state.contains_key("Parameters") {
            self.schema(at, one("ItemSelector, Parameters"));
        }
        let place = format!("{at}/{field}");
        self.inner(flow, &place, depth, &["Comment", "ProcessorConfig", "StartAt", "States"]);
        self.processor(&flow["ProcessorConfig"], &format!("{place}/ProcessorConfig"));
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
        if self.express {
            // AWS guide, "Choosing workflow type"; the words are in the style of what else such a machine lacks.
            let why = "Express state machine does not support a DISTRIBUTED Map";
            self.schema(&format!("{place}/ProcessorConfig/Mode"), why);
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

    /// ProcessorConfig: a distributed map says of which type its child executions are.
    fn processor(&mut self, config: &Value, at: &str) {
        let Some(config) = config.as_object() else { return };
        self.fields(config, at, PROCESSOR);
        if config.get("Mode").and_then(Value::as_str) == Some("DISTRIBUTED") {
            self.required(config, at, &["ExecutionType"]);
        }
        self.words(config, at, &[("ExecutionType", &["STANDARD", "EXPRESS"])]);
    }

    /// The fields of a reader, a batcher or a writer, or of what is in them.
    fn held(&mut self, object: &Object, at: &str, allowed: &[&str], jsonata: bool) {
        self.fields(object, at, allowed);
        self.foreign(object, at, jsonata, if jsonata { JSON_PATH_ONLY } else { JSONATA_ONLY });
    }

    /// What the action of `Resource` is called with.
    fn called_with(&mut self, object: &Object, at: &str, jsonata: bool) {
        let field = if jsonata { "Arguments" } else { "Parameters" };
        let (Some(given), Some(arn)) = (object.get(field), object.get("Resource").and_then(Value::as_str))
        else {
            return;
        };
        let at = format!("{at}/{field}");
        let allowed = match arn.rsplit(':').next() {
            Some("getObject") => GET,
            Some("listObjectsV2") => LIST,
            Some("putObject") => PUT,
            _ => return,
        };
        let Some(given) = given.as_object() else {
            if !(jsonata && given.as_str().is_some_and(|text| jsonata::source(text).is_some())) {
                self.schema(&at, "Expected value of type Object");
            }
            return;
        };
        for field in given.keys() {
            let name = if jsonata { field } else { field.strip_suffix(".$").unwrap_or(field) };
            if !allowed.contains(&name) {
                self.schema(&at, format!("The field \"{name}\" is not supported by Step Functions"));
            }
        }
    }

    fn reader(&mut self, reader: &Object, at: &str, jsonata: bool) {
        self.held(reader, at, ITEM_READER, jsonata);
        self.calls(reader, at, &READS);
        self.called_with(reader, at, jsonata);
        let at = &format!("{at}/ReaderConfig");
        let Some(config) = self.config(reader, "ReaderConfig", at) else { return };
        self.held(config, at, READER_CONFIG, jsonata);
        self.words(config, at, &READER);
        self.named(config, at);
        self.integers(config, at, &[Range("MaxItems", 0, i64::MAX)], jsonata);
        self.both(config, at, &["MaxItems"]);
        self.references(config, at, &["MaxItemsPath"]);
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
        self.held(batcher, at, ITEM_BATCHER, jsonata);
        let fields = BATCHER.iter().map(|Range(field, ..)| *field).collect::<Vec<_>>();
        self.integers(batcher, at, BATCHER, jsonata);
        self.both(batcher, at, &fields);
        self.references(batcher, at, &["MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"]);
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
        self.held(writer, at, RESULT_WRITER, jsonata);
        self.calls(writer, at, &WRITES);
        self.called_with(writer, at, jsonata);
        if ["Parameters", "Arguments"].iter().any(|field| writer.contains_key(*field)) {
            self.required(writer, at, &["Resource"]);
        }
        let at = &format!("{at}/WriterConfig");
        if let Some(config) = self.config(writer, "WriterConfig", at) {
            self.held(config, at, WRITER_CONFIG, jsonata);
            self.words(config, at, &WRITER);
        }
    }

    fn config<'o>(&mut self, object: &'o Object, field: &str, at: &str) -> Option<&'o Object> {
        let config = object.get(field)?;
        if !config.is_object() {
            self.schema(at, "Expected value of type Object");
        }
        config.as_object()
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

    /// What a ReaderConfig names by itself: columns and a place in the object.
    fn named(&mut self, config: &Object, at: &str) {
        match config.get("CSVHeaders") {
            Some(Value::Array(headers)) if headers.is_empty() => {
                self.schema(&format!("{at}/CSVHeaders"), "Value cannot be empty");
            }
            Some(Value::Array(headers)) => {
                for (i, _) in headers.iter().enumerate().filter(|(_, header)| !header.is_string()) {
                    self.schema(&format!("{at}/CSVHeaders[{i}]"), "Expected value of type String");
                }
            }
            Some(_) => self.schema(&format!("{at}/CSVHeaders"), "Expected value of type Array"),
            None => {}
        }
        if config.get("ItemsPointer").is_some_and(|pointer| !pointer.is_string()) {
            self.schema(&format!("{at}/ItemsPointer"), "Expected value of type String");
        }
    }

    /// Fields that hold one of some words, in either query language: no expression (as the schema of AWS's own
    /// language service has them; of a ReaderConfig only MaxItems may be one).
    fn words(&mut self, object: &Object, at: &str, fields: &[(&str, &[&str])]) {
        for (field, words) in fields {
            let at = format!("{at}/{field}");
            match object.get(*field) {
                None => {}
                Some(Value::String(text)) if words.contains(&text.as_str()) => {}
                Some(Value::String(_)) => {
                    let why = format!("Value should be one of the following: [{}]", words.join(", "));
                    self.schema(&at, why);
                }
                Some(_) => self.schema(&at, "Expected value of type String"),
            }
        }
    }
}
