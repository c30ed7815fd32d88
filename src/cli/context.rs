//! What a subcommand works with: settings, the date that counts as today, and AWS once it is needed.

use std::sync::Arc;

use chrono::{DateTime, Local, NaiveDate, Utc};
use tokio::sync::OnceCell;

use super::reach::{self, Reached};
use crate::aws::{Aws, Permit};
use crate::domain::problem::Problem;
use crate::domain::text::shown_lines;
use crate::runtime::Tell;
use crate::settings::{Settings, Sources, Target};

/// Cheap to clone: the connection is shared.
#[derive(Clone)]
pub struct Context {
    pub settings: Settings,
    /// What the settings were merged from, to merge them anew for another context.
    pub sources: Sources,
    /// The date that counts as today: the setting, or the date of the clock in the shown zone.
    pub as_of: NaiveDate,
    reached: Arc<OnceCell<Reached>>,
}

impl Context {
    pub fn new(settings: Settings, sources: Sources) -> Self {
        let today = if settings.utc { Utc::now().date_naive() } else { Local::now().date_naive() };
        let as_of = settings.as_of.unwrap_or(today);
        Context { settings, sources, as_of, reached: Arc::default() }
    }

    /// The clients, connected on first use: attaches to the local cloud (started if nobody serves it)
    /// or reads the AWS configuration.
    pub async fn aws(&self) -> Result<Aws, Problem> {
        self.reached(Arc::new(|news: Problem| eprintln!("{}", shown_lines(&news.to_string())))).await
    }

    /// Likewise for the console, which takes the news itself: the terminal is not ours to write to.
    pub async fn reached(&self, tell: Tell) -> Result<Aws, Problem> {
        let reached = self.reached.get_or_try_init(|| reach::reach(&self.settings, tell)).await?;
        Ok(reached.aws.clone())
    }

    /// Takes over a connection that was made already.
    pub fn adopt(&self, reached: Reached) {
        // A second connection of the same context is not needed: the first one stays.
        let _ = self.reached.set(reached);
    }

    pub fn permit(&self) -> Permit {
        if self.settings.read_only { Permit::ReadOnly } else { Permit::ReadWrite }
    }

    /// Whether writing needs no confirmation.
    pub fn is_local(&self) -> bool {
        matches!(self.settings.target, Target::Local { .. })
    }

    /// The target in words: `the local cloud`, `AWS profile prod`.
    pub fn place(&self) -> String {
        match &self.settings.target {
            Target::Local { .. } => "the local cloud".into(),
            Target::Aws { profile: Some(profile), .. } => format!("AWS profile {profile}"),
            Target::Aws { profile: None, .. } => "AWS".into(),
            Target::Endpoint { url, .. } => url.clone(),
        }
    }

    /// A time as people read it, its zone named: `2026-01-01 15:04:11 UTC`.
    pub fn time(&self, at: DateTime<Utc>) -> String {
        match self.settings.utc {
            true => at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            false => at.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string(),
        }
    }

    /// The time of day to the millisecond, its zone named, for lines that come one after the other:
    /// `15:04:11.204 UTC`.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        match self.settings.utc {
            true => at.format("%H:%M:%S%.3f UTC").to_string(),
            false => at.with_timezone(&Local).format("%H:%M:%S%.3f %:z").to_string(),
        }
    }

    /// Ends what this process alone kept alive: an ephemeral cloud stops in order.
    pub async fn close(self) {
        if let Some(reached) = Arc::into_inner(self.reached).and_then(OnceCell::into_inner) {
            reached.close().await;
        }
    }
}
