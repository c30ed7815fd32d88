//! One walk over a statement's tree for all passes. sqlparser's walk is generic: it is compiled for every kind
//! of node and every visitor anew, some 850 functions for each pass. Here the walk knows one visitor, and that
//! one calls the pass.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement, TableFactor, ValueWithSpan, Visit, VisitMut, Visitor,
    VisitorMut,
};

/// Shows a tree to a pass, as [`Visit::visit`] does.
pub fn visit<V: Visitor>(tree: &impl Visit, pass: &mut V) -> ControlFlow<V::Break> {
    let mut kept = Kept { pass, broken: None };
    let flow = Visit::visit(tree, &mut Erased(&mut kept as &mut dyn Visitor<Break = ()>));
    kept.end(flow)
}

/// Shows a tree to a pass that changes it, as [`VisitMut::visit`] does.
pub fn visit_mut<V: VisitorMut>(tree: &mut impl VisitMut, pass: &mut V) -> ControlFlow<V::Break> {
    let mut kept = Kept { pass, broken: None };
    let flow = VisitMut::visit(tree, &mut Erased(&mut kept as &mut dyn VisitorMut<Break = ()>));
    kept.end(flow)
}

/// A pass, and what it broke off with.
struct Kept<'a, V, B> {
    pass: &'a mut V,
    broken: Option<B>,
}

impl<V, B> Kept<'_, V, B> {
    fn keep(&mut self, hook: impl FnOnce(&mut V) -> ControlFlow<B>) -> ControlFlow<()> {
        match hook(self.pass) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(broken) => {
                self.broken = Some(broken);
                ControlFlow::Break(())
            }
        }
    }

    fn end(self, flow: ControlFlow<()>) -> ControlFlow<B> {
        match self.broken {
            Some(broken) if flow.is_break() => ControlFlow::Break(broken),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// What the walk is compiled for.
struct Erased<'a, V: ?Sized>(&'a mut V);

/// Hands on these hooks, which are all that there are.
macro_rules! hand_on {
    ($visitor:ident, $($hook:ident: $node:ty,)+) => {
        impl<V: $visitor> $visitor for Kept<'_, V, V::Break> {
            type Break = ();
            $(fn $hook(&mut self, node: $node) -> ControlFlow<()> {
                self.keep(|pass| pass.$hook(node))
            })+
        }

        impl $visitor for Erased<'_, dyn $visitor<Break = ()> + '_> {
            type Break = ();
            $(fn $hook(&mut self, node: $node) -> ControlFlow<()> {
                self.0.$hook(node)
            })+
        }
    };
}

hand_on!(
    Visitor,
    pre_visit_query: &Query,
    post_visit_query: &Query,
    pre_visit_select: &Select,
    post_visit_select: &Select,
    pre_visit_relation: &ObjectName,
    post_visit_relation: &ObjectName,
    pre_visit_table_factor: &TableFactor,
    post_visit_table_factor: &TableFactor,
    pre_visit_expr: &Expr,
    post_visit_expr: &Expr,
    pre_visit_statement: &Statement,
    post_visit_statement: &Statement,
    pre_visit_value: &ValueWithSpan,
    post_visit_value: &ValueWithSpan,
);

hand_on!(
    VisitorMut,
    pre_visit_query: &mut Query,
    post_visit_query: &mut Query,
    pre_visit_select: &mut Select,
    post_visit_select: &mut Select,
    pre_visit_relation: &mut ObjectName,
    post_visit_relation: &mut ObjectName,
    pre_visit_table_factor: &mut TableFactor,
    post_visit_table_factor: &mut TableFactor,
    pre_visit_expr: &mut Expr,
    post_visit_expr: &mut Expr,
    pre_visit_statement: &mut Statement,
    post_visit_statement: &mut Statement,
    pre_visit_value: &mut ValueWithSpan,
    post_visit_value: &mut ValueWithSpan,
);
