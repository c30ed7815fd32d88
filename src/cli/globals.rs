//! The flags that every subcommand takes, and the texts that settings are merged from.

use std::path::PathBuf;

use clap::Args;

use crate::domain::problem::Problem;
use crate::settings::{Error, Sources};

/// Each is also a key of the configuration file and a `WARD_…` variable (`--state-machine`:
/// `state_machine`, `WARD_STATE_MACHINE`).
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings (also keys of the configuration file and WARD_… variables)")]
pub struct Globals {
    /// Work on the account of this AWS profile instead of the local cloud
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The AWS region
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Work on any endpoint that answers AWS's calls
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// A context of the configuration file, or `local`
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// The date that counts as today
    #[arg(long, global = true, value_name = "DATE")]
    as_of: Option<String>,
    /// The window of expiring accreditations, both ends included: 90d, 2w, 6mo, 1y
    #[arg(long, global = true, value_name = "WINDOW")]
    within: Option<String>,
    /// Refuse whatever starts, stops, writes or deletes
    #[arg(long, global = true)]
    read_only: bool,
    /// Read every object of the bucket anew, and keep nothing of it on this machine
    #[arg(long, global = true, hide_short_help = true)]
    no_cache: bool,
    /// table, json, ndjson or csv; for facilities also ical and md
    #[arg(long, global = true, value_name = "FORM")]
    output: Option<String>,
    /// The pipeline's bucket
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    bucket: Option<String>,
    /// Where facility records lie in the bucket
    #[arg(long, global = true, value_name = "PREFIX", hide_short_help = true)]
    prefix: Option<String>,
    /// The Athena database
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    database: Option<String>,
    /// The table over the facility records
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    table: Option<String>,
    /// The Athena work group
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    workgroup: Option<String>,
    /// The pipeline's Lambda function
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    function: Option<String>,
    /// The pipeline's state machine: name or ARN
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    state_machine: Option<String>,
    /// The SNS topic that hears of failed runs: name or ARN
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    topic: Option<String>,
    /// The folder of the local cloud
    #[arg(long, global = true, value_name = "FOLDER", hide_short_help = true)]
    local_dir: Option<String>,
    /// A local cloud in this process alone, forgotten afterwards
    #[arg(long, global = true, hide_short_help = true)]
    ephemeral: bool,
    /// Show times in UTC
    #[arg(long, global = true, conflicts_with = "local_time", hide_short_help = true)]
    utc: bool,
    /// Show times in local time
    #[arg(long, global = true, hide_short_help = true)]
    local_time: bool,
    /// auto, ansi, dark, light, high-contrast or mono
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    theme: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long, global = true, hide_short_help = true)]
    ascii: bool,
    /// Nothing moves
    #[arg(long, global = true, hide_short_help = true)]
    reduced_motion: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true, hide_short_help = true)]
    no_mouse: bool,
    /// The place the console starts at: facilities/FAC004, workflows/<arn>
    #[arg(long, global = true, value_name = "PLACE")]
    open: Option<String>,
    /// Another configuration file (WARD_CONFIG)
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    config: Option<PathBuf>,
}

impl Globals {
    /// `(key, value)` of every flag that was given.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("profile", &self.profile),
            ("region", &self.region),
            ("endpoint_url", &self.endpoint_url),
            ("context", &self.context),
            ("as_of", &self.as_of),
            ("within", &self.within),
            ("output", &self.output),
            ("bucket", &self.bucket),
            ("prefix", &self.prefix),
            ("database", &self.database),
            ("table", &self.table),
            ("workgroup", &self.workgroup),
            ("function", &self.function),
            ("state_machine", &self.state_machine),
            ("topic", &self.topic),
            ("local_dir", &self.local_dir),
            ("theme", &self.theme),
            ("open", &self.open),
        ];
        let switches = [
            ("read_only", self.read_only, true),
            ("cache", self.no_cache, false),
            ("ephemeral", self.ephemeral, true),
            ("utc", self.utc, true),
            ("utc", self.local_time, false),
            ("ascii", self.ascii, true),
            ("reduced_motion", self.reduced_motion, true),
            ("mouse", self.no_mouse, false),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        let switches = switches.into_iter().filter(|(_, given, _)| *given);
        texts.chain(switches.map(|(name, _, value)| (name, value.to_string()))).collect()
    }

    /// Reads the configuration file and the environment.
    pub fn sources(&self) -> Result<Sources, Problem> {
        // A variable that is no text is none of ours.
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("WARD_") || name.starts_with("AWS_"))
            .collect();
        let named = self.config.clone().or_else(|| std::env::var_os("WARD_CONFIG").map(PathBuf::from));
        let path = named.clone().or_else(default_config);
        let file = match path {
            None => None,
            Some(path) => match std::fs::read_to_string(&path) {
                Ok(text) => Some((path.display().to_string(), text)),
                Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    return Err(Problem::new(format!("The configuration {} cannot be read", path.display()))
                        .detail(error.to_string())
                        .hint("Check --config and WARD_CONFIG, or leave both out"));
                }
            },
        };
        Ok(Sources { file, environment, flags: self.flags() })
    }
}

/// `$XDG_CONFIG_HOME/ward/config.toml`, or what the platform has for it.
pub fn default_config() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("ward").join("config.toml"))
}

/// Every mistake of the settings as one problem.
pub fn mistakes(errors: &[Error]) -> Problem {
    let lines: Vec<String> = errors.iter().map(Error::to_string).collect();
    Problem::new("The settings are not right").detail(lines.join("\n"))
}
