//! The names of a query's columns, as its text gives them.

use std::collections::HashMap;

use datafusion_sql::sqlparser::ast::*;

/// The column names of a query as its text gives them: aliases and names as written, NULL for what
/// Athena numbers (`_col0`). Empty when a `*` hides how many there are.
pub fn output(body: &SetExpr) -> Vec<Option<String>> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return output(&query.body),
        SetExpr::SetOperation { left, .. } => return output(left),
        // VALUES has columns without names.
        SetExpr::Values(values) => return vec![None; values.rows.first().map_or(0, |row| row.content.len())],
        _ => return Vec::new(),
    };
    let mut names = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => names.push(natural(expr)),
            SelectItem::ExprWithAlias { alias, .. } => names.push(Some(alias.value.clone())),
            _ => return Vec::new(),
        }
    }
    names
}

/// The name Trino gives an expression without an alias: that of its last field.
pub fn natural(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|p| p.value.clone()),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(name))) => Some(name.value.clone()),
            _ => None,
        },
        Expr::Nested(inner) => natural(inner),
        _ => None,
    }
}

/// Between a name and what makes it differ from others of its query: Trino lets columns share a name.
const AGAIN: char = '\u{1}';

/// A name that has come up before, told apart.
pub fn again(name: &str, count: usize) -> String {
    format!("{name}{AGAIN}{count}")
}

/// The name without what tells it apart.
pub fn shown(name: &str) -> &str {
    name.split(AGAIN).next().unwrap_or(name)
}

/// Gives every column a name of its own.
#[derive(Default)]
pub struct Unique {
    known: HashMap<String, usize>,
}

impl Unique {
    /// Beside columns of these names.
    pub fn among(names: Vec<String>) -> Unique {
        Unique { known: names.into_iter().map(|name| (name, 1)).collect() }
    }

    /// The name, told apart if it has come up before.
    pub fn of(&mut self, name: String) -> String {
        let count = self.known.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { again(&name, *count - 1) }
    }
}
