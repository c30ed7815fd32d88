//! Trino's tree into the engine's: names, subscripts, lambdas and functions that differ.
//!
//! The pass is by syntax alone; what needs types is decided in [`super::planner`]. Functions of ours
//! that no query may name begin with `$`.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::*;
use datafusion_sql::sqlparser::tokenizer::Span;

use super::calls;
use super::forms;
use super::groups;
use super::joins;
use super::literals;
use super::names::{self, Unique};
use super::places;
use super::scopes::{self, Columns, relations, tables};
use super::shapes;
use super::walk;
use crate::local::athena::failure::Failure;

/// What is known of the tables that a query names.
pub trait Tables {
    /// Whether the table has the hidden column `"$path"`.
    fn hides(&self, name: &ObjectName) -> bool;
    /// The names of its columns, in lower case; `None` when there is no such table.
    fn columns(&self, name: &ObjectName) -> Columns;
}

/// Rewrites a query in place; answers the names of its columns where the text gives them.
pub fn query(query: &mut Query, tables: &dyn Tables) -> Result<Vec<Option<String>>, Failure> {
    let names = names::output(&query.body);
    let mut rewriter =
        Rewriter { scopes: Vec::new(), lambdas: Vec::new(), ctes: Vec::new(), counter: 0, tables };
    match walk::visit_mut(query, &mut rewriter) {
        ControlFlow::Continue(()) => Ok(names),
        ControlFlow::Break(failure) => Err(failure),
    }
}

/// A name as the catalog and the engine know it: lower case, and never to be folded again.
pub fn fold(ident: &mut Ident) {
    ident.value = ident.value.to_lowercase();
    ident.quote_style = Some('"');
}

pub fn ident(name: &str, span: Span) -> Ident {
    Ident { value: name.to_owned(), quote_style: Some('"'), span }
}

/// A call of an engine's function.
pub fn call(name: &str, args: Vec<Expr>, span: Span) -> Expr {
    let args = args.into_iter().map(|a| FunctionArg::Unnamed(FunctionArgExpr::Expr(a))).collect();
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(ident(name, span))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

pub fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

pub fn number(value: i64) -> Expr {
    Expr::Value(Value::Number(value.to_string(), false).into())
}

/// The prefix of names given to columns that have none.
pub const UNNAMED: &str = "_col";

struct Rewriter<'a> {
    /// The names of relations in scope, the innermost query last.
    scopes: Vec<Vec<String>>,
    /// The parameters of the lambdas around the current expression.
    lambdas: Vec<Vec<String>>,
    /// Names of WITH, which are no tables, with their columns.
    ctes: Vec<(String, Columns)>,
    counter: usize,
    tables: &'a dyn Tables,
}

impl Rewriter<'_> {
    fn is_relation(&self, name: &str) -> bool {
        self.scopes.iter().rev().any(|scope| scope.iter().any(|n| n == name))
    }

    /// The columns of a WITH query; `None` when a table is meant.
    fn cte(&self, name: &ObjectName) -> Option<&Columns> {
        let [ObjectNamePart::Identifier(name)] = name.0.as_slice() else { return None };
        let name = name.value.to_lowercase();
        self.ctes.iter().rev().find(|(known, _)| *known == name).map(|(_, columns)| columns)
    }

    /// The columns of a table or of a WITH query.
    fn columns(&self, name: &ObjectName) -> Columns {
        match self.cte(name) {
            Some(columns) => columns.clone(),
            None => self.tables.columns(name),
        }
    }

    fn is_parameter(&self, name: &str) -> bool {
        self.lambdas.iter().any(|params| params.iter().any(|p| p == name))
    }

    /// `a.b.c`: a column of a relation and fields of it, or a column and fields of it.
    fn compound(&self, mut parts: Vec<Ident>) -> Expr {
        parts.iter_mut().for_each(fold);
        let first = parts[0].value.clone();
        let column = if self.is_parameter(&first) {
            1
        } else if self.is_relation(&first) {
            2
        } else if parts.len() > 2 && self.is_relation(&parts[1].value) {
            // database.table.column
            3
        } else {
            1
        };
        let fields = parts.split_off(column.min(parts.len()));
        let root = match parts.len() {
            1 => Expr::Identifier(parts.remove(0)),
            _ => Expr::CompoundIdentifier(parts),
        };
        let at = root.span();
        fields.into_iter().fold(root, |of, field| places::field(of, &field.value, at))
    }

    fn expression(&mut self, expr: &mut Expr) -> Result<(), Failure> {
        let taken = std::mem::replace(expr, Expr::Value(Value::Null.into()));
        *expr = match taken {
            Expr::Identifier(mut name) => {
                // `current_date` and its like are calls without parentheses.
                fold(&mut name);
                Expr::Identifier(name)
            }
            Expr::CompoundIdentifier(parts) => self.compound(parts),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(*root, access_chain)?,
            Expr::Value(ValueWithSpan { value: Value::Number(digits, _), span }) => {
                literals::number(&digits, span.start)
            }
            Expr::Value(ValueWithSpan { value: Value::UnicodeStringLiteral(value), .. }) => text(&value),
            Expr::Value(ValueWithSpan { value: Value::HexStringLiteral(digits), span }) => {
                call("from_hex", vec![text(&digits)], span)
            }
            Expr::Interval(interval) => literals::interval(interval)?,
            Expr::Cast { kind, expr, data_type, .. } => calls::cast(kind, *expr, &data_type),
            Expr::Array(array) => call("make_array", array.elem, Span::empty()),
            Expr::Tuple(values) => call("row", values, Span::empty()),
            Expr::Function(function) => calls::rewrite(function)?,
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                shapes::like(negated, *expr, *pattern, escape_char.map(Expr::Value))
            }
            Expr::InList { expr, list, negated } if shapes::has_parts(&expr, &list) => {
                shapes::one_of(*expr, list, negated)
            }
            other => forms::call_of(other),
        };
        Ok(())
    }

    fn access(&self, root: Expr, chain: Vec<AccessExpr>) -> Result<Expr, Failure> {
        let mut chain = chain.into_iter().peekable();
        // Leading names belong together: f.accreditations[1].
        let mut names = match root {
            Expr::Identifier(name) => vec![name],
            Expr::CompoundIdentifier(names) => names,
            other => return self.chain(other, chain),
        };
        while let Some(AccessExpr::Dot(Expr::Identifier(_))) = chain.peek() {
            if let Some(AccessExpr::Dot(Expr::Identifier(name))) = chain.next() {
                names.push(name);
            }
        }
        let root = self.compound(names);
        self.chain(root, chain)
    }

    fn chain(&self, root: Expr, chain: impl Iterator<Item = AccessExpr>) -> Result<Expr, Failure> {
        let mut of = root;
        for access in chain {
            of = match access {
                AccessExpr::Dot(Expr::Identifier(name)) => {
                    places::field(of, &name.value.to_lowercase(), name.span)
                }
                AccessExpr::Subscript(Subscript::Index { index }) => places::subscript(of, index),
                other => return Err(Failure::syntax(format!("'{of}{other}' cannot be resolved"))),
            };
        }
        Ok(of)
    }

    fn name_columns(&mut self, select: &mut Select) {
        let columns = |name: &ObjectName| self.columns(name);
        let mut unique = Unique::among(scopes::stars(select, &columns));
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => {
                    fold(alias);
                    alias.value = unique.of(std::mem::take(&mut alias.value));
                }
                SelectItem::UnnamedExpr(expr) => {
                    let plain = match &*expr {
                        Expr::Identifier(name) => !self.is_parameter(&name.value.to_lowercase()),
                        Expr::CompoundIdentifier(parts) => {
                            parts.len() == 2 && self.is_relation(&parts[0].value.to_lowercase())
                                || parts.len() == 3 && self.is_relation(&parts[1].value.to_lowercase())
                        }
                        _ => false,
                    };
                    let natural = names::natural(expr).map(|n| n.to_lowercase()).unwrap_or_else(|| {
                        self.counter += 1;
                        format!("{UNNAMED}{}", self.counter - 1)
                    });
                    let name = unique.of(natural.clone());
                    if plain && name == natural {
                        continue;
                    }
                    let taken = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                    *item = SelectItem::ExprWithAlias { expr: taken, alias: ident(&name, Span::empty()) };
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    fold_name(name);
                }
                _ => {}
            }
        }
    }

    /// `*` leaves out the hidden column of the one table that has it.
    fn hide_path(&self, select: &mut Select) {
        let hidden = tables(&select.from)
            .into_iter()
            .filter(|n| self.cte(n).is_none() && self.tables.hides(n))
            .count();
        for item in &mut select.projection {
            if let (SelectItem::Wildcard(options), 1) = (item, hidden) {
                options.opt_exclude =
                    Some(ExcludeSelectItem::Single(ObjectName(vec![ObjectNamePart::Identifier(ident(
                        super::scan::PATH,
                        Span::empty(),
                    ))])));
            }
        }
    }
}

fn fold_name(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(part) = part {
            fold(part);
        }
    }
}

fn fold_alias(alias: &mut TableAlias) {
    fold(&mut alias.name);
    let mut unique = Unique::default();
    for column in &mut alias.columns {
        fold(&mut column.name);
        column.name.value = unique.of(std::mem::take(&mut column.name.value));
    }
}

fn flow(result: Result<(), Failure>) -> ControlFlow<Failure> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => ControlFlow::Break(failure),
    }
}

impl VisitorMut for Rewriter<'_> {
    type Break = Failure;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Failure> {
        let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            fold_alias(&mut cte.alias);
            let columns = scopes::renamed(&cte.alias).or_else(|| scopes::output(&cte.query));
            let open = columns.is_none() && !recursive;
            self.ctes.push((cte.alias.name.value.clone(), columns));
            // As a subquery of FROM its columns are told apart.
            if open && let Err(failure) = shapes::derive(&mut cte.query) {
                return ControlFlow::Break(failure);
            }
        }
        if let Err(failure) =
            groups::order(query, &|name| self.columns(name)).and_then(|()| shapes::query(query))
        {
            return ControlFlow::Break(failure);
        }
        // ORDER BY sees the relations of the SELECT it belongs to.
        let mut scope = Vec::new();
        if let SetExpr::Select(select) = &*query.body {
            relations(&select.from, &mut scope);
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Failure> {
        self.scopes.pop();
        shapes::plain_positions(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Failure> {
        let mut scope = Vec::new();
        relations(&select.from, &mut scope);
        self.scopes.push(scope);
        groups::distinct(select);
        let columns = |name: &ObjectName| self.columns(name);
        if let Err(failure) = groups::check(select, &columns) {
            return ControlFlow::Break(failure);
        }
        shapes::select(select);
        self.hide_path(select);
        self.name_columns(select);
        for window in &mut select.named_window {
            fold(&mut window.0);
        }
        for item in &mut select.from {
            let joined = item.joins.iter_mut().map(|join| &mut join.relation);
            for factor in std::iter::once(&mut item.relation).chain(joined) {
                self.counter += 1;
                if let Err(failure) = shapes::lateral(factor, self.counter) {
                    return ControlFlow::Break(failure);
                }
            }
        }
        flow(joins::nest(&mut select.from))
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Failure> {
        self.scopes.pop();
        shapes::plain_groups(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<Failure> {
        fold_name(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Failure> {
        if let Err(failure) = shapes::sample(factor) {
            return ControlFlow::Break(failure);
        }
        match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => fold_alias(alias),
            // What it selects from is not to be seen from outside.
            TableFactor::Derived { alias: alias @ None, .. } => {
                self.counter += 1;
                let name = ident(&format!("$derived{}", self.counter), Span::empty());
                *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Failure> {
        literals::sign(expr);
        if let Err(failure) = shapes::row_membership(expr) {
            return ControlFlow::Break(failure);
        }
        if let Expr::Lambda(lambda) = expr {
            match &mut lambda.params {
                OneOrManyWithParens::One(param) => fold(&mut param.name),
                OneOrManyWithParens::Many(params) => params.iter_mut().for_each(|p| fold(&mut p.name)),
            }
            self.lambdas.push(lambda.params.iter().map(|p| p.name.value.clone()).collect());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Failure> {
        if let Expr::Lambda(_) = expr {
            self.lambdas.pop();
        }
        flow(self.expression(expr))
    }
}
