//! What each action does to the query that was sent and to its result.

use ratatui::layout::Rect;

use crate::domain::formats::Format;
use crate::domain::query::QueryState;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Export, Request, Wish};
use crate::ui::overlays::confirm::Confirm;
use crate::ui::route::Screen;
use crate::ui::screens::queries::run::Stage;
use crate::ui::screens::queries::sheet::{Sheet, brief};
use crate::ui::screens::queries::statement::Source;
use crate::ui::screens::queries::viewer::Viewer;
use crate::ui::screens::queries::{Focus, Model, choices, failure, on_list, on_statement, result_view};
use crate::ui::widgets::editor::Mark;
use crate::ui::world::World;

/// Where the rows are drawn.
pub fn grid_area(model: &Model, world: &World) -> Rect {
    let body = world.body();
    let area = model.parts(body).result.unwrap_or(body);
    result_view::areas(area, model.sheet()).grid
}

pub fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let area = grid_area(model, world);
    let id = model.run.as_ref().and_then(|run| run.id()).unwrap_or_default().to_owned();
    let known = match model.run.as_mut().and_then(|run| run.sheet.as_mut()) {
        Some(sheet) if sheet.searching => Some(searching(sheet, world, action, area)),
        Some(sheet) if sheet.viewer.is_some() => in_viewer(sheet, world, action, area),
        Some(sheet) => in_sheet(sheet, world, &id, action, area),
        None => None,
    };
    known.unwrap_or_else(|| of_query(model, world, action))
}

/// Actions on the rows; `None` for another.
fn in_sheet(sheet: &mut Sheet, world: &mut World, id: &str, action: Action, area: Rect) -> Option<Vec<Wish>> {
    if action == Action::Left && sheet.column == 0 {
        return None;
    }
    if let Some(wishes) = sheet.act(world, id, action, area) {
        return Some(wishes);
    }
    Some(match action {
        Action::Back if sheet.bars.is_some() => {
            sheet.toggle_bars(area);
            Vec::new()
        }
        Action::Back if !sheet.search.is_empty() => {
            sheet.search.clear();
            sheet.arrange(world)
        }
        Action::Filter => {
            sheet.searching = true;
            Vec::new()
        }
        Action::ClearFilter => {
            sheet.search.clear();
            sheet.sort = None;
            sheet.arrange(world)
        }
        Action::Sort => {
            sheet.sort_by(world, if sheet.bars.is_some() { sheet.value_column() } else { sheet.column })
        }
        Action::ReverseSort => {
            sheet.sort = Some(sheet.sort.map_or((sheet.column, true), |(column, down)| (column, !down)));
            sheet.arrange(world)
        }
        Action::Chart if sheet.toggle_bars(area) => Vec::new(),
        Action::Chart => vec![Wish::Say(
            "Bars need two columns, one of them of numbers, and no more than 10,000 rows".to_owned(),
        )],
        Action::Open | Action::NextView => {
            if let Some(row) = sheet.row_of(sheet.row.selected) {
                sheet.viewer = Some(Viewer::new(&sheet.grid, row, sheet.column, action == Action::NextView));
                sheet.reveal(area);
            }
            Vec::new()
        }
        Action::Export if sheet.len() == 0 => {
            vec![Wish::Say("Nothing is shown that could be written".to_owned())]
        }
        Action::Copy => copied(sheet.cell(sheet.row.selected, sheet.column).flatten()),
        _ => return None,
    })
}

fn copied(cell: Option<&str>) -> Vec<Wish> {
    match cell {
        Some(text) => vec![Wish::Do(Effect::Copy(text.to_owned()))],
        None => vec![Wish::Say("There is no value here to copy".to_owned())],
    }
}

fn searching(sheet: &mut Sheet, world: &mut World, action: Action, area: Rect) -> Vec<Wish> {
    match action {
        Action::Accept => sheet.searching = false,
        Action::Back => {
            sheet.searching = false;
            sheet.search.clear();
            return sheet.arrange(world);
        }
        _ => {
            sheet.act(world, "", action, area);
        }
    }
    Vec::new()
}

/// Actions on the one value or row that is shown whole; `None` for another.
fn in_viewer(sheet: &mut Sheet, world: &mut World, action: Action, area: Rect) -> Option<Vec<Wish>> {
    let viewer = sheet.viewer.as_mut()?;
    if viewer.act(action, area.height) {
        return Some(Vec::new());
    }
    match action {
        Action::Back | Action::Open => sheet.viewer = None,
        Action::Copy => {
            let row = viewer.row;
            return Some(copied(sheet.grid.rows.get(row)?.get(sheet.column)?.as_deref()));
        }
        Action::NextView | Action::PreviousView | Action::Left | Action::Right => {
            let record = viewer.record != matches!(action, Action::NextView | Action::PreviousView);
            let row = viewer.row;
            sheet.viewer = None;
            if matches!(action, Action::Left | Action::Right) {
                sheet.act(world, "", action, area);
            }
            sheet.viewer = Some(Viewer::new(&sheet.grid, row, sheet.column, record));
            sheet.reveal(area);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Actions on the query as a whole.
fn of_query(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let said = |text: &str| vec![Wish::Say(text.to_owned())];
    match action {
        Action::Back | Action::Left => on_list::enter(model, world),
        Action::Run => return on_statement::run(model, world),
        Action::Edit => edit(model, world),
        Action::Open
            if matches!(
                model.run.as_ref().map(|run| run.stage()),
                Some(Stage::Failed(_) | Stage::Refused(_))
            ) =>
        {
            edit(model, world);
        }
        Action::Parameters => return on_statement::did(model, world, action),
        Action::Export => {
            let name = file_name(model);
            return match model.sheet() {
                Some(sheet) => vec![Wish::Pick(choices::export(&name, sheet, world))],
                None => said("There is no result to write yet"),
            };
        }
        Action::CopyMore | Action::Copy => {
            let Some(run) = &model.run else { return said("Nothing was run yet") };
            let Some(query) = run.query.value() else { return vec![Wish::Do(Effect::Copy(run.sql.clone()))] };
            return match (&run.sheet, &query.reason) {
                (Some(sheet), _) => vec![Wish::Pick(choices::copies(sheet, query, &run.sql, world))],
                (None, Some(reason)) if action == Action::Copy => {
                    vec![Wish::Do(Effect::Copy(reason.clone()))]
                }
                (None, _) => vec![Wish::Pick(choices::query_copies(query, &run.sql, world))],
            };
        }
        Action::Browse => {
            let id = model.run.as_ref().and_then(|run| run.id()).unwrap_or_default().to_owned();
            return if id.is_empty() { said("Nothing was run yet") } else { browse(world, &id) };
        }
        Action::Refresh => {
            return match &mut model.run {
                Some(run) => run.ask(world),
                None => Vec::new(),
            };
        }
        Action::Cancel => {
            let Some(run) = &model.run else { return said("Nothing was run yet") };
            let over = run.query.value().is_some_and(|query| query.state.is_over());
            return match run.id().map(str::to_owned) {
                None => said("It has no id yet: once more in a moment"),
                Some(_) if over => said("It is over: there is nothing to cancel"),
                Some(id) => {
                    let (sql, ours) = (run.sql.clone(), run.ours);
                    cancel(model, world, &id, &sql, ours)
                }
            };
        }
        _ => {}
    }
    Vec::new()
}

/// Into the editor, to the spot that went wrong where there is one.
fn edit(model: &mut Model, world: &World) {
    model.focus = Focus::Statement;
    model.statement.typing = true;
    if let Some(Mark { line, column }) = model.statement.wrong {
        let body = world.body();
        let area = model.parts(body).statement.unwrap_or(body);
        model.statement.editor.jump(line, column.unwrap_or(0), (area.width, area.height));
    }
}

/// Marks in the editor what a failed query names.
pub fn mark(model: &mut Model) {
    model.statement.wrong = None;
    let Some(run) = &model.run else { return };
    let reason = match run.stage() {
        Stage::Failed(query) => query.reason.as_deref(),
        Stage::Refused(problem) => Some(problem.detail.as_str()),
        _ => None,
    };
    let Some(spot) = reason.and_then(failure::spot) else { return };
    model.statement.wrong = match &run.origin {
        Some(origin) => Some(origin.place(&run.sql, spot)),
        None if model.statement.editor.text().trim() == run.sql.trim() => {
            Some(Mark { line: spot.line - 1, column: Some(spot.column - 1) })
        }
        None => None,
    };
}

/// Asks before a query is cancelled. What this console started may be cancelled even when read-only, so
/// that is not asked for where nothing else may be written.
pub fn cancel(model: &mut Model, world: &mut World, id: &str, sql: &str, ours: bool) -> Vec<Wish> {
    let request = Request::StopQuery { id: id.to_owned() };
    if ours && world.setup.read_only {
        return stop(model, world, request);
    }
    let first = sql.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let confirm = Confirm::new("Cancel this query?", "Cancel it", request)
        .line(brief(first.trim()).into_owned())
        .line(id);
    vec![Wish::Confirm(confirm)]
}

/// Sends the end of a query.
pub fn stop(model: &mut Model, world: &mut World, request: Request) -> Vec<Wish> {
    match &mut model.run {
        Some(run) if matches!(&request, Request::StopQuery { id } if run.id() == Some(id)) => {
            vec![world.ask(Screen::Queries, &mut run.stopping, request)]
        }
        _ => vec![world.ask(Screen::Queries, &mut model.stopping, request)],
    }
}

/// The page of the AWS web console.
pub fn browse(world: &World, id: &str) -> Vec<Wish> {
    if world.setup.local {
        return vec![Wish::Say("The local cloud has no web console".to_owned())];
    }
    let region = &world.setup.region;
    let url = format!(
        "https://{region}.console.aws.amazon.com/athena/home?region={region}#/query-editor/history/{id}"
    );
    vec![Wish::Do(Effect::OpenUrl(url))]
}

/// What a file with the result is called.
fn file_name(model: &Model) -> String {
    match &model.statement.source {
        Source::Saved(name) => name.clone(),
        Source::New | Source::Past(_) => {
            let id = model.run.as_ref().and_then(|run| run.id()).unwrap_or_default();
            format!("query-{}", id.split('-').next().unwrap_or_default())
        }
    }
}

/// A file was named for the result.
pub fn export(model: &mut Model, world: &mut World, path: String) -> Vec<Wish> {
    let name = file_name(model);
    let Some(sheet) = model.run.as_ref().and_then(|run| run.sheet.as_ref()) else { return Vec::new() };
    if !matches!(Format::of_file(&path), Some(format) if format != Format::Icalendar) {
        let error = "The name must end with .csv, .json, .ndjson or .md";
        return vec![Wish::Pick(choices::export(&name, sheet, world).typing(&path).error(error))];
    }
    let content = Export::Grid { grid: sheet.grid.clone(), order: sheet.order() };
    vec![world.ask(Screen::Queries, &mut model.exporting, Request::Export { path, content })]
}

/// A query of this screen is over: what else it changed.
pub fn settled(model: &mut Model, world: &mut World) -> Vec<Wish> {
    mark(model);
    let done = model.run.as_ref().is_some_and(|run| {
        run.query.value().is_some_and(|query| query.state == QueryState::Succeeded)
            && crate::sql::class::classify(&run.sql).kind == crate::sql::class::Kind::Ddl
    });
    // The catalog may have other tables now.
    if done { vec![world.ask(Screen::Queries, &mut model.tables, Request::Tables)] } else { Vec::new() }
}
