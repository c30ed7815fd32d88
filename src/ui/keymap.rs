//! Contexts and keys to actions, from TOML. The shipped keymap and a person's own are read alike.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::action::Action;

/// Where a key is pressed. Innermost first: overlay, pane, screen, global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    Global,
    Field,
    Editor,
    Overlay,
    Confirm,
    Overview,
    Facilities,
    Queries,
    Workflows,
    Activity,
}

impl Context {
    pub const ALL: [Context; 10] = [
        Context::Global,
        Context::Field,
        Context::Editor,
        Context::Overlay,
        Context::Confirm,
        Context::Overview,
        Context::Facilities,
        Context::Queries,
        Context::Workflows,
        Context::Activity,
    ];

    /// The name of its table in the file.
    pub fn name(self) -> &'static str {
        match self {
            Context::Global => "global",
            Context::Field => "field",
            Context::Editor => "editor",
            Context::Overlay => "overlay",
            Context::Confirm => "confirm",
            Context::Overview => "overview",
            Context::Facilities => "facilities",
            Context::Queries => "queries",
            Context::Workflows => "workflows",
            Context::Activity => "activity",
        }
    }
}

/// One key with its modifiers; shift is part of a character, not a modifier of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct Chord {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 14] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Chord {
    /// The chord of a pressed key, normalised: `G` carries no shift, back-tab is shift-tab, ctrl-` ` the
    /// same however the terminal spells it.
    pub fn of(key: KeyEvent) -> Chord {
        let mut modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = key.code;
        if code == KeyCode::BackTab {
            code = KeyCode::Tab;
            modifiers |= KeyModifiers::SHIFT;
        }
        if code == KeyCode::Null {
            code = KeyCode::Char(' ');
            modifiers |= KeyModifiers::CONTROL;
        }
        if matches!(code, KeyCode::Char(_)) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Chord { code, modifiers }
    }

    /// Reads `j`, `G`, `ctrl-p`, `alt-left`, `shift-tab`, `f5`.
    pub fn parse(text: &str) -> Option<Chord> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (modifier, after) = if let Some(after) = rest.strip_prefix("ctrl-") {
                (KeyModifiers::CONTROL, after)
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (KeyModifiers::ALT, after)
            } else if let Some(after) = rest.strip_prefix("shift-") {
                (KeyModifiers::SHIFT, after)
            } else {
                break;
            };
            if after.is_empty() {
                return None;
            }
            modifiers |= modifier;
            rest = after;
        }
        let mut characters = rest.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(character), None) => KeyCode::Char(character),
            (Some('f'), Some(_))
                if rest[1..].parse::<u8>().is_ok_and(|number| (1..=12).contains(&number)) =>
            {
                KeyCode::F(rest[1..].parse().ok()?)
            }
            _ => NAMED.iter().find(|(name, _)| *name == rest)?.1,
        };
        if let KeyCode::Char(character) = code {
            if modifiers.contains(KeyModifiers::SHIFT) {
                let upper = character.to_uppercase().next()?;
                return Some(Chord {
                    code: KeyCode::Char(upper),
                    modifiers: modifiers - KeyModifiers::SHIFT,
                });
            }
            if character.is_control() {
                return None;
            }
        }
        Some(Chord { code, modifiers })
    }

    /// Whether it is text when something is typed.
    pub fn is_printable(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(character) => write!(f, "{character}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// What the keys so far mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Action(Action),
    /// An action that this session is without.
    Withheld(Action),
    /// The beginning of a sequence.
    Pending,
    Nothing,
}

/// Which keys do what, where.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    bindings: BTreeMap<Context, Vec<(Vec<Chord>, Action)>>,
    /// Whether actions that change something are left out: of the keys, and so of help, palette and key line.
    read_only: bool,
}

/// What the console ships: `assets/keymap.toml`.
pub const SHIPPED: &str = include_str!("../../assets/keymap.toml");

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Keymap { bindings: BTreeMap::new(), read_only: false };
        // A test proves that the shipped file has no problem.
        let _ = keymap.merge(SHIPPED);
        keymap
    }
}

impl Keymap {
    /// Puts a file's bindings over the present ones. The answer names everything that was not
    /// understood; the rest is taken.
    pub fn merge(&mut self, text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let file: toml::Table = match text.parse() {
            Ok(file) => file,
            Err(error) => return vec![format!("The keymap is not TOML: {error}")],
        };
        for (name, table) in &file {
            let Some(context) = Context::ALL.into_iter().find(|context| context.name() == name) else {
                let names: Vec<_> = Context::ALL.iter().map(|context| context.name()).collect();
                problems.push(format!("There is no context [{name}]; there are {}", names.join(", ")));
                continue;
            };
            let Some(table) = table.as_table() else {
                problems.push(format!("`{name}` must be a table: [{name}]"));
                continue;
            };
            let mut seen: Vec<(Vec<Chord>, &str)> = Vec::new();
            for (keys, action) in table {
                match read_binding(keys, action) {
                    Err(problem) => problems.push(format!("[{name}] {problem}")),
                    Ok((chords, _)) if seen.iter().any(|(known, _)| *known == chords) => {
                        problems.push(format!("[{name}] `{keys}` is bound twice"));
                    }
                    Ok((chords, action)) => {
                        seen.push((chords.clone(), keys));
                        let bindings = self.bindings.entry(context).or_default();
                        bindings.retain(|(known, _)| *known != chords);
                        bindings.extend(action.map(|action| (chords, action)));
                    }
                }
            }
        }
        problems
    }

    /// Without the actions that change something.
    pub fn read_only(self) -> Keymap {
        Keymap { read_only: true, ..self }
    }

    /// Whether an action is left out.
    pub fn withholds(&self, action: Action) -> bool {
        self.read_only && action.changes()
    }

    /// Asks the contexts, innermost first. An inner context's exact binding beats an outer sequence.
    pub fn find(&self, contexts: &[Context], keys: &[Chord]) -> Found {
        for context in contexts {
            let Some(bindings) = self.bindings.get(context) else { continue };
            if let Some((_, action)) = bindings.iter().find(|(known, _)| known == keys) {
                return match self.withholds(*action) {
                    true => Found::Withheld(*action),
                    false => Found::Action(*action),
                };
            }
            if bindings.iter().any(|(known, _)| known.len() > keys.len() && known.starts_with(keys)) {
                return Found::Pending;
            }
        }
        Found::Nothing
    }

    /// The keys of an action as text, for the key line: the first that is bound in these contexts and
    /// that no inner context takes for something else. Short ones before long ones.
    pub fn keys_of(&self, contexts: &[Context], action: Action) -> Option<String> {
        self.all_keys_of(contexts, action).into_iter().next()
    }

    /// All the keys of an action in these contexts.
    pub fn all_keys_of(&self, contexts: &[Context], action: Action) -> Vec<String> {
        let mut all = Vec::new();
        for context in contexts {
            for (chords, known) in self.bindings.get(context).into_iter().flatten() {
                if *known == action && self.find(contexts, chords) == Found::Action(action) {
                    let text = sequence(chords);
                    if !all.contains(&text) {
                        all.push(text);
                    }
                }
            }
        }
        all.sort_by_key(|text| text.chars().count());
        all
    }

    /// What can follow the keys so far: next key and action.
    pub fn continuations(&self, contexts: &[Context], keys: &[Chord]) -> Vec<(String, Action)> {
        let mut all: Vec<(String, Action)> = Vec::new();
        for context in contexts {
            for (chords, action) in self.bindings.get(context).into_iter().flatten() {
                if chords.len() > keys.len() && chords.starts_with(keys) && !self.withholds(*action) {
                    all.push((sequence(&chords[keys.len()..]), *action));
                }
            }
        }
        all.sort();
        all.dedup();
        all
    }
}

fn sequence(chords: &[Chord]) -> String {
    chords.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
}

fn read_binding(keys: &str, action: &toml::Value) -> Result<(Vec<Chord>, Option<Action>), String> {
    let chords: Option<Vec<Chord>> = keys.split(' ').map(Chord::parse).collect();
    let chords = chords.ok_or_else(|| format!("`{keys}` is not a key"))?;
    let name = action.as_str().ok_or_else(|| format!("`{keys}` must name an action as text"))?;
    if name.is_empty() {
        return Ok((chords, None));
    }
    match Action::named(name) {
        Some(action) => Ok((chords, Some(action))),
        None => Err(format!("`{keys}` names the action `{name}`, which does not exist")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_keymap_has_no_problem() {
        let mut keymap = Keymap { bindings: BTreeMap::new(), read_only: false };
        assert_eq!(keymap.merge(SHIPPED), Vec::<String>::new());
    }

    #[test]
    fn mistakes_are_named_and_the_rest_is_taken() {
        let mut keymap = Keymap::default();
        let problems = keymap.merge(
            "[global]\n\"z\" = \"quit\"\n\"hyper-x\" = \"quit\"\n\"b\" = \"fly\"\n\"shift-g\" = \"up\"\n\"G\" = \"last\"\n\"q\" = \"\"\n[moon]\n",
        );
        assert!(problems.iter().any(|problem| problem.contains("`hyper-x` is not a key")));
        assert!(problems.iter().any(|problem| problem.contains("`fly`, which does not exist")));
        assert!(problems.iter().any(|problem| problem.contains("bound twice")));
        assert!(problems.iter().any(|problem| problem.contains("[moon]")));
        let press = |text: &str| {
            let chord = Chord::parse(text).map(|chord| vec![chord]).unwrap_or_default();
            keymap.find(&[Context::Global], &chord)
        };
        assert_eq!(press("z"), Found::Action(Action::Quit));
        assert_eq!(press("q"), Found::Nothing);
        assert_eq!(press("g"), Found::Pending);
    }

    #[test]
    fn the_innermost_context_is_asked_first() {
        let keymap = Keymap::default();
        let f = [Chord { code: KeyCode::Char('f'), modifiers: KeyModifiers::NONE }];
        assert_eq!(keymap.find(&[Context::Facilities, Context::Global], &f), Found::Action(Action::Facets));
        assert_eq!(keymap.find(&[Context::Activity, Context::Global], &f), Found::Action(Action::Tail));
        assert_eq!(keymap.find(&[Context::Global], &f), Found::Nothing);
    }

    #[test]
    fn a_read_only_session_is_without_what_changes_something() {
        let contexts = [Context::Workflows, Context::Global];
        let keymap = Keymap::default().read_only();
        let find = |key: &str| keymap.find(&contexts, &[Chord::parse(key).unwrap()]);
        for (key, action) in [
            ("R", Action::Start),
            ("A", Action::Again),
            ("X", Action::Stop),
            ("D", Action::Redrive),
            ("a", Action::Answer),
        ] {
            assert_eq!(find(key), Found::Withheld(action));
            assert_eq!(keymap.keys_of(&contexts, action), None);
            assert!(Keymap::default().keys_of(&contexts, action).is_some());
        }
        assert_eq!(find("w"), Found::Action(Action::Watch));
        assert_eq!(keymap.keys_of(&contexts, Action::Watch).as_deref(), Some("w"));
    }

    #[test]
    fn chords_are_the_same_however_the_terminal_spells_them() {
        let key = |code, modifiers| Chord::of(KeyEvent::new(code, modifiers));
        assert_eq!(Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)), Chord::parse("shift-tab"));
        assert_eq!(Some(key(KeyCode::Char('G'), KeyModifiers::SHIFT)), Chord::parse("G"));
        assert_eq!(Some(key(KeyCode::Char(' '), KeyModifiers::CONTROL)), Chord::parse("ctrl-space"));
        for text in ["ctrl-p", "alt-left", "f12", "enter", "space", "shift-tab"] {
            assert_eq!(Chord::parse(text).map(|chord| chord.to_string()).as_deref(), Some(text));
        }
    }
}
