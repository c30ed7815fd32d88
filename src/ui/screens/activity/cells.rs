//! What the rows of the four lists show.

use crate::domain::invocation::{Entry, Invocation, Level, Outcome, Said, Subject};
use crate::domain::notification::Notification;
use crate::domain::object::Object;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::screens::activity::Section;
use crate::ui::screens::activity::feed::Feed;
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::table::{Cell, Column};
use crate::ui::world::World;

static INVOCATIONS: [Column; 6] = [
    Column::new("Status", 11, 11, 9),
    Column::new("Started", 8, 8, 8),
    Column::new("Duration", 8, 8, 7).right(),
    Column::new("MB", 4, 4, 3).right(),
    Column::new("For", 8, 44, 6).middle(),
    Column::new("Request", 8, 8, 2),
];

static OBJECTS: [Column; 3] = [
    Column::new("Object", 20, 60, 9).middle(),
    Column::new("Size", 9, 9, 4).right(),
    Column::new("Arrived", 9, 9, 6).right(),
];

static NOTIFICATIONS: [Column; 3] =
    [Column::new("Sent", 8, 8, 9), Column::new("Subject", 14, 30, 8), Column::new("Message", 10, 120, 5)];

static LOG: [Column; 3] =
    [Column::new("Time", 12, 12, 9), Column::new("Request", 8, 8, 3), Column::new("Message", 24, 400, 8)];

pub fn columns(section: Section) -> &'static [Column] {
    match section {
        Section::Invocations => &INVOCATIONS,
        Section::Objects => &OBJECTS,
        Section::Notifications => &NOTIFICATIONS,
        Section::Log => &LOG,
    }
}

/// One cell: a row by its index in the feed's list.
pub fn cell<'a>(feed: &'a Feed, world: &World, section: Section, index: usize, column: usize) -> Cell<'a> {
    let nothing = || Cell::dim("");
    match section {
        Section::Invocations => {
            feed.invocations.get(index).map_or_else(nothing, |one| invocation(one, world, column))
        }
        Section::Objects => feed.objects.get(index).map_or_else(nothing, |one| object(one, world, column)),
        Section::Notifications => {
            feed.notifications.get(index).map_or_else(nothing, |one| notification(one, world, column))
        }
        Section::Log => feed.entries.get(index).map_or_else(nothing, |one| entry(one, world, column)),
    }
}

/// The first part of a request id.
pub fn short(request: &str) -> String {
    shown(request.split('-').next().unwrap_or(request)).into_owned()
}

fn invocation<'a>(one: &'a Invocation, world: &World, column: usize) -> Cell<'a> {
    let badge = match one.outcome {
        Outcome::Running => Badge::RUNNING,
        Outcome::Succeeded if one.error.is_some() => Badge::CAUGHT,
        Outcome::Succeeded => Badge::SUCCEEDED,
        Outcome::Failed => Badge::FAILED,
        Outcome::TimedOut => Badge::TIMED_OUT,
    };
    let report = one.report.as_ref();
    match column {
        0 if one.outcome == Outcome::Succeeded => {
            Cell::new(format!("{} succeeded", badge.glyph(world)), badge.role)
        }
        0 => Cell::new(format!("{} {}", badge.glyph(world), badge.word), badge.role),
        1 => Cell::text(world.zone().clock(one.started)),
        2 => match report {
            Some(report) => Cell::text(units::duration(report.duration)),
            None if one.outcome == Outcome::Running => {
                Cell::new(units::clock(world.now - one.started), Role::Active)
            }
            None => Cell::dim("–"),
        },
        3 => match report.and_then(|report| report.used) {
            Some(used) => Cell::text(used.to_string()),
            None => Cell::dim("–"),
        },
        4 => match (&one.subject, &one.error) {
            (Some(Subject::Object(key)), _) => {
                Cell::text(shown(key.strip_prefix(&world.setup.prefix).unwrap_or(key)))
            }
            (Some(Subject::Execution(arn)), _) => Cell::text(shown(arn.rsplit(':').next().unwrap_or(arn))),
            (None, Some(error)) => Cell::dim(shown(error)),
            (None, None) => Cell::dim("–"),
        },
        _ => Cell::dim(short(&one.request)),
    }
}

fn object<'a>(one: &'a Object, world: &World, column: usize) -> Cell<'a> {
    match column {
        0 => Cell::text(shown(&one.key)),
        1 => Cell::text(units::bytes(one.size)),
        _ => Cell::text(one.modified.map(|at| units::ago(at, world.now)).unwrap_or_default()),
    }
}

fn notification<'a>(one: &'a Notification, world: &World, column: usize) -> Cell<'a> {
    match column {
        0 => Cell::text(world.zone().clock(one.at)),
        1 => match (&one.subject, one.delivered) {
            (_, false) => Cell::new("not delivered", Role::Bad),
            (Some(subject), true) => Cell::text(shown(subject)),
            (None, true) => Cell::dim("–"),
        },
        _ => Cell::dim(shown(one.headline())),
    }
}

fn entry<'a>(entry: &'a Entry, world: &World, column: usize) -> Cell<'a> {
    match column {
        0 => Cell::dim(world.zone().clock_millis(entry.line.at)),
        1 => Cell::dim(entry.request.as_deref().map(short).unwrap_or_default()),
        _ => {
            let (text, role) = said(entry, world);
            Cell::new(text, role)
        }
    }
}

/// A line in short, and how much it matters.
fn said(entry: &Entry, world: &World) -> (String, Role) {
    match &entry.said {
        Said::Record { level, message, fields } => {
            let role = match level {
                Level::Error => Role::Bad,
                Level::Warn => Role::Warn,
                Level::Info => Role::Text,
                Level::Debug | Level::Trace => Role::Dim,
            };
            let mut text = if *level == Level::Info { String::new() } else { format!("{} ", level.as_str()) };
            text.push_str(&shown(message));
            for (name, value) in fields {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                // What is the same everywhere says nothing, and of an ARN the end says most.
                if name == "bucket" && value == world.setup.bucket {
                    continue;
                }
                let value =
                    if name == "execution" { value.rsplit(':').next().unwrap_or(&value) } else { &value };
                text.push_str(&format!("  {}={}", shown(name), shown(value)));
            }
            (text, role)
        }
        Said::Start => ("start".to_owned(), Role::Dim),
        Said::End => ("end".to_owned(), Role::Dim),
        Said::Report(report) => {
            let mut text = format!("report  {}", units::duration(report.duration));
            if let Some(init) = report.init {
                text.push_str(&format!("  init {}", units::duration(init)));
            }
            if let (Some(used), Some(memory)) = (report.used, report.memory) {
                text.push_str(&format!("  {used} of {memory} MB"));
            }
            match (&report.status, &report.error) {
                (None, _) => (text, Role::Dim),
                (Some(status), None) => (format!("{text}  {}", shown(status)), Role::Bad),
                (Some(status), Some(error)) => {
                    (format!("{text}  {}: {}", shown(status), shown(error)), Role::Bad)
                }
            }
        }
        Said::TimedOut => (shown(&entry.line.text).into_owned(), Role::Bad),
        Said::Environment => (shown(&entry.line.text).into_owned(), Role::Dim),
        Said::Text => (shown(&entry.line.text).into_owned(), Role::Text),
    }
}
