//! The engine's errors in Athena's words, with the place in the query.

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use super::words;
use crate::local::athena::failure::{Failure, Spot};
use crate::sql::lexer::{Kind, Token, lex};

/// What went wrong, for the query `sql`.
pub fn failure(error: &DataFusionError, sql: &str) -> Failure {
    let failure = translate(error, sql);
    match failure.spot {
        Some(_) => failure,
        None => match place(&failure, sql) {
            Some(spot) => failure.at(spot),
            None => failure,
        },
    }
}

/// The failure of ours that an error carries.
pub fn own(error: &DataFusionError) -> Option<&Failure> {
    match error {
        DataFusionError::External(inner) => {
            inner.downcast_ref::<Failure>().or_else(|| inner.downcast_ref::<DataFusionError>().and_then(own))
        }
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => own(inner),
        DataFusionError::Shared(inner) => own(inner),
        DataFusionError::Collection(all) => all.first().and_then(own),
        _ => None,
    }
}

fn translate(error: &DataFusionError, sql: &str) -> Failure {
    match error {
        DataFusionError::External(inner) => match inner.downcast_ref::<Failure>() {
            Some(failure) => failure.clone(),
            None => match inner.downcast_ref::<DataFusionError>() {
                Some(error) => translate(error, sql),
                None => Failure::internal(inner.to_string()),
            },
        },
        DataFusionError::Context(_, inner) => translate(inner, sql),
        DataFusionError::Diagnostic(diagnostic, inner) => {
            let failure = translate(inner, sql);
            match diagnostic.span {
                Some(span) if span.start.line > 0 => {
                    failure.or_at(Spot { line: span.start.line as usize, column: span.start.column as usize })
                }
                _ => failure,
            }
        }
        DataFusionError::Shared(inner) => translate(inner, sql),
        DataFusionError::Collection(all) => {
            all.first().map_or_else(|| Failure::internal("no error"), |first| translate(first, sql))
        }
        DataFusionError::ArrowError(inner, _) => arrow(inner, sql),
        DataFusionError::SchemaError(inner, _) => schema(inner, sql),
        DataFusionError::ResourcesExhausted(_) => {
            Failure::new("EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor")
        }
        DataFusionError::NotImplemented(what) => Failure::unsupported(words::plain(what)),
        DataFusionError::Plan(text) | DataFusionError::Execution(text) => words::failure(text, sql),
        other => words::failure(&other.strip_backtrace(), sql),
    }
}

fn arrow(error: &ArrowError, sql: &str) -> Failure {
    match error {
        ArrowError::DivideByZero => Failure::new("DIVISION_BY_ZERO", "Division by zero"),
        ArrowError::ArithmeticOverflow(what) => Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", what.clone()),
        ArrowError::CastError(what) => Failure::new("INVALID_CAST_ARGUMENT", what.clone()),
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(error) => translate(error, sql),
            None => match inner.downcast_ref::<Failure>() {
                Some(failure) => failure.clone(),
                None => Failure::internal(inner.to_string()),
            },
        },
        other => words::failure(&other.to_string(), sql),
    }
}

fn schema(error: &SchemaError, sql: &str) -> Failure {
    match error {
        SchemaError::FieldNotFound { field, .. } => {
            let name = match &field.relation {
                Some(relation) => format!("{}.{}", relation.table(), field.name),
                None => field.name.clone(),
            };
            unresolved(&name, sql)
        }
        SchemaError::AmbiguousReference { field } => {
            Failure::new("AMBIGUOUS_NAME", format!("Column '{}' is ambiguous", field.name))
        }
        SchemaError::DuplicateUnqualifiedField { name } => {
            Failure::new("DUPLICATE_COLUMN_NAME", format!("Column name '{name}' specified more than once"))
        }
        other => Failure::syntax(other.to_string()),
    }
}

/// A name as the query spells it, where the query spells more of it: `a.nope` for `a`.
pub fn unresolved(name: &str, sql: &str) -> Failure {
    Failure::syntax(format!("Column '{}' cannot be resolved", spelled(name, sql)))
}

fn spelled(name: &str, sql: &str) -> String {
    let tokens = lex(sql);
    let Some(first) = find(&tokens, sql, name) else { return name.to_owned() };
    let mut whole = name.to_owned();
    let mut rest = tokens[first + name.matches('.').count() * 2..].iter().skip(1);
    while let (Some(dot), Some(next)) = (rest.next(), rest.next()) {
        if dot.of(sql) != "." || !matches!(next.kind, Kind::Name | Kind::Quoted | Kind::Keyword) {
            break;
        }
        whole.push('.');
        whole.push_str(&plain(next, sql));
    }
    whole
}

fn plain(token: &Token, sql: &str) -> String {
    token.of(sql).trim_matches('"').to_lowercase()
}

/// The first token of a dotted name.
fn find(tokens: &[Token], sql: &str, name: &str) -> Option<usize> {
    let parts: Vec<&str> = name.split('.').collect();
    let fits = |at: usize| {
        parts.iter().enumerate().all(|(n, part)| {
            tokens.get(at + n * 2).is_some_and(|t| t.kind != Kind::Text && plain(t, sql) == *part)
                && (n == 0 || tokens.get(at + n * 2 - 1).is_some_and(|t| t.of(sql) == "."))
        })
    };
    (0..tokens.len()).find(|at| fits(*at))
}

/// The place of what a failure names in quotes.
fn place(failure: &Failure, sql: &str) -> Option<Spot> {
    const PLACED: [&str; 9] = [
        "SYNTAX_ERROR",
        "COLUMN_NOT_FOUND",
        "TABLE_NOT_FOUND",
        "SCHEMA_NOT_FOUND",
        "CATALOG_NOT_FOUND",
        "FUNCTION_NOT_FOUND",
        "AMBIGUOUS_NAME",
        "EXPRESSION_NOT_AGGREGATE",
        "TYPE_MISMATCH",
    ];
    if !PLACED.contains(&failure.name.as_str()) {
        return None;
    }
    if failure.message.contains("in UNION query") {
        return words::last("UNION", sql);
    }
    let tokens = lex(sql);
    let fallback = tokens.iter().find(|t| t.kind != Kind::Comment).map(|t| Spot::of(sql, t.start));
    let quoted = failure.message.split('\'').nth(1).or_else(|| {
        let (_, rest) = failure.message.split_once("for function ")?;
        rest.split(['.', ' ']).next()
    });
    let Some(quoted) = quoted else { return fallback };
    // The longest end of the name that the query spells: it may leave out catalog and database.
    let mut name = quoted;
    loop {
        if let Some(at) = find(&tokens, sql, name) {
            return Some(Spot::of(sql, tokens[at].start));
        }
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => return fallback,
        }
    }
}
