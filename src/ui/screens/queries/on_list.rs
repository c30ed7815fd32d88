//! What each action does to the list.

use crate::ui::action::Action;
use crate::ui::effect::{Effect, Wish};
use crate::ui::screens::queries::list::{Chosen, Shelf};
use crate::ui::screens::queries::list_view::table_area;
use crate::ui::screens::queries::run::Run;
use crate::ui::screens::queries::statement::Source;
use crate::ui::screens::queries::{Focus, Model, choices, on_result, on_statement};
use crate::ui::widgets::table;
use crate::ui::world::World;

/// Goes to the list, which then shows what is being worked on, so that nothing else takes its place beside
/// it.
pub fn enter(model: &mut Model, world: &World) {
    model.focus = Focus::List;
    show_open(model, world);
}

/// Selects what is open.
pub fn show_open(model: &mut Model, world: &World) {
    let page = page(model, world);
    let run = model.run.as_ref().and_then(|run| run.id()).map(str::to_owned);
    match (model.statement.source.clone(), run) {
        (Source::Saved(name), _) => model.list.select(Shelf::Saved, &name, page),
        (Source::Past(id), _) | (Source::New, Some(id)) => model.list.select(Shelf::History, &id, page),
        (Source::New, None) => {}
    }
}

/// Rows of the list's page.
pub fn page(model: &Model, world: &World) -> usize {
    let body = world.body();
    table::page(table_area(model.parts(body).list.unwrap_or(body)))
}

pub fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let page = page(model, world);
    if let Some(wishes) = model.list.act(world, action, page) {
        return wishes;
    }
    if model.list.filtering {
        match action {
            Action::Accept => model.list.filtering = false,
            Action::Back => {
                model.list.filtering = false;
                clear_filter(model, page);
            }
            _ => {}
        }
        return Vec::new();
    }
    match action {
        Action::Filter => model.list.filtering = true,
        Action::ClearFilter => clear_filter(model, page),
        Action::Back if !model.list.filter.is_empty() => clear_filter(model, page),
        Action::Back => return vec![Wish::Back],
        Action::NextView | Action::PreviousView | Action::Left | Action::Right => turn(model),
        Action::Open => return open(model, world),
        Action::Edit => {
            let wishes = open(model, world);
            if model.focus != Focus::List {
                model.focus = Focus::Statement;
                model.statement.typing = true;
            }
            return wishes;
        }
        Action::Run => return run(model, world),
        Action::Refresh => return model.list.ask(world),
        Action::Parameters => {
            if let Some(Chosen::Saved(_)) = model.list.chosen() {
                open(model, world);
                return on_statement::did(model, world, Action::Parameters);
            }
        }
        Action::Cancel => {
            let Some(Chosen::Past(query)) = model.list.chosen() else { return Vec::new() };
            if query.state.is_over() {
                return vec![Wish::Say("It is over: there is nothing to cancel".to_owned())];
            }
            let ours = model.run.as_ref().is_some_and(|run| run.ours && run.id() == Some(&query.id));
            let (id, sql) = (query.id.clone(), query.sql.clone());
            return on_result::cancel(model, world, &id, &sql, ours);
        }
        Action::Copy => {
            let text = model.list.chosen().map(|chosen| match chosen {
                Chosen::Saved(saved) => saved.sql().to_owned(),
                Chosen::Past(query) => query.id.clone(),
            });
            return text.map(|text| Wish::Do(Effect::Copy(text))).into_iter().collect();
        }
        Action::CopyMore => {
            let pick = model.list.chosen().map(|chosen| match chosen {
                Chosen::Saved(saved) => choices::statement_copies(saved.sql(), world),
                Chosen::Past(query) => choices::query_copies(query, &query.sql, world),
            });
            return pick.map(Wish::Pick).into_iter().collect();
        }
        Action::Browse => {
            if let Some(Chosen::Past(query)) = model.list.chosen() {
                return on_result::browse(world, &query.id);
            }
        }
        _ => {}
    }
    Vec::new()
}

fn clear_filter(model: &mut Model, page: usize) {
    model.list.filter.clear();
    model.list.filtered();
    model.list.reveal(page);
}

pub fn turn(model: &mut Model) {
    model.list.shelf = if model.list.shelf == Shelf::Saved { Shelf::History } else { Shelf::Saved };
}

/// Opens what is selected: a saved query in the editor, a past one with what came of it.
pub fn open(model: &mut Model, world: &mut World) -> Vec<Wish> {
    match model.list.chosen() {
        Some(Chosen::Saved(saved)) => {
            let name = saved.name.clone();
            open_saved(model, &name);
            Vec::new()
        }
        Some(Chosen::Past(query)) => {
            let id = query.id.clone();
            open_past(model, world, &id)
        }
        None => Vec::new(),
    }
}

/// Puts a saved query into the editor, unless it is there already.
pub fn open_saved(model: &mut Model, name: &str) {
    model.focus = Focus::Statement;
    if model.statement.source == Source::Saved(name.to_owned()) {
        return;
    }
    if let Some(saved) = model.list.named(name).cloned() {
        model.statement.open_saved(&saved);
        model.run = None;
    }
}

/// Shows a past query and its result, unless it is here already.
pub fn open_past(model: &mut Model, world: &mut World, id: &str) -> Vec<Wish> {
    model.focus = Focus::Result;
    if model.run.as_ref().is_some_and(|run| run.id() == Some(id)) {
        return Vec::new();
    }
    let known = model.list.past(id).cloned();
    let sql = known.as_ref().map(|query| query.sql.clone()).unwrap_or_default();
    let title = known.as_ref().and_then(|query| model.list.title(query)).map(str::to_owned);
    model.statement.open_past(id, title.as_deref(), &sql);
    let mut run = Run::past(id, known.as_ref(), world.now);
    let wishes = run.ask(world);
    model.run = Some(run);
    on_result::mark(model);
    wishes
}

fn run(model: &mut Model, world: &mut World) -> Vec<Wish> {
    match model.list.chosen() {
        Some(Chosen::Saved(saved)) => {
            let name = saved.name.clone();
            open_saved(model, &name);
        }
        // The same statement once more.
        Some(Chosen::Past(query)) => {
            let query = query.clone();
            let title = model.list.title(&query).map(str::to_owned);
            model.statement.open_past(&query.id, title.as_deref(), &query.sql);
            model.run = None;
        }
        None => return Vec::new(),
    }
    model.focus = Focus::Statement;
    on_statement::run(model, world)
}
