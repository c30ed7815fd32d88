//! Which types an operator takes: Trino converts far less by itself than the engine does.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::arrow;
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
    Interval,
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
        Type::IntervalYearMonth | Type::IntervalDaySecond => Family::Interval,
        Type::Json => Family::Json,
        Type::Array(_) | Type::Map(..) | Type::Row(_) => Family::Nested,
        Type::Unknown => Family::Unknown,
    }
}

/// Whether values of both types may be compared.
pub fn comparable(left: &DataType, right: &DataType) -> bool {
    let (left, right) = (family(&arrow::from(left)), family(&arrow::from(right)));
    left == right || left == Family::Unknown || right == Family::Unknown
}

pub fn mismatch(left: &DataType, symbol: &str, right: &DataType) -> Failure {
    let name = |t: &DataType| match arrow::from(t) {
        Type::Timestamp => "timestamp(3)".to_owned(),
        other => other.trino(),
    };
    Failure::new("TYPE_MISMATCH", format!("Cannot apply operator: {} {symbol} {}", name(left), name(right)))
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

/// Refuses an operator that Trino has not for these types.
pub fn check(op: &BinaryOperator, left: &DataType, right: &DataType, at: &Expr) -> Result<(), Failure> {
    use BinaryOperator::*;
    let (a, b) = (family(&arrow::from(left)), family(&arrow::from(right)));
    let unknown = a == Family::Unknown || b == Family::Unknown;
    let fits = match op {
        Eq | NotEq | Lt | LtEq | Gt | GtEq => comparable(left, right),
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
                || (a == Family::Interval && b == Family::Interval)
                || (matches!(a, Family::Time | Family::Clock) && b == Family::Interval)
                || (*op == Plus && a == Family::Interval && matches!(b, Family::Time | Family::Clock))
                || (*op == Minus
                    && matches!((left, right), (DataType::Timestamp(..), DataType::Timestamp(..))))
        }
        Multiply => {
            unknown
                || (a == Family::Number && b == Family::Number)
                || (a == Family::Number && b == Family::Interval)
                || (a == Family::Interval && b == Family::Number)
        }
        Divide => unknown || b == Family::Number && matches!(a, Family::Number | Family::Interval),
        Modulo => unknown || (a == Family::Number && b == Family::Number),
        And | Or => [&a, &b].iter().all(|f| matches!(f, Family::Boolean | Family::Unknown)),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let failure = mismatch(left, &op.to_string(), right);
    Err(match spot(at) {
        Some(spot) => failure.at(spot),
        None => failure,
    })
}

/// For exact numbers: the scale of a decimal, `Some(None)` for a whole number; `None` for the rest.
pub fn scale(kind: &DataType) -> Option<Option<i8>> {
    match kind {
        DataType::Decimal128(_, scale) => Some(Some(*scale)),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Some(None),
        _ => None,
    }
}
