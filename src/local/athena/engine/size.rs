//! How deep a statement's tree will be, from its tokens: what is too deep is refused before it is built,
//! since a tree of that depth cannot even be dropped safely.

use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::local::athena::failure::{Failure, Spot};

/// The greatest depth, for which the engine's threads have stacks. Operators in a row count as much as
/// parentheses do: `1 + 1 + 1` is a tree of that many levels, and so is `1 IS NULL IS NULL`.
const DEEPEST: usize = 1_500;

/// The most columns of one SELECT: each is looked for among the others, again and again.
const WIDEST: usize = 10_000;

/// One level of parentheses, or of CASE.
#[derive(Default)]
struct Level {
    /// Operators of the expression so far.
    operators: usize,
    /// Set operations and relations of the query so far.
    parts: usize,
    /// How many BETWEEN wait for their AND.
    ranges: usize,
    in_from: bool,
    /// Columns of its SELECT so far, while they are being named.
    columns: Option<usize>,
    /// Opened by CASE, not by a parenthesis.
    case: bool,
    /// Whether a value stands just before: then a word is an operator, and else it may be a name.
    after_value: bool,
}

impl Level {
    fn depth(&self) -> usize {
        self.operators + self.parts
    }

    /// Goes on with an expression beside the last one.
    fn beside(&mut self) {
        (self.operators, self.ranges, self.after_value) = (0, 0, false);
    }

    fn operator(&mut self) {
        self.operators += 1;
        self.after_value = false;
    }

    /// Takes in a token that opens and closes nothing.
    fn take(&mut self, token: &Token) {
        let word = match token {
            Token::Comma if self.in_from => return self.parts += 1,
            Token::Comma if self.columns.is_some() => {
                self.columns = self.columns.map(|n| n + 1);
                return self.beside();
            }
            Token::Comma | Token::SemiColon => return self.beside(),
            Token::Whitespace(_) | Token::EOF => return,
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => {
                return self.after_value = true;
            }
            Token::Word(word) if word.quote_style.is_some() => return self.after_value = true,
            Token::Word(word) => word.keyword,
            _ => return self.operator(),
        };
        match word {
            Keyword::NoKeyword => self.after_value = true,
            Keyword::BETWEEN => {
                self.operator();
                self.ranges += 1;
            }
            Keyword::AND if self.ranges > 0 => {
                self.ranges -= 1;
                self.after_value = false;
            }
            // Long chains of these are balanced before anything descends them.
            Keyword::AND | Keyword::OR | Keyword::WHEN | Keyword::THEN | Keyword::ELSE => self.beside(),
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                *self = Level { parts: self.parts + 1, case: self.case, ..Level::default() };
            }
            Keyword::JOIN => {
                self.beside();
                self.parts += 1;
            }
            Keyword::FROM => {
                self.beside();
                (self.in_from, self.columns) = (true, None);
            }
            Keyword::SELECT => {
                self.beside();
                (self.in_from, self.columns) = (false, Some(1));
            }
            Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
                self.beside();
                (self.in_from, self.columns) = (false, None);
            }
            Keyword::NOT | Keyword::INTERVAL => self.operator(),
            _ if self.after_value => self.operator(),
            _ => self.after_value = true,
        }
    }
}

/// Refuses a statement that would be too deep.
pub fn check(tokens: &[TokenWithSpan]) -> Result<(), Failure> {
    let mut levels = vec![Level::default()];
    let mut depth = 0usize;
    for token in tokens {
        let keyword = match &token.token {
            Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
            _ => None,
        };
        let opens = matches!(token.token, Token::LParen | Token::LBracket | Token::LBrace)
            || keyword == Some(Keyword::CASE);
        let ends = keyword == Some(Keyword::END) && levels.last().is_some_and(|level| level.case);
        let closes = ends || matches!(token.token, Token::RParen | Token::RBracket | Token::RBrace);
        while closes && levels.len() > 1 {
            let Some(closed) = levels.pop() else { break };
            depth = depth.saturating_sub(closed.depth() + 1);
            // A parenthesis ends what was left open in it.
            if ends || !closed.case {
                break;
            }
        }
        let Some(level) = levels.last_mut() else { break };
        let before = level.depth();
        level.after_value |= closes;
        if token.token == Token::LBracket {
            // `a[1][2]` is one in the other.
            level.operators += 1;
        } else if !opens && !closes {
            level.take(&token.token);
        }
        if level.columns.is_some_and(|n| n > WIDEST) {
            return Err(too_large(token, "a SELECT has too many columns"));
        }
        depth = (depth + level.depth()).saturating_sub(before);
        if opens {
            levels.push(Level { case: keyword == Some(Keyword::CASE), ..Level::default() });
            depth += 1;
        }
        if depth > DEEPEST {
            return Err(too_deep(token));
        }
    }
    Ok(())
}

fn too_deep(token: &TokenWithSpan) -> Failure {
    too_large(token, "stack overflow while parsing")
}

fn too_large(token: &TokenWithSpan, why: &str) -> Failure {
    let at = token.span.start;
    let spot = Spot { line: at.line as usize, column: at.column as usize };
    Failure::malformed(spot, format!("statement is too large ({why})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion_sql::sqlparser::tokenizer::Tokenizer;

    fn fits(sql: &str) -> bool {
        let tokens = Tokenizer::new(&super::super::parse::Trino, sql).tokenize_with_location().unwrap();
        check(&tokens).is_ok()
    }

    #[test]
    fn chains_and_nests_are_counted_and_lists_are_not() {
        assert!(fits(&format!("SELECT x FROM t WHERE x IN ({})", vec!["1"; 50_000].join(", "))));
        assert!(fits(&format!("SELECT {}", vec!["a + b"; 9_000].join(", "))));
        assert!(fits(&format!("SELECT 1 FROM (VALUES {})", vec!["(1, 2)"; 20_000].join(", "))));
        assert!(fits(&vec!["SELECT (1 + 2) * (3 + 4)"; 1_000].join(" UNION ALL ")));
        // `id` and `type` are words that the parser knows.
        assert!(fits(&format!("SELECT {}", vec!["id"; 1_400].join(" + "))));
        assert!(fits(&format!("SELECT 1 WHERE {}", vec!["type = 'a'"; 5_000].join(" OR "))));
        assert!(fits(&format!("SELECT 1 WHERE {}", vec!["NOT a BETWEEN 1 AND 2"; 5_000].join(" OR "))));
        assert!(fits(&format!("SELECT CASE {} END", "WHEN a = 1 THEN 2 ".repeat(5_000))));
        for sql in [
            format!("SELECT {}", vec!["1"; 5_000].join(" + ")),
            format!("SELECT {}", vec!["1"; 5_000].join(" = ")),
            format!("SELECT {}", vec!["1"; 5_000].join("->")),
            format!("SELECT 1{}", " IS NULL".repeat(5_000)),
            format!("SELECT 1{}", " IN (1)".repeat(5_000)),
            format!("SELECT 1{}", " BETWEEN 1 AND 1".repeat(5_000)),
            format!("SELECT x{}", " AT TIME ZONE 'UTC'".repeat(5_000)),
            format!("SELECT {}1", "NOT ".repeat(5_000)),
            format!("SELECT {} 1", "CASE WHEN a THEN ".repeat(5_000)),
            format!("SELECT {}", "(end + ".repeat(5_000)),
            format!("SELECT a{}", "[1]".repeat(5_000)),
            format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
            vec!["SELECT 1"; 5_000].join(" UNION ALL "),
            format!("SELECT 1 FROM {}", vec!["t"; 5_000].join(", ")),
            format!("SELECT 1 FROM t {}", "CROSS JOIN t ".repeat(5_000)),
            format!("SELECT a{}", ".b".repeat(5_000)),
            format!("SELECT {}", vec!["a"; 20_000].join(", ")),
        ] {
            assert!(!fits(&sql));
        }
    }
}
