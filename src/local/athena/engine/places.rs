//! Where things stand in a query's text. The tree forgets where operators stand, and the planner
//! forgets the rest: so what may be refused for its types is wrapped, here, in an operator that says
//! where it stands. [`super::planner`] checks and unwraps it.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::*;
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use super::rewrite::{call, number, text};
use super::walk;
use crate::local::athena::failure::Spot;

/// Between an operator and its place: `+@1:8`. Nothing before it: the left side alone is meant.
const MARK: char = '@';

/// An operator that says where it stands.
fn placed(symbol: &str, at: Location) -> BinaryOperator {
    BinaryOperator::Custom(format!("{symbol}{MARK}{}:{}", at.line, at.column))
}

/// What an operator that says where it stands is.
pub enum Placed {
    /// The left side alone is meant.
    Wrapper,
    Operator(BinaryOperator),
    /// `left[right]`
    Subscript,
    /// `left.right`, the right side being the name.
    Field,
    /// `-left`.
    Negation,
}

/// What [`placed`] made, and its place; of generated expressions there is none.
pub fn read(op: &BinaryOperator) -> Option<(Placed, Option<Spot>)> {
    let BinaryOperator::Custom(text) = op else { return None };
    let (symbol, place) = text.rsplit_once(MARK)?;
    let (line, column) = place.split_once(':')?;
    let spot = Spot { line: line.parse().ok()?, column: column.parse().ok()? };
    let placed = match symbol {
        "" => Placed::Wrapper,
        SUBSCRIPT => Placed::Subscript,
        FIELD => Placed::Field,
        NEGATION => Placed::Negation,
        _ => Placed::Operator(OPERATORS.iter().find(|(_, known, _)| *known == symbol)?.0.clone()),
    };
    Some((placed, (spot.line > 0).then_some(spot)))
}

/// An expression without the places around it.
pub fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::BinaryOp { left, .. } if is_wrapper(expr) => unwrapped(left),
        other => other,
    }
}

/// Whether an expression is another one that says where it stands.
pub fn is_wrapper(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op, .. } if matches!(read(op), Some((Placed::Wrapper, _))))
}

const SUBSCRIPT: &str = "[]";
const FIELD: &str = ".";
const NEGATION: &str = "neg";

fn operator(left: Expr, symbol: &str, right: Expr, at: Location) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: placed(symbol, at), right: Box::new(right) }
}

/// `of[index]`; what it is depends on the type of `of`.
pub fn subscript(of: Expr, index: Expr) -> Expr {
    let at = start(&of);
    operator(of, SUBSCRIPT, index, at)
}

/// `of.name`.
pub fn field(of: Expr, name: &str, at: Span) -> Expr {
    operator(of, FIELD, text(name), at.start)
}

/// The operators that are placed, with their tokens.
const OPERATORS: [(BinaryOperator, &str, Token); 12] = [
    (BinaryOperator::Plus, "+", Token::Plus),
    (BinaryOperator::Minus, "-", Token::Minus),
    (BinaryOperator::Multiply, "*", Token::Mul),
    (BinaryOperator::Divide, "/", Token::Div),
    (BinaryOperator::Modulo, "%", Token::Mod),
    (BinaryOperator::Eq, "=", Token::Eq),
    (BinaryOperator::NotEq, "<>", Token::Neq),
    (BinaryOperator::Lt, "<", Token::Lt),
    (BinaryOperator::LtEq, "<=", Token::LtEq),
    (BinaryOperator::Gt, ">", Token::Gt),
    (BinaryOperator::GtEq, ">=", Token::GtEq),
    (BinaryOperator::StringConcat, "||", Token::StringConcat),
];

/// An expression that says where it stands; it is planned as itself.
pub fn wrap(expr: Expr, at: Location) -> Expr {
    if at.line == 0 {
        return expr;
    }
    Expr::BinaryOp {
        left: Box::new(expr),
        op: placed("", at),
        right: Box::new(Expr::Value(Value::Null.into())),
    }
}

/// Where an expression begins, as far as the tree knows.
pub fn start(expr: &Expr) -> Location {
    if let Expr::Struct { values, .. } = expr {
        let number = |n: usize| values.get(n).and_then(|v| v.to_string().parse().ok()).unwrap_or(0);
        let at = values.len().saturating_sub(2);
        return Location { line: number(at), column: number(at + 1) };
    }
    expr.span().start
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(ValueWithSpan { value: Value::Number(..), .. }))
}

struct Marker<'a> {
    tokens: &'a [TokenWithSpan],
}

impl Marker<'_> {
    /// The place of the last token before `from` that fits; only a few are looked at.
    fn before(&self, from: Location, fits: impl Fn(&Token) -> bool) -> Option<Location> {
        let end = self
            .tokens
            .partition_point(|t| (t.span.start.line, t.span.start.column) < (from.line, from.column));
        let near =
            self.tokens[..end].iter().rev().filter(|t| !matches!(t.token, Token::Whitespace(_))).take(24);
        near.into_iter().find(|t| fits(&t.token)).map(|t| t.span.start)
    }

    /// The place of the next token after `from` that fits.
    fn after(&self, from: Location, fits: impl Fn(&Token) -> bool) -> Option<Location> {
        let begin = self
            .tokens
            .partition_point(|t| (t.span.start.line, t.span.start.column) <= (from.line, from.column));
        let near = self.tokens[begin..].iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).take(24);
        near.into_iter().find(|t| fits(&t.token)).map(|t| t.span.start)
    }

    fn operator(&self, left: &Expr, right: &Expr, token: &Token) -> Option<Location> {
        let right = start(right);
        if right.line > 0 {
            return self.before(right, |t| t == token);
        }
        let left = left.span().end;
        if left.line > 0 { self.after(left, |t| t == token) } else { None }
    }

    fn keyword(&self, before: Location, keyword: Keyword) -> Option<Location> {
        self.before(
            before,
            |t| matches!(t, Token::Word(w) if w.keyword == keyword && w.quote_style.is_none()),
        )
    }
}

impl VisitorMut for Marker<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let at = match expr {
            Expr::BinaryOp { left, op, right } => {
                if let Some((_, symbol, token)) = OPERATORS.iter().find(|(known, ..)| known == op)
                    && let Some(at) = self.operator(left, right, token)
                {
                    *op = placed(symbol, at);
                }
                return ControlFlow::Continue(());
            }
            // The minus of a number is a part of it.
            Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } if !is_number(inner) => {
                let at = self.before(start(inner), |t| *t == Token::Minus);
                if let Some(at) = at {
                    let inner = std::mem::replace(&mut **inner, Expr::Value(Value::Null.into()));
                    *expr = operator(inner, NEGATION, Expr::Value(Value::Null.into()), at);
                }
                return ControlFlow::Continue(());
            }
            Expr::TypedString(typed) => {
                let spot = self
                    .before(typed.value.span.start, |t| matches!(t, Token::Word(_)))
                    .unwrap_or(typed.value.span.start);
                let kind = typed.data_type.to_string();
                let value = typed.value.clone().into_string().unwrap_or_default();
                let (line, column) = (number(spot.line as i64), number(spot.column as i64));
                *expr = call(LITERAL, vec![text(&kind), text(&value), line, column], typed.value.span);
                return ControlFlow::Continue(());
            }
            Expr::Cast { expr: inner, .. } => {
                let inner = start(inner);
                let cast =
                    self.keyword(inner, Keyword::CAST).or_else(|| self.keyword(inner, Keyword::TRY_CAST));
                let lenient = self.keyword(inner, Keyword::TRY_CAST);
                match (cast, lenient) {
                    (Some(a), Some(b)) if (b.line, b.column) > (a.line, a.column) => Some(b),
                    (found, _) => found,
                }
            }
            Expr::Function(function) => match function.name.0.first() {
                Some(ObjectNamePart::Identifier(name)) => Some(name.span.start),
                _ => None,
            },
            Expr::Between { low, .. } => {
                let between = self.keyword(start(low), Keyword::BETWEEN);
                between.map(|at| self.negated(at))
            }
            Expr::InList { list, .. } => list.first().map(start),
            Expr::InSubquery { expr, .. } => self.after(
                expr.span().end,
                |t| matches!(t, Token::Word(w) if matches!(w.keyword, Keyword::IN | Keyword::NOT)),
            ),
            Expr::AnyOp { left, .. } | Expr::AllOp { left, .. } => {
                self.after(left.span().end, |t| OPERATORS.iter().any(|(.., known)| known == t))
            }
            Expr::Array(array) => array.elem.first().and_then(|e| self.keyword(start(e), Keyword::ARRAY)),
            Expr::Substring { expr, .. }
            | Expr::Trim { expr, .. }
            | Expr::Ceil { expr, .. }
            | Expr::Floor { expr, .. } => self.before(start(expr), |t| matches!(t, Token::Word(_))),
            Expr::Case { case_token, .. } => Some(case_token.0.span.start),
            Expr::Like { expr, .. } => self.after(expr.span().end, |t| matches!(t, Token::Word(_))),
            _ => None,
        };
        if let Some(at) = at {
            let taken = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = wrap(taken, at);
        }
        ControlFlow::Continue(())
    }
}

impl Marker<'_> {
    /// The place of a NOT just before, or the place itself.
    fn negated(&self, at: Location) -> Location {
        let previous = self.before(at, |_| true);
        let not = self.keyword(at, Keyword::NOT);
        not.filter(|_| not == previous).unwrap_or(at)
    }
}

/// The call that stands for `DATE '2026-01-01'`: type, text, line, column.
pub const LITERAL: &str = "$literal";

/// Marks everything that may be refused later with its place.
pub fn mark(statement: &mut Statement, tokens: &[TokenWithSpan]) {
    // It never breaks.
    let _ = walk::visit_mut(statement, &mut Marker { tokens });
}
