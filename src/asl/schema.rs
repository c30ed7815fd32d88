//! Which fields a state may have, by its type and query language.

/// Fields that every state may have.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage"];
/// Fields of every state but Fail; Assign belongs to those that lead on.
const OUTPUT: &[&str] = &["Output"];
const ASSIGN: &[&str] = &["Assign"];
const PATHS: &[&str] = &["InputPath", "OutputPath"];
const NEXT: &[&str] = &["Next", "End"];
const RESULT: &[&str] = &["ResultPath", "ResultSelector", "Parameters"];
const RECOVER: &[&str] = &["Retry", "Catch"];

/// Further fields by type.
pub fn allowed(type_name: &str) -> Option<Vec<&'static str>> {
    let more: &[&[&str]] = match type_name {
        "Pass" => &[PATHS, OUTPUT, ASSIGN, NEXT, &["Result", "ResultPath", "Parameters"]],
        "Task" => &[
            PATHS,
            OUTPUT,
            ASSIGN,
            NEXT,
            RESULT,
            RECOVER,
            &[
                "Resource",
                "Arguments",
                "TimeoutSeconds",
                "TimeoutSecondsPath",
                "HeartbeatSeconds",
                "HeartbeatSecondsPath",
                "Credentials",
            ],
        ],
        "Choice" => &[PATHS, OUTPUT, ASSIGN, &["Choices", "Default"]],
        "Wait" => &[PATHS, OUTPUT, ASSIGN, NEXT, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]],
        "Succeed" => &[PATHS, OUTPUT],
        "Fail" => &[&["Error", "ErrorPath", "Cause", "CausePath"]],
        "Parallel" => &[PATHS, OUTPUT, ASSIGN, NEXT, RESULT, RECOVER, &["Branches", "Arguments"]],
        "Map" => &[
            PATHS,
            OUTPUT,
            ASSIGN,
            NEXT,
            RESULT,
            RECOVER,
            &[
                "ItemProcessor",
                "Iterator",
                "ItemsPath",
                "Items",
                "ItemSelector",
                "ItemReader",
                "ItemBatcher",
                "ResultWriter",
                "MaxConcurrency",
                "MaxConcurrencyPath",
                "ToleratedFailureCount",
                "ToleratedFailureCountPath",
                "ToleratedFailurePercentage",
                "ToleratedFailurePercentagePath",
                "Label",
            ],
        ],
        _ => return None,
    };
    Some(COMMON.iter().chain(more.iter().copied().flatten()).copied().collect())
}

/// Fields of one query language only.
pub const JSON_PATH_ONLY: &[&str] = &[
    "InputPath",
    "OutputPath",
    "ResultPath",
    "ResultSelector",
    "Parameters",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ErrorPath",
    "CausePath",
    "Result",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];
pub const JSONATA_ONLY: &[&str] = &["Output", "Arguments", "Items"];

/// Fields of a Map that only its distributed mode has.
pub const DISTRIBUTED_ONLY: &[&str] = &["ItemReader", "ItemBatcher", "ResultWriter", "Label"];

/// What is wrong with the label of a distributed map.
pub fn wrong_label(label: &str) -> Option<String> {
    if label.is_empty() {
        return Some("Label cannot be empty".into());
    }
    if label.chars().count() > 40 {
        return Some("Label cannot exceed 40 characters".into());
    }
    let bad = |c: &char| c.is_whitespace() || c.is_control() || "?*<>{}[]:;,\\|^~$#%&`\"".contains(*c);
    let found = label.chars().find(bad)?;
    Some(format!("Label contains invalid character: {}", quoted(&found.to_string())))
}

/// A text in quotes, with whatever cannot be seen escaped: double quotes only around a single one.
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c == quote => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}
