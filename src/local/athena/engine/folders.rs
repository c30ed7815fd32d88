//! Which partitions of a table a query reads: those that its conditions may fit.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::arrow;
use super::columns::Column;
use crate::local::athena::catalog::{self, Catalog, Partition, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::partitions;
use crate::local::athena::projection::{self, Projected};

/// Partitions that a query may read.
const MOST: usize = 1_000_000;

/// The partitions of a table that the conditions may fit. Conditions are of partition columns only.
pub fn wanted(
    table: &Table,
    catalog: &Catalog,
    conditions: &[Expr],
    session: &dyn Session,
) -> Result<Vec<Partition>, Failure> {
    let columns = &table.partitioned_by;
    if columns.is_empty() {
        return Ok(vec![Partition { values: Vec::new(), location: table.location.clone() }]);
    }
    let Some(projected) = projection::of(table)? else {
        let all = catalog.partitions(&table.database, &table.name)?;
        let values: Vec<&[String]> = all.iter().map(|p| p.values.as_slice()).collect();
        let fit = fitting(columns, &values, conditions, session)?;
        return Ok(all.into_iter().zip(fit).filter(|(_, fit)| *fit).map(|(p, _)| p).collect());
    };
    let now = session.execution_props().query_execution_start_time.unwrap_or_else(chrono::Utc::now);
    let mut found: Vec<Vec<String>> = vec![Vec::new()];
    for (column, projected) in columns.iter().zip(&projected) {
        let values = match projected {
            Projected::Injected => injected(&column.name, conditions)?,
            other => match compared(&column.name, conditions).and_then(|texts| other.among(&texts)) {
                Some(values) => values,
                None => other.values(now)?,
            },
        };
        // Each column by itself first: so the product stays small.
        let alone: Vec<Expr> = conditions.iter().filter(|e| names_only(e, &column.name)).cloned().collect();
        let single: Vec<&[String]> = values.iter().map(std::slice::from_ref).collect();
        let fit = fitting(std::slice::from_ref(column), &single, &alone, session)?;
        let kept: Vec<&String> = values.iter().zip(fit).filter(|(_, fit)| *fit).map(|(v, _)| v).collect();
        if found.len().saturating_mul(kept.len()) > MOST {
            return Err(Failure::new(
                "CONSTRAINT_VIOLATION",
                format!(
                    "The query reads more than {MOST} projected partitions: add conditions on partition columns"
                ),
            ));
        }
        found = found
            .iter()
            .flat_map(|head| kept.iter().map(move |value| [head.as_slice(), &[(*value).clone()]].concat()))
            .collect();
    }
    let values: Vec<&[String]> = found.iter().map(Vec::as_slice).collect();
    let fit = fitting(columns, &values, conditions, session)?;
    let kept = found.into_iter().zip(fit).filter(|(_, fit)| *fit);
    Ok(kept.map(|(values, _)| Partition { location: projection::location(table, &values), values }).collect())
}

fn names_only(expr: &Expr, column: &str) -> bool {
    expr.column_refs().iter().all(|c| c.name == column)
}

/// Whether each row of values may fit all conditions. What cannot be judged here is judged later.
fn fitting(
    columns: &[catalog::Column],
    rows: &[&[String]],
    conditions: &[Expr],
    session: &dyn Session,
) -> Result<Vec<bool>, Failure> {
    let mut fit = vec![true; rows.len()];
    if conditions.is_empty() || rows.is_empty() {
        return Ok(fit);
    }
    let wrong = |e: datafusion::arrow::error::ArrowError| Failure::internal(e.to_string());
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (n, column) in columns.iter().enumerate() {
        let kind = arrow::to(&column.read()?);
        let mut built = Column::new(&kind)?;
        for row in rows {
            match row.get(n) {
                Some(value) if value != partitions::NULL => {
                    if built.push_text(value).is_err() {
                        // Its row fails when it is read, not before.
                        return Ok(fit);
                    }
                }
                _ => built.push_null(),
            }
        }
        fields.push(Field::new(&column.name, kind, true));
        arrays.push(built.finish()?);
    }
    let schema = Arc::new(Schema::new(fields));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(wrong)?;
    let Ok(named) = DFSchema::try_from(schema) else { return Ok(fit) };
    for condition in conditions {
        let Ok(physical) = session.create_physical_expr(condition.clone(), &named) else { continue };
        let Ok(value) = physical.evaluate(&batch) else { continue };
        let Ok(array) = value.into_array(rows.len()) else { continue };
        let Some(answers) = array.as_boolean_opt() else { continue };
        for (row, fit) in fit.iter_mut().enumerate() {
            *fit &= answers.is_valid(row) && answers.value(row);
        }
    }
    Ok(fit)
}

/// The values that the conditions say a column equals; `None` when they say no such thing.
fn compared(column: &str, conditions: &[Expr]) -> Option<Vec<String>> {
    let mut all = conditions.iter().filter_map(|condition| equals(column, condition));
    let first = all.next()?;
    let values = all.fold(first, |known, found| known.into_iter().filter(|v| found.contains(v)).collect());
    let mut seen = HashSet::new();
    Some(values.into_iter().filter(|v| seen.insert(v.clone())).collect())
}

/// The values that the conditions inject into a column.
fn injected(column: &str, conditions: &[Expr]) -> Result<Vec<String>, Failure> {
    compared(column, conditions).ok_or_else(|| {
        Failure::new(
            "CONSTRAINT_VIOLATION",
            format!(
                "For the injected projected partition column {column}, the WHERE clause must contain only static equality \
                 conditions, and at least one such condition must be present."
            ),
        )
    })
}

fn equals(column: &str, condition: &Expr) -> Option<Vec<String>> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let pair = |a: &Expr, b: &Expr| if is(column, a) { text(b).map(|v| vec![v]) } else { None };
            pair(left, right).or_else(|| pair(right, left))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (mut all, more) = (equals(column, left)?, equals(column, right)?);
            all.extend(more);
            Some(all)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            equals(column, left).or_else(|| equals(column, right))
        }
        Expr::InList(list) if !list.negated && is(column, &list.expr) => list.list.iter().map(text).collect(),
        _ => None,
    }
}

fn is(column: &str, expr: &Expr) -> bool {
    match expr {
        Expr::Column(found) => found.name == column,
        Expr::Cast(cast) => is(column, &cast.expr),
        Expr::TryCast(cast) => is(column, &cast.expr),
        _ => false,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)), _) => {
            Some(text.clone())
        }
        Expr::Literal(value, _) if !value.is_null() => {
            let mut out = String::new();
            super::print::cell(&value.to_array().ok()?, 0, &mut out).then_some(out)
        }
        Expr::Cast(cast) => text(&cast.expr),
        _ => None,
    }
}
