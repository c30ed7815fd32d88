//! Which fields a state may have, by its type and query language.

/// Fields that every state may have.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage", "Assign", "Output"];
const PATHS: &[&str] = &["InputPath", "OutputPath"];
const NEXT: &[&str] = &["Next", "End"];
const RESULT: &[&str] = &["ResultPath", "ResultSelector", "Parameters"];
pub const RECOVER: &[&str] = &["Retry", "Catch"];

/// Further fields by type.
pub fn allowed(type_name: &str) -> Option<Vec<&'static str>> {
    let more: &[&[&str]] = match type_name {
        "Pass" => &[PATHS, NEXT, &["Result", "ResultPath", "Parameters"]],
        "Task" => &[
            PATHS,
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
        "Choice" => &[PATHS, &["Choices", "Default"]],
        "Wait" => &[PATHS, NEXT, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]],
        "Succeed" => &[PATHS],
        "Fail" => &[&["Error", "ErrorPath", "Cause", "CausePath"]],
        "Parallel" => &[PATHS, NEXT, RESULT, RECOVER, &["Branches", "Arguments"]],
        "Map" => &[
            PATHS,
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
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];
pub const JSONATA_ONLY: &[&str] = &["Output", "Arguments", "Items"];

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
    Some(format!("Label contains invalid character: '{}'", found.escape_default()))
}
