//! What the parser takes from other dialects and Trino does not: refused by its tokens, before it is read.
//! <https://trino.io/docs/current/language/reserved.html>

use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::parse;
use crate::local::athena::failure::{Failure, Spot};

/// Words that are never a name unless they are quoted.
const RESERVED: &[&str] = &[
    "ALTER",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CUBE",
    "DELETE",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXECUTE",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "NATURAL",
    "NORMALIZE",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "PREPARE",
    "RECURSIVE",
    "RIGHT",
    "ROLLUP",
    "SELECT",
    "TABLE",
    "THEN",
    "TRUE",
    "UESCAPE",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Functions that only rewriting calls.
const MADE: &[&str] = &["array_any_match", "get_field", "make_array"];

/// A statement's tokens without spaces.
struct Tokens<'a> {
    all: Vec<&'a TokenWithSpan>,
    sql: &'a str,
}

/// Refuses the first token that Trino does not take where it stands.
pub fn check(tokens: &[TokenWithSpan], sql: &str) -> Result<(), Failure> {
    let all = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).collect();
    let tokens = Tokens { all, sql };
    // For each parenthesis around: whether a LIMIT stands before.
    let mut limits = vec![false];
    for n in 0..tokens.all.len() {
        tokens.number(n)?;
        tokens.operator(n)?;
        tokens.text(n)?;
        tokens.word(n)?;
        match tokens.all[n].token {
            Token::LParen => limits.push(false),
            Token::RParen if limits.len() > 1 => {
                limits.pop();
            }
            _ => {}
        }
        let Some(limited) = limits.last_mut() else { continue };
        let counts = matches!(tokens.get(n + 1), Some(Token::Number(..) | Token::Placeholder(_)));
        if tokens.is(n, "LIMIT") {
            *limited |= counts;
        } else if tokens.is(n, "OFFSET") && counts && *limited {
            return Err(tokens.mismatch(n, "<EOF>"));
        }
    }
    Ok(())
}

impl Tokens<'_> {
    fn get(&self, n: usize) -> Option<&Token> {
        self.all.get(n).map(|t| &t.token)
    }

    /// Whether a token is this word, and no quoted name.
    fn is(&self, n: usize, word: &str) -> bool {
        matches!(self.get(n), Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
    }

    fn reserved(&self, n: usize) -> bool {
        let Some(Token::Word(word)) = self.get(n) else { return false };
        word.quote_style.is_none() && RESERVED.iter().any(|r| r.eq_ignore_ascii_case(&word.value))
    }

    /// Whether a token is a name and nothing else.
    fn plain(&self, n: usize) -> bool {
        let clause = ["LIMIT", "OFFSET", "FETCH", "WINDOW", "HAVING", "TABLESAMPLE"];
        matches!(self.get(n), Some(Token::Word(_)))
            && !self.reserved(n)
            && !clause.iter().any(|word| self.is(n, word))
    }

    fn spot(&self, n: usize) -> Spot {
        let start = self.all.get(n).map(|t| t.span.start);
        start.and_then(parse::spot).unwrap_or_else(|| Spot::of(self.sql, self.sql.trim_end().len()))
    }

    fn mismatch(&self, n: usize, expecting: &str) -> Failure {
        let found = self.get(n).map_or_else(|| "<EOF>".to_owned(), ToString::to_string);
        Failure::malformed(self.spot(n), format!("mismatched input '{found}'. Expecting: {expecting}"))
    }

    /// Whether a value ends with the token before, so that an operator may follow.
    fn after_value(&self, n: usize) -> bool {
        match n.checked_sub(1).and_then(|n| self.get(n)) {
            Some(Token::Word(word)) => {
                let ends =
                    matches!(word.keyword, Keyword::END | Keyword::TRUE | Keyword::FALSE | Keyword::NULL);
                ends || word.quote_style.is_some() || !self.reserved(n - 1)
            }
            Some(
                Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::Placeholder(_)
                | Token::RParen
                | Token::RBracket,
            ) => true,
            _ => false,
        }
    }

    /// `10_000`, `0xFF` and `1a`: a name that would begin with a digit.
    fn number(&self, n: usize) -> Result<(), Failure> {
        let here = self.all[n];
        let joined = || match self.all.get(n + 1) {
            Some(next) => matches!(next.token, Token::Word(_)) && next.span.start == here.span.end,
            None => false,
        };
        let wrong = match &here.token {
            Token::Number(digits, long) => *long || digits.bytes().all(|b| b.is_ascii_digit()) && joined(),
            Token::HexStringLiteral(_) => self.char_at(n) == Some('0'),
            _ => false,
        };
        if !wrong {
            return Ok(());
        }
        let message = "identifiers must not start with a digit; surround the identifier with double quotes";
        Err(Failure::malformed(self.spot(n), message))
    }

    /// The first character of a token in the text.
    fn char_at(&self, n: usize) -> Option<char> {
        let Spot { line, column } = self.spot(n);
        self.sql.split('\n').nth(line - 1)?.chars().nth(column.checked_sub(1)?)
    }

    fn operator(&self, n: usize) -> Result<(), Failure> {
        let foreign = matches!(
            self.all[n].token,
            Token::DoubleColon
                | Token::DoubleEq
                | Token::Spaceship
                | Token::Ampersand
                | Token::Pipe
                | Token::Caret
                | Token::Tilde
                | Token::TildeAsterisk
                | Token::ExclamationMarkTilde
                | Token::ExclamationMarkTildeAsterisk
                | Token::DoubleTilde
                | Token::ExclamationMarkDoubleTilde
                | Token::ShiftLeft
                | Token::ShiftRight
                | Token::Overlap
                | Token::LongArrow
                | Token::HashArrow
                | Token::AtArrow
                | Token::ArrowAt
                | Token::Sharp
                | Token::ExclamationMark
                | Token::DuckIntDiv
        );
        if foreign {
            return Err(self.mismatch(n, "an operator or <EOF>"));
        }
        // An array has its word before the bracket.
        if self.all[n].token == Token::LBracket
            && !self.after_value(n)
            && !self.is(n.wrapping_sub(1), "ARRAY")
        {
            return Err(self.mismatch(n, "<expression>"));
        }
        Ok(())
    }

    /// A text behind a value, which is neither an alias nor a part of it.
    fn text(&self, n: usize) -> Result<(), Failure> {
        let Some(before) = n.checked_sub(1) else { return Ok(()) };
        if !matches!(self.all[n].token, Token::SingleQuotedString(_)) {
            return Ok(());
        }
        let value = matches!(
            self.all[before].token,
            Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket
        );
        if value || self.is(before, "AS") { Err(self.mismatch(n, "<identifier>")) } else { Ok(()) }
    }

    fn word(&self, n: usize) -> Result<(), Failure> {
        let Token::Word(word) = &self.all[n].token else { return Ok(()) };
        let opens = self.get(n + 1) == Some(&Token::LParen);
        let name = word.value.to_lowercase();
        if opens && MADE.contains(&name.as_str()) {
            let message = format!("Function '{name}' not registered");
            return Err(Failure::new("FUNCTION_NOT_FOUND", message).at(self.spot(n)));
        }
        if word.quote_style.is_some() {
            return Ok(());
        }
        let matches = matches!(name.as_str(), "ilike" | "rlike" | "regexp");
        if matches && self.after_value(n) && matches!(self.get(n + 1), Some(Token::SingleQuotedString(_)))
            || name == "similar" && self.is(n + 1, "TO")
        {
            return Err(self.mismatch(n, "an operator or <EOF>"));
        }
        let ends = |n: usize| {
            matches!(self.get(n), None | Some(Token::EOF | Token::RParen | Token::SemiColon))
                || ["HAVING", "ORDER", "LIMIT", "UNION"].iter().any(|w| self.is(n, w))
        };
        match name.as_str() {
            "limit" | "offset" if self.get(n + 1) == Some(&Token::Minus) && self.after_value(n) => {
                Err(self.mismatch(n + 1, "<integer>"))
            }
            // A name, behind which another cannot stand.
            "qualify" if self.after_value(n) && self.plain(n + 1) => Err(self.mismatch(n + 1, "<EOF>")),
            "distinct" if self.is(n + 1, "ON") => Err(self.mismatch(n + 1, "<expression>")),
            "all" if n > 1 && self.is(n - 1, "BY") && self.is(n - 2, "GROUP") && ends(n + 1) => {
                Err(self.mismatch(n + 1, "<expression>"))
            }
            "natural" if ["JOIN", "INNER", "LEFT", "RIGHT", "FULL"].iter().any(|w| self.is(n + 1, w)) => {
                Err(Failure::unsupported("Natural join not supported").at(self.spot(n)))
            }
            "match_recognize" if opens => {
                let message = "the local cloud does not have MATCH_RECOGNIZE";
                Err(Failure::unsupported(message).at(self.spot(n)))
            }
            "as" if n > 0 && self.reserved(n + 1) && self.after_value(n) => {
                Err(self.mismatch(n + 1, "<identifier>"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::local::athena::engine::parse;

    #[test]
    fn what_other_dialects_have_is_refused() {
        for (sql, detail) in [
            ("SELECT 10_000", "line 1:8: identifiers must not start with a digit"),
            ("SELECT 0b101", "line 1:8: identifiers must not start with a digit"),
            ("SELECT 1a", "line 1:8: identifiers must not start with a digit"),
            ("SELECT\n 0xFF", "line 2:2: identifiers must not start with a digit"),
            ("SELECT 10L", "line 1:8: identifiers must not start with a digit"),
            ("SELECT 1::int", "line 1:9: mismatched input '::'."),
            ("SELECT 1 == 1", "line 1:10: mismatched input '=='."),
            ("SELECT 1 & 2", "line 1:10: mismatched input '&'."),
            ("SELECT 'a' ~ 'b'", "line 1:12: mismatched input '~'."),
            ("SELECT a ILIKE 'b' FROM t", "line 1:10: mismatched input 'ILIKE'."),
            ("SELECT a SIMILAR TO 'b' FROM t", "line 1:10: mismatched input 'SIMILAR'."),
            ("SELECT DISTINCT ON (a) a FROM t", "line 1:17: mismatched input 'ON'."),
            ("SELECT a FROM t LIMIT 1 OFFSET 0", "line 1:25: mismatched input 'OFFSET'."),
            ("SELECT a FROM t GROUP BY ALL", "line 1:29: mismatched input"),
            ("SELECT a FROM t LIMIT -1", "line 1:23: mismatched input '-'."),
            ("SELECT a FROM t QUALIFY rank() OVER () = 1", "line 1:25: mismatched input 'rank'."),
            ("SELECT [1, 2]", "line 1:8: mismatched input '['."),
            ("SELECT 1 AS select", "line 1:13: mismatched input 'select'."),
            ("SELECT 'a' 'b'", "line 1:12: mismatched input ''b''."),
            ("SELECT 1 AS 'x'", "line 1:13: mismatched input ''x''."),
            ("SELECT * FROM a NATURAL JOIN b", "line 1:17: Natural join not supported"),
            ("SELECT make_array(1)", "line 1:8: Function 'make_array' not registered"),
        ] {
            let failure = parse::statement(sql, &[]).expect_err(sql);
            assert!(failure.detail().starts_with(detail), "{sql}: {failure}");
        }
    }

    #[test]
    fn what_looks_like_it_is_read() {
        for sql in [
            "SELECT 1e5, 1.5, X'0F', DATE '2026-01-01', a[1], f(a)[1], ARRAY[ARRAY[1], ARRAY[2]], m['k']['l']",
            "SELECT a FROM t OFFSET 1 LIMIT 2",
            "SELECT a FROM (SELECT a FROM t LIMIT 2) OFFSET 1",
            "SELECT a AS \"select\", CASE WHEN a THEN ARRAY[1] END FROM t",
            "SELECT transform(a, x -> x), 'it''s', U&'a' FROM t",
            "WITH a AS (SELECT 1 AS similar), b AS (VALUES 1) SELECT similar FROM a, b",
            "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b)",
            "SELECT a FROM t GROUP BY all_of_it",
            "SELECT a AS qualify, limit FROM t LIMIT 3",
        ] {
            parse::statement(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
    }
}
