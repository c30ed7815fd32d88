//! What each fact does to the screen.

use ratatui::layout::Position;

use crate::domain::problem::Problem;
use crate::sql::complete::{Column, Table};
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Reply, Request, Wish};
use crate::ui::msg::Happening;
use crate::ui::overlays::pick::Question;
use crate::ui::remote::Ticket;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::Msg;
use crate::ui::screens::queries::list::Shelf;
use crate::ui::screens::queries::list_view::{self, table_area};
use crate::ui::screens::queries::statement::Source;
use crate::ui::screens::queries::{
    EDITOR, Focus, Model, on_list, on_result, on_statement, reply, statement_view,
};
use crate::ui::subs::Sub;
use crate::ui::widgets::table;
use crate::ui::world::World;

pub fn update(model: &mut Model, world: &mut World, msg: Msg) -> Vec<Wish> {
    match msg {
        Msg::Began => {
            model.list.begin();
            Vec::new()
        }
        Msg::Opened(route) => opened(model, world, &route),
        Msg::Did(action) => did(model, world, action),
        Msg::Typed(key) => {
            match model.focus {
                Focus::List => {
                    if model.list.filter.key(key) {
                        model.list.filtered();
                    }
                }
                Focus::Statement => on_statement::typed(model, world, key),
                Focus::Result => {
                    if let Some(sheet) = model.run.as_mut().and_then(|run| run.sheet.as_mut())
                        && sheet.search.key(key)
                    {
                        return sheet.arrange(world);
                    }
                }
            }
            Vec::new()
        }
        Msg::Pasted(text) => pasted(model, world, &text),
        Msg::Clicked(at) => clicked(model, world, at),
        Msg::Wheeled(at, by) => wheeled(model, world, at, by),
        Msg::Replied(ticket, answer) => replied(model, world, ticket, &answer),
        Msg::Happened(happening) => happened(model, world, happening),
        Msg::Confirmed(Request::StartQuery { sql }) => on_statement::send(model, world, &sql),
        Msg::Confirmed(request @ Request::StopQuery { .. }) => on_result::stop(model, world, request),
        Msg::Answered(question, answer) => answered(model, world, question, answer),
        Msg::Resized => {
            resized(model, world);
            Vec::new()
        }
        Msg::Ticked if model.shows_history() => model.list.tick(world),
        Msg::Progressed(..) | Msg::Confirmed(_) | Msg::Changed | Msg::Ticked => Vec::new(),
    }
}

fn opened(model: &mut Model, world: &mut World, route: &Route) -> Vec<Wish> {
    let mut wishes = model.list.ask(world);
    if model.tables.value().is_none() && !model.tables.is_waiting() && model.tables.problem().is_none() {
        wishes.push(world.ask(Screen::Queries, &mut model.tables, Request::Tables));
    }
    if let Some(filter) = &route.filter {
        model.list.filter = crate::ui::widgets::line::Line::new(filter.clone());
        model.list.filtered();
    }
    model.wanted = None;
    match route.object.as_deref() {
        None => model.focus = Focus::List,
        Some(EDITOR) => {
            if model.statement.source != Source::New {
                model.statement.open_new();
                model.run = None;
            }
            model.focus = Focus::Statement;
        }
        Some(name) if model.list.named(name).is_some() => {
            let page = on_list::page(model, world);
            model.list.select(Shelf::Saved, name, page);
            on_list::open_saved(model, name);
        }
        Some(id) if is_id(id) || model.run.as_ref().is_some_and(|run| run.id() == Some(id)) => {
            if model.list.past(id).is_some() {
                let page = on_list::page(model, world);
                model.list.select(Shelf::History, id, page);
            }
            let same = model.statement.source == Source::Past(id.to_owned());
            if !same || model.focus == Focus::List {
                wishes.extend(on_list::open_past(model, world, id));
            }
        }
        // Perhaps one of the person's own, which are read now; else a query's id.
        Some(name) => model.wanted = Some(name.to_owned()),
    }
    resized(model, world);
    wishes
}

/// Whether it looks like a query's id: `a1b2c3d4-5678-90ab-cdef-EXAMPLE11111`.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.matches('-').count() == 4
}

fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    match action {
        Action::NextPane | Action::PreviousPane if !model.is_editing() => {
            on_statement::turn(model, world, action == Action::NextPane);
            resized(model, world);
            return Vec::new();
        }
        Action::New => return on_statement::write_new(model),
        _ => {}
    }
    match model.focus {
        Focus::List => on_list::did(model, world, action),
        Focus::Statement => on_statement::did(model, world, action),
        Focus::Result => on_result::did(model, world, action),
    }
}

/// Into the field or editor that is in front; the list narrows by it, a result is searched for it.
fn pasted(model: &mut Model, world: &mut World, text: &str) -> Vec<Wish> {
    match model.focus {
        Focus::List => {
            model.list.filtering = true;
            model.list.filter.insert(text);
            model.list.filtered();
        }
        Focus::Statement => on_statement::pasted(model, world, text),
        Focus::Result => {
            if let Some(sheet) = model.run.as_mut().and_then(|run| run.sheet.as_mut())
                && sheet.viewer.is_none()
            {
                sheet.searching = true;
                sheet.search.insert(text);
                return sheet.arrange(world);
            }
        }
    }
    Vec::new()
}

/// Everything in bounds and in view again.
fn resized(model: &mut Model, world: &World) {
    let page = on_list::page(model, world);
    model.list.reveal(page);
    let body = world.body();
    let area = statement_view::areas(model.parts(body).statement.unwrap_or(body)).editor;
    model.statement.editor.reveal((area.width, area.height));
    let area = on_result::grid_area(model, world);
    if let Some(sheet) = model.run.as_mut().and_then(|run| run.sheet.as_mut()) {
        sheet.reveal(area);
    }
}

fn clicked(model: &mut Model, world: &mut World, at: Position) -> Vec<Wish> {
    let parts = model.parts(world.body());
    if let Some(area) = parts.list.filter(|area| area.contains(at)) {
        model.focus = Focus::List;
        model.statement.typing = false;
        if let Some(shelf) = list_view::shelf_at(&model.list, area, at) {
            model.list.shelf = shelf;
            return Vec::new();
        }
        let table = table_area(area);
        let len = model.list.rows(model.list.shelf).len();
        // A click on what is selected already opens it.
        return match table::row_at(table, model.list.cursor(), len, at) {
            Some(row) if model.list.click(row) => on_list::open(model, world),
            _ => Vec::new(),
        };
    }
    if model.preview().is_some() {
        return on_list::open(model, world);
    }
    if let Some(area) = parts.statement.filter(|area| area.contains(at)) {
        let editor = statement_view::areas(area).editor;
        model.focus = Focus::Statement;
        model.statement.offers = None;
        if editor.contains(at) {
            model.statement.typing = true;
            model.statement.editor.click(editor, at);
        } else if statement_view::areas(area).parameters.contains(at) {
            return on_statement::did(model, world, Action::Parameters);
        }
        return Vec::new();
    }
    if parts.result.is_some_and(|area| area.contains(at)) {
        model.focus = Focus::Result;
        model.statement.typing = false;
        let area = on_result::grid_area(model, world);
        if let Some(sheet) = model.run.as_mut().and_then(|run| run.sheet.as_mut())
            && sheet.viewer.is_none()
        {
            match sheet.at(area, at) {
                Some((None, column)) => {
                    sheet.column = column;
                    return sheet.sort_by(world, column);
                }
                Some((Some(line), column)) => {
                    let again = sheet.row.selected == line && sheet.column == column;
                    sheet.row.selected = line;
                    sheet.column = column;
                    sheet.reveal(area);
                    if again {
                        return on_result::did(model, world, Action::Open);
                    }
                }
                None => {}
            }
        }
    }
    Vec::new()
}

fn wheeled(model: &mut Model, world: &mut World, at: Position, by: isize) -> Vec<Wish> {
    let parts = model.parts(world.body());
    if parts.list.is_some_and(|area| area.contains(at)) {
        let page = on_list::page(model, world);
        return model.list.wheel(world, by, page);
    }
    if model.preview().is_some() {
        return Vec::new();
    }
    if let Some(area) = parts.statement.filter(|area| area.contains(at)) {
        let editor = statement_view::areas(area).editor;
        model.statement.offers = None;
        model.statement.editor.wheel(by, (editor.width, editor.height));
    } else if parts.result.is_some_and(|area| area.contains(at)) {
        let area = on_result::grid_area(model, world);
        let Some(run) = &mut model.run else { return Vec::new() };
        let id = run.id().map(str::to_owned).unwrap_or_default();
        let Some(sheet) = &mut run.sheet else { return Vec::new() };
        if let Some(viewer) = &mut sheet.viewer {
            let action = if by < 0 { Action::Up } else { Action::Down };
            (0..by.unsigned_abs()).for_each(|_| {
                viewer.act(action, area.height);
            });
            return Vec::new();
        }
        return sheet.wheel(world, &id, by, area);
    }
    Vec::new()
}

fn replied(
    model: &mut Model,
    world: &mut World,
    ticket: Ticket,
    answer: &Result<Reply, Problem>,
) -> Vec<Wish> {
    let body = world.body();
    let table = table_area(model.parts(body).list.unwrap_or(body));
    if let Some(mut wishes) = model.list.replied(world, ticket, answer, table) {
        wishes.extend(wanted(model, world));
        if model.focus != Focus::List {
            on_list::show_open(model, world);
        }
        return wishes;
    }
    let now = world.now;
    if model.tables.awaits(ticket) {
        let database = world.setup.database.clone();
        let tables = reply(answer, |reply| match reply {
            Reply::Tables(tables) => Some(tables.iter().map(|table| known(&database, table)).collect()),
            _ => None,
        });
        model.tables.accept(ticket, tables, now);
        return model.tables.problem().map(|problem| Wish::Blame(problem.clone())).into_iter().collect();
    }
    if model.exporting.awaits(ticket) {
        let written = reply(answer, |reply| match reply {
            Reply::Written { path, rows } => Some(format!("{rows} rows written to {path}")),
            _ => None,
        });
        model.exporting.accept(ticket, written.as_ref().map(|_| ()).map_err(Clone::clone), now);
        return vec![written.map_or_else(Wish::Blame, Wish::Say)];
    }
    if model.stopping.awaits(ticket) {
        let done = reply(answer, |reply| matches!(reply, Reply::Done).then_some(()));
        model.stopping.accept(ticket, done.clone(), now);
        return done.err().map(Wish::Blame).into_iter().collect();
    }
    let area = on_result::grid_area(model, world);
    let Some(run) = &mut model.run else { return Vec::new() };
    if run.starting.awaits(ticket) {
        let id = reply(answer, |reply| match reply {
            Reply::Started(id) => Some(id.clone()),
            _ => None,
        });
        run.starting.accept(ticket, id.clone(), now);
        return match id {
            Ok(_) => {
                on_statement::started(model, world);
                Vec::new()
            }
            Err(problem) => {
                on_result::mark(model);
                vec![Wish::Blame(problem)]
            }
        };
    }
    let Some(mut wishes) = run.replied(world, ticket, answer, area) else { return Vec::new() };
    if let (Ok(Reply::Query(query)), Some(run)) = (answer, &model.run) {
        if model.statement.source == Source::Past(query.id.clone()) && model.statement.editor.is_blank() {
            let title = model.list.title(query).map(str::to_owned);
            let sql = run.sql.clone();
            model.statement.open_past(&query.id, title.as_deref(), &sql);
        }
        model.list.heard(query);
        wishes.extend(on_result::settled(model, world));
    }
    wishes
}

fn known(database: &str, table: &crate::ui::effect::Table) -> Table {
    let column =
        |(name, type_name): &(String, String)| Column { name: name.clone(), type_name: type_name.clone() };
    Table {
        database: database.to_owned(),
        name: table.name.clone(),
        columns: table.columns.iter().map(column).collect(),
    }
}

/// Goes to what a route named, once the person's own queries are known.
fn wanted(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let Some(name) = model.wanted.clone().filter(|_| model.list.knows_own()) else { return Vec::new() };
    model.wanted = None;
    if model.list.named(&name).is_none() {
        // Then it is the id of a query, however that is written.
        return on_list::open_past(model, world, &name);
    }
    let page = on_list::page(model, world);
    model.list.select(Shelf::Saved, &name, page);
    on_list::open_saved(model, &name);
    Vec::new()
}

fn happened(model: &mut Model, world: &mut World, happening: Happening) -> Vec<Wish> {
    match happening {
        Happening::Query(query) => {
            model.list.heard(&query);
            let Some(run) = model.run.as_mut().filter(|run| run.id() == Some(&query.id)) else {
                return Vec::new();
            };
            let over = query.state.is_over();
            let mut wishes = run.heard(world, *query);
            if over {
                wishes.extend(on_result::settled(model, world));
            }
            wishes
        }
        Happening::Interrupted(Sub::Query(id), problem) => {
            if let Some(run) = model.run.as_mut().filter(|run| run.id() == Some(&id)) {
                run.interrupted = Some(problem);
            }
            Vec::new()
        }
        Happening::Ended(Sub::Query(id), problem) => match &mut model.run {
            Some(run) if run.id() == Some(&id) => run.ended(problem),
            _ => problem.map(Wish::Blame).into_iter().collect(),
        },
        _ => Vec::new(),
    }
}

fn answered(model: &mut Model, world: &mut World, question: Question, answer: String) -> Vec<Wish> {
    match question {
        Question::Parameter(name) => on_statement::filled(model, world, &name, &answer),
        Question::Other("parameter") => on_statement::chose_parameter(model, world, &answer),
        Question::CopyMore => vec![Wish::Do(Effect::Copy(answer))],
        Question::Export => on_result::export(model, world, answer),
        _ => Vec::new(),
    }
}
