//! The statement under the person's hands: its text, where it came from, and its parameters.

use std::collections::BTreeMap;

use crate::domain::expiry::Window;
use crate::sql::complete::Table;
use crate::sql::lexer::{Kind, lex};
use crate::sql::parameters::{self, Parameter, Type};
use crate::sql::split;
use crate::ui::screens::queries::failure::Spot;
use crate::ui::screens::queries::offers::Offers;
use crate::ui::screens::queries::saved::Saved;
use crate::ui::widgets::editor::{Editor, Language, Mark};
use crate::ui::world::World;

/// Where a statement came from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Written here.
    New,
    /// A saved query, by its name.
    Saved(String),
    /// A query of the history, by its id.
    Past(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub source: Source,
    pub title: String,
    pub help: String,
    pub editor: Editor,
    /// Whether the editor takes the keys.
    pub typing: bool,
    pub offers: Option<Offers>,
    /// What the last run stumbled over.
    pub wrong: Option<Mark>,
    /// The parameters of the saved query's header.
    header: Vec<Parameter>,
    /// What the person filled in.
    values: BTreeMap<String, String>,
    /// The text as it was opened.
    opened: String,
}

impl Default for Statement {
    fn default() -> Self {
        Statement {
            source: Source::New,
            title: "New statement".to_owned(),
            help: String::new(),
            editor: Editor::new(Language::Sql, ""),
            typing: false,
            offers: None,
            wrong: None,
            header: Vec::new(),
            values: BTreeMap::new(),
            opened: String::new(),
        }
    }
}

/// A statement that can be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    pub sql: String,
    pub origin: Origin,
}

/// Where in the editor a sent statement stands: what it was before its parameters were filled in, and the
/// line and column, from 0, at which it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    text: String,
    line: usize,
    column: usize,
}

/// Why a statement cannot be sent yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    Nothing,
    /// A parameter has neither value nor default.
    Missing(Parameter),
    /// A parameter's value does not fit, and why.
    Unfit(Parameter, String),
    /// The text cannot be filled in, and why.
    Unfilled(String),
    /// Longer than Athena takes.
    TooLong(usize),
    /// `?` would need ExecutionParameters.
    Positional,
}

/// Bytes of a statement at most.
/// Source: Athena API Reference, StartQueryExecution, QueryString.
const MOST: usize = 262_144;

impl Statement {
    fn open(&mut self, source: Source, title: &str, text: &str) {
        if self.editor.text() != text {
            self.editor.set(text);
        }
        self.opened = self.editor.text();
        self.editor.jump(0, 0, (80, 10));
        if self.source != source {
            self.values.clear();
        }
        self.source = source;
        self.title = title.to_owned();
        self.help.clear();
        self.header.clear();
        self.offers = None;
        self.wrong = None;
        self.typing = false;
    }

    pub fn open_new(&mut self) {
        self.open(Source::New, "New statement", "");
    }

    pub fn open_saved(&mut self, saved: &Saved) {
        self.open(Source::Saved(saved.name.clone()), saved.title(), saved.sql());
        self.help = saved.help().to_owned();
        self.header = saved.query.as_ref().map(|query| query.parameters.clone()).unwrap_or_default();
    }

    pub fn open_past(&mut self, id: &str, title: Option<&str>, sql: &str) {
        self.open(Source::Past(id.to_owned()), title.unwrap_or("Past query"), sql);
    }

    pub fn is_edited(&self) -> bool {
        self.editor.text() != self.opened
    }

    /// The parameters that the text asks for: those of the header, and any other `:name` or `{{name}}`.
    pub fn parameters(&self) -> Vec<Parameter> {
        let text = self.editor.text();
        let mut all: Vec<Parameter> = self.header.clone();
        all.retain(|parameter| {
            text.contains(&format!("{{{{{}}}}}", parameter.name))
                || text.contains(&format!(":{}", parameter.name))
        });
        for token in lex(&text).iter().filter(|token| token.kind == Kind::Parameter) {
            let spelled = token.of(&text);
            let name = spelled.trim_matches(['{', '}', ':']);
            let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            if named && !all.iter().any(|parameter| parameter.name == name) {
                let kind = if spelled.starts_with('{') { Type::Name } else { Type::Text };
                let kind = if kind == Type::Text { self.kind_of(name) } else { kind };
                all.push(Parameter { name: name.to_owned(), kind, default: None });
            }
        }
        all
    }

    /// A parameter without a header takes the type that its value looks like.
    fn kind_of(&self, name: &str) -> Type {
        match self.values.get(name) {
            Some(value) if value.parse::<i64>().is_ok() => Type::Integer,
            Some(value) if value.parse::<f64>().is_ok_and(f64::is_finite) => Type::Number,
            Some(value) if value.parse::<chrono::NaiveDate>().is_ok() => Type::Date,
            _ => Type::Text,
        }
    }

    /// What a parameter is now: filled in here, else of the settings, else its default.
    pub fn value(&self, parameter: &Parameter, world: &World) -> Option<String> {
        let given = self.values.get(&parameter.name).cloned();
        given.or_else(|| preset(parameter, world))
    }

    /// Takes a value, when it fits.
    pub fn fill_in(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some(parameter) = self.parameters().into_iter().find(|parameter| parameter.name == name) else {
            return Err(format!("The statement has no parameter {name}"));
        };
        let known = self.header.iter().any(|one| one.name == name);
        if known || parameter.kind == Type::Name {
            check(&parameter, value)?;
        }
        self.values.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// How many statements the text has, and which of them the cursor is in, from 1.
    pub fn place(&self) -> (usize, usize) {
        let text = self.editor.text();
        let all = split::statements(&text);
        let here = split::at(&text, self.editor.offset());
        let at = here.and_then(|here| all.iter().position(|span| *span == here)).unwrap_or(0);
        (at + 1, all.len())
    }

    /// The statement at the cursor with its parameters filled in.
    pub fn prepare(&self, world: &World) -> Result<Prepared, Obstacle> {
        let text = self.editor.text();
        let span = split::at(&text, self.editor.offset()).ok_or(Obstacle::Nothing)?;
        let before = &text[..span.start];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let text = text[span].to_owned();
        if parameters::positional(&text) > 0 {
            return Err(Obstacle::Positional);
        }
        let mut values = BTreeMap::new();
        let all = self.parameters();
        for parameter in all.iter().filter(|one| is_used(&text, &one.name)) {
            let value = self.value(parameter, world).ok_or_else(|| Obstacle::Missing(parameter.clone()))?;
            check(parameter, &value).map_err(|why| Obstacle::Unfit(parameter.clone(), why))?;
            values.insert(parameter.name.clone(), value);
        }
        let saved = parameters::Saved {
            title: String::new(),
            help: String::new(),
            parameters: all,
            sql: text.clone(),
        };
        let sql = saved.fill(&values).map_err(|error| Obstacle::Unfilled(error.to_string()))?;
        if sql.len() > MOST {
            return Err(Obstacle::TooLong(sql.len()));
        }
        Ok(Prepared { sql, origin: Origin { text, line, column } })
    }

    /// Offers what may stand at the cursor.
    pub fn offer(&mut self, tables: &[Table], asked: bool) {
        self.offers = Offers::at(&self.editor, tables, asked);
    }

    /// Puts the chosen offer in; says whether there was one.
    pub fn take_offer(&mut self, size: (u16, u16)) -> bool {
        let Some(offers) = self.offers.take() else { return false };
        let Some(item) = offers.chosen() else { return false };
        self.editor.erase_before(offers.typed);
        self.editor.insert(&item.text, size);
        true
    }
}

fn is_used(text: &str, name: &str) -> bool {
    text.contains(&format!("{{{{{name}}}}}"))
        || lex(text)
            .iter()
            .any(|token| token.kind == Kind::Parameter && token.of(text).trim_start_matches(':') == name)
}

/// Whether a value fits: the filling of a small statement is the judge.
pub fn check(parameter: &Parameter, value: &str) -> Result<(), String> {
    let sql = match parameter.kind {
        Type::Name => format!("{{{{{}}}}}", parameter.name),
        _ => format!(":{}", parameter.name),
    };
    let saved = parameters::Saved {
        title: String::new(),
        help: String::new(),
        parameters: vec![parameter.clone()],
        sql,
    };
    let values = BTreeMap::from([(parameter.name.clone(), value.to_owned())]);
    match saved.fill(&values) {
        Ok(_) => Ok(()),
        Err(parameters::Error::Value { value, wanted, .. }) => Err(format!("{value:?} is not {wanted}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What a parameter is before anybody fills it in: of the settings, else its default.
pub fn preset(parameter: &Parameter, world: &World) -> Option<String> {
    setting(&parameter.name, world).or_else(|| parameter.default.clone())
}

/// Parameters that the settings fill in, as they do for `ward query run`.
fn setting(name: &str, world: &World) -> Option<String> {
    let setup = &world.setup;
    Some(match name {
        "database" => setup.database.clone(),
        "table" => setup.table.clone(),
        "bucket" => setup.bucket.clone(),
        "prefix" => setup.prefix.clone(),
        "as_of" => world.as_of.to_string(),
        "months" => Window::parse(&setup.within).ok()?.months()?.to_string(),
        _ => return None,
    })
}

impl Origin {
    /// The place in the editor of a spot in the statement that was sent. Where a parameter was filled in,
    /// what stands behind it moved.
    pub fn place(&self, sent: &str, spot: Spot) -> Mark {
        let index = spot.line.saturating_sub(1);
        let column = spot.column.saturating_sub(1);
        let (Some(source), Some(filled)) = (self.text.lines().nth(index), sent.lines().nth(index)) else {
            return Mark::line(self.line + index);
        };
        let (source, filled): (Vec<char>, Vec<char>) = (source.chars().collect(), filled.chars().collect());
        let same = source.iter().zip(&filled).take_while(|(a, b)| a == b).count();
        let tail = source.iter().rev().zip(filled.iter().rev()).take_while(|(a, b)| a == b).count();
        let column = if column <= same {
            column
        } else if column + tail >= filled.len() {
            (source.len() + column).saturating_sub(filled.len())
        } else {
            same
        };
        let shift = if index == 0 { self.column } else { 0 };
        Mark { line: self.line + index, column: Some(column.min(source.len()) + shift) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::screens::queries::tests::world;

    fn statement(text: &str) -> Statement {
        let mut statement = Statement::default();
        statement.open_past("id", None, text);
        statement
    }

    #[test]
    fn settings_fill_a_saved_query_in() {
        let saved = crate::ui::screens::queries::saved::all(&[]);
        let expiring = saved.iter().find(|saved| saved.name == "expiring_within").unwrap();
        let mut statement = Statement::default();
        statement.open_saved(expiring);
        let mut world = world();
        world.setup.within = "1y".to_owned();
        let sql = statement.prepare(&world).unwrap().sql;
        assert!(sql.contains("FROM healthcare_pipeline.facilities AS f"), "{sql}");
        assert!(
            sql.contains("BETWEEN DATE '2026-01-01' AND date_add('month', 12, DATE '2026-01-01')"),
            "{sql}"
        );
        assert_eq!(statement.fill_in("months", "soon"), Err("\"soon\" is not a whole number".to_owned()));
        statement.fill_in("months", "3").unwrap();
        assert!(statement.prepare(&world).unwrap().sql.contains("date_add('month', 3, "));
    }

    #[test]
    fn a_place_to_fill_in_is_asked_for_and_typed_by_its_value() {
        let mut statement =
            statement("SELECT * FROM facilities WHERE employee_count > :least AND state = :st");
        let missing = statement.prepare(&world());
        assert!(matches!(missing, Err(Obstacle::Missing(parameter)) if parameter.name == "least"));
        statement.fill_in("least", "100").unwrap();
        statement.fill_in("st", "T'X").unwrap();
        let sql = statement.prepare(&world()).unwrap().sql;
        assert_eq!(sql, "SELECT * FROM facilities WHERE employee_count > 100 AND state = 'T''X'");
    }

    #[test]
    fn the_statement_at_the_cursor_is_sent() {
        let mut statement = statement("SELECT 1;\nSELECT 2");
        assert_eq!(statement.place(), (1, 2));
        statement.editor.jump(1, 3, (80, 10));
        let prepared = statement.prepare(&world()).unwrap();
        assert_eq!((prepared.sql.as_str(), statement.place()), ("SELECT 2", (2, 2)));
        assert_eq!(statement_of("-- nothing").prepare(&world()), Err(Obstacle::Nothing));
        assert_eq!(statement_of("SELECT ?").prepare(&world()), Err(Obstacle::Positional));
    }

    fn statement_of(text: &str) -> Statement {
        statement(text)
    }

    #[test]
    fn a_spot_in_what_was_sent_is_found_in_what_was_written() {
        let mut statement = statement("SELECT 1;\n  SELECT a, :n, nope\n  FROM t");
        statement.fill_in("n", "12345").unwrap();
        statement.editor.jump(1, 5, (80, 10));
        let prepared = statement.prepare(&world()).unwrap();
        assert_eq!(prepared.sql, "SELECT a, 12345, nope\n  FROM t");
        let at = |line, column| prepared.origin.place(&prepared.sql, Spot { line, column });
        assert_eq!(at(1, 8), Mark { line: 1, column: Some(9) });
        // Column 18 of what was sent is `nope`, which stands at column 15, from 1, of what was written,
        // and two more in.
        assert_eq!(at(1, 18), Mark { line: 1, column: Some(16) });
        assert_eq!(at(2, 8), Mark { line: 2, column: Some(7) });
        assert_eq!(at(9, 1), Mark { line: 9, column: None });
    }
}
