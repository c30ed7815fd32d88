//! Activity: what happens by itself.
//!
//! ```text
//!  Invocations 12  Objects 250  Notifications 1       │ Log  following, since 1 h
//!                                                     │
//!    Status       Started   Duration  Memory  For     │   Time          Message
//!  ▌ ✔ succeeded  15:04:05    412 ms      43  FAC001  │   15:04:05.204  START 7f3a2b1c
//!    ✖ failed     14:58:40    1.03 s      44  run-7f  │ ▌ 15:04:05.311  object arrived  key=raw/FAC001.json
//! ```
//!
//! The invocations are read from the log ([`crate::domain::invocation`]); objects come from a listing of the
//! bucket, notifications from the log that SNS keeps of its deliveries. [`feed`] holds what arrived,
//! `update` moves and opens, `view` draws. Below 110 columns the log is the fourth of the tabs.

mod cells;
pub mod feed;
mod open;
mod strip;
mod update;
mod view;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::Wish;
use crate::ui::keymap::Context;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{Msg, Place};
use crate::ui::subs::Sub;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::Cursor;
use crate::ui::world::World;
use feed::Feed;

/// A list of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    #[default]
    Invocations,
    Objects,
    Notifications,
    Log,
}

impl Section {
    pub const ALL: [Section; 4] =
        [Section::Invocations, Section::Objects, Section::Notifications, Section::Log];

    pub fn title(self) -> &'static str {
        match self {
            Section::Invocations => "Invocations",
            Section::Objects => "Objects",
            Section::Notifications => "Notifications",
            Section::Log => "Log",
        }
    }

    /// The word in a route: `activity/log`.
    fn word(self) -> String {
        self.title().to_lowercase()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub feed: Feed,
    /// The list that has the keys.
    pub section: Section,
    /// The list in the left pane: the last one that was no log.
    listed: Section,
    filter: Line,
    typing: bool,
    /// The invocation whose lines alone the log shows.
    only: Option<String>,
    /// Whether the log's cursor goes with the newest line.
    follow: bool,
    /// How far back the log goes, minutes.
    minutes: i64,
    /// Streams that ended are asked for anew by another number.
    attempt: u16,
    /// What passes the filter, by section: indices into the feed's lists.
    rows: [Vec<usize>; 4],
    cursors: [Cursor; 4],
    /// What is selected, by its name, unless the cursor stands at the newest.
    kept: [Option<String>; 4],
}

impl Default for Model {
    fn default() -> Self {
        Model {
            feed: Feed::default(),
            section: Section::default(),
            listed: Section::default(),
            filter: Line::default(),
            typing: false,
            only: None,
            follow: true,
            minutes: 60,
            attempt: 0,
            rows: Default::default(),
            cursors: Default::default(),
            kept: Default::default(),
        }
    }
}

impl Place for Model {
    fn contexts(&self) -> Vec<Context> {
        if self.typing { vec![Context::Field, Context::Activity] } else { vec![Context::Activity] }
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn route(&self) -> Route {
        Route::new(Screen::Activity).object(self.section.word())
    }

    fn keys(&self) -> Vec<Action> {
        if self.typing {
            return vec![Action::Accept, Action::Back];
        }
        vec![Action::NextPane, Action::Open, Action::Filter, Action::Tail, Action::Since]
    }

    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish> {
        update::update(self, world, msg)
    }

    fn view(&self, world: &World, area: Rect, buffer: &mut Buffer) {
        view::view(self, world, area, buffer);
    }

    fn subs(&self, world: &World) -> BTreeSet<Sub> {
        let setup = &world.setup;
        let minutes = self.minutes + i64::from(self.attempt);
        let log = Sub::Logs { group: feed::log_group(world), minutes };
        let (bucket, prefix) = (setup.bucket.clone(), setup.prefix.clone());
        let objects = Sub::Objects { bucket, prefix, attempt: self.attempt };
        let mut subs = BTreeSet::from([log, objects]);
        subs.extend(feed::topic_group(world).map(|group| Sub::Logs { group, minutes }));
        if self.feed.anything_runs() {
            subs.insert(Sub::Clock(250));
        }
        subs
    }
}

/// Where a pane's parts are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pane {
    pub title: Rect,
    pub filter: Rect,
    pub table: Rect,
    /// The whole of the selected line, where there is room; empty where there is not.
    pub strip: Rect,
}

impl Model {
    /// The panes in sight: the list's, the rule, the log's.
    pub(crate) fn panes(&self, body: Rect) -> (Option<Pane>, Option<Rect>, Option<Pane>) {
        if body.width + 2 < areas::SIDE_BY_SIDE {
            let pane = pane(body, self.section);
            return if self.section == Section::Log {
                (None, None, Some(pane))
            } else {
                (Some(pane), None, None)
            };
        }
        let left = (body.width * 9 / 20).clamp(50, 72);
        let list = Rect { width: left, ..body };
        let rule = Rect { x: body.x + left + 1, width: 1, ..body };
        let log = Rect { x: rule.x + 2, width: body.width - left - 3, ..body };
        (Some(pane(list, self.listed)), Some(rule), Some(pane(log, Section::Log)))
    }

    /// The pane of a section, when it is in sight.
    pub(crate) fn pane_of(&self, section: Section, body: Rect) -> Option<Pane> {
        let (list, _, log) = self.panes(body);
        match section {
            Section::Log => log,
            _ if self.listed == section => list,
            _ => None,
        }
    }

    pub(crate) fn rows(&self, section: Section) -> &[usize] {
        &self.rows[section as usize]
    }

    pub(crate) fn cursor(&self, section: Section) -> Cursor {
        self.cursors[section as usize]
    }

    /// The index, in the feed's list, of what is selected.
    pub(crate) fn selected(&self, section: Section) -> Option<usize> {
        self.rows(section).get(self.cursor(section).selected).copied()
    }
}

/// A title, the filter, the list; below it the whole of what is selected, for what is longer than a row.
fn pane(area: Rect, section: Section) -> Pane {
    let line = |index: u16| Rect {
        y: area.y + index.min(area.height),
        height: u16::from(index < area.height),
        ..area
    };
    let long = matches!(section, Section::Notifications | Section::Log);
    let strip = if long && area.height >= 12 { (area.height / 3).min(9) } else { 0 };
    let top = 2.min(area.height);
    let table = Rect { y: area.y + top, height: area.height - top - strip, ..area };
    Pane { title: line(0), filter: line(1), table, strip: Rect { y: table.bottom(), height: strip, ..area } }
}
