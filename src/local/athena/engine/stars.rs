//! `SELECT (row).*` and `t.row.*`: the fields of a row as columns. What fields there are is known from a plan
//! of the row alone. <https://trino.io/docs/current/sql/select.html#select-expressions>

use std::ops::ControlFlow;

use datafusion::common::Result;
use datafusion_sql::sqlparser::ast::*;
use datafusion_sql::sqlparser::tokenizer::Span;

use super::planner::{self, Context};
use super::rewrite::{ident, number};
use super::scan::fail;
use super::{arrow, parse, places, scopes, shapes, walk};
use crate::local::athena::failure::Failure;
use crate::local::athena::types::Type;

/// The row whose fields an item of SELECT is.
fn row(item: &SelectItem, from: &[TableWithJoins]) -> Option<Expr> {
    use SelectItemQualifiedWildcardKind as Kind;
    match item {
        SelectItem::QualifiedWildcard(Kind::Expr(of), _) => Some(of.clone()),
        // A table of a database, or a column of a table.
        SelectItem::QualifiedWildcard(Kind::ObjectName(name), _) if name.0.len() == 2 => {
            let parts: Vec<Ident> = name.0.iter().filter_map(|p| p.as_ident()).cloned().collect();
            let mut known = Vec::new();
            scopes::relations(from, &mut known);
            let is_known = |part: &Ident| known.contains(&part.value.to_lowercase());
            (is_known(&parts[0]) && !is_known(&parts[1])).then_some(Expr::CompoundIdentifier(parts))
        }
        _ => None,
    }
}

/// Writes the fields of rows out where a query asks for all of them.
pub fn expand(query: &mut Query, context: &Context) -> Result<()> {
    struct Any;
    impl Visitor for Any {
        type Break = ();
        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            if select.projection.iter().any(|item| row(item, &select.from).is_some()) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }
    if walk::visit(query, &mut Any).is_continue() {
        return Ok(());
    }
    match walk::visit_mut(query, &mut Expander { context, with: Vec::new() }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Expander<'a> {
    context: &'a Context,
    /// The WITH queries around, the innermost last.
    with: Vec<Vec<Cte>>,
}

impl Expander<'_> {
    fn fields(&self, of: &Expr, select: &Select) -> Result<Vec<SelectItem>> {
        let mut probe = shapes::template("SELECT 1").map_err(fail)?;
        let ctes = self.with.concat();
        if !ctes.is_empty() {
            let with_token = helpers::attached_token::AttachedToken::empty();
            probe.with = Some(With { with_token, recursive: false, cte_tables: ctes });
        }
        if let SetExpr::Select(body) = &mut *probe.body {
            let alias = ident("$row", Span::empty());
            body.projection = vec![SelectItem::ExprWithAlias { expr: of.clone(), alias }];
            body.from.clone_from(&select.from);
        }
        let planned = planner::plan(self.context, probe)?;
        let Type::Row(fields) = arrow::from(planned.plan.schema().field(0).data_type()) else {
            let failure = Failure::new("TYPE_MISMATCH", "expected expression of type Row");
            let spot = parse::spot(places::start(of));
            return Err(fail(spot.map_or(failure.clone(), |spot| failure.at(spot))));
        };
        let field = |(n, (name, _)): (usize, (Option<String>, Type))| {
            let index = Subscript::Index { index: number(n as i64 + 1) };
            let access_chain = vec![AccessExpr::Subscript(index)];
            let expr = Expr::CompoundFieldAccess { root: Box::new(of.clone()), access_chain };
            match name {
                Some(name) => SelectItem::ExprWithAlias { expr, alias: ident(&name, Span::empty()) },
                None => SelectItem::UnnamedExpr(expr),
            }
        };
        Ok(fields.into_iter().enumerate().map(field).collect())
    }
}

impl VisitorMut for Expander<'_> {
    type Break = datafusion::error::DataFusionError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        self.with.push(query.with.as_ref().map(|with| with.cte_tables.clone()).unwrap_or_default());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Self::Break> {
        self.with.pop();
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        let mut items = Vec::with_capacity(select.projection.len());
        for item in std::mem::take(&mut select.projection) {
            match row(&item, &select.from) {
                Some(of) => match self.fields(&of, select) {
                    Ok(fields) => items.extend(fields),
                    Err(error) => return ControlFlow::Break(error),
                },
                None => items.push(item),
            }
        }
        select.projection = items;
        ControlFlow::Continue(())
    }
}
