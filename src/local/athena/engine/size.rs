//! How deep a statement's tree will be, from its tokens: what is too deep is refused before it is built,
//! since a tree of that depth cannot even be dropped safely.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::local::athena::failure::{Failure, Spot};

/// The greatest depth: operators in a row count as much as parentheses. The planner asks for the type of
/// each part again and again, so that its time grows with the square.
const DEEPEST: usize = 1_500;

/// One level of parentheses.
#[derive(Default)]
struct Level {
    /// Operators of the expression so far.
    operators: usize,
    /// Set operations and relations of the query so far.
    parts: usize,
    in_from: bool,
}

/// Refuses a statement that would be too deep.
pub fn check(tokens: &[TokenWithSpan]) -> Result<(), Failure> {
    let mut levels = vec![Level::default()];
    let mut depth = 0usize;
    for token in tokens {
        let Some(level) = levels.last_mut() else { break };
        let before = level.operators + level.parts;
        match &token.token {
            Token::LParen | Token::LBracket => {
                let subscript = usize::from(token.token == Token::LBracket);
                level.operators += subscript;
                depth += 1 + subscript;
                levels.push(Level::default());
                if depth > DEEPEST {
                    return Err(too_deep(token));
                }
                continue;
            }
            Token::RParen | Token::RBracket => {
                if levels.len() > 1
                    && let Some(closed) = levels.pop()
                {
                    depth = depth.saturating_sub(closed.operators + closed.parts + 1);
                }
                continue;
            }
            Token::Comma if level.in_from => level.parts += 1,
            Token::Comma => level.operators = 0,
            Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat
            | Token::Period => {
                level.operators += 1;
            }
            Token::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::CASE => level.operators += 1,
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                    *level = Level { parts: level.parts + 1, ..Level::default() };
                }
                Keyword::JOIN => level.parts += 1,
                Keyword::FROM => *level = Level { parts: level.parts, in_from: true, operators: 0 },
                Keyword::SELECT | Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
                    *level = Level { parts: level.parts, ..Level::default() };
                }
                _ => continue,
            },
            _ => continue,
        }
        depth = (depth + level.operators + level.parts).saturating_sub(before);
        if depth > DEEPEST {
            return Err(too_deep(token));
        }
    }
    Ok(())
}

fn too_deep(token: &TokenWithSpan) -> Failure {
    let at = token.span.start;
    let spot = Spot { line: at.line as usize, column: at.column as usize };
    Failure::malformed(spot, "statement is too large (stack overflow while parsing)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    fn fits(sql: &str) -> bool {
        let tokens = Tokenizer::new(&super::super::parse::Trino, sql).tokenize_with_location().unwrap();
        check(&tokens).is_ok()
    }

    #[test]
    fn chains_and_nests_are_counted_and_lists_are_not() {
        assert!(fits(&format!("SELECT x FROM t WHERE x IN ({})", vec!["1"; 50_000].join(", "))));
        assert!(fits(&format!("SELECT {}", vec!["a + b"; 20_000].join(", "))));
        assert!(fits(&vec!["SELECT (1 + 2) * (3 + 4)"; 1_000].join(" UNION ALL ")));
        for sql in [
            format!("SELECT {}", vec!["1"; 5_000].join(" + ")),
            format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
            vec!["SELECT 1"; 5_000].join(" UNION ALL "),
            format!("SELECT 1 FROM {}", vec!["t"; 5_000].join(", ")),
            format!("SELECT a{}", ".b".repeat(5_000)),
        ] {
            assert!(!fits(&sql));
        }
    }
}
