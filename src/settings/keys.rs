//! The table of settings: one row names the key of the file, the `WARD_…` variable, the flag, the
//! default and what it means. File, environment, flags, `ward doctor --settings` and the tests read it.

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text but none at all.
    Text,
    /// Text, or empty for "none".
    Maybe,
    /// `true` or `false`; in variables also 1, 0, yes, no, on, off.
    Switch,
    /// `2026-01-01`, or empty for today.
    Date,
    /// `6mo`, `90d`, `1y`, `2w`.
    Window,
    /// A bucket's name, or the ARN of an access point.
    Bucket,
    /// A key prefix: empty, or ended by `/`.
    Prefix,
    /// `http://…` or `https://…`, or empty.
    Url,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key of the file; the flag has `-` for `_`, the variable is `WARD_` and capitals.
    pub name: &'static str,
    pub kind: Kind,
    /// As the file would spell it, without quotes.
    pub default: &'static str,
    /// One line for people.
    pub help: &'static str,
}

impl Key {
    pub fn variable(&self) -> String {
        format!("WARD_{}", self.name.to_ascii_uppercase())
    }

    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }
}

const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, help }
}

/// Every setting, in the order people are shown.
pub const KEYS: &[Key] = &[
    key(
        "context",
        Kind::Maybe,
        "",
        "the named context to use, in the file as use_context: one of the [context.name] tables, or local",
    ),
    key("profile", Kind::Maybe, "", "an AWS profile: work on that account instead of the local cloud"),
    key(
        "region",
        Kind::Maybe,
        "",
        "the AWS region; else, but for the local cloud, AWS_REGION's, AWS_DEFAULT_REGION's or the profile's; else us-east-1",
    ),
    key("endpoint_url", Kind::Url, "", "work on any endpoint that answers AWS's calls"),
    key("local_dir", Kind::Maybe, "", "the folder of the local cloud; else in the user's data directory"),
    key("ephemeral", Kind::Switch, "false", "a local cloud in this process alone, forgotten afterwards"),
    key("bucket", Kind::Bucket, "healthcare-accreditation-data-pipeline", "the pipeline's bucket"),
    key("prefix", Kind::Prefix, "raw/", "where facility records lie in the bucket"),
    key("database", Kind::Text, "healthcare_pipeline", "the Athena database"),
    key("table", Kind::Text, "facilities", "the table over the facility records"),
    key("workgroup", Kind::Text, "primary", "the Athena work group"),
    key("function", Kind::Text, "Stage3-AthenaQueryFunction", "the pipeline's Lambda function"),
    key("state_machine", Kind::Text, "HealthcarePipelineStateMachine", "the pipeline's state machine"),
    key("topic", Kind::Text, "healthcare-pipeline-notifications", "the SNS topic that hears of failed runs"),
    key("as_of", Kind::Date, "", "the date that counts as today, for tiers and windows"),
    key("within", Kind::Window, "6mo", "the window of expiring accreditations: 90d, 6mo, 1y"),
    key("read_only", Kind::Switch, "false", "refuse whatever starts, stops, writes or deletes"),
    key(
        "cache",
        Kind::Switch,
        "true",
        "keep what was read of the bucket in the user's cache directory; only what changed is read again",
    ),
    key("theme", Kind::Text, "auto", "auto, ansi, dark, light, high-contrast or mono"),
    key("utc", Kind::Switch, "true", "show times in UTC rather than in local time"),
    key("reduced_motion", Kind::Switch, "false", "nothing moves"),
    key("ascii", Kind::Switch, "false", "draw with ASCII characters only"),
    key("mouse", Kind::Switch, "true", "the console listens to the mouse"),
    key(
        "output",
        Kind::OneOf(&["table", "json", "ndjson", "csv", "ical", "md"]),
        "table",
        "the form of what subcommands print: table, json, ndjson or csv",
    ),
    key("open", Kind::Maybe, "", "the place the console starts at: facilities/FAC004, workflows/<arn>"),
];

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The key that was probably meant.
pub fn nearest(name: &str) -> Option<&'static Key> {
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    KEYS.iter()
        .map(|key| (distance(&wanted, key.name), key))
        .filter(|(distance, key)| *distance <= 1 + key.name.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// Levenshtein's distance, by bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant() {
        assert_eq!(nearest("buket").map(|key| key.name), Some("bucket"));
        assert_eq!(nearest("state-machine").map(|key| key.name), Some("state_machine"));
        assert_eq!(nearest("colour_of_the_sky").map(|key| key.name), None);
    }

    #[test]
    fn variables_and_flags_follow_from_the_name() {
        let key = find("endpoint_url").unwrap();
        assert_eq!((key.variable().as_str(), key.flag().as_str()), ("WARD_ENDPOINT_URL", "--endpoint-url"));
    }
}
