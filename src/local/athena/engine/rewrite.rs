//! Trino's tree into the engine's: names, subscripts, lambdas and functions that differ.
//!
//! The pass is by syntax alone; what needs types is decided in [`super::planner`]. Functions of ours
//! that no query may name begin with `$`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::*;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::calls;
use super::joins;
use super::parse::TYPE_MARK;
use crate::local::athena::failure::Failure;

/// Rewrites a query in place; answers the names of its columns where the text gives them.
pub fn query(query: &mut Query) -> Result<Vec<Option<String>>, Failure> {
    let names = output_names(&query.body);
    let mut rewriter = Rewriter { scopes: Vec::new(), lambdas: Vec::new(), counter: 0 };
    match VisitMut::visit(query, &mut rewriter) {
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

/// The column names of a query as its text gives them: aliases and names as written, NULL for what
/// Athena numbers (`_col0`). Empty when a `*` hides how many there are.
fn output_names(body: &SetExpr) -> Vec<Option<String>> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return output_names(&query.body),
        SetExpr::SetOperation { left, .. } => return output_names(left),
        _ => return Vec::new(),
    };
    let mut names = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => names.push(natural_name(expr)),
            SelectItem::ExprWithAlias { alias, .. } => names.push(Some(alias.value.clone())),
            _ => return Vec::new(),
        }
    }
    names
}

/// The name Trino gives an expression without an alias: that of its last field.
fn natural_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|p| p.value.clone()),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(name))) => Some(name.value.clone()),
            _ => None,
        },
        Expr::Nested(inner) => natural_name(inner),
        _ => None,
    }
}

/// The prefix of names given to columns that have none.
pub const UNNAMED: &str = "_col";

struct Rewriter {
    /// The names of relations in scope, the innermost query last.
    scopes: Vec<Vec<String>>,
    /// The parameters of the lambdas around the current expression.
    lambdas: Vec<Vec<String>>,
    counter: usize,
}

impl Rewriter {
    fn is_relation(&self, name: &str) -> bool {
        self.scopes.iter().rev().any(|scope| scope.iter().any(|n| n == name))
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
        fields.into_iter().fold(root, |of, field| call("get_field", vec![of, text(&field.value)], field.span))
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
            Expr::Value(ValueWithSpan { value: Value::Number(digits, long), span }) => {
                if digits.contains(['e', 'E']) {
                    call(
                        "$cast",
                        vec![text(&digits), text("double"), Expr::Value(Value::Boolean(false).into())],
                        span,
                    )
                } else {
                    Expr::Value(ValueWithSpan { value: Value::Number(digits, long), span })
                }
            }
            Expr::Cast { kind, expr, data_type, .. } => cast(kind, *expr, &data_type)?,
            Expr::Array(array) => call("make_array", array.elem, Span::empty()),
            Expr::Tuple(values) => call("row", values, Span::empty()),
            Expr::Extract { field, expr, .. } => {
                let name = match field {
                    DateTimeField::Dow => "day_of_week".to_owned(),
                    DateTimeField::Doy => "day_of_year".to_owned(),
                    field => field.to_string().to_lowercase(),
                };
                call(&name, vec![*expr], Span::empty())
            }
            Expr::Position { expr, r#in } => call("strpos", vec![*r#in, *expr], Span::empty()),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut args = vec![*expr];
                args.extend(substring_from.map(|e| *e));
                args.extend(substring_for.map(|e| *e));
                call("substr", args, Span::empty())
            }
            Expr::Ceil { expr, .. } => call("ceil", vec![*expr], Span::empty()),
            Expr::Floor { expr, .. } => call("floor", vec![*expr], Span::empty()),
            Expr::AtTimeZone { timestamp, time_zone } => {
                call("at_timezone", vec![*timestamp, *time_zone], Span::empty())
            }
            Expr::Function(function) => calls::rewrite(function)?,
            other => other,
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
                    call("get_field", vec![of, text(&name.value.to_lowercase())], name.span)
                }
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    call("$subscript", vec![of, index], Span::empty())
                }
                other => return Err(Failure::syntax(format!("'{of}{other}' cannot be resolved"))),
            };
        }
        Ok(of)
    }

    fn name_columns(&mut self, select: &mut Select) {
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => fold(alias),
                SelectItem::UnnamedExpr(expr) => {
                    let plain = match &*expr {
                        Expr::Identifier(name) => !self.is_parameter(&name.value.to_lowercase()),
                        Expr::CompoundIdentifier(parts) => {
                            parts.len() == 2 && self.is_relation(&parts[0].value.to_lowercase())
                                || parts.len() == 3 && self.is_relation(&parts[1].value.to_lowercase())
                        }
                        _ => false,
                    };
                    if plain {
                        continue;
                    }
                    let name = natural_name(expr).map(|n| n.to_lowercase()).unwrap_or_else(|| {
                        self.counter += 1;
                        format!("{UNNAMED}{}", self.counter - 1)
                    });
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
    alias.columns.iter_mut().for_each(|c| fold(&mut c.name));
}

/// The relations that a FROM clause names.
fn relations(from: &[TableWithJoins], into: &mut Vec<String>) {
    fn factor(of: &TableFactor, into: &mut Vec<String>) {
        match of {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => into.push(alias.name.value.to_lowercase()),
            TableFactor::Table { name, .. } => {
                if let Some(ObjectNamePart::Identifier(last)) = name.0.last() {
                    into.push(last.value.to_lowercase());
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => one(table_with_joins, into),
            _ => {}
        }
    }
    fn one(of: &TableWithJoins, into: &mut Vec<String>) {
        factor(&of.relation, into);
        of.joins.iter().for_each(|join| factor(&join.relation, into));
    }
    from.iter().for_each(|item| one(item, into));
}

fn cast(kind: CastKind, expr: Expr, data_type: &DataType) -> Result<Expr, Failure> {
    let name = data_type.to_string();
    let name = name.trim_matches('"');
    let name = name.strip_prefix(TYPE_MARK).unwrap_or(name).replace("\"\"", "\"");
    let lenient = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
    let lenient = Expr::Value(Value::Boolean(lenient).into());
    Ok(call("$cast", vec![expr, text(&name), lenient], Span::empty()))
}

fn flow(result: Result<(), Failure>) -> ControlFlow<Failure> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => ControlFlow::Break(failure),
    }
}

impl VisitorMut for Rewriter {
    type Break = Failure;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Failure> {
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            fold_alias(&mut cte.alias);
        }
        // ORDER BY sees the relations of the SELECT it belongs to.
        let mut scope = Vec::new();
        if let SetExpr::Select(select) = &*query.body {
            relations(&select.from, &mut scope);
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Failure> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Failure> {
        let mut scope = Vec::new();
        relations(&select.from, &mut scope);
        self.scopes.push(scope);
        self.name_columns(select);
        for window in &mut select.named_window {
            fold(&mut window.0);
        }
        flow(joins::nest(&mut select.from))
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<Failure> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<Failure> {
        fold_name(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Failure> {
        match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => fold_alias(alias),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Failure> {
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
