//! What each fact does to the screen.

use ratatui::layout::Position;

use crate::ui::action::Action;
use crate::ui::effect::{Effect, Wish};
use crate::ui::msg::Happening;
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::screens::Msg;
use crate::ui::screens::activity::feed::{self, Stand};
use crate::ui::screens::activity::{Model, Section, open, view};
use crate::ui::subs::Sub;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table;
use crate::ui::world::World;

pub fn update(model: &mut Model, world: &mut World, msg: Msg) -> Vec<Wish> {
    match msg {
        Msg::Opened(route) => {
            model.typing = false;
            let word = route.object.unwrap_or_default();
            if let Some(section) = Section::ALL.into_iter().find(|section| section.word() == word) {
                go(model, section);
            }
            if let Some(filter) = route.filter {
                model.filter = Line::new(filter);
            }
            // What ran when the screen was left may have ended without a word.
            model.feed.expire(world.now);
            sift(model, world);
        }
        Msg::Did(action) => return did(model, world, action),
        Msg::Typed(key) if model.typing && model.filter.key(key) => sift(model, world),
        Msg::Pasted(text) => {
            model.typing = true;
            model.filter.insert(&text);
            sift(model, world);
        }
        Msg::Clicked(at) => return clicked(model, world, at),
        Msg::Wheeled(at, by) => wheeled(model, world, at, by),
        Msg::Happened(happening) => return happened(model, world, happening),
        Msg::Answered(Question::Since, answer) => match minutes(&answer) {
            Some(minutes) => {
                model.minutes = minutes;
                restart(model, world);
            }
            None => {
                let pick = since(model).typing(&answer).error("A span reads like 30 m, 6 h or 7 d");
                return vec![Wish::Pick(pick)];
            }
        },
        Msg::Answered(Question::CopyMore, answer) => return vec![Wish::Do(Effect::Copy(answer))],
        Msg::Changed | Msg::Resized => settle(model, world),
        Msg::Ticked => model.feed.expire(world.now),
        _ => {}
    }
    Vec::new()
}

fn happened(model: &mut Model, world: &World, happening: Happening) -> Vec<Wish> {
    let ours = feed::log_group(world);
    match happening {
        Happening::Lines(group, lines) if group == ours => model.feed.take_lines(lines, world.now),
        Happening::Lines(group, lines) if Some(&group) == feed::topic_group(world).as_ref() => {
            model.feed.take_notifications(&lines);
        }
        Happening::Objects { newest, total } => model.feed.take_objects(newest, total),
        Happening::Ended(sub, Some(problem)) | Happening::Interrupted(sub, problem) => {
            let stand = match &sub {
                Sub::Logs { group, .. } if *group == ours => &mut model.feed.log,
                Sub::Logs { .. } => &mut model.feed.topic,
                Sub::Objects { .. } => &mut model.feed.bucket,
                Sub::Clock(_) | Sub::Execution(_) | Sub::Query(_) => return Vec::new(),
            };
            *stand = Stand::Failed(problem.clone());
            return vec![Wish::Blame(problem)];
        }
        _ => return Vec::new(),
    }
    sift(model, world);
    Vec::new()
}

/// Lists what passes the filter and keeps the reader's place: on what it was on, at the newest where it
/// was there before, at the end of a log that is followed.
fn sift(model: &mut Model, world: &World) {
    let needle = model.filter.text().trim().to_lowercase();
    for section in Section::ALL {
        let kept = model.kept[section as usize].take();
        let only = model.only.as_deref();
        model.rows[section as usize] = model.feed.rows(section, &needle, only);
        let found = kept.and_then(|name| {
            let named = |index: &usize| model.feed.name(section, *index) == Some(&name);
            model.rows(section).iter().position(named)
        });
        if let Some(found) = found {
            model.cursors[section as usize].selected = found;
        }
    }
    settle(model, world);
}

/// Keeps every cursor in bounds and in sight.
fn settle(model: &mut Model, world: &World) {
    for section in Section::ALL {
        let page = page(model, world, section);
        let len = model.rows(section).len();
        let follows = section == Section::Log && model.follow;
        let cursor = &mut model.cursors[section as usize];
        if follows {
            cursor.selected = len.saturating_sub(1);
        }
        cursor.reveal(len, page);
        keep(model, section);
    }
}

/// Remembers what is selected by its name. The first of the newest and the last of a followed log are
/// places, not rows: there the cursor stays where it is when something new comes.
fn keep(model: &mut Model, section: Section) {
    let at_the_newest = match section {
        Section::Log => model.follow,
        _ => model.cursor(section).selected == 0,
    };
    let name = model.selected(section).and_then(|index| model.feed.name(section, index));
    model.kept[section as usize] = name.filter(|_| !at_the_newest).map(str::to_owned);
}

fn page(model: &Model, world: &World, section: Section) -> usize {
    model.pane_of(section, world.body()).map_or(1, |pane| table::page(pane.table))
}

fn go(model: &mut Model, section: Section) {
    model.section = section;
    if section != Section::Log {
        model.listed = section;
    }
}

/// Asks everything anew; what is here stays until it is asked from another time on.
fn restart(model: &mut Model, world: &World) {
    model.attempt = (model.attempt + 1) % 50;
    model.feed.restart();
    sift(model, world);
}

fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    if model.typing {
        match action {
            Action::Accept => model.typing = false,
            Action::Back => {
                model.typing = false;
                model.filter.clear();
                sift(model, world);
            }
            other => moving(model, world, other),
        }
        return Vec::new();
    }
    match action {
        Action::Filter => model.typing = true,
        Action::Back if model.section == Section::Log && model.only.is_some() => {
            (model.only, model.follow) = (None, true);
            go(model, Section::Invocations);
            sift(model, world);
        }
        Action::Back if !model.filter.is_empty() => {
            model.filter.clear();
            sift(model, world);
        }
        Action::Back => return vec![Wish::Back],
        Action::ClearFilter => {
            model.filter.clear();
            model.only = None;
            sift(model, world);
        }
        Action::NextPane | Action::NextView | Action::Right => turn(model, world, 1),
        Action::PreviousPane | Action::PreviousView | Action::Left => turn(model, world, 3),
        Action::Open => return opened(model, world),
        Action::Tail => {
            model.follow = !model.follow;
            go(model, Section::Log);
            settle(model, world);
            let text = if model.follow { "Following the log" } else { "Staying here" };
            return vec![Wish::Say(text.to_owned())];
        }
        Action::Since => return vec![Wish::Pick(since(model))],
        Action::Refresh => restart(model, world),
        Action::Copy => return open::copy(model, world),
        Action::CopyMore => return open::copy_more(model, world),
        Action::Browse => return open::browse(model, world),
        other => moving(model, world, other),
    }
    Vec::new()
}

fn turn(model: &mut Model, world: &World, by: usize) {
    let next = Section::ALL[(model.section as usize + by) % Section::ALL.len()];
    go(model, next);
    settle(model, world);
}

fn moving(model: &mut Model, world: &World, action: Action) {
    let section = model.section;
    let (len, page) = (model.rows(section).len(), page(model, world, section));
    let cursor = &mut model.cursors[section as usize];
    if cursor.act(action, len, page) {
        if section == Section::Log {
            // The last line is where a log is followed.
            model.follow = action == Action::Last;
        }
        keep(model, section);
    }
}

fn opened(model: &mut Model, world: &World) -> Vec<Wish> {
    match model.section {
        Section::Log => open::from_log(model, world),
        Section::Objects => open::from_objects(model, world),
        Section::Notifications => open::from_notifications(model),
        Section::Invocations => {
            let index = model.selected(Section::Invocations);
            let Some(one) = index.and_then(|index| model.feed.invocations.get(index)) else {
                return Vec::new();
            };
            model.only = Some(one.request.clone());
            model.follow = one.report.is_none();
            model.filter.clear();
            go(model, Section::Log);
            model.cursors[Section::Log as usize] = table::Cursor::default();
            model.kept[Section::Log as usize] = None;
            sift(model, world);
            Vec::new()
        }
    }
}

fn clicked(model: &mut Model, world: &World, at: Position) -> Vec<Wish> {
    let body = world.body();
    let (list, _, log) = model.panes(body);
    let tabs = list.or(log).map_or(body, |pane| pane.title);
    let beside = list.is_some() && log.is_some();
    if let Some(section) = view::tab_at(model, tabs, beside, at) {
        go(model, section);
        settle(model, world);
        return Vec::new();
    }
    for section in [model.listed, Section::Log] {
        let Some(pane) = model.pane_of(section, body) else { continue };
        if pane.filter.contains(at) {
            model.typing = true;
        } else if let Some(row) =
            table::row_at(pane.table, model.cursor(section), model.rows(section).len(), at)
        {
            let again = model.section == section && model.cursor(section).selected == row;
            go(model, section);
            model.typing = false;
            model.cursors[section as usize].selected = row;
            model.follow &= section != Section::Log;
            keep(model, section);
            return if again { opened(model, world) } else { Vec::new() };
        } else if pane.title.contains(at) || pane.strip.contains(at) {
            go(model, section);
        }
    }
    Vec::new()
}

fn wheeled(model: &mut Model, world: &World, at: Position, by: isize) {
    for section in [model.listed, Section::Log] {
        let Some(pane) = model.pane_of(section, world.body()) else { continue };
        if !pane.table.contains(at) {
            continue;
        }
        let len = model.rows(section).len();
        if section == Section::Log {
            model.follow = false;
        }
        model.cursors[section as usize].wheel(by, len, table::page(pane.table));
        keep(model, section);
        return;
    }
}

fn since(model: &Model) -> Pick {
    let examples =
        [("15m", "15 minutes"), ("1h", "one hour"), ("6h", "6 hours"), ("1d", "one day"), ("7d", "7 days")];
    let items = examples.map(|(value, label)| Item::new(value, label, value));
    Pick::text("How far back", Question::Since, &view::span(model.minutes), items.to_vec())
}

/// `30m`, `6h`, `7d` in minutes; at most a year.
fn minutes(text: &str) -> Option<i64> {
    let text = text.trim().replace(' ', "");
    let unit = text.chars().next_back()?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let minutes = number.checked_mul(match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return None,
    })?;
    (1..=366 * 24 * 60).contains(&minutes).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read() {
        assert_eq!(["30m", "6 h", "7d"].map(minutes), [Some(30), Some(360), Some(10_080)]);
        for wrong in ["", "0m", "-1h", "7", "d", "9999999999999999999d", "99999d", "3é"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
