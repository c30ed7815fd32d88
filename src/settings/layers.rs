//! Merging: default < file < file's context < `AWS_ENDPOINT_URL` < environment < flags.
//!
//! A context is laid just under the layer that names it, so `--context prod` beats `WARD_BUCKET`, and
//! `--bucket` beats the context. The target comes from the uppermost layer that says one.

use std::collections::BTreeMap;

use super::file::{self, File};
use super::keys::{self, KEYS, Key};
use super::{Origin, Settings, Target, value};

/// The texts that settings come from, read by somebody else.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Path and text of the configuration file, when there is one.
    pub file: Option<(String, String)>,
    /// The environment; other variables than ours and AWS's are ignored.
    pub environment: Vec<(String, String)>,
    /// `(key, value)` of every flag that was given.
    pub flags: Vec<(&'static str, String)>,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File { path: String, line: usize },
    Variable(String),
    Flag(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File { path, line } => write!(f, "{path}:{line}"),
            Place::Variable(name) => f.write_str(name),
            Place::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A mistake in the settings: where, what, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub place: Place,
    pub what: String,
    pub fix: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.what, self.fix)
    }
}

impl std::error::Error for Error {}

/// The values one source gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    values: BTreeMap<&'static str, (String, Place)>,
}

impl Layer {
    pub(super) fn put(&mut self, key: &'static Key, text: String, place: Place) {
        self.values.insert(key.name, (text, place));
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(text, _)| text.as_str()).filter(|text| !text.is_empty())
    }

    /// What this layer says about the target, if anything.
    fn target(&self) -> Option<Said> {
        if self.get("endpoint_url").is_some() {
            Some(Said::Endpoint)
        } else if self.get("profile").is_some() {
            Some(Said::Aws)
        } else if self.get("local_dir").is_some() || self.get("ephemeral").is_some_and(|text| text != "false")
        {
            Some(Said::Local)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Local,
    Aws,
    Endpoint,
}

/// Merges the sources. Every mistake is named, not only the first.
pub(super) fn merge(sources: &Sources) -> Result<Settings, Vec<Error>> {
    let file = match &sources.file {
        Some((path, text)) => file::read(path, text)?,
        None => File::default(),
    };
    let (endpoint, environment, mut errors) = environment(&sources.environment);
    let mut flags = Layer::default();
    for (name, text) in &sources.flags {
        if let Some(key) = keys::find(name) {
            flags.put(key, text.clone(), Place::Flag(key.flag()));
        }
    }

    let mut merged = Merged::default();
    let mut said = Said::Local;
    for (layer, names_context) in
        [(&file.top, true), (&endpoint, false), (&environment, true), (&flags, true)]
    {
        if names_context
            && let Some((name, place)) = layer.values.get("context").filter(|(n, _)| !n.is_empty())
        {
            match (file.contexts.get(name), name.as_str()) {
                (Some(context), _) => {
                    // A context is whole: what was said of the target below it does not shine through.
                    merged.forget_target();
                    merged.lay(context, Some(name), &mut errors);
                    said = context.target().unwrap_or(Said::Local);
                }
                (None, "local") => {
                    merged.forget_target();
                    said = Said::Local;
                }
                (None, _) => errors.push(no_context(name, place, &file)),
            }
        }
        merged.lay(layer, None, &mut errors);
        said = layer.target().unwrap_or(said);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if said != Said::Local {
        merged.region_of(&sources.environment);
    }
    let mut settings = merged.settings(said);
    settings.contexts = file.contexts.keys().cloned().collect();
    settings.hint = hint(&settings, &sources.environment);
    Ok(settings)
}

fn no_context(name: &str, place: &Place, file: &File) -> Error {
    let known: Vec<&str> = file.contexts.keys().map(String::as_str).chain(["local"]).collect();
    Error {
        place: place.clone(),
        what: format!("there is no context {name}"),
        fix: format!("there are: {}", known.join(", ")),
    }
}

/// `AWS_ENDPOINT_URL` as a layer of its own, under our own variables.
fn environment(variables: &[(String, String)]) -> (Layer, Layer, Vec<Error>) {
    let (mut endpoint, mut ours, mut errors) = (Layer::default(), Layer::default(), Vec::new());
    for (name, text) in variables {
        if name == "AWS_ENDPOINT_URL" {
            if let Some(key) = keys::find("endpoint_url") {
                endpoint.put(key, text.clone(), Place::Variable(name.clone()));
            }
            continue;
        }
        let Some(rest) = name.strip_prefix("WARD_") else { continue };
        let lower = rest.to_ascii_lowercase();
        match keys::find(&lower) {
            Some(key) => ours.put(key, text.clone(), Place::Variable(name.clone())),
            None if OTHER_VARIABLES.contains(&rest) => {}
            None => {
                // A variable may belong to somebody else; only a near miss is a mistake.
                if let Some(key) = keys::nearest(&lower) {
                    errors.push(Error {
                        place: Place::Variable(name.clone()),
                        what: format!("there is no setting {lower}"),
                        fix: format!("did you mean {}?", key.variable()),
                    });
                }
            }
        }
    }
    (endpoint, ours, errors)
}

/// `WARD_…` variables that are not settings: where the configuration is, and what to log.
const OTHER_VARIABLES: &[&str] = &["CONFIG", "LOG"];

fn hint(settings: &Settings, variables: &[(String, String)]) -> Option<String> {
    let profile = variables.iter().find(|(name, text)| name == "AWS_PROFILE" && !text.is_empty());
    match (&settings.target, profile) {
        (Target::Local { .. }, Some((_, profile))) => Some(format!(
            "AWS_PROFILE is {profile}, yet this is the local cloud: --profile {profile} goes there"
        )),
        _ => None,
    }
}

#[derive(Default)]
struct Merged {
    values: BTreeMap<&'static str, (String, Origin)>,
}

impl Merged {
    fn lay(&mut self, layer: &Layer, context: Option<&str>, errors: &mut Vec<Error>) {
        for (name, (text, place)) in &layer.values {
            let Some(key) = keys::find(name) else { continue };
            match value::check(key, text) {
                Ok(text) => {
                    let origin = match (place, context) {
                        (Place::File { path, line }, Some(context)) => {
                            Origin::Context { name: context.into(), path: path.clone(), line: *line }
                        }
                        (Place::File { path, line }, None) => {
                            Origin::File { path: path.clone(), line: *line }
                        }
                        (Place::Variable(name), _) => Origin::Variable(name.clone()),
                        (Place::Flag(flag), _) => Origin::Flag(flag.clone()),
                    };
                    self.values.insert(key.name, (text, origin));
                }
                Err((what, fix)) => errors.push(Error { place: place.clone(), what, fix }),
            }
        }
    }

    fn forget_target(&mut self) {
        for name in ["profile", "region", "endpoint_url", "local_dir", "ephemeral"] {
            self.values.remove(name);
        }
    }

    /// AWS's own variables say the region where nothing of ours does, as they do for every AWS tool.
    fn region_of(&mut self, variables: &[(String, String)]) {
        if self.values.get("region").is_some_and(|(text, _)| !text.is_empty()) {
            return;
        }
        let told = |wanted: &&str| variables.iter().find(|(name, text)| name == wanted && !text.is_empty());
        if let Some((name, text)) = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(told) {
            self.values.insert("region", (text.clone(), Origin::Variable(name.clone())));
        }
    }

    fn text(&self, name: &'static str) -> String {
        let set = self.values.get(name).map(|(text, _)| text.clone());
        set.unwrap_or_else(|| keys::find(name).map_or(String::new(), |key| key.default.to_owned()))
    }

    fn settings(self, said: Said) -> Settings {
        let maybe = |name| Some(self.text(name)).filter(|text| !text.is_empty());
        let on = |name| self.text(name) == "true";
        let (profile, region) = (maybe("profile"), maybe("region"));
        let endpoint_url = maybe("endpoint_url");
        let local_dir = maybe("local_dir").map(Into::into);
        let ephemeral = on("ephemeral");
        let target = match (said, &endpoint_url) {
            (Said::Endpoint, Some(url)) => {
                Target::Endpoint { url: url.clone(), region: region.clone(), profile: profile.clone() }
            }
            (Said::Aws, _) => Target::Aws { profile: profile.clone(), region: region.clone() },
            _ => Target::Local { dir: local_dir.clone(), ephemeral, region: region.clone() },
        };
        let origins = KEYS
            .iter()
            .map(|key| {
                let origin = self.values.get(key.name).map(|(_, origin)| origin.clone());
                (key.name, origin.unwrap_or(Origin::Default))
            })
            .collect();
        let texts = KEYS.iter().map(|key| (key.name, self.text(key.name))).collect();
        Settings {
            target,
            context: maybe("context"),
            profile,
            region,
            endpoint_url,
            local_dir,
            ephemeral,
            bucket: self.text("bucket"),
            prefix: self.text("prefix"),
            database: self.text("database"),
            table: self.text("table"),
            workgroup: self.text("workgroup"),
            function: self.text("function"),
            state_machine: self.text("state_machine"),
            topic: self.text("topic"),
            as_of: value::date(&self.text("as_of")),
            within: self.text("within"),
            read_only: on("read_only"),
            cache: on("cache"),
            theme: self.text("theme"),
            utc: on("utc"),
            reduced_motion: on("reduced_motion"),
            ascii: on("ascii"),
            mouse: on("mouse"),
            output: self.text("output"),
            open: maybe("open"),
            contexts: Vec::new(),
            hint: None,
            origins,
            texts,
        }
    }
}
