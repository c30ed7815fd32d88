//! Lays a statement out: a clause a line, long select lists an item a line, subqueries set in. Only white
//! space changes; every token stays as it was written, and where it was written.

use super::class::{self, Kind as Class};
use super::lexer::{Kind, Token, lex};

/// A select list of more characters has a line for each item.
const LONG: usize = 60;

/// What is open: the statement, or a pair of parentheses in it.
struct Block {
    /// Whether clauses start lines here; else it is an expression.
    query: bool,
    indent: usize,
    /// Where the closing parenthesis of a subquery stands.
    close: usize,
    clause: Clause,
    /// How many `AND` belong to a `BETWEEN`.
    between: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Clause {
    With,
    Select { long: bool },
    Condition,
    Other,
}

impl Block {
    fn query(indent: usize, close: usize) -> Block {
        Block { query: true, indent, close, clause: Clause::Other, between: 0 }
    }
}

/// The text with its queries laid out. What is no query, and what cannot be read, stays as it is.
pub fn format(text: &str) -> String {
    let tokens = lex(text);
    let class = class::classify(text).kind;
    if !matches!(class, Class::Query | Class::Insert) || tokens.iter().any(|token| token.kind == Kind::Broken)
    {
        return text.to_owned();
    }
    let mut out = Out { text: String::with_capacity(text.len() + 64), indent: 0 };
    let mut blocks = vec![Block::query(0, 0)];
    for (at, token) in tokens.iter().enumerate() {
        let line = line_before(text, &tokens, at, &mut blocks);
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        match (line, before) {
            (_, None) => {}
            (Some(indent), _) => out.line(indent),
            (None, Some(before)) if before.end < token.start || before.of(text) == "," => out.text.push(' '),
            _ => {}
        }
        out.text.push_str(token.of(text));
        match token.of(text) {
            "(" => {
                let next = tokens[at + 1..].iter().find(|next| next.kind != Kind::Comment);
                let query = next.is_some_and(|next| next.is(text, "SELECT") || next.is(text, "WITH"));
                let (indent, close) = (out.indent + 2, out.indent);
                blocks.push(Block { query, ..Block::query(indent, close) });
            }
            ")" if blocks.len() > 1 => {
                blocks.pop();
            }
            _ => {}
        }
    }
    out.text
}

struct Out {
    text: String,
    /// Of the line that is written now.
    indent: usize,
}

impl Out {
    fn line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.indent = indent;
    }
}

/// The indent of the new line that a token starts; `None` while it stays on the line of the one before.
fn line_before(text: &str, tokens: &[Token], at: usize, blocks: &mut [Block]) -> Option<usize> {
    let token = &tokens[at];
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let block = blocks.last_mut()?;
    if before.is_some_and(|before| before.of(text) == ";") {
        *block = Block::query(0, 0);
        starts(text, tokens, at, block);
        return Some(0);
    }
    if block.query && token.of(text) == ")" && block.close < block.indent {
        return Some(block.close);
    }
    if block.query && starts(text, tokens, at, block) {
        return Some(block.indent);
    }
    let to_end = |token: &Token| token.kind == Kind::Comment && token.of(text).starts_with("--");
    let gap = before.map_or("", |before| &text[before.end..token.start]);
    let own = token.kind == Kind::Comment && gap.contains('\n');
    if to_end(token) && !own {
        return None;
    }
    // What follows a comment to the end of a line cannot stand on that line: it stands where it would have
    // stood without the comment, or a step in.
    let forced = before.is_some_and(to_end);
    let inner = block.indent + 2;
    let otherwise = (forced || own).then_some(if block.query { inner } else { block.indent });
    if !block.query {
        return otherwise;
    }
    let lead = if forced { word_before(tokens, at) } else { at.checked_sub(1) };
    part(text, tokens, at, lead, block).or(otherwise)
}

/// The indent of the new line that a token starts as a part of its clause: a condition, an item of a list.
/// `lead` is the token that it follows.
fn part(text: &str, tokens: &[Token], at: usize, lead: Option<usize>, block: &mut Block) -> Option<usize> {
    let is = |at: Option<usize>, words: &[&str]| {
        at.is_some_and(|at| words.iter().any(|word| tokens[at].is(text, word)))
    };
    let inner = block.indent + 2;
    if is(Some(at), &["BETWEEN"]) {
        block.between += 1;
    }
    match block.clause {
        Clause::Condition if is(Some(at), &["AND"]) && block.between > 0 => {
            block.between -= 1;
            None
        }
        Clause::Condition => is(Some(at), &["AND", "OR"]).then_some(inner),
        Clause::With => is(lead, &[","]).then_some(block.indent),
        Clause::Select { long: true } => {
            let first = is(lead, &["SELECT"]) && !is(Some(at), &["DISTINCT", "ALL"])
                || is(lead, &["DISTINCT", "ALL"])
                    && is(lead.and_then(|lead| word_before(tokens, lead)), &["SELECT"]);
            (first || is(lead, &[","])).then_some(inner)
        }
        _ => None,
    }
}

/// The last token before one that is no comment.
fn word_before(tokens: &[Token], at: usize) -> Option<usize> {
    tokens[..at].iter().rposition(|token| token.kind != Kind::Comment)
}

/// Whether a token starts a clause of its query; remembers which.
fn starts(text: &str, tokens: &[Token], at: usize, block: &mut Block) -> bool {
    const SIDES: [&str; 6] = ["NATURAL", "LEFT", "RIGHT", "FULL", "INNER", "CROSS"];
    let is = |at: usize, words: &[&str]| {
        tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is(text, word)))
    };
    let last = word_before(tokens, at);
    let before = |words: &[&str]| last.is_some_and(|last| is(last, words));
    let clause = if is(at, &["SELECT"]) {
        Clause::Select { long: list(text, &tokens[at + 1..]) > LONG }
    } else if is(at, &["WITH"]) && !before(&["TIES"]) && (last.is_none() || before(&["(", ";"])) {
        Clause::With
    } else if is(at, &["WHERE", "HAVING"]) {
        Clause::Condition
    } else if is(at, &["FROM"]) && !before(&["DISTINCT", "DELETE"])
        || is(at, &["GROUP", "ORDER"]) && is(at + 1, &["BY"])
        || is(at, &["LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "VALUES"])
    {
        Clause::Other
    } else if is(at, &SIDES) && (is(at + 1, &["JOIN"]) || is(at + 2, &["JOIN"])) && !before(&SIDES)
        || is(at, &["JOIN"]) && !before(&SIDES) && !before(&["OUTER"])
    {
        // The condition of a join goes on below it.
        Clause::Condition
    } else {
        return false;
    };
    block.clause = clause;
    block.between = 0;
    true
}

/// Characters of a select list, as if it stood on one line.
fn list(text: &str, tokens: &[Token]) -> usize {
    let mut depth = 0usize;
    let mut length = 0;
    for token in tokens {
        match token.of(text) {
            "(" => depth += 1,
            ")" if depth == 0 => break,
            ")" => depth -= 1,
            ";" => break,
            _ if depth == 0 && token.is(text, "FROM") => break,
            _ => {}
        }
        length += token.of(text).chars().count() + 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clause_a_line() {
        let text = "select a, b from t left join u on t.id = u.id and u.n between 1 and 3 where a > 1 and \
                    (b = 2 or b is null) group by a order by 1 limit 5";
        let lines = "select a, b\nfrom t\nleft join u on t.id = u.id\n  and u.n between 1 and 3\nwhere a > 1\n  \
                     and (b = 2 or b is null)\ngroup by a\norder by 1\nlimit 5";
        assert_eq!(format(text), lines);
    }

    #[test]
    fn long_lists_and_subqueries_are_set_in() {
        let text = "WITH x AS (SELECT 1 AS n), y AS (SELECT 2) SELECT facility_id, facility_name, employee_count, \
                    extract(YEAR FROM d) AS year FROM x WHERE n IN (SELECT n FROM y)";
        let lines = "WITH x AS (\n  SELECT 1 AS n\n),\ny AS (\n  SELECT 2\n)\nSELECT\n  facility_id,\n  \
                     facility_name,\n  employee_count,\n  extract(YEAR FROM d) AS year\nFROM x\nWHERE n IN (\n  \
                     SELECT n\n  FROM y\n)";
        assert_eq!(format(text), lines);
    }

    #[test]
    fn comments_stay_and_what_is_no_query_too() {
        assert_eq!(format("SELECT 1 -- one\n, 2"), "SELECT 1 -- one\n  , 2");
        assert_eq!(format("-- first\nSELECT 1"), "-- first\nSELECT 1");
        let with = "WITH x AS (\n  SELECT 1\n), -- one\ny AS (\n  SELECT 2\n),\n-- and\nz AS (\n  SELECT 3\n)\nSELECT 4";
        assert_eq!(format(with), with);
        for text in ["CREATE TABLE t (a int)", "SELECT 'open", "  -- nothing"] {
            assert_eq!(format(text), text);
        }
    }

    #[test]
    fn the_shipped_queries_keep_every_token() {
        for (name, text) in super::super::shipped::SAVED {
            let once = format(text);
            let words = |text: &str| lex(text).iter().map(|t| t.of(text).to_owned()).collect::<Vec<_>>();
            assert_eq!(words(&once), words(text), "{name}");
            assert_eq!(format(&once), once, "{name}");
        }
    }

    proptest! {
        #[test]
        fn only_white_space_changes(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "SELECT", "FROM", "WHERE", "AND", "OR", "BETWEEN", "JOIN", "LEFT", "CROSS", "ON", "GROUP", "BY",
                    "ORDER", "WITH", "AS", "(", ")", ",", ";", "a", "b.c", "'x y'", "1.5", "-- note\n", "/* c */",
                    "\"q\"", "->", "UNION", "ALL", "IN", "DISTINCT", "\n", ":p", "{{t}}",
                ]),
                0..40,
            )
        ) {
            let text = format!("SELECT {}", words.join(" "));
            let once = format(&text);
            let tokens = |text: &str| lex(text).iter().map(|t| (t.kind, t.of(text).to_owned())).collect::<Vec<_>>();
            prop_assert_eq!(tokens(&once), tokens(&text));
            prop_assert_eq!(format(&once), once);
        }
    }
}
