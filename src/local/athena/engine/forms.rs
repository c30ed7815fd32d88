//! Functions that have a syntax of their own, as calls: `trim(BOTH 'x' FROM y)`, `position(x IN y)`.

use datafusion_sql::sqlparser::ast::*;
use datafusion_sql::sqlparser::tokenizer::Span;

use super::rewrite::call;

/// The call that an expression stands for, or the expression itself.
pub fn call_of(expr: Expr) -> Expr {
    let (name, args) = match expr {
        Expr::Position { expr, r#in } => ("strpos", vec![*r#in, *expr]),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let rest = [substring_from, substring_for].into_iter().flatten().map(|e| *e);
            ("substr", std::iter::once(*expr).chain(rest).collect())
        }
        Expr::Ceil { expr, .. } => ("ceil", vec![*expr]),
        Expr::Floor { expr, .. } => ("floor", vec![*expr]),
        Expr::AtTimeZone { timestamp, time_zone } => ("at_timezone", vec![*timestamp, *time_zone]),
        Expr::Trim { expr, trim_where, trim_what, trim_characters } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "$ltrim",
                Some(TrimWhereField::Trailing) => "$rtrim",
                Some(TrimWhereField::Both) | None => "$trim",
            };
            let given = trim_what.map(|what| *what).into_iter().chain(trim_characters.into_iter().flatten());
            (name, std::iter::once(*expr).chain(given).collect())
        }
        other => return other,
    };
    call(name, args, Span::empty())
}
