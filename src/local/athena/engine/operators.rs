//! Which types an operator takes: Trino converts far less by itself than the engine does.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::planner::{PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};
use datafusion_sql::sqlparser::ast::BinaryOperator;

use super::scan::fail;
use super::{arrow, functions, literals};
use crate::local::athena::failure::{Failure, Spot};
use crate::local::athena::types::Type;

/// Types that compare with each other.
#[derive(PartialEq)]
enum Family {
    Number,
    Text,
    Time,
    Clock,
    Boolean,
    Bytes,
    Months,
    Span,
    Json,
    Nested,
    Unknown,
}

fn family(kind: &Type) -> Family {
    match kind {
        Type::Tinyint
        | Type::Smallint
        | Type::Integer
        | Type::Bigint
        | Type::Real
        | Type::Double
        | Type::Decimal(..) => Family::Number,
        Type::Varchar(_) | Type::Char(_) => Family::Text,
        Type::Date | Type::Timestamp | Type::TimestampTz => Family::Time,
        Type::Time => Family::Clock,
        Type::Boolean => Family::Boolean,
        Type::Varbinary => Family::Bytes,
        Type::IntervalYearMonth => Family::Months,
        Type::IntervalDaySecond => Family::Span,
        Type::Json => Family::Json,
        Type::Array(_) | Type::Map(..) | Type::Row(_) => Family::Nested,
        Type::Unknown => Family::Unknown,
    }
}

pub fn is_boolean(kind: &DataType) -> bool {
    matches!(kind, DataType::Boolean | DataType::Null)
}

pub fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || kind == &DataType::Null
}

pub fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::Utf8View | DataType::Null)
}

/// Maps have no order.
pub fn is_map(kind: &DataType) -> bool {
    matches!(kind, DataType::Map(..))
}

/// Whether values of both types may be compared.
pub fn comparable(left: &DataType, right: &DataType) -> bool {
    if let (DataType::List(a), DataType::List(b)) = (left, right) {
        return comparable(a.data_type(), b.data_type());
    }
    let (left, right) = (family(&arrow::from(left)), family(&arrow::from(right)));
    left == right || left == Family::Unknown || right == Family::Unknown
}

/// Trino's words for an operator between types that it does not take. What is greater is what is less
/// the other way round, and there it has no name of its own.
pub fn mismatch(left: &str, symbol: &str, right: &str) -> Failure {
    let symbol = match symbol {
        ">" => "<",
        ">=" => "<=",
        "<>" | "!=" => "=",
        other => other,
    };
    Failure::new("TYPE_MISMATCH", format!("Cannot apply operator: {left} {symbol} {right}"))
}

/// The place of an expression: that of its first column.
pub fn spot(expr: &Expr) -> Option<Spot> {
    let mut found: Option<(u64, u64)> = None;
    expr.column_refs().iter().for_each(|column| {
        for span in column.spans.iter() {
            let at = (span.start.line, span.start.column);
            found = Some(found.map_or(at, |best| best.min(at)));
        }
    });
    found.map(|(line, column)| Spot { line: line as usize, column: column as usize })
}

/// Whether Trino has an operator for these types.
fn has(op: &BinaryOperator, left: &DataType, right: &DataType) -> bool {
    use BinaryOperator::*;
    let (a, b) = (family(&arrow::from(left)), family(&arrow::from(right)));
    let unknown = a == Family::Unknown || b == Family::Unknown;
    match op {
        Eq | NotEq => comparable(left, right),
        Lt | LtEq | Gt | GtEq => comparable(left, right) && !is_map(left) && !is_map(right),
        StringConcat => {
            unknown
                || (a == Family::Text && b == Family::Text)
                || (a == Family::Bytes && b == Family::Bytes)
                || matches!(left, DataType::List(_))
                || matches!(right, DataType::List(_))
        }
        Plus | Minus => {
            unknown
                || (a == Family::Number && b == Family::Number)
                || (a == b && is_interval(&a))
                || (matches!(a, Family::Time | Family::Clock) && is_interval(&b))
                || (*op == Plus && is_interval(&a) && matches!(b, Family::Time | Family::Clock))
                || (*op == Minus && a == Family::Time && b == Family::Time && same_time(left, right))
        }
        Multiply => {
            unknown
                || (a == Family::Number && (b == Family::Number || is_interval(&b)))
                || (is_interval(&a) && b == Family::Number)
        }
        Divide => unknown || b == Family::Number && (a == Family::Number || is_interval(&a)),
        Modulo => unknown || (a == Family::Number && b == Family::Number),
        And | Or => [&a, &b].iter().all(|f| matches!(f, Family::Boolean | Family::Unknown)),
        _ => true,
    }
}

fn is_interval(family: &Family) -> bool {
    matches!(family, Family::Months | Family::Span)
}

/// A date is only taken from a date.
fn same_time(left: &DataType, right: &DataType) -> bool {
    (left == &DataType::Date32) == (right == &DataType::Date32)
}

/// Whether an expression is true or false by its form alone.
fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(of) => of.op.is_logic_operator() || of.op.supports_propagation(),
        Expr::HigherOrderFunction(of) => matches!(of.name(), "$and" | "$or"),
        Expr::Between(_) | Expr::InList(_) | Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::Like(_) => true,
        _ => false,
    }
}

/// AND or OR, of which the left side protects the right one.
fn guarded(expr: RawBinaryExpr, op: Operator) -> PlannerResult<RawBinaryExpr> {
    match functions::lazy(&expr.left, op, &expr.right) {
        Some(planned) => PlannerResult::Planned(planned),
        None => PlannerResult::Original(expr),
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::*;
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// Spaces at the end count for nothing when a text of a fixed length is compared.
fn padded(expr: RawBinaryExpr, schema: &DFSchema) -> RawBinaryExpr {
    let is_char = |of: &Expr| match of.to_field(schema) {
        Ok((_, field)) => matches!(arrow::of(&field), Type::Char(_)),
        Err(_) => false,
    };
    if !is_char(&expr.left) && !is_char(&expr.right) {
        return expr;
    }
    let (left, right) = (functions::unpadded(expr.left), functions::unpadded(expr.right));
    RawBinaryExpr { left, right, ..expr }
}

/// An operator as Trino has it: refused, as a function of ours, or as the engine's own.
pub fn plan(
    expr: RawBinaryExpr,
    schema: &DFSchema,
    at: Option<Spot>,
) -> Result<PlannerResult<RawBinaryExpr>, DataFusionError> {
    // Long chains of conditions need no look at each part again.
    let logic = match expr.op {
        BinaryOperator::And => Some(Operator::And),
        BinaryOperator::Or => Some(Operator::Or),
        _ => None,
    };
    if let Some(op) = logic
        && is_condition(&expr.left)
        && is_condition(&expr.right)
    {
        return Ok(guarded(expr, op));
    }
    let known = functions::kind(&expr.left).cloned();
    let (Ok(left), Ok(right)) =
        (known.map_or_else(|| expr.left.get_type(schema), Ok), expr.right.get_type(schema))
    else {
        return Ok(PlannerResult::Original(expr));
    };
    let symbol = expr.op.to_string();
    if !has(&expr.op, &left, &right) {
        let names = (literals::type_name(&expr.left, &left), literals::type_name(&expr.right, &right));
        let failure = match expr.op {
            BinaryOperator::StringConcat => Failure::new(
                "FUNCTION_NOT_FOUND",
                format!(
                    "Unexpected parameters ({}, {}) for function concat. Expected: concat(char(x), char(y)), \
                     concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, concat(varchar), \
                     concat(varbinary)",
                    names.0, names.1
                ),
            ),
            BinaryOperator::And | BinaryOperator::Or => {
                let (name, of) = if family(&arrow::from(&left)) == Family::Boolean {
                    (names.1, &expr.right)
                } else {
                    (names.0, &expr.left)
                };
                let message = format!("Logical expression term must evaluate to a boolean (actual: {name})");
                let failure = Failure::new("TYPE_MISMATCH", message);
                return Err(fail(match spot(of) {
                    Some(spot) => failure.at(spot),
                    None => failure,
                }));
            }
            _ => mismatch(&names.0, &symbol, &names.1),
        };
        return Err(fail(match at.or_else(|| spot(&expr.left)) {
            Some(spot) => failure.at(spot),
            None => failure,
        }));
    }
    if let Some(op) = logic {
        return Ok(guarded(expr, op));
    }
    let is_list = |t: &DataType| matches!(t, DataType::List(_) | DataType::FixedSizeList(..));
    if expr.op == BinaryOperator::StringConcat && (is_list(&left) || is_list(&right)) {
        return Ok(PlannerResult::Planned(functions::concat(expr.left, &left, expr.right, &right)));
    }
    let expr = if is_comparison(&expr.op) { padded(expr, schema) } else { expr };
    if let Some(compared) = functions::comparison(&expr.op, &expr.left, &expr.right, [&left, &right]) {
        return Ok(PlannerResult::Planned(compared));
    }
    let types = [left, right];
    if let Some(chain) = functions::longer(&symbol, &expr.left, &types) {
        return Ok(PlannerResult::Planned(chain.call(expr.left, expr.right)));
    }
    let [left, right] = types;
    if let Some(call) = functions::arithmetic(&symbol, &left, &right) {
        return Ok(PlannerResult::Planned(call.call(vec![expr.left, expr.right])));
    }
    Ok(PlannerResult::Original(expr))
}

/// `of[index]`: an element of an array, a value of a map, or a field of a row that a literal chooses.
pub fn subscript(
    expr: RawBinaryExpr,
    schema: &DFSchema,
    at: Option<Spot>,
) -> Result<PlannerResult<RawBinaryExpr>, DataFusionError> {
    if let (Ok(DataType::Struct(fields)), Expr::Literal(ScalarValue::Int32(Some(n)), _)) =
        (expr.left.get_type(schema), &expr.right)
    {
        let chosen = usize::try_from(*n).ok().and_then(|n| fields.get(n.checked_sub(1)?));
        let Some(field) = chosen else {
            let failure = Failure::new("INVALID_FUNCTION_ARGUMENT", format!("Invalid subscript index: {n}"));
            return Err(fail(at.map_or(failure.clone(), |at| failure.at(at))));
        };
        return Ok(PlannerResult::Planned(functions::field(expr.left, field.name())));
    }
    if let Ok(kind) = expr.left.get_type(schema)
        && family(&arrow::from(&kind)) != Family::Nested
        && !kind.is_null()
    {
        let index = expr.right.get_type(schema).unwrap_or(DataType::Null);
        let (of, index) = (literals::type_name(&expr.left, &kind), literals::type_name(&expr.right, &index));
        let failure = Failure::new("TYPE_MISMATCH", format!("Cannot use {index} for subscript of {of}"));
        return Err(fail(at.map_or(failure.clone(), |at| failure.at(at))));
    }
    let call = functions::subscript().call(vec![expr.left, expr.right]);
    super::check::expression(&call, schema, at)?;
    Ok(PlannerResult::Planned(call))
}

/// `of.name`.
pub fn field(
    expr: RawBinaryExpr,
    schema: &DFSchema,
    at: Option<Spot>,
) -> Result<PlannerResult<RawBinaryExpr>, DataFusionError> {
    let Expr::Literal(ScalarValue::Utf8(Some(name)), _) = &expr.right else {
        return Ok(PlannerResult::Original(expr));
    };
    let place = |failure: Failure| fail(at.map_or(failure.clone(), |at| failure.at(at)));
    match expr.left.get_type(schema) {
        Ok(DataType::Struct(fields)) => {
            // Names of fields may differ in case from what the query says.
            let Some(field) = fields.iter().find(|f| f.name().eq_ignore_ascii_case(name)) else {
                let of = match &expr.left {
                    Expr::Column(column) => format!("{}.", column.name),
                    _ => String::new(),
                };
                return Err(place(Failure::syntax(format!("Column '{of}{name}' cannot be resolved"))));
            };
            Ok(PlannerResult::Planned(functions::field(expr.left, field.name())))
        }
        Ok(DataType::Null) | Err(_) => Ok(PlannerResult::Planned(functions::field(expr.left, name))),
        Ok(_) => {
            let of = match &expr.left {
                Expr::Column(column) => column.name.clone(),
                other => other.to_string(),
            };
            Err(place(Failure::new("TYPE_MISMATCH", format!("Expression {of} is not of type ROW"))))
        }
    }
}
