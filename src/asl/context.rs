//! The context object, `$$`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::cursor::{About, Strand};

/// ISO 8601 with milliseconds, as the context object spells times.
pub fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// What a strand sees of its execution. `counts`: its state can be retried.
pub(super) fn context(
    about: &About,
    strand: &Strand,
    redrives: u32,
    counts: bool,
    token: Option<&str>,
) -> Value {
    let mut context = json!({
        "Execution": {
            "Id": about.id,
            "Input": about.input.value(),
            "StartTime": iso(about.started),
            "Name": about.name,
            "RoleArn": about.role,
            "RedriveCount": redrives,
        },
        "StateMachine": {"Id": about.machine, "Name": about.machine_name},
        "State": {"Name": strand.state, "EnteredTime": iso(strand.entered_at)},
    });
    if counts {
        context["State"]["RetryCount"] = strand.retries.into();
    }
    put_item(&mut context, strand);
    if let Some(token) = token {
        context["Task"] = json!({"Token": token});
    }
    context
}

/// Tells the iteration of a map that a strand stands for.
pub(super) fn put_item(context: &mut Value, strand: &Strand) {
    if let Some(item) = &strand.item {
        context["Map"] = json!({"Item": item.shown()});
    }
}
