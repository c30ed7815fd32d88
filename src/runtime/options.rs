//! From settings and environment to what the console needs at its start.

use std::path::PathBuf;

use chrono::{Local, Offset, Utc};
use etcetera::BaseStrategy;

use crate::domain::problem::Problem;
use crate::runtime::connection::Connect;
use crate::runtime::session;
use crate::settings::{Settings, Target};
use crate::ui::effect::Effect;
use crate::ui::keymap::Keymap;
use crate::ui::model::Model;
use crate::ui::route::Route;
use crate::ui::say::Zone;
use crate::ui::session::Session;
use crate::ui::theme::Theme;
use crate::ui::world::Setup;
use crate::work::cache::Cache;

/// Whether the terminal is asked for its background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    Ask,
    Settled,
}

/// Everything [`crate::runtime::run`] needs.
pub struct Options {
    pub setup: Setup,
    /// Where to start; the last place when `None`.
    pub route: Option<Route>,
    pub theme: ThemeChoice,
    /// Makes the connection, in the background; called again after a failure.
    pub connect: Connect,
    /// A file for every fact that reaches the console.
    pub record: Option<PathBuf>,
    /// Where place, filter and order are kept between starts.
    pub session_file: Option<PathBuf>,
    /// What was read of the bucket before.
    pub cache: Option<Cache>,
    /// Mistakes of the keymap and the like: shown, never fatal.
    pub warnings: Vec<Problem>,
    pub session: Session,
}

impl Options {
    /// Reads the environment, the person's keymap and the last session, and nothing else. A place that
    /// does not exist is a problem: it was written by hand.
    pub fn new(settings: &Settings, connect: Connect) -> Result<Options, Problem> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let route = match &settings.open {
            None => None,
            Some(text) => Some(
                Route::parse(text)
                    .map_err(|error| Problem::new(error).hint("For example: --open facilities/FAC004"))?,
            ),
        };
        let term = variable("TERM");
        let plain = !variable("NO_COLOR").is_empty() || term == "dumb";
        let colours = ["truecolor", "24bit"].contains(&variable("COLORTERM").as_str())
            || ["direct", "kitty", "ghostty", "alacritty", "wezterm"].iter().any(|name| term.contains(name));
        let (theme, asks) = match settings.theme.as_str() {
            _ if plain => ("mono", ThemeChoice::Settled),
            "auto" if colours => ("ansi", ThemeChoice::Ask),
            "auto" => ("ansi", ThemeChoice::Settled),
            name => (name, ThemeChoice::Settled),
        };
        let mut warnings = Vec::new();
        let now = Utc::now();
        let zone = Zone { offset: Local::now().offset().fix() };
        let today = if settings.utc { now.date_naive() } else { zone.date(now) };
        let (target, local, region) = match &settings.target {
            Target::Local { region, .. } => ("LOCAL".to_string(), true, region),
            Target::Aws { profile, region } => (
                profile.as_ref().map_or("AWS".to_string(), |profile| format!("AWS {profile}")),
                false,
                region,
            ),
            Target::Endpoint { url, region, .. } => {
                (url.split_once("://").map_or(url.as_str(), |(_, host)| host).to_string(), false, region)
            }
        };
        let session_file = state_folder().map(|folder| folder.join("session.toml"));
        let session = session::load(session_file.as_deref());
        let setup = Setup {
            target,
            local,
            region: region.clone().unwrap_or_else(|| "us-east-1".to_string()),
            bucket: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
            database: settings.database.clone(),
            table: settings.table.clone(),
            workgroup: settings.workgroup.clone(),
            function: settings.function.clone(),
            state_machine: settings.state_machine.clone(),
            topic: settings.topic.clone(),
            read_only: settings.read_only,
            as_of: settings.as_of.unwrap_or(today),
            as_of_chosen: settings.as_of.is_some(),
            within: settings.within.clone(),
            zone,
            utc: settings.utc,
            ascii: settings.ascii || term == "dumb" || term == "linux",
            reduced_motion: settings.reduced_motion,
            mouse: settings.mouse,
            theme: Theme::named(theme),
            keymap: keymap(&mut warnings),
            now,
        };
        let cache = Cache::of(settings);
        Ok(Options {
            setup,
            route,
            theme: asks,
            connect,
            record: None,
            session_file,
            cache,
            warnings,
            session,
        })
    }

    /// The model of the first frame, and its first orders.
    pub(crate) fn start(&mut self, size: (u16, u16)) -> (Model, Vec<Effect>) {
        let session = std::mem::take(&mut self.session);
        Model::start(self.setup.clone(), size, session, self.route.clone())
    }
}

/// The shipped keymap with the person's own `keymap.toml` over it.
fn keymap(warnings: &mut Vec<Problem>) -> Keymap {
    let mut keymap = Keymap::default();
    let Some(path) = config_folder().map(|folder| folder.join("keymap.toml")) else { return keymap };
    if let Ok(text) = std::fs::read_to_string(&path) {
        for mistake in keymap.merge(&text) {
            warnings.push(
                Problem::new("A key in your keymap was not understood")
                    .detail(mistake)
                    .hint(format!("Correct {}; the other keys work", path.display())),
            );
        }
    }
    keymap
}

/// `$XDG_CONFIG_HOME/ward`
pub(crate) fn config_folder() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.config_dir().join("ward"))
}

/// `$XDG_STATE_HOME/ward`
fn state_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("ward"))
}
