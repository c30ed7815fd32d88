//! Functions over lambdas of maps and of several arrays, and sorting by a lambda.
//! <https://trino.io/docs/current/functions/lambda.html>

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, MapArray, StringBuilder, UInt32Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use super::arrays::{element, list, lists};
use super::lambda::{lambda, misused, same_by, value};
use super::maps::{entries_of, map_kind};
use super::native::*;
use super::pairs::{Twice, build};
use crate::local::athena::engine::columns;
use crate::local::athena::engine::scan::fail;
use crate::local::athena::engine::threads;
use crate::local::athena::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    MapFilter,
    TransformKeys,
    TransformValues,
    MapZipWith,
    ZipWith,
    SortBy,
    RegexpReplace,
}

const ALL: [(Of, &str); 7] = [
    (Of::MapFilter, "map_filter"),
    (Of::TransformKeys, "transform_keys"),
    (Of::TransformValues, "transform_values"),
    (Of::MapZipWith, "map_zip_with"),
    (Of::ZipWith, "zip_with"),
    (Of::SortBy, "$array_sort_by"),
    (Of::RegexpReplace, "$regexp_replace_by"),
];

pub fn all() -> Vec<HigherOrderUDF> {
    ALL.into_iter()
        .map(|(of, name)| {
            let signature = HigherOrderSignature::variadic_any(Volatility::Immutable);
            HigherOrderUDF::new_from_impl(Over { of, name, signature })
        })
        .collect()
}

#[derive(Debug)]
struct Over {
    of: Of,
    name: &'static str,
    signature: HigherOrderSignature,
}

same_by!(Over, |over| over.of);

fn pair(kind: &DataType) -> Option<(DataType, DataType)> {
    match kind {
        DataType::Map(entries, _) => entries_of(entries),
        _ => None,
    }
}

fn field(name: &str, kind: DataType) -> FieldRef {
    Arc::new(Field::new(name, kind, true))
}

impl Over {
    /// The types of the lambda's parameters.
    fn parameters(&self, values: &[DataType]) -> Option<Vec<DataType>> {
        Some(match (self.of, values) {
            (Of::MapFilter | Of::TransformKeys | Of::TransformValues, [map]) => {
                let (key, value) = pair(map)?;
                vec![key, value]
            }
            (Of::MapZipWith, [a, b]) => {
                let ((key, left), (_, right)) = (pair(a)?, pair(b)?);
                vec![key, left, right]
            }
            (Of::ZipWith, [a, b]) => vec![element(a)?, element(b)?],
            (Of::SortBy, [a]) => vec![element(a)?; 2],
            (Of::RegexpReplace, [of, pattern]) if is_text(of) && is_text(pattern) => {
                vec![DataType::List(columns::item(DataType::Utf8))]
            }
            _ => return None,
        })
    }
}

impl HigherOrderUDFImpl for Over {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let values: Vec<DataType> = fields
            .iter()
            .filter_map(|f| match f {
                ValueOrLambda::Value(field) => Some(field.data_type().clone()),
                ValueOrLambda::Lambda(_) => None,
            })
            .collect();
        let last = matches!(fields.last(), Some(ValueOrLambda::Lambda(_)));
        match self.parameters(&values) {
            Some(kinds) if last && values.len() + 1 == fields.len() => {
                let named = kinds.into_iter().enumerate().map(|(n, kind)| field(&format!("p{n}"), kind));
                Ok(LambdaParametersProgress::Complete(vec![named.collect()]))
            }
            _ => Err(misused(self.name)),
        }
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let mut values = Vec::new();
        let mut body = None;
        for arg in args.arg_fields {
            match arg {
                ValueOrLambda::Value(field) => values.push(field.data_type().clone()),
                ValueOrLambda::Lambda(field) => body = Some(field.data_type().clone()),
            }
        }
        let (Some(body), Some(first)) = (body, values.first()) else { return Err(misused(self.name)) };
        let key = || pair(first).map(|(key, _)| key);
        let kind = match self.of {
            Of::MapFilter => Some(first.clone()),
            Of::TransformKeys => pair(first).map(|(_, value)| map_kind(body, value)),
            Of::TransformValues | Of::MapZipWith => key().map(|key| map_kind(key, body)),
            Of::ZipWith => Some(DataType::List(columns::item(body))),
            Of::SortBy => element(first).map(|of| DataType::List(columns::item(of))),
            Of::RegexpReplace => Some(DataType::Utf8),
        };
        kind.map(|kind| field(self.name, kind)).ok_or_else(|| misused(self.name))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let count = args.args.len();
        let values: Vec<ArrayRef> = (0..count - 1)
            .map(|n| value(&args, n))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        let Some(body) = lambda(&args, count - 1) else { return Err(misused(self.name)) };
        let kind = args.return_field.data_type();
        let done = match self.of {
            Of::MapFilter => map_filter(&values, body, kind),
            Of::TransformKeys => transform(&values, body, kind, true),
            Of::TransformValues => transform(&values, body, kind, false),
            Of::MapZipWith => map_zip_with(&values, body, kind),
            Of::ZipWith => zip_with(&values, body, kind),
            Of::SortBy => sort_by(&values, body, kind),
            Of::RegexpReplace => regexp_replace(&values, body),
        };
        done.map(ColumnarValue::Array)
    }
}

/// Evaluates a lambda over `params`, each of which belongs to a row of the outside.
fn evaluate(body: &LambdaArgument, params: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef> {
    threads::check().map_err(fail)?;
    let given: Vec<Box<dyn Fn() -> Result<ArrayRef>>> = params
        .iter()
        .map(|p| {
            let p = p.clone();
            Box::new(move || Ok(p.clone())) as Box<dyn Fn() -> Result<ArrayRef>>
        })
        .collect();
    let given: Vec<&dyn Fn() -> Result<ArrayRef>> = given.iter().map(|g| &**g).collect();
    body.evaluate(&given, |captured| captured.iter().map(|c| Ok(compute::take(c, rows, None)?)).collect())?
        .into_array(rows.len())
}

/// The places of all entries, and the row that each belongs to.
fn entries(map: &MapArray) -> (UInt32Array, UInt32Array) {
    let offsets = map.value_offsets();
    let of = |row: usize| offsets[row] as u32..offsets[row + 1] as u32;
    let valid = || (0..map.len()).filter(|row| map.is_valid(*row));
    let places = valid().flat_map(of).collect();
    let rows = valid().flat_map(|row| of(row).map(move |_| row as u32)).collect();
    (places, rows)
}

/// For each row the numbers of its entries, of those for which `keep` holds.
fn by_row(map: &MapArray, rows: &UInt32Array, keep: impl Fn(usize) -> bool) -> Vec<Option<Vec<u32>>> {
    let mut found: Vec<Option<Vec<u32>>> =
        (0..map.len()).map(|row| map.is_valid(row).then(Vec::new)).collect();
    for (n, row) in rows.values().iter().enumerate() {
        if keep(n)
            && let Some(of) = &mut found[*row as usize]
        {
            of.push(n as u32);
        }
    }
    found
}

fn map_filter(values: &[ArrayRef], body: &LambdaArgument, kind: &DataType) -> Result<ArrayRef> {
    let map = values[0].as_map();
    let (places, rows) = entries(map);
    let (keys, cells) =
        (compute::take(map.keys(), &places, None)?, compute::take(map.values(), &places, None)?);
    let kept = evaluate(body, &[keys.clone(), cells.clone()], &rows)?;
    let kept = kept.as_boolean();
    let by_row = by_row(map, &rows, |n| kept.is_valid(n) && kept.value(n));
    build(kind, &keys, &cells, by_row, Twice::Refused).map_err(fail)
}

fn transform(values: &[ArrayRef], body: &LambdaArgument, kind: &DataType, of_keys: bool) -> Result<ArrayRef> {
    let map = values[0].as_map();
    let (places, rows) = entries(map);
    let (keys, cells) =
        (compute::take(map.keys(), &places, None)?, compute::take(map.values(), &places, None)?);
    let made = evaluate(body, &[keys.clone(), cells.clone()], &rows)?;
    let by_row = by_row(map, &rows, |_| true);
    let (keys, cells) = if of_keys { (made, cells) } else { (keys, made) };
    build(kind, &keys, &cells, by_row, Twice::Refused).map_err(fail)
}

fn map_zip_with(values: &[ArrayRef], body: &LambdaArgument, kind: &DataType) -> Result<ArrayRef> {
    let (a, b) = (values[0].as_map(), values[1].as_map());
    let (mut left, mut right, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_row = Vec::new();
    for row in 0..a.len() {
        threads::check().map_err(fail)?;
        if a.is_null(row) || b.is_null(row) {
            by_row.push(None);
            continue;
        }
        let first = rows.len() as u32;
        let of = |m: &MapArray| m.value_offsets()[row] as usize..m.value_offsets()[row + 1] as usize;
        let key = |m: &MapArray, n: usize| at(m.keys(), n).map_err(fail);
        let mut others = of(b).map(|n| Ok((key(b, n)?, n))).collect::<Result<Vec<_>>>()?;
        for n in of(a) {
            let wanted = key(a, n)?;
            let other = others.iter().position(|(k, _)| *k == wanted).map(|at| others.remove(at).1);
            left.push(Some(n as u32));
            right.push(other.map(|n| n as u32));
            rows.push(row as u32);
        }
        for (_, n) in others {
            left.push(None);
            right.push(Some(n as u32));
            rows.push(row as u32);
        }
        by_row.push(Some((first..rows.len() as u32).collect()));
    }
    let (left, right) = (UInt32Array::from(left), UInt32Array::from(right));
    let from_a = compute::take(a.keys(), &left, None)?;
    let from_b = compute::take(b.keys(), &right, None)?;
    let keys = compute::kernels::zip::zip(&compute::is_not_null(&left)?, &from_a, &from_b)?;
    let params =
        [keys.clone(), compute::take(a.values(), &left, None)?, compute::take(b.values(), &right, None)?];
    let made = evaluate(body, &params, &UInt32Array::from(rows))?;
    build(kind, &keys, &made, by_row, Twice::Refused).map_err(fail)
}

fn zip_with(values: &[ArrayRef], body: &LambdaArgument, kind: &DataType) -> Result<ArrayRef> {
    let (a, b) = (list(&values[0]).map_err(fail)?, list(&values[1]).map_err(fail)?);
    let valid: Vec<bool> = (0..a.len()).map(|row| a.is_valid(row) && b.is_valid(row)).collect();
    let lengths: Vec<usize> = (0..a.len())
        .map(|row| if valid[row] { a.value_length(row).max(b.value_length(row)) as usize } else { 0 })
        .collect();
    // The shorter list goes on with NULL.
    let side = |l: &datafusion::arrow::array::ListArray| -> Result<ArrayRef> {
        let places: UInt32Array = lengths
            .iter()
            .enumerate()
            .flat_map(|(row, length)| {
                let (from, own) = (l.value_offsets()[row], l.value_length(row));
                (0..*length as i32).map(move |n| (n < own).then(|| (from + n) as u32))
            })
            .collect();
        Ok(compute::take(l.values(), &places, None)?)
    };
    let rows: UInt32Array =
        lengths.iter().enumerate().flat_map(|(row, n)| std::iter::repeat_n(row as u32, *n)).collect();
    let made = evaluate(body, &[side(&a)?, side(&b)?], &rows)?;
    lists(kind, lengths, made, valid).map_err(fail)
}

/// Sorts by comparing all pairs at once: the lambda is evaluated for whole columns only.
fn sort_by(values: &[ArrayRef], body: &LambdaArgument, kind: &DataType) -> Result<ArrayRef> {
    /// Elements of a list, of which all pairs are compared.
    const MOST: usize = 2_000;
    let of = list(&values[0]).map_err(fail)?;
    let (mut places, mut lengths, mut valid) = (Vec::<u32>::new(), Vec::new(), Vec::new());
    for row in 0..of.len() {
        valid.push(of.is_valid(row));
        let (start, size) = (of.value_offsets()[row] as u32, of.value_length(row) as usize);
        let size = if of.is_valid(row) { size } else { 0 };
        lengths.push(size);
        if size > MOST {
            return Err(fail(Failure::unsupported(format!(
                "array_sort by a lambda of more than {MOST} elements"
            ))));
        }
        let left: UInt32Array = (0..size * size).map(|n| start + (n / size) as u32).collect();
        let right: UInt32Array = (0..size * size).map(|n| start + (n % size) as u32).collect();
        let rows = UInt32Array::from(vec![row as u32; size * size]);
        let params = [compute::take(of.values(), &left, None)?, compute::take(of.values(), &right, None)?];
        let signs = evaluate(body, &params, &rows)?;
        let sign = |a: usize, b: usize| whole(&signs, a * size + b);
        if (0..size * size).any(|n| !matches!(whole(&signs, n), Some(-1..=1))) {
            return Err(fail(argument("Lambda comparator must return either -1, 0, or 1")));
        }
        let mut order: Vec<usize> = Vec::with_capacity(size);
        // Insertion stands any comparator, even one that contradicts itself.
        for next in 0..size {
            let at = order.partition_point(|known| {
                sign(*known, next).map_or(Ordering::Equal, |s| s.cmp(&0)) != Ordering::Greater
            });
            order.insert(at, next);
        }
        places.extend(order.into_iter().map(|n| start + n as u32));
    }
    let sorted = compute::take(of.values(), &UInt32Array::from(places), None)?;
    lists(kind, lengths, sorted, valid).map_err(fail)
}

/// `regexp_replace(text, pattern, groups -> …)`: the lambda is given the groups of each match.
fn regexp_replace(values: &[ArrayRef], body: &LambdaArgument) -> Result<ArrayRef> {
    let mut groups = columns::Column::new(&DataType::List(columns::item(DataType::Utf8))).map_err(fail)?;
    let mut matches: Vec<Option<Vec<std::ops::Range<usize>>>> = Vec::new();
    let mut rows = Vec::new();
    let options = crate::local::athena::engine::json::Options::EXACT;
    for row in 0..values[0].len() {
        threads::check().map_err(fail)?;
        let (Some(of), Some(pattern)) = (text(&values[0], row), text(&values[1], row)) else {
            matches.push(None);
            continue;
        };
        let regex = super::pattern::compile(pattern).map_err(fail)?;
        let mut found = Vec::new();
        for captures in regex.captures_iter(of) {
            let all: Vec<Option<&str>> = captures.iter().skip(1).map(|m| m.map(|m| m.as_str())).collect();
            let json = serde_json::to_string(&all).unwrap_or_default();
            groups.push_json(json.as_bytes(), 0..json.len(), &options).map_err(|e| fail(e.into()))?;
            found.extend(captures.get(0).map(|m| m.range()));
            rows.push(row as u32);
        }
        matches.push(Some(found));
    }
    let made = evaluate(body, &[groups.finish().map_err(fail)?], &UInt32Array::from(rows))?;
    let mut out = StringBuilder::new();
    let mut next = 0;
    for (row, found) in matches.into_iter().enumerate() {
        let (Some(found), Some(of)) = (found, text(&values[0], row)) else {
            out.append_null();
            continue;
        };
        let (mut replaced, mut from, mut null) = (String::new(), 0, false);
        for range in found {
            replaced.push_str(&of[from..range.start]);
            match text(&made, next) {
                Some(text) => replaced.push_str(text),
                None => null = true,
            }
            from = range.end;
            next += 1;
        }
        replaced.push_str(&of[from..]);
        out.append_option((!null).then_some(replaced));
    }
    Ok(Arc::new(out.finish()))
}
