//! What may stand at a cursor: keywords, functions, tables, columns and the fields of rows.

use std::ops::Range;

use super::keywords::KEYWORDS;
use super::lexer::{Kind as Lexed, Token, lex};
use super::split;

/// A table as completion knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub database: String,
    pub name: String,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Athena's or Hive's type: `array(row(name varchar))`, `array<struct<name:string>>`.
    pub type_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Field,
    Column,
    Table,
    Function,
    Keyword,
}

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub text: String,
    pub kind: Kind,
    /// A type, a database, or nothing.
    pub note: String,
}

/// All offers at a cursor, and the bytes that the chosen one replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    pub replace: Range<usize>,
    pub items: Vec<Completion>,
}

/// Functions of Trino that people use on Athena.
pub const FUNCTIONS: &[&str] = &[
    "abs",
    "all_match",
    "any_match",
    "approx_distinct",
    "approx_percentile",
    "arbitrary",
    "array_agg",
    "array_distinct",
    "array_join",
    "array_max",
    "array_min",
    "array_position",
    "array_sort",
    "avg",
    "bool_and",
    "bool_or",
    "cardinality",
    "ceil",
    "coalesce",
    "concat",
    "contains",
    "count",
    "count_if",
    "date",
    "date_add",
    "date_diff",
    "date_format",
    "date_parse",
    "date_trunc",
    "day",
    "element_at",
    "filter",
    "flatten",
    "floor",
    "format",
    "from_iso8601_date",
    "from_unixtime",
    "greatest",
    "histogram",
    "if",
    "json_extract",
    "json_extract_scalar",
    "json_format",
    "json_parse",
    "least",
    "length",
    "listagg",
    "lower",
    "lpad",
    "map_agg",
    "map_keys",
    "map_values",
    "max",
    "max_by",
    "min",
    "min_by",
    "month",
    "none_match",
    "nullif",
    "reduce",
    "regexp_extract",
    "regexp_like",
    "regexp_replace",
    "replace",
    "round",
    "row_number",
    "sequence",
    "slice",
    "split",
    "split_part",
    "strpos",
    "substr",
    "sum",
    "transform",
    "trim",
    "try",
    "try_cast",
    "upper",
    "year",
];

/// Offers for the cursor at byte `cursor`: what starts with the word before it, the likeliest first.
/// Nothing within strings, comments and numbers.
pub fn complete(text: &str, cursor: usize, tables: &[Table]) -> Completions {
    let tokens = lex(text);
    let inside = tokens.iter().find(|t| t.start < cursor && cursor <= t.end);
    let word = match inside {
        Some(t) if matches!(t.kind, Lexed::Name | Lexed::Keyword | Lexed::Function) => t.start..cursor,
        Some(t) if t.kind == Lexed::Symbol => cursor..cursor,
        Some(t) if cursor < t.end || t.kind != Lexed::Quoted => return none(cursor),
        _ => cursor..cursor,
    };
    let prefix = text.get(word.clone()).unwrap_or_default();
    let statement = split::at(text, cursor).unwrap_or(0..text.len());
    let within: Vec<Token> =
        tokens.iter().filter(|t| t.start >= statement.start && t.end <= statement.end).copied().collect();
    let before: Vec<Token> =
        within.iter().filter(|t| t.end <= word.start && t.kind != Lexed::Comment).copied().collect();
    let scope = Scope::of(text, &within, tables);
    let mut items = match before.as_slice() {
        [.., owner, dot] if dot.of(text) == "." => scope.members(plain(owner.of(text)), tables),
        _ if wants_table(text, &before) => table_names(tables),
        _ if prefix.is_empty() => scope.columns(),
        _ => {
            let mut items = scope.columns();
            items.extend(FUNCTIONS.iter().map(|f| offer(format!("{f}("), Kind::Function, "")));
            items.extend(KEYWORDS.iter().map(|k| offer(cased(k, prefix), Kind::Keyword, "")));
            items.extend(table_names(tables));
            items
        }
    };
    let lower = prefix.to_lowercase();
    items.retain(|item| item.text.to_lowercase().starts_with(&lower) && item.text != prefix);
    items.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.text.cmp(&b.text)));
    items.dedup_by(|a, b| a.text == b.text && a.kind == b.kind);
    Completions { replace: word, items }
}

fn none(cursor: usize) -> Completions {
    Completions { replace: cursor..cursor, items: Vec::new() }
}

fn offer(text: impl Into<String>, kind: Kind, note: &str) -> Completion {
    Completion { text: text.into(), kind, note: note.to_owned() }
}

/// A keyword in the case the user types.
fn cased(keyword: &str, prefix: &str) -> String {
    if prefix.chars().next().is_some_and(char::is_lowercase) {
        keyword.to_lowercase()
    } else {
        keyword.to_owned()
    }
}

fn plain(name: &str) -> &str {
    name.trim_matches(['"', '`'])
}

fn table_names(tables: &[Table]) -> Vec<Completion> {
    tables.iter().map(|t| offer(t.name.clone(), Kind::Table, &t.database)).collect()
}

fn wants_table(text: &str, before: &[Token]) -> bool {
    before
        .last()
        .is_some_and(|t| ["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "VIEW"].iter().any(|w| t.is(text, w)))
}

/// The tables of a statement, by the names they go by.
struct Scope<'a> {
    named: Vec<(String, &'a Table)>,
}

impl<'a> Scope<'a> {
    fn of(text: &str, tokens: &[Token], tables: &'a [Table]) -> Self {
        let mut named = Vec::new();
        let tokens: Vec<&Token> = tokens.iter().filter(|t| t.kind != Lexed::Comment).collect();
        for (n, token) in tokens.iter().enumerate() {
            if !matches!(token.kind, Lexed::Name | Lexed::Quoted) {
                continue;
            }
            let Some(table) = tables.iter().find(|t| t.name.eq_ignore_ascii_case(plain(token.of(text))))
            else {
                continue;
            };
            let follow = |k: usize| tokens.get(n + k).copied();
            let skip = usize::from(follow(1).is_some_and(|t| t.is(text, "AS")));
            let alias = follow(1 + skip).filter(|t| matches!(t.kind, Lexed::Name | Lexed::Quoted));
            named.push((table.name.clone(), table));
            if let Some(alias) = alias {
                named.push((plain(alias.of(text)).to_owned(), table));
            }
        }
        Scope { named }
    }

    fn columns(&self) -> Vec<Completion> {
        let columns = self.named.iter().flat_map(|(_, table)| &table.columns);
        columns.map(|c| offer(c.name.clone(), Kind::Column, &c.type_name)).collect()
    }

    /// What may follow `owner.`: the columns of a table, the tables of a database, the fields of a
    /// row. An unknown owner may be the alias of an UNNEST: the fields of every array of rows.
    fn members(&self, owner: &str, tables: &[Table]) -> Vec<Completion> {
        if let Some((_, table)) = self.named.iter().find(|(name, _)| name.eq_ignore_ascii_case(owner)) {
            return table.columns.iter().map(|c| offer(c.name.clone(), Kind::Column, &c.type_name)).collect();
        }
        if tables.iter().any(|t| t.database.eq_ignore_ascii_case(owner)) {
            let of: Vec<Table> =
                tables.iter().filter(|t| t.database.eq_ignore_ascii_case(owner)).cloned().collect();
            return table_names(&of);
        }
        let columns = || self.named.iter().flat_map(|(_, table)| &table.columns);
        let exact = columns().find(|c| c.name.eq_ignore_ascii_case(owner));
        let of: Vec<&Column> = exact.map_or_else(|| columns().collect(), |c| vec![c]);
        of.iter()
            .flat_map(|c| fields(&c.type_name))
            .map(|(name, type_name)| offer(name, Kind::Field, &type_name))
            .collect()
    }
}

/// The fields of the outermost row of a type: `array(row(name varchar, n int))` has `name` and `n`.
fn fields(type_name: &str) -> Vec<(String, String)> {
    let lower = type_name.to_lowercase();
    let Some(start) = ["row(", "struct<"].iter().filter_map(|w| lower.find(w).map(|n| n + w.len())).min()
    else {
        return Vec::new();
    };
    let (mut depth, mut parts, mut part) = (1, Vec::new(), String::new());
    for c in lower[start..].chars() {
        match c {
            '(' | '<' => depth += 1,
            ')' | '>' => depth -= 1,
            ',' if depth == 1 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        part.push(c);
    }
    parts.push(part);
    let split = |part: &String| {
        let (name, kind) = part.trim().split_once([':', ' '])?;
        Some((plain(name).to_owned(), kind.trim().to_owned()))
    };
    parts.iter().filter_map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Vec<Table> {
        let column = |name: &str, type_name: &str| Column { name: name.into(), type_name: type_name.into() };
        vec![Table {
            database: "healthcare_pipeline".into(),
            name: "facilities".into(),
            columns: vec![
                column("facility_id", "varchar"),
                column("accreditations", "array(row(name varchar, expiry_date varchar))"),
            ],
        }]
    }

    /// The offers at `|`.
    fn at(text: &str) -> Vec<String> {
        let cursor = text.find('|').unwrap();
        let text = text.replace('|', "");
        complete(&text, cursor, &tables()).items.into_iter().map(|i| i.text).collect()
    }

    #[test]
    fn tables_follow_from() {
        assert_eq!(at("SELECT * FROM fac|"), ["facilities"]);
        assert_eq!(at("SELECT * FROM healthcare_pipeline.|"), ["facilities"]);
    }

    #[test]
    fn columns_come_before_functions_and_keywords() {
        let offers = at("SELECT f| FROM facilities");
        assert_eq!(offers[0], "facility_id");
        assert!(offers.contains(&"filter(".to_owned()) && offers.contains(&"from".to_owned()));
        assert_eq!(at("SELECT x.fac| FROM facilities AS x"), ["facility_id"]);
    }

    #[test]
    fn rows_offer_their_fields() {
        let text = "SELECT a.| FROM facilities CROSS JOIN UNNEST(accreditations) AS t(a)";
        assert_eq!(at(text), ["expiry_date", "name"]);
        assert_eq!(fields("array<struct<a:map<string,int>,b:int>>")[1], ("b".into(), "int".into()));
    }

    #[test]
    fn nothing_within_strings_and_comments() {
        assert!(at("SELECT 'fa|' FROM facilities").is_empty());
        assert!(at("SELECT 1 -- fa|").is_empty());
    }
}
