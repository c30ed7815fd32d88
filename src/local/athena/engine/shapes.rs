//! Clauses that the engine does not have, as ones that it has: FETCH, TABLESAMPLE, EXCEPT ALL, LATERAL.

use datafusion_sql::sqlparser::ast::*;
use datafusion_sql::sqlparser::parser::Parser;

use super::parse::Trino;
use super::rewrite::{call, ident};
use super::{literals, names, places, walk};
use crate::local::athena::failure::Failure;
use datafusion_sql::sqlparser::tokenizer::Span;

/// A query of ours, in which other parts are put.
pub fn template(sql: &str) -> Result<Query, Failure> {
    let parsed = Parser::parse_sql(&Trino, sql).map_err(|e| Failure::internal(e.to_string()))?;
    match parsed.into_iter().next() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err(Failure::internal("a template is no query")),
    }
}

/// Puts a query in the place of the derived table `name`.
fn put(into: &mut Query, name: &str, what: Query) {
    struct Put<'a>(&'a str, Option<Query>);
    impl VisitorMut for Put<'_> {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> std::ops::ControlFlow<()> {
            if let TableFactor::Derived { subquery, alias: Some(alias), .. } = factor
                && alias.name.value == self.0
                && let Some(query) = self.1.take()
            {
                **subquery = query;
                return std::ops::ControlFlow::Break(());
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    // Breaking only ends the search.
    let _ = walk::visit_mut(into, &mut Put(name, Some(what)));
}

fn bare(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// `q` as `SELECT * FROM (q)`.
pub fn derive(query: &mut Query) -> Result<(), Failure> {
    let made = template("SELECT * FROM (SELECT 1) AS \"$with\"")?;
    let inner = std::mem::replace(query, made);
    put(query, "$with", inner);
    Ok(())
}

/// `(a, b) IN (SELECT x, y …)`: its rows as values.
pub fn row_membership(expr: &mut Expr) -> Result<(), Failure> {
    let Expr::InSubquery { expr: of, subquery, .. } = expr else { return Ok(()) };
    let width = match plain_row(of) {
        Some(width) => width,
        None => return Ok(()),
    };
    let cells: Vec<String> = (0..width).map(|n| format!("\"$i{n}\"")).collect();
    let cells = cells.join(", ");
    let made = template(&format!("SELECT row({cells}) FROM (SELECT 1) AS \"$in\"({cells})"))?;
    let inner = std::mem::replace(&mut **subquery, made);
    put(subquery, "$in", inner);
    Ok(())
}

/// How many values `(a, b)` or `ROW(a, b)` has.
fn plain_row(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Tuple(values) => Some(values.len()),
        Expr::BinaryOp { left, .. } if places::is_wrapper(expr) => plain_row(left),
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. })
            if name.to_string().eq_ignore_ascii_case("row") =>
        {
            Some(list.args.len())
        }
        _ => None,
    }
}

/// What stands beside a query's SELECT.
pub fn query(query: &mut Query) -> Result<(), Failure> {
    if let Some(fetch) = query.fetch.take() {
        if fetch.with_ties {
            return Err(Failure::unsupported("FETCH FIRST … WITH TIES is not supported"));
        }
        let one = || Expr::Value(Value::Number("1".into(), false).into());
        let count = fetch.quantity.unwrap_or_else(one);
        match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit, .. }) => *limit = Some(count),
            clause => {
                *clause =
                    Some(LimitClause::LimitOffset { limit: Some(count), offset: None, limit_by: Vec::new() });
            }
        }
    }
    sets(&mut query.body)
}

/// EXCEPT ALL and INTERSECT ALL, by numbering equal rows on both sides.
fn sets(body: &mut SetExpr) -> Result<(), Failure> {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return Ok(()) };
    sets(left)?;
    sets(right)?;
    if *set_quantifier != SetQuantifier::All || !matches!(op, SetOperator::Except | SetOperator::Intersect) {
        return Ok(());
    }
    let columns = names::output(left);
    if columns.is_empty() {
        return Err(Failure::unsupported(format!("{op} ALL of SELECT *: name the columns")));
    }
    let cells: Vec<String> = (0..columns.len()).map(|n| format!("\"$c{n}\"")).collect();
    let cells = cells.join(", ");
    let side = |name: &str| {
        format!(
            "SELECT {cells}, row_number() OVER (PARTITION BY {cells}) AS \"$n\" FROM (SELECT 1) AS \"{name}\"({cells})"
        )
    };
    let named: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(n, name)| match name {
            Some(name) => format!("\"$c{n}\" AS \"{}\"", name.to_lowercase().replace('"', "\"\"")),
            None => format!("\"$c{n}\""),
        })
        .collect();
    let mut made = template(&format!(
        "SELECT {} FROM ({} {op} {}) AS \"$both\"",
        named.join(", "),
        side("$left"),
        side("$right")
    ))?;
    let empty = || SetExpr::Values(Values { explicit_row: false, value_keyword: false, rows: Vec::new() });
    put(&mut made, "$left", bare(std::mem::replace(left, empty())));
    put(&mut made, "$right", bare(std::mem::replace(right, empty())));
    *body = *made.body;
    Ok(())
}

/// `t TABLESAMPLE BERNOULLI (10)`: each row stays with that chance; SYSTEM is taken for the same.
pub fn sample(factor: &mut TableFactor) -> Result<(), Failure> {
    let sample = match factor {
        TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. } => sample.take(),
        _ => None,
    };
    let Some(TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) = sample
    else {
        return Ok(());
    };
    let Some(quantity) = sample.quantity else { return Ok(()) };
    let mut percent = quantity.value;
    literals::plain(&mut percent);
    let percent = percent.to_string();
    if percent.parse::<f64>().is_err() {
        return Err(Failure::unsupported("TABLESAMPLE with other than a number"));
    }
    let mut made = template(&format!("SELECT * FROM \"$sampled\" WHERE random() * 100e0 < {percent}e0"))?;
    let alias = match factor {
        TableFactor::Table { alias, name, .. } => alias.clone().or_else(|| {
            let name = name.0.last()?.as_ident()?.clone();
            Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None })
        }),
        TableFactor::Derived { alias, .. } => alias.clone(),
        _ => None,
    };
    if let SetExpr::Select(select) = &mut *made.body
        && let Some(item) = select.from.first_mut()
    {
        item.relation = factor.clone();
    }
    *factor = TableFactor::Derived { lateral: false, subquery: Box::new(made), alias, sample: None };
    Ok(())
}

/// `X LIKE Y`, with `ESCAPE 'c'` or without, where the engine knows the backslash alone and always.
pub fn like(negated: bool, expr: Expr, pattern: Expr, escape: Option<Expr>) -> Expr {
    let pattern = match (pattern, escape) {
        (Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(pattern), span }), None) => {
            Expr::Value(Value::SingleQuotedString(pattern.replace('\\', "\\\\")).with_span(span))
        }
        (pattern, escape) => {
            let args = std::iter::once(pattern).chain(escape).collect();
            call("$like_pattern", args, Span::empty())
        }
    };
    Expr::Like { negated, any: false, expr: Box::new(expr), pattern: Box::new(pattern), escape_char: None }
}

/// Whether rows or arrays are looked for among others.
pub fn has_parts(of: &Expr, list: &[Expr]) -> bool {
    let nested = |e: &Expr| {
        let name = match e {
            Expr::Function(function) => function.name.0.last().and_then(|n| n.as_ident()),
            _ => None,
        };
        name.is_some_and(|n| matches!(n.value.as_str(), "row" | "make_array"))
    };
    nested(of) || list.iter().any(nested)
}

/// `X IN (a, b)` as `X = a OR X = b`: so a NULL within counts as it does for `=`.
pub fn one_of(of: Expr, list: Vec<Expr>, negated: bool) -> Expr {
    let join = |left: Expr, op: BinaryOperator, right: Expr| Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    };
    let mut terms: Vec<Expr> =
        list.into_iter().map(|item| join(of.clone(), BinaryOperator::Eq, item)).collect();
    // In pairs, so that a long list does not nest deeply.
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => join(left, BinaryOperator::Or, right),
                None => left,
            });
        }
        terms = pairs;
    }
    let any = terms.pop().unwrap_or(Expr::Value(Value::Boolean(false).into()));
    let any = Expr::Nested(Box::new(any));
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) } } else { any }
}

/// GROUP BY: `()` is the whole, `(a, b)` is a and b.
pub fn select(select: &mut Select) {
    let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return };
    let mut flat = Vec::with_capacity(groups.len());
    for group in std::mem::take(groups) {
        match group {
            Expr::Tuple(members) if members.is_empty() => flat.push(Expr::GroupingSets(vec![Vec::new()])),
            Expr::Tuple(members) => flat.extend(members),
            other => flat.push(other),
        }
    }
    *groups = flat;
}

/// Numbers that are positions or counts stay the engine's own.
pub fn plain_positions(query: &mut Query) {
    if let Some(OrderBy { kind: OrderByKind::Expressions(items), .. }) = &mut query.order_by {
        items.iter_mut().for_each(|item| literals::plain(&mut item.expr));
    }
    if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
        limit.iter_mut().for_each(literals::plain);
        offset.iter_mut().for_each(|o| literals::plain(&mut o.value));
    }
}

pub fn plain_groups(select: &mut Select) {
    if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
        for group in groups {
            match group {
                Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                    sets.iter_mut().flatten().for_each(literals::plain);
                }
                other => literals::plain(other),
            }
        }
    }
    for NamedWindowDefinition(_, window) in &mut select.named_window {
        if let NamedWindowExpr::WindowSpec(spec) = window {
            plain_frame(spec);
        }
    }
}

/// The bounds of a window's frame.
pub fn plain_frame(spec: &mut WindowSpec) {
    let Some(frame) = &mut spec.window_frame else { return };
    for bound in std::iter::once(&mut frame.start_bound).chain(&mut frame.end_bound) {
        if let WindowFrameBound::Preceding(Some(expr)) | WindowFrameBound::Following(Some(expr)) = bound {
            literals::plain(expr);
        }
    }
}

/// `LATERAL (SELECT …) t` as an UNNEST of its rows, gathered for each row of what stands before it.
pub fn lateral(factor: &mut TableFactor, counter: usize) -> Result<(), Failure> {
    let TableFactor::Derived { lateral: true, subquery, alias, .. } = factor else { return Ok(()) };
    let columns = names::output(&subquery.body);
    if columns.is_empty() {
        return Err(Failure::unsupported("LATERAL (SELECT * …): name the columns"));
    }
    let inner = format!("$lateral{counter}");
    let cells: Vec<String> = (0..columns.len()).map(|n| format!("\"$l{n}\"")).collect();
    let cells = cells.join(", ");
    let gathered = if columns.len() == 1 { cells.clone() } else { format!("row({cells})") };
    let mut made =
        template(&format!("SELECT array_agg({gathered}) FROM (SELECT 1) AS \"{inner}\"({cells})"))?;
    put(&mut made, &inner, (**subquery).clone());
    let mut alias = alias.clone().unwrap_or(TableAlias {
        explicit: true,
        name: ident(&inner, Span::empty()),
        columns: Vec::new(),
        at: None,
    });
    if alias.columns.is_empty() {
        alias.columns = columns
            .iter()
            .enumerate()
            .map(|(n, name)| TableAliasColumnDef {
                name: ident(&name.clone().unwrap_or_else(|| format!("_col{n}")), Span::empty()),
                data_type: None,
            })
            .collect();
    }
    *factor = TableFactor::UNNEST {
        alias: Some(alias),
        array_exprs: vec![Expr::Subquery(Box::new(made))],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    };
    Ok(())
}
