//! Trino's text into a syntax tree. The parser knows many dialects but not all of Trino's, so some
//! tokens are put into a shape it knows first; tokens, never text, so that strings stay strings.

use std::any::TypeId;
use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{JoinConstraint, JoinOperator, Select, Spanned, Statement, Visitor};
use datafusion_sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::{balance, dialect, places, size, tokens, walk, weight};
use crate::local::athena::failure::{Failure, Spot};

/// How deep expressions may nest. The engine's threads have stacks for it.
const DEEPEST: usize = 400;

/// The name of a type that [`crate::local::athena::types`] reads, as it travels in the tree.
pub const TYPE_MARK: &str = "$type:";

/// Trino's dialect, as far as the parser has words for it.
#[derive(Debug)]
pub struct Trino;

impl Dialect for Trino {
    // The parser asks for the dialect by its type in some places: UNNEST in FROM among them.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, c: char) -> bool {
        c == '"'
    }

    fn is_identifier_start(&self, c: char) -> bool {
        c.is_alphabetic() || c == '_' || c == '$'
    }

    fn is_identifier_part(&self, c: char) -> bool {
        c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_select_expr_star(&self) -> bool {
        true
    }

    fn supports_explain_with_utility_options(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }
}

/// Reads one statement. `parameters` replace its `?`, in order; each is SQL text of a literal.
pub fn statement(sql: &str, parameters: &[String]) -> Result<Statement, Failure> {
    let tokens = read(sql)?;
    dialect::check(&tokens, sql)?;
    let tokens = fill(tokens, parameters)?;
    size::check(&tokens)?;
    let tokens = tokens::prepare(tokens);
    let mut parser =
        Parser::new(&Trino).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens.clone());
    let mut statements = parser.parse_statements().map_err(|e| failure(&e, sql))?;
    match statements.len() {
        1 => {
            let mut statement = statements.remove(0);
            joined(&statement, &tokens)?;
            balance::balance(&mut statement);
            weight::check(&statement)?;
            places::mark(&mut statement, &tokens);
            Ok(statement)
        }
        0 => Err(Failure::malformed(Spot { line: 1, column: 1 }, "The query string is empty")),
        _ => Err(Failure::malformed(
            Spot { line: 1, column: 1 },
            "Only one sql statement is allowed. Got: ".to_owned() + sql.trim(),
        )),
    }
}

/// Refuses a join that says not by what.
fn joined(statement: &Statement, tokens: &[TokenWithSpan]) -> Result<(), Failure> {
    struct Joins<'a>(&'a [TokenWithSpan]);
    impl Visitor for Joins<'_> {
        type Break = Failure;

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Failure> {
            for join in select.from.iter().flat_map(|item| &item.joins) {
                use JoinOperator::*;
                let (Join(JoinConstraint::None)
                | Inner(JoinConstraint::None)
                | Left(JoinConstraint::None)
                | LeftOuter(JoinConstraint::None)
                | Right(JoinConstraint::None)
                | RightOuter(JoinConstraint::None)
                | FullOuter(JoinConstraint::None)) = &join.join_operator
                else {
                    continue;
                };
                let end = join.relation.span().end;
                let mut rest = self.0.iter().filter(|t| !matches!(t.token, Token::Whitespace(_)));
                let next = rest.find(|t| {
                    let at = t.span.start;
                    (at.line, at.column) >= (end.line, end.column) && t.token != Token::RParen
                });
                let (found, at) = match next {
                    Some(next) if next.token != Token::EOF => (next.token.to_string(), next.span.start),
                    _ => ("<EOF>".to_owned(), end),
                };
                let spot = spot(at).unwrap_or(Spot { line: 1, column: 1 });
                let message = format!("mismatched input '{found}'. Expecting: 'ON', 'USING'");
                return ControlFlow::Break(Failure::malformed(spot, message));
            }
            ControlFlow::Continue(())
        }
    }
    match walk::visit(statement, &mut Joins(tokens)) {
        ControlFlow::Break(failure) => Err(failure),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn read(sql: &str) -> Result<Vec<TokenWithSpan>, Failure> {
    Tokenizer::new(&Trino, sql).tokenize_with_location().map_err(|error| {
        let spot = Spot { line: error.location.line as usize, column: error.location.column as usize };
        Failure::malformed(spot, format!("mismatched input: {}", error.message))
    })
}

/// The parser's complaint as Trino would place it.
fn failure(error: &ParserError, sql: &str) -> Failure {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => {
            return Failure::malformed(
                Spot { line: 1, column: 1 },
                format!(
                    "statement is too large (stack overflow while parsing; expressions may nest {DEEPEST} deep)"
                ),
            );
        }
    };
    let (text, mut spot) = match text.rsplit_once(" at Line: ") {
        Some((text, place)) => {
            let mut numbers = place.split(", Column: ").map(|n| n.trim().parse().unwrap_or(1));
            let spot = Spot { line: numbers.next().unwrap_or(1), column: numbers.next().unwrap_or(1) };
            (text.to_owned(), spot)
        }
        // The end of the text has no place of its own.
        None => (text, Spot::of(sql, sql.trim_end_matches([';', ' ', '\n']).len())),
    };
    let rest = text.strip_prefix("Expected: ").or_else(|| text.strip_prefix("Expected "));
    let message = match rest.and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((expected, found)) => {
            // Some complaints are placed one token too late.
            spot = at_or_before(found, spot, sql);
            let found = if found == "EOF" { "<EOF>" } else { found };
            format!("mismatched input '{found}'. Expecting: {expected}")
        }
        None => text,
    };
    Failure::malformed(spot, message)
}

/// The last place of a token's text up to a place.
fn at_or_before(found: &str, spot: Spot, sql: &str) -> Spot {
    let tokens = crate::sql::lexer::lex(sql);
    let places =
        tokens.iter().filter(|t| t.of(sql).eq_ignore_ascii_case(found)).map(|t| Spot::of(sql, t.start));
    let mut before = places.filter(|p| (p.line, p.column) <= (spot.line, spot.column));
    before.next_back().unwrap_or(spot)
}

/// Puts the parameters in the places of `?`.
fn fill(tokens: Vec<TokenWithSpan>, parameters: &[String]) -> Result<Vec<TokenWithSpan>, Failure> {
    let is_place = |t: &TokenWithSpan| matches!(&t.token, Token::Placeholder(p) if p == "?");
    let places = tokens.iter().filter(|t| is_place(t)).count();
    if places != parameters.len() {
        let message =
            format!("Incorrect number of parameters: expected {places} but found {}", parameters.len());
        return Err(Failure::new("INVALID_PARAMETER_USAGE", message));
    }
    let mut values = parameters.iter();
    let mut filled = Vec::with_capacity(tokens.len());
    for token in tokens {
        if !is_place(&token) {
            filled.push(token);
            continue;
        }
        let text = values.next().map(String::as_str).unwrap_or_default();
        let mut value: Vec<TokenWithSpan> =
            read(text)?.into_iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).collect();
        if value.iter().any(|t| matches!(t.token, Token::SemiColon)) || value.is_empty() {
            return Err(Failure::new("INVALID_PARAMETER_USAGE", format!("{text:?} is not an expression")));
        }
        value.iter_mut().for_each(|t| t.span = token.span);
        if value.len() == 1 {
            filled.append(&mut value);
        } else {
            filled.push(TokenWithSpan::new(Token::LParen, token.span));
            filled.append(&mut value);
            filled.push(TokenWithSpan::new(Token::RParen, token.span));
        }
    }
    Ok(filled)
}

/// The place where something begins.
pub fn spot(location: Location) -> Option<Spot> {
    (location.line > 0).then_some(Spot { line: location.line as usize, column: location.column as usize })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(sql: &str) -> String {
        statement(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e}")).to_string()
    }

    #[test]
    fn trinos_own_syntax_is_read() {
        for sql in [
            "SELECT a FROM t CROSS JOIN UNNEST(x, y) WITH ORDINALITY AS u(p, q, n)",
            "SELECT reduce(s, 0, (acc, x) -> acc + length(x), acc -> acc)",
            "SELECT filter(a, x -> x.b < 'c')[1].d",
            "SELECT element_at(a, 1).b, f.a[1].b FROM f",
            "SELECT IF(a > 1, 'x', 'y'), map(ARRAY['a'], ARRAY[1])",
            "SELECT count(*) FILTER (WHERE a) FROM t OFFSET 10 LIMIT 3",
            "SELECT listagg(DISTINCT n, '; ') WITHIN GROUP (ORDER BY n) FROM t",
            "SELECT DATE '2026-01-01' + INTERVAL '6' MONTH, current_date",
            "SELECT a, grouping(a) FROM t GROUP BY GROUPING SETS ((a), ())",
        ] {
            reads(sql);
        }
        assert_eq!(reads("VALUES 1, (2)"), "VALUES (1), ((2))");
        assert!(
            reads("SELECT CAST(ROW(1) AS ROW(name VARCHAR, n INTEGER))").contains("$type:ROW ( name VARCHAR")
        );
    }

    #[test]
    fn mistakes_are_placed() {
        let failure = statement("SELECT FROM t WHERE", &[]).unwrap_err();
        assert!(failure.is_malformed(), "{failure}");
        let failure = statement("SELEC 1", &[]).unwrap_err();
        assert!(failure.detail().starts_with("line 1:1: mismatched input 'SELEC'"), "{failure}");
        assert!(statement("SELECT 1; SELECT 2", &[]).is_err());
    }

    #[test]
    fn parameters_fill_places() {
        let filled = statement("SELECT ? + ?", &["'a?'".into(), "1 + 2".into()]).unwrap();
        // An operator is followed by its spot, which is not what is asked here.
        let spots = regex::Regex::new(r"@\d+:\d+").unwrap();
        assert_eq!(spots.replace_all(&filled.to_string(), ""), "SELECT 'a?' + (1 + 2)");
        assert!(statement("SELECT ?", &[]).is_err());
        assert!(statement("SELECT ?", &["1; DROP TABLE t".into()]).is_err());
    }
}
