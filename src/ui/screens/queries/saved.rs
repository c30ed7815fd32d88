//! The queries that can be chosen by name: those that ship, then the person's own.

use crate::sql::parameters::{self, Saved as Query};
use crate::sql::shipped;

/// A saved query.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The name of its file, without `.sql`.
    pub name: String,
    /// Whether it is of the person's own folder.
    pub own: bool,
    /// What it says, or why its header cannot be read.
    pub query: Result<Query, String>,
    pub text: String,
    /// The statement's text between its parameters, by which a filled one is known again.
    pieces: Vec<String>,
}

impl Saved {
    fn new(name: &str, text: &str, own: bool) -> Saved {
        let query = parameters::read(text).map_err(|error| error.to_string());
        let sql = query.as_ref().map_or(text, |query| &query.sql);
        let pieces = pieces(sql).into_iter().map(str::to_owned).collect();
        Saved { name: name.to_owned(), own, text: text.to_owned(), pieces, query }
    }

    pub fn title(&self) -> &str {
        self.query.as_ref().map_or(&self.name, |query| &query.title)
    }

    pub fn help(&self) -> &str {
        self.query.as_ref().map_or_else(|error| error.as_str(), |query| &query.help)
    }

    /// The statement, without its header.
    pub fn sql(&self) -> &str {
        self.query.as_ref().map_or(&self.text, |query| &query.sql)
    }

    /// Whether a statement is this one with its parameters filled in.
    pub fn made(&self, sql: &str) -> bool {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else { return false };
        if first.is_empty() || !sql.starts_with(first.as_str()) || !sql.ends_with(last.as_str()) {
            return false;
        }
        let mut rest = sql;
        for piece in &self.pieces {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }
}

/// What stands between the places to fill in.
fn pieces(sql: &str) -> Vec<&str> {
    use crate::sql::lexer::{Kind, lex};
    let mut pieces = Vec::new();
    let mut at = 0;
    for token in lex(sql).iter().filter(|token| token.kind == Kind::Parameter) {
        pieces.push(&sql[at..token.start]);
        at = token.end;
    }
    pieces.push(&sql[at..]);
    pieces
}

/// Those that ship, then the person's own (name and text); an own one of the same name takes the place of
/// the one that ships, as it does for `ward query run`.
pub fn all(own: &[(String, String)]) -> Vec<Saved> {
    let shipped = shipped::SAVED.iter().map(|(name, text)| match own.iter().find(|(own, _)| own == name) {
        Some((_, text)) => Saved::new(name, text, true),
        None => Saved::new(name, text, false),
    });
    let others = own.iter().filter(|(name, _)| !shipped::SAVED.iter().any(|(known, _)| known == name));
    shipped.chain(others.map(|(name, text)| Saved::new(name, text, true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_query_takes_the_place_of_one_that_ships() {
        let own =
            [("services".to_owned(), "-- title: Mine\nSELECT 1".to_owned()), ("z".into(), "SELECT 2".into())];
        let all = all(&own);
        assert_eq!(all.len(), shipped::SAVED.len() + 1);
        let services = all.iter().find(|saved| saved.name == "services").unwrap();
        assert_eq!((services.title(), services.own), ("Mine", true));
        assert_eq!(all.last().map(Saved::title), Some("SELECT 2"));
    }

    #[test]
    fn a_filled_statement_is_known_again() {
        let text =
            "-- param: table name t\n-- param: n integer 6\nSELECT a FROM {{table}} WHERE n = :n LIMIT 1";
        let saved = Saved::new("x", text, true);
        assert!(saved.made("SELECT a FROM facilities WHERE n = 12 LIMIT 1"));
        assert!(!saved.made("SELECT b FROM facilities WHERE n = 12 LIMIT 1"));
        assert!(!saved.made("SELECT a FROM facilities WHERE n = 12 LIMIT 1, 2"));
        let wrong = Saved::new("x", "-- param: n money\nSELECT 1", true);
        assert!(wrong.help().contains("header"), "{}", wrong.help());
    }
}
