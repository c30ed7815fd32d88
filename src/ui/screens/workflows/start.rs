//! The form for a new execution: a name and an input, checked as JSON while it is typed.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use serde_json::Value;

use crate::domain::execution::qualified_name;
use crate::domain::json;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::effect::{Request, Wish};
use crate::ui::keymap::{Chord, Context, Found};
use crate::ui::overlays::confirm::Confirm;
use crate::ui::overlays::pick::{Pick, Question};
use crate::ui::remote::{Remote, Stand};
use crate::ui::screens::workflows::update::usual;
use crate::ui::screens::workflows::{Model, Spot, acts};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::editor::{Editor, Language, Mark};
use crate::ui::widgets::line::Line;
use crate::ui::widgets::{notice, put, put_right, row};
use crate::ui::world::World;

/// Bytes of an execution's input at most.
const MOST: usize = 262_144;

#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    pub machine_arn: String,
    pub name: Line,
    pub input: Editor,
    /// Whether the name has the keys; else the input.
    pub naming: bool,
    /// The input that it began with.
    filled: String,
    /// It was said what leaving loses.
    warned: bool,
}

impl Form {
    /// `input` is what it is filled with: JSON text, laid out over lines.
    pub fn new(machine_arn: &str, input: &str, now: DateTime<Utc>) -> Form {
        let input = Editor::new(Language::Json, &json::pretty(input));
        Form {
            machine_arn: machine_arn.to_owned(),
            name: Line::new(name_for(now)),
            filled: input.text(),
            input,
            naming: false,
            warned: false,
        }
    }

    pub fn context(&self) -> Context {
        if self.naming { Context::Field } else { Context::Editor }
    }

    /// Whether something was typed that leaving would lose.
    fn is_touched(&self) -> bool {
        self.input.text() != self.filled
    }

    pub fn machine_name(&self) -> &str {
        qualified_name(&self.machine_arn)
    }

    /// Why it cannot be sent yet: the line of the input, from 0, and what is wrong with it.
    pub fn wrong(&self) -> Option<(Option<usize>, String)> {
        self.wrong_name().map(|wrong| (None, wrong)).or_else(|| self.wrong_input())
    }

    /// StartExecution's rules for names.
    fn wrong_name(&self) -> Option<String> {
        let name = self.name.text().trim();
        let characters = name.chars().count();
        if characters > 80 {
            return Some(format!("The name has {characters} characters, 80 are allowed"));
        }
        let refused =
            |c: &char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(*c);
        name.chars().find(refused).map(|c| format!("A name has no {c:?}"))
    }

    fn wrong_input(&self) -> Option<(Option<usize>, String)> {
        let text = self.input.text();
        // Counted as it is sent: without the white space of its layout.
        let size = if text.len() > MOST { json::compact(&text).len() } else { text.len() };
        if size > MOST {
            let size = units::bytes(size as u64);
            return Some((None, format!("The input has {size}, {} are allowed", units::bytes(MOST as u64))));
        }
        let error = serde_json::from_str::<Value>(&text).err()?;
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
        Some((
            Some(error.line().saturating_sub(1)),
            format!("line {} column {}: {what}", error.line(), error.column()),
        ))
    }

    /// What is asked before it is sent; the error when it cannot be.
    pub fn confirm(&self) -> Result<Confirm, String> {
        if let Some((_, wrong)) = self.wrong() {
            return Err(wrong);
        }
        let name = self.name.text().trim();
        let input = json::compact(&self.input.text());
        let request = Request::StartExecution {
            machine_arn: self.machine_arn.clone(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            input: input.clone(),
        };
        let called = if name.is_empty() { "a generated name".to_owned() } else { name.to_owned() };
        Ok(Confirm::new("Start an execution?", "Start", request)
            .line(format!("{} as {called}", self.machine_name()))
            .line(format!("input {input}")))
    }

    pub fn key(&mut self, key: KeyEvent, area: Rect) {
        self.warned = false;
        match key.code {
            KeyCode::Tab | KeyCode::BackTab => self.naming = !self.naming,
            KeyCode::Down if self.naming => self.naming = false,
            _ if self.naming => {
                self.name.key(key);
            }
            _ => self.input.key(key, size(editor_area(area))),
        }
    }

    pub fn paste(&mut self, text: &str, area: Rect) {
        if self.naming {
            self.name.insert(text);
        } else {
            self.input.insert(text, size(editor_area(area)));
        }
    }

    pub fn click(&mut self, area: Rect, at: Position) {
        self.naming = at.y < editor_area(area).y;
        self.input.click(editor_area(area), at);
    }

    /// Takes the last change of the input back, or makes it again.
    pub fn undo(&mut self, back: bool, area: Rect) {
        let size = size(editor_area(area));
        if back { self.input.undo(size) } else { self.input.redo(size) }
    }

    /// Takes another input: the text of a file.
    pub fn fill(&mut self, text: &str) {
        self.input.set(&json::pretty(text));
        self.naming = false;
    }

    /// Lays the input out; says whether it could be read.
    pub fn format(&mut self) -> bool {
        let text = self.input.text();
        let pretty = json::pretty(&text);
        if pretty != text {
            self.input.set(&pretty);
        }
        self.wrong_input().is_none_or(|(line, _)| line.is_none())
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer, area: Rect, starting: &Remote<String>) {
        let theme = &world.theme;
        let dim = theme.style(Role::Dim);
        let title = format!("Start {}", shown(self.machine_name()));
        if let Some(line) = row(area, 0) {
            put(buffer, line, line.x, &title, theme.style(Role::Accent));
        }
        if let Some(line) = row(area, 2) {
            let x = put(buffer, line, line.x, "Name   ", theme.title(self.naming));
            let field = Rect { x, width: line.right().saturating_sub(x), ..line };
            if self.naming {
                self.name.draw(buffer, field, theme.style(Role::Strong));
            } else if self.name.is_empty() {
                put(buffer, field, field.x, "generated", dim);
            } else {
                put(buffer, field, field.x, self.name.text(), theme.style(Role::Text));
            }
            if let Some(wrong) = self.wrong_name() {
                let text = format!("{} {wrong}", Badge::FAILED.glyph(world));
                put_right(buffer, field, &text, theme.style(Role::Bad));
            }
        }
        let wrong = self.wrong_input();
        if let Some(line) = row(area, 3) {
            let x = put(buffer, line, line.x, "Input  ", theme.title(!self.naming));
            match (starting.stand(), &wrong) {
                (Stand::Loading(..), _) => put(buffer, line, x, "starting", theme.style(Role::Active)),
                (_, Some((_, wrong))) => {
                    let x = put(buffer, line, x, Badge::FAILED.glyph(world), theme.style(Role::Bad));
                    put(buffer, line, x + 1, wrong, theme.style(Role::Bad))
                }
                _ => {
                    let x = put(buffer, line, x, Badge::SUCCEEDED.glyph(world), theme.style(Role::Good));
                    put(buffer, line, x + 1, "JSON", dim)
                }
            };
        }
        let editor = editor_area(area);
        let line = wrong.and_then(|(line, _)| line).map(Mark::line);
        self.input.draw(world, buffer, editor, !self.naming, line);
        if let Some(problem) = starting.problem().filter(|_| !starting.is_waiting()) {
            let below = Rect { y: editor.bottom(), height: area.bottom() - editor.bottom(), ..area };
            notice::problem(world, buffer, below, problem, 2);
        }
    }
}

/// A key that is text, or that the field does not know: the form's own key starts it also from the name.
pub fn typed(model: &mut Model, world: &mut World, key: KeyEvent) -> Vec<Wish> {
    let Some(form) = &mut model.form else { return Vec::new() };
    let chord = Chord::of(key);
    let bound = || world.keymap.find(&[Context::Editor], &[chord]) == Found::Action(Action::Run);
    if form.naming && !chord.is_printable() && chord.modifiers.is_empty() && bound() {
        return did(model, world, Action::Run);
    }
    form.key(key, world.body());
    Vec::new()
}

/// Actions while the form is open.
pub fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let Some(form) = &mut model.form else { return vec![Wish::Back] };
    match action {
        Action::Accept => {
            form.naming = false;
            Vec::new()
        }
        Action::Run => match form.confirm() {
            _ if model.starting.is_waiting() => vec![Wish::Say("It is being started".to_owned())],
            Ok(confirm) => vec![Wish::Confirm(confirm)],
            Err(wrong) => vec![Wish::Say(format!("Not started: {wrong}"))],
        },
        Action::Format => {
            let read = form.format();
            let note = (!read).then(|| Wish::Say("This is not JSON yet".to_owned()));
            note.into_iter().collect()
        }
        Action::Undo | Action::Redo => {
            form.undo(action == Action::Undo, world.body());
            Vec::new()
        }
        Action::Load => {
            let title = "Take the input from a file: its path";
            vec![Wish::Pick(Pick::text(title, Question::Other(acts::FILE), "", Vec::new()))]
        }
        Action::LeaveEditor | Action::Back if form.is_touched() && !form.warned => {
            form.warned = true;
            vec![Wish::Say("What was typed is lost when you leave: the same key again leaves".to_owned())]
        }
        Action::LeaveEditor | Action::Back => {
            model.form = None;
            model.starting.clear();
            model.spot = Spot::Executions;
            usual(model, world).into_iter().collect()
        }
        Action::Up | Action::Down => {
            form.naming = false;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// `run-20260101-150411-204`: names sort by time, and two of one second differ.
pub fn name_for(now: DateTime<Utc>) -> String {
    now.format("run-%Y%m%d-%H%M%S-%3f").to_string()
}

/// Four lines of heading above, four for a problem below.
fn editor_area(area: Rect) -> Rect {
    let top = 5.min(area.height);
    Rect {
        y: area.y + top,
        height: area.height.saturating_sub(top + 4).max(1.min(area.height - top)),
        ..area
    }
}

fn size(area: Rect) -> (u16, u16) {
    (area.width, area.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_is_not_json_names_its_line() {
        let mut form = Form::new(
            "arn:aws:states:us-east-1:000000000000:stateMachine:M",
            "{\"a\":1}",
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(form.wrong(), None);
        assert_eq!(form.input.text(), "{\n  \"a\": 1\n}");
        form.input.set("{\n  \"a\": oops\n}");
        let (line, what) = form.wrong().expect("a complaint");
        assert_eq!(line, Some(1));
        assert!(what.starts_with("line 2 column"), "{what}");
        assert!(form.confirm().is_err());
    }

    /// 168,897 bytes of JSON that are twice as many when laid out are sent as 168,897.
    #[test]
    fn the_size_is_that_of_what_is_sent() {
        let input = format!("[{}]", vec!["0"; 84_448].join(","));
        assert_eq!(input.len(), 168_897);
        let mut form = Form::new("arn:m", &input, DateTime::UNIX_EPOCH);
        assert!(form.input.text().len() > MOST);
        assert_eq!(form.wrong(), None);
        form.input.set(&format!("\"{}\"", "a".repeat(MOST - 1)));
        assert!(form.wrong().is_some_and(|(_, what)| what.contains("256.0 KiB are allowed")));
    }

    #[test]
    fn a_name_is_counted_in_characters() {
        let mut form = Form::new("arn:m", "{}", DateTime::UNIX_EPOCH);
        form.name = Line::new("ü".repeat(80));
        assert_eq!(form.wrong(), None);
        form.name = Line::new("ü".repeat(81));
        assert!(form.wrong().is_some_and(|(_, what)| what.contains("81 characters")));
    }

    #[test]
    fn the_request_carries_compact_json_and_the_name() {
        let form = Form::new("arn:m", "{ \"a\": [1, 2] }", DateTime::UNIX_EPOCH);
        let request = form.confirm().map(|confirm| confirm.request);
        let name = Some("run-19700101-000000-000".to_owned());
        let expected =
            Request::StartExecution { machine_arn: "arn:m".into(), name, input: "{\"a\":[1,2]}".into() };
        assert_eq!(request, Ok(expected));
    }
}
