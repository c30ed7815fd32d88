//! What the person chose: settings, their layers and where each value came from. Pure: `cli` reads the
//! texts (file, environment, flags), this merges them. Uses nothing of ours.
//!
//! Start with [`keys::KEYS`], the table of every setting, and [`Settings::merge`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;

mod file;
pub mod keys;
pub mod layers;
mod value;

pub use layers::{Error, Place, Sources};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File { path: String, line: usize },
    Context { name: String, path: String, line: usize },
    Variable(String),
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Context { name, path, line } => write!(f, "context {name}, {path}:{line}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// What to talk to, as far as settings can say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The local cloud: in that folder (`None`: the user's data directory) or in this process alone.
    Local {
        dir: Option<PathBuf>,
        ephemeral: bool,
        region: Option<String>,
    },
    Aws {
        profile: Option<String>,
        region: Option<String>,
    },
    Endpoint {
        url: String,
        region: Option<String>,
        profile: Option<String>,
    },
}

/// Every setting with its value; [`Settings::origin`] tells where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What follows from context, profile, endpoint and local folder.
    pub target: Target,
    pub context: Option<String>,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    pub local_dir: Option<PathBuf>,
    pub ephemeral: bool,
    pub bucket: String,
    /// Ends with `/`, or is empty.
    pub prefix: String,
    pub database: String,
    pub table: String,
    pub workgroup: String,
    pub function: String,
    /// Name or ARN.
    pub state_machine: String,
    /// Name or ARN.
    pub topic: String,
    /// The date that counts as today; `None` for the date of the clock.
    pub as_of: Option<NaiveDate>,
    /// `6mo`, `90d` …
    pub within: String,
    pub read_only: bool,
    /// Whether what was read of the bucket is kept on this machine.
    pub cache: bool,
    pub theme: String,
    /// Times in UTC rather than in local time.
    pub utc: bool,
    pub reduced_motion: bool,
    pub ascii: bool,
    pub mouse: bool,
    /// `table`, `json`, `ndjson` or `csv`.
    pub output: String,
    /// The place the console starts at.
    pub open: Option<String>,
    /// The contexts that the file names.
    pub contexts: Vec<String>,
    /// Something a person should know about the choice of target.
    pub hint: Option<String>,
    /// Where each value came from, by key; ask [`Settings::origin`].
    pub origins: BTreeMap<&'static str, Origin>,
    /// Each value as the file would spell it, by key; ask [`Settings::entries`].
    pub texts: BTreeMap<&'static str, String>,
}

impl Default for Settings {
    fn default() -> Self {
        // Nothing but defaults is merged, and a test proves that every default is a value of its key.
        match Settings::merge(&Sources::default()) {
            Ok(settings) => settings,
            Err(errors) => unreachable!("{errors:?}"),
        }
    }
}

impl Settings {
    /// Merges the sources; every mistake is named, not only the first.
    pub fn merge(sources: &Sources) -> Result<Settings, Vec<Error>> {
        layers::merge(sources)
    }

    /// Where the value of a key came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// `(key, value, origin)` of every setting, in the table's order.
    pub fn entries(&self) -> impl Iterator<Item = (&'static keys::Key, &str, Origin)> {
        keys::KEYS.iter().map(|key| {
            let text = self.texts.get(key.name).map_or("", String::as_str);
            (key, text, self.origin(key.name))
        })
    }
}

#[cfg(test)]
mod tests;
