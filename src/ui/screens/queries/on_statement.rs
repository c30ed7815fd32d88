//! What each action and key does to the statement.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

use crate::domain::units;
use crate::sql::class;
use crate::sql::format::format;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Request, Wish};
use crate::ui::route::Screen;
use crate::ui::screens::queries::list::fresh;
use crate::ui::screens::queries::offers::ROWS;
use crate::ui::screens::queries::run::Run;
use crate::ui::screens::queries::statement::Obstacle;
use crate::ui::screens::queries::{Focus, Model, choices, on_list, on_result, statement_view};
use crate::ui::world::World;

/// The editor's area and its size.
fn place(model: &Model, world: &World) -> (Rect, (u16, u16)) {
    let body = world.body();
    let area = statement_view::areas(model.parts(body).statement.unwrap_or(body)).editor;
    (area, (area.width, area.height))
}

pub fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let (_, size) = place(model, world);
    match action {
        Action::Run => return run(model, world),
        Action::Edit | Action::Open => model.statement.typing = true,
        Action::LeaveEditor if model.statement.offers.is_some() => model.statement.offers = None,
        Action::LeaveEditor => model.statement.typing = false,
        Action::Complete => {
            let tables = model.tables.value().map(Vec::as_slice).unwrap_or_default();
            model.statement.offer(tables, true);
            if model.statement.offers.is_none() {
                return vec![Wish::Say("Nothing is known that could stand here".to_owned())];
            }
        }
        Action::Undo => model.statement.editor.undo(size),
        Action::Redo => model.statement.editor.redo(size),
        Action::Format => {
            let text = model.statement.editor.text();
            let laid_out = format(&text);
            if laid_out == text {
                return vec![Wish::Say("It stays as it is: laid out already, or no query".to_owned())];
            }
            model.statement.editor.set(&laid_out);
            model.statement.editor.reveal(size);
            model.statement.wrong = None;
            model.statement.offers = None;
        }
        Action::Parameters => {
            return match choices::parameters(&model.statement, world) {
                Some(pick) => vec![Wish::Pick(pick)],
                None => {
                    vec![Wish::Say(
                        "It has no parameters: write :name where a value should be asked for".to_owned(),
                    )]
                }
            };
        }
        Action::Back => on_list::enter(model, world),
        Action::Left if !model.statement.typing => on_list::enter(model, world),
        Action::Copy => return vec![Wish::Do(Effect::Copy(model.statement.editor.text()))],
        Action::CopyMore => {
            return match model.statement.prepare(world) {
                Ok(prepared) => vec![Wish::Pick(choices::statement_copies(&prepared.sql, world))],
                Err(_) => vec![Wish::Do(Effect::Copy(model.statement.editor.text()))],
            };
        }
        Action::Cancel | Action::Browse | Action::Refresh => return on_result::did(model, world, action),
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            let editor = &mut model.statement.editor;
            let page = usize::from(size.1.max(2)) - 1;
            let (line, column) = editor.cursor();
            let line = match action {
                Action::Up => line.saturating_sub(1),
                Action::Down => line + 1,
                Action::PageUp => line.saturating_sub(page),
                Action::PageDown => line + page,
                Action::First => 0,
                _ => usize::MAX,
            };
            editor.jump(line, column, size);
        }
        _ => {}
    }
    Vec::new()
}

/// A key while the editor has the floor.
pub fn typed(model: &mut Model, world: &World, key: KeyEvent) {
    let (_, size) = place(model, world);
    let tables = model.tables.value().map(Vec::as_slice).unwrap_or_default();
    let statement = &mut model.statement;
    if let Some(offers) = &mut statement.offers {
        let action = match key.code {
            KeyCode::Tab => {
                statement.take_offer(size);
                return;
            }
            KeyCode::Enter if offers.asked => {
                statement.take_offer(size);
                return;
            }
            KeyCode::Up if offers.asked => Some(Action::Up),
            KeyCode::Down if offers.asked => Some(Action::Down),
            KeyCode::PageUp if offers.asked => Some(Action::PageUp),
            KeyCode::PageDown if offers.asked => Some(Action::PageDown),
            _ => None,
        };
        if let Some(action) = action {
            offers.cursor.act(action, offers.items.len(), ROWS);
            return;
        }
    }
    let asked = statement.offers.as_ref().is_some_and(|offers| offers.asked);
    let before = statement.editor.text();
    statement.editor.key(key, size);
    if statement.editor.text() == before {
        statement.offers = None;
        return;
    }
    statement.wrong = None;
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let word = matches!(key.code, KeyCode::Char(c) if c.is_alphanumeric() || matches!(c, '_' | '.'));
    let shorter = key.code == KeyCode::Backspace && asked;
    if plain && (word || shorter) {
        statement.offer(tables, asked);
    } else {
        statement.offers = None;
    }
}

pub fn pasted(model: &mut Model, world: &World, text: &str) {
    let (_, size) = place(model, world);
    model.statement.typing = true;
    model.statement.offers = None;
    model.statement.wrong = None;
    model.statement.editor.insert(text, size);
}

/// An empty editor, ready to be typed into; what was in it can be brought back.
pub fn write_new(model: &mut Model) -> Vec<Wish> {
    model.statement.open_new();
    model.statement.typing = true;
    model.run = None;
    model.focus = Focus::Statement;
    Vec::new()
}

/// Sends the statement at the cursor, asking first for what is missing and for a yes when it writes.
pub fn run(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let say = |text: String| vec![Wish::Say(text)];
    model.running_on = false;
    if model.run.as_ref().is_some_and(|run| run.starting.is_waiting()) {
        return say("It is being sent".to_owned());
    }
    let prepared = match model.statement.prepare(world) {
        Ok(prepared) => prepared,
        Err(Obstacle::Nothing) => return say("There is no statement to run".to_owned()),
        Err(Obstacle::Missing(parameter)) => {
            model.running_on = true;
            return vec![Wish::Pick(choices::parameter(&model.statement, world, &parameter))];
        }
        Err(Obstacle::Unfit(parameter, why)) => {
            model.running_on = true;
            let pick = choices::parameter(&model.statement, world, &parameter);
            return vec![Wish::Pick(pick.error(why))];
        }
        Err(Obstacle::Unfilled(why)) => return say(format!("Not run: {why}")),
        Err(Obstacle::Positional) => {
            return say("Not run: write :name in place of ?, and ward asks for its value".to_owned());
        }
        Err(Obstacle::TooLong(bytes)) => {
            let most = units::bytes(262_144);
            return say(format!("Not run: it has {}, Athena takes {most}", units::bytes(bytes as u64)));
        }
    };
    let sql = prepared.sql.clone();
    model.prepared = Some(prepared);
    if class::classify(&sql).writes {
        return vec![Wish::Confirm(choices::confirm(&sql, world))];
    }
    send(model, world, &sql)
}

/// Sends a statement that may be sent.
pub fn send(model: &mut Model, world: &mut World, sql: &str) -> Vec<Wish> {
    let origin = model.prepared.take().filter(|prepared| prepared.sql == sql).map(|prepared| prepared.origin);
    let mut run = Run::new(sql, origin, world.now);
    let request = Request::StartQuery { sql: sql.to_owned() };
    let wish = world.ask(Screen::Queries, &mut run.starting, request);
    model.run = Some(run);
    model.statement.typing = false;
    model.statement.offers = None;
    model.statement.wrong = None;
    model.focus = Focus::Result;
    vec![wish]
}

/// Athena took the statement: it is in the history from now on.
pub fn started(model: &mut Model, world: &mut World) {
    let Some(run) = &model.run else { return };
    let Some(id) = run.id() else { return };
    model.list.heard(&fresh(id, &run.sql, world));
}

/// A parameter was filled in.
pub fn filled(model: &mut Model, world: &mut World, name: &str, value: &str) -> Vec<Wish> {
    if let Err(why) = model.statement.fill_in(name, value) {
        let parameter = model.statement.parameters().into_iter().find(|parameter| parameter.name == name);
        let Some(parameter) = parameter else { return vec![Wish::Say(why)] };
        let pick = choices::parameter(&model.statement, world, &parameter).typing(value).error(why);
        return vec![Wish::Pick(pick)];
    }
    if model.running_on { run(model, world) } else { Vec::new() }
}

/// Chooses a parameter to change.
pub fn chose_parameter(model: &mut Model, world: &World, name: &str) -> Vec<Wish> {
    model.running_on = false;
    let all = model.statement.parameters();
    let parameter = all.iter().find(|parameter| parameter.name == name);
    let pick = parameter.map(|parameter| choices::parameter(&model.statement, world, parameter));
    pick.map(Wish::Pick).into_iter().collect()
}

/// Goes to the pane beside this one.
pub fn turn(model: &mut Model, world: &World, forward: bool) {
    let order = [Focus::List, Focus::Statement, Focus::Result];
    let at = order.iter().position(|focus| *focus == model.focus).unwrap_or(0);
    match order[(at + if forward { 1 } else { 2 }) % 3] {
        Focus::List => on_list::enter(model, world),
        focus => model.focus = focus,
    }
}
