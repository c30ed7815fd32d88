//! What arrived: lines of the log, the invocations they tell of, objects, notifications.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::domain::invocation::{Entry, Invocation, Outcome, Subject, invocations};
use crate::domain::log::LogLine;
use crate::domain::notification::{self, Notification};
use crate::domain::object::Object;
use crate::domain::problem::Problem;
use crate::ui::screens::activity::Section;
use crate::ui::world::{Link, World};

/// Lines that are kept; the oldest go first.
const LINES: usize = 20_000;

/// How a stream stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stand {
    /// Nothing was heard so far.
    #[default]
    Waiting,
    Hearing,
    Failed(Problem),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feed {
    /// By time, the oldest first.
    pub entries: Vec<Entry>,
    /// Ids of the lines that are here.
    known: BTreeSet<String>,
    /// The youngest first.
    pub invocations: Vec<Invocation>,
    pub log: Stand,
    /// The newest objects, the youngest first.
    pub objects: Vec<Object>,
    /// How many there are in all.
    pub total: usize,
    pub bucket: Stand,
    /// The youngest first.
    pub notifications: Vec<Notification>,
    pub topic: Stand,
}

/// The log group of the pipeline's function, as Lambda names it.
pub fn log_group(world: &World) -> String {
    let name = world.setup.function.rsplit(':').next().unwrap_or_default();
    format!("/aws/lambda/{name}")
}

/// The log group of the topic's deliveries, once the account is known.
pub fn topic_group(world: &World) -> Option<String> {
    match &world.link {
        Link::Up { account, region } => Some(notification::group_of(&world.setup.topic, account, region)),
        Link::Connecting | Link::Down(_) => None,
    }
}

impl Feed {
    /// New lines of the function's log; those that are here already are left out.
    pub fn take_lines(&mut self, lines: Vec<LogLine>, now: DateTime<Utc>) {
        self.log = Stand::Hearing;
        let fresh = lines.into_iter().filter(|line| self.known.insert(line.id.clone()));
        let before = self.entries.len();
        self.entries.extend(fresh.map(Entry::read));
        if self.entries.len() == before {
            return;
        }
        self.entries.sort_by_key(|entry| entry.line.at);
        let spare = self.entries.len().saturating_sub(LINES);
        for entry in self.entries.drain(..spare) {
            self.known.remove(&entry.line.id);
        }
        self.invocations = invocations(&mut self.entries, now);
    }

    /// Gives up what cannot be running any more.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        self.invocations.iter_mut().for_each(|one| one.expire(now));
    }

    pub fn take_notifications(&mut self, lines: &[LogLine]) {
        self.topic = Stand::Hearing;
        for found in lines.iter().filter_map(Notification::read) {
            if self.notifications.iter().all(|known| known.id != found.id) {
                self.notifications.push(found);
            }
        }
        self.notifications.sort_by_key(|one| std::cmp::Reverse(one.at));
    }

    pub fn take_objects(&mut self, newest: Vec<Object>, total: usize) {
        self.bucket = Stand::Hearing;
        (self.objects, self.total) = (newest, total);
    }

    /// Forgets what belongs to another span of time, or may not be true any more.
    pub fn restart(&mut self) {
        *self = Feed::default();
    }

    pub fn anything_runs(&self) -> bool {
        self.invocations.iter().any(|one| one.outcome == Outcome::Running)
    }

    pub fn stand(&self, section: Section) -> &Stand {
        match section {
            Section::Invocations | Section::Log => &self.log,
            Section::Objects => &self.bucket,
            Section::Notifications => &self.topic,
        }
    }

    /// How many there are, filter aside.
    pub fn count(&self, section: Section) -> usize {
        match section {
            Section::Invocations => self.invocations.len(),
            Section::Objects => self.objects.len(),
            Section::Notifications => self.notifications.len(),
            Section::Log => self.entries.len(),
        }
    }

    /// What names a row for good: it finds the row again when others arrive.
    pub fn name(&self, section: Section, index: usize) -> Option<&str> {
        match section {
            Section::Invocations => Some(&self.invocations.get(index)?.request),
            Section::Objects => Some(&self.objects.get(index)?.key),
            Section::Notifications => Some(&self.notifications.get(index)?.id),
            Section::Log => Some(&self.entries.get(index)?.line.id),
        }
    }

    /// The rows that contain the needle (lower case) and, in the log, belong to one invocation.
    pub fn rows(&self, section: Section, needle: &str, only: Option<&str>) -> Vec<usize> {
        let has = |text: &str| needle.is_empty() || text.to_lowercase().contains(needle);
        let passes = |index: &usize| match section {
            Section::Invocations => {
                let one = &self.invocations[*index];
                has(&one.request)
                    || one.subject.as_ref().is_some_and(|subject| match subject {
                        Subject::Object(text) | Subject::Execution(text) => has(text),
                    })
                    || one.error.as_deref().is_some_and(has)
            }
            Section::Objects => has(&self.objects[*index].key),
            Section::Notifications => {
                let one = &self.notifications[*index];
                [&one.subject, &one.message, &one.destination].into_iter().flatten().any(|text| has(text))
            }
            Section::Log => {
                let entry = &self.entries[*index];
                (only.is_none() || entry.request.as_deref() == only) && has(&entry.line.text)
            }
        };
        (0..self.count(section)).filter(passes).collect()
    }

    /// The invocation that a line belongs to.
    pub fn invocation_of(&self, entry: &Entry) -> Option<&Invocation> {
        let request = entry.request.as_deref()?;
        self.invocations.iter().find(|one| one.request == request)
    }
}
