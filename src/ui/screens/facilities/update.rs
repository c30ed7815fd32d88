//! What each fact does to the screen.

use std::sync::Arc;

use chrono::NaiveDate;
use ratatui::layout::Position;

use crate::domain::expiry::Window;
use crate::domain::filter::Filter;
use crate::domain::formats::Format;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Export, Job, Reply, Request, Wish};
use crate::ui::overlays::pick::{Pick, Question};
use crate::ui::route::{Route, Screen};
use crate::ui::screens::Msg;
use crate::ui::screens::facilities::listing::{COLUMNS, Field, Listing, Sort, rows};
use crate::ui::screens::facilities::texts::Texts;
use crate::ui::screens::facilities::{Focus, Model, choices, detail};
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table;
use crate::ui::world::World;

/// Longer lists are arranged off the loop.
const AT_ONCE: usize = 3_000;

pub fn update(model: &mut Model, world: &mut World, msg: Msg) -> Vec<Wish> {
    match msg {
        Msg::Began => {
            began(model, world);
            Vec::new()
        }
        Msg::Opened(route) => opened(model, world, route),
        Msg::Did(action) => did(model, world, action),
        Msg::Typed(key) => {
            if model.typing && model.filter.key(key) {
                return filtered(model, world);
            }
            Vec::new()
        }
        Msg::Pasted(text) => {
            model.typing = true;
            model.filter.insert(&text);
            filtered(model, world)
        }
        Msg::Clicked(at) => clicked(model, world, at),
        Msg::Wheeled(at, by) => {
            wheeled(model, world, at, by);
            Vec::new()
        }
        Msg::Answered(question, answer) => answered(model, world, question, answer),
        Msg::Changed => {
            model.rows = world.facilities.value().map(|all| rows(all, world.as_of)).unwrap_or_default();
            model.texts = Texts::new(model.rows.len());
            arrange(model, world)
        }
        Msg::Replied(ticket, Ok(Reply::Arranged(order))) => {
            if model.arranging.accept(ticket, Ok(()), world.now) {
                place(model, world, order);
            }
            Vec::new()
        }
        Msg::Replied(ticket, answer) => {
            let (said, answer) = match answer {
                Ok(Reply::Written { path, rows }) => (format!("{rows} facilities written to {path}"), Ok(())),
                Ok(_) => (String::new(), Ok(())),
                Err(problem) => (String::new(), Err(problem)),
            };
            let wish = match &answer {
                Ok(()) => Wish::Say(said),
                Err(problem) => Wish::Blame(problem.clone()),
            };
            if model.exporting.accept(ticket, answer, world.now) { vec![wish] } else { Vec::new() }
        }
        Msg::Resized => {
            let page = page(model, world);
            model.cursor.reveal(model.order.len(), page);
            scroll(model, world, 0);
            Vec::new()
        }
        Msg::Progressed(..) | Msg::Happened(_) | Msg::Confirmed(_) | Msg::Ticked => Vec::new(),
    }
}

fn began(model: &mut Model, world: &World) {
    let session = &world.session;
    set_window(model, session.window.as_deref().unwrap_or(&world.setup.within));
    if let Some(sort) = session.sort.as_deref().and_then(Sort::parse) {
        model.sort = sort;
    }
    if let Some(filter) = session.filter.as_deref().filter(|filter| Filter::parse(filter).is_ok()) {
        model.filter = Line::new(filter);
        model.accepted = filter.to_string();
    }
}

/// `all` lifts the window; what is no window leaves it as it is and says why.
fn set_window(model: &mut Model, text: &str) -> Option<String> {
    if text == "all" {
        model.window = None;
        return None;
    }
    match Window::parse(text) {
        Ok(window) => {
            model.window = Some(window);
            model.window_text = text.to_string();
            None
        }
        Err(error) => Some(error),
    }
}

fn opened(model: &mut Model, world: &mut World, route: Route) -> Vec<Wish> {
    model.typing = false;
    if let Some(line) = route.filter {
        model.window = None;
        let mut rest = Vec::new();
        for word in line.split_whitespace() {
            let window = word.strip_prefix("within:").filter(|text| Window::parse(text).is_ok());
            match window {
                Some(text) if model.window.is_none() => {
                    set_window(model, text);
                }
                _ => rest.push(word),
            }
        }
        model.filter = Line::new(rest.join(" "));
        model.focus = Focus::List;
    }
    let mut wishes = Vec::new();
    if let Some(id) = route.object {
        model.wanted = Some(id.clone());
        wishes.extend(filtered(model, world));
        let listed = world.facilities.value().is_none_or(|all| {
            model.order.iter().any(|index| all.entries[*index as usize].1.facility_id == id)
        });
        if !listed {
            model.filter.clear();
            model.window = None;
        }
    }
    wishes.extend(filtered(model, world));
    wishes
}

/// The filter line changed: read it, and list what passes.
fn filtered(model: &mut Model, world: &mut World) -> Vec<Wish> {
    match Filter::parse(model.filter.text()) {
        Ok(_) => {
            model.mistake = None;
            model.accepted = model.filter.text().to_string();
        }
        Err(error) => model.mistake = Some(error.to_string()),
    }
    arrange(model, world)
}

/// Lists what passes, at once or off the loop.
fn arrange(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let Some(all) = world.facilities.value().cloned() else { return Vec::new() };
    let listing = Listing {
        rows: model.rows.clone(),
        filter: Filter::parse(&model.accepted).unwrap_or_default(),
        window: model.window,
        as_of: world.as_of,
        sort: model.sort,
        all,
    };
    if listing.rows.len() > AT_ONCE {
        let ticket = world.ticket(Screen::Facilities);
        world.superseded.extend(model.arranging.awaited());
        model.arranging.ask(ticket);
        return vec![Wish::Do(Effect::Compute(ticket, Job::List(Box::new(listing))))];
    }
    place(model, world, listing.order());
    Vec::new()
}

/// Takes a new order and keeps the reader's place by the facility's id.
fn place(model: &mut Model, world: &World, order: Vec<u32>) {
    model.order = order;
    if let (Some(id), Some(all)) = (&model.wanted, world.facilities.value()) {
        let at = model.order.iter().position(|index| {
            all.entries.get(*index as usize).is_some_and(|(_, facility)| facility.facility_id == *id)
        });
        match at {
            Some(at) => model.cursor.selected = at,
            None => model.cursor = table::Cursor::default(),
        }
    }
    let page = page(model, world);
    model.cursor.reveal(model.order.len(), page);
}

fn page(model: &Model, world: &World) -> usize {
    let mut parts = model.parts(world.body());
    if parts.table.height == 0 {
        // The list is behind the detail: it will have the height of the body.
        parts.table.height = world.body().height.saturating_sub(2);
    }
    table::page(parts.table)
}

/// Remembers which facility is selected, not which row.
fn moved(model: &mut Model, world: &World) {
    model.detail_offset = 0;
    if let (Some(index), Some(all)) = (model.selected(), world.facilities.value()) {
        model.wanted = all.entries.get(index).map(|(_, facility)| facility.facility_id.clone());
    }
}

fn scroll(model: &mut Model, world: &World, by: isize) {
    let Some(area) = model.parts(world.body()).detail else { return };
    let last = detail::lines(model, world, area.width).len().saturating_sub(usize::from(area.height));
    model.detail_offset = model.detail_offset.saturating_add_signed(by).min(last);
}

fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    if model.typing {
        match action {
            Action::Accept => model.typing = false,
            Action::Back => {
                model.typing = false;
                model.filter.clear();
                return filtered(model, world);
            }
            _ => return moving(model, world, action),
        }
        return Vec::new();
    }
    let selected = model.selected().and_then(|index| world.facilities.value()?.entries.get(index));
    match action {
        Action::Filter => {
            model.typing = true;
            model.focus = Focus::List;
        }
        Action::ClearFilter => {
            model.filter.clear();
            model.window = None;
            return filtered(model, world);
        }
        Action::Back if model.focus == Focus::Detail => model.focus = Focus::List,
        Action::Back if !model.filter.is_empty() => {
            model.filter.clear();
            return filtered(model, world);
        }
        Action::Back => return vec![Wish::Back],
        Action::Open => {
            model.focus = Focus::Detail;
            moved(model, world);
        }
        Action::NextPane | Action::PreviousPane => {
            model.focus = if model.focus == Focus::List { Focus::Detail } else { Focus::List };
        }
        Action::Raw => {
            model.raw = !model.raw;
            model.detail_offset = 0;
        }
        Action::Window => return vec![Wish::Pick(choices::window(model))],
        Action::AsOf => return vec![Wish::Pick(choices::as_of(world))],
        Action::Facets => {
            let all = world.facilities.value().cloned().unwrap_or_default();
            return vec![Wish::Pick(choices::facets(model, &all))];
        }
        Action::Sort => return vec![Wish::Pick(choices::sort())],
        Action::ReverseSort => {
            model.sort.down = !model.sort.down;
            return arrange(model, world);
        }
        Action::Refresh => return vec![Wish::Reload],
        Action::Copy => {
            let text = selected.map(|(_, facility)| facility.facility_id.clone());
            return text.map(|text| Wish::Do(Effect::Copy(text))).into_iter().collect();
        }
        Action::CopyMore => {
            let pick = selected.map(|(object, facility)| choices::copies(world, object, facility));
            return pick.map(Wish::Pick).into_iter().collect();
        }
        Action::Browse => {
            if world.setup.local {
                return vec![Wish::Say("The local cloud has no web console".to_string())];
            }
            let url = selected.map(|(object, _)| {
                format!(
                    "https://{region}.console.aws.amazon.com/s3/object/{}?region={region}&prefix={}",
                    world.setup.bucket,
                    object.key,
                    region = world.setup.region
                )
            });
            return url.map(|url| Wish::Do(Effect::OpenUrl(url))).into_iter().collect();
        }
        Action::Export if model.order.is_empty() => {
            return vec![Wish::Say("Nothing is shown that could be written".to_string())];
        }
        Action::Export => return vec![Wish::Pick(choices::export(world))],
        other => return moving(model, world, other),
    }
    Vec::new()
}

fn moving(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    if model.focus == Focus::Detail {
        let page = world.body().height as isize - 1;
        match action {
            Action::Up => scroll(model, world, -1),
            Action::Down => scroll(model, world, 1),
            Action::PageUp => scroll(model, world, -page),
            Action::PageDown => scroll(model, world, page),
            Action::First => model.detail_offset = 0,
            Action::Last => scroll(model, world, isize::MAX),
            Action::Left => model.focus = Focus::List,
            _ => {}
        }
        return Vec::new();
    }
    let page = page(model, world);
    if model.cursor.act(action, model.order.len(), page) {
        moved(model, world);
    } else if action == Action::Right {
        model.focus = Focus::Detail;
    }
    Vec::new()
}

fn clicked(model: &mut Model, world: &mut World, at: Position) -> Vec<Wish> {
    let parts = model.parts(world.body());
    if parts.detail.is_some_and(|area| area.contains(at)) {
        model.focus = Focus::Detail;
    } else if parts.filter.contains(at) {
        model.focus = Focus::List;
        model.typing = true;
    } else if let Some(column) = table::heading_at(parts.table, &COLUMNS, at) {
        let field = Field::ALL[column];
        model.sort = Sort { field, down: model.sort.field == field && !model.sort.down };
        return arrange(model, world);
    } else if let Some(row) = table::row_at(parts.table, model.cursor, model.order.len(), at) {
        model.focus = Focus::List;
        model.typing = false;
        // A click on what is selected already opens it.
        if model.cursor.selected == row && parts.detail.is_none() {
            model.focus = Focus::Detail;
        }
        model.cursor.selected = row;
        moved(model, world);
    }
    Vec::new()
}

fn wheeled(model: &mut Model, world: &mut World, at: Position, by: isize) {
    let parts = model.parts(world.body());
    if parts.detail.is_some_and(|area| area.contains(at)) {
        scroll(model, world, by);
    } else if parts.table.contains(at) {
        model.cursor.wheel(by, model.order.len(), table::page(parts.table));
        moved(model, world);
    }
}

fn answered(model: &mut Model, world: &mut World, question: Question, answer: String) -> Vec<Wish> {
    let again = |pick: Pick, text: &str, error: String| vec![Wish::Pick(pick.typing(text).error(error))];
    match question {
        Question::Window => match set_window(model, &answer) {
            Some(error) => again(choices::window(model), &answer, error),
            None => arrange(model, world),
        },
        Question::AsOf => match answer.parse::<NaiveDate>() {
            Ok(date) => vec![Wish::AsOf(date)],
            Err(_) => again(choices::as_of(world), &answer, "A date reads like 2026-03-01".to_string()),
        },
        Question::Facet => {
            let mut line = model.filter.text().trim().to_string();
            if !line.is_empty() {
                line.push(' ');
            }
            model.filter = Line::new(line + &answer);
            filtered(model, world)
        }
        Question::Sort => {
            if let Some(sort) = Sort::parse(&answer) {
                model.sort = Sort { down: model.sort.field == sort.field && !model.sort.down, ..sort };
            }
            arrange(model, world)
        }
        Question::CopyMore => vec![Wish::Do(Effect::Copy(answer))],
        Question::Export => {
            if Format::of_file(&answer).is_none() {
                let error = "The name must end with .csv, .json, .ndjson, .ics or .md".to_string();
                return again(choices::export(world), &answer, error);
            }
            let all = world.facilities.value().cloned().unwrap_or_else(Arc::default);
            let (order, within) = (model.order.clone(), model.window);
            let content = Export::Facilities { all, order, within, as_of: world.as_of };
            let request = Request::Export { path: answer, content };
            vec![world.ask(Screen::Facilities, &mut model.exporting, request)]
        }
        _ => Vec::new(),
    }
}
