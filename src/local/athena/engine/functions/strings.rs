//! Texts: pieces, patterns, `format`.

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, BinaryArray, UInt32Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use regex::Regex;

use super::format::{Piece, printf};
use super::native::*;
use super::pattern;
use crate::local::athena::engine::{columns, print};
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "split", least: 2, most: 3, returns: texts_type, eval: split },
        Native { name: "substr", least: 2, most: 3, returns: substr_type, eval: substr },
        Native { name: "replace", least: 2, most: 3, returns: text_type, eval: replace },
        Native { name: "$concat", least: 1, most: 127, returns: concat_type, eval: concat },
        Native { name: "$reverse", least: 1, most: 1, returns: reverse_type, eval: reverse },
        Native { name: "format", least: 1, most: 127, returns: format_type, eval: format },
        Native { name: "regexp_extract", least: 2, most: 3, returns: pattern_type, eval: regexp_extract },
        Native {
            name: "regexp_extract_all",
            least: 2,
            most: 3,
            returns: patterns_type,
            eval: regexp_extract_all,
        },
        Native { name: "regexp_replace", least: 2, most: 3, returns: text_type, eval: regexp_replace },
        Native { name: "regexp_like", least: 2, most: 2, returns: like_type, eval: regexp_like },
        Native { name: "regexp_count", least: 2, most: 2, returns: count_type, eval: regexp_count },
        Native { name: "regexp_position", least: 2, most: 4, returns: place_type, eval: regexp_position },
        Native { name: "regexp_split", least: 2, most: 2, returns: texts_type, eval: regexp_split },
    ];
    all.into_iter().map(udf).collect()
}

fn utf8(text: impl Into<String>) -> Option<ScalarValue> {
    Some(ScalarValue::Utf8(Some(text.into())))
}

fn text_type(types: &[DataType]) -> Kind {
    if types.iter().all(is_text) { Ok(DataType::Utf8) } else { Err("varchar") }
}

fn texts_type(types: &[DataType]) -> Kind {
    let limit = types.get(2).is_none_or(is_whole);
    if types[..2].iter().all(is_text) && limit {
        Ok(DataType::List(columns::item(DataType::Utf8)))
    } else {
        Err("split(varchar, varchar), split(varchar, varchar, bigint)")
    }
}

fn texts(values: Vec<&str>) -> Option<ScalarValue> {
    let values: Vec<ScalarValue> = values.into_iter().map(ScalarValue::from).collect();
    Some(ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Utf8)))
}

fn split(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let found = collect(kind, rows(args), |row| {
        let (Some(of), Some(by)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        if by.is_empty() {
            return Err(argument("The delimiter may not be the empty string"));
        }
        let limit = match args.get(2).map(|a| whole(a, row)) {
            None => usize::MAX,
            Some(None) => return Ok(None),
            Some(Some(n)) => usize::try_from(n)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| argument("Limit must be positive"))?,
        };
        Ok(texts(of.splitn(limit, by).collect()))
    })?;
    compute::cast(&found, kind).map_err(wrong)
}

fn substr_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) && types[1..].iter().all(is_whole) {
        Ok(DataType::Utf8)
    } else {
        Err("substr(varchar, bigint), substr(varchar, bigint, bigint)")
    }
}

/// From 1; a negative start counts from the end.
fn substr(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(of), Some(start)) = (text(&args[0], row), whole(&args[1], row)) else { return Ok(None) };
        let length = match args.get(2) {
            Some(length) => match whole(length, row) {
                Some(length) => length,
                None => return Ok(None),
            },
            None => i64::MAX,
        };
        let size = of.chars().count() as i64;
        let from = match start {
            0 => return Ok(utf8("")),
            s if s > 0 => s - 1,
            s => size + s,
        };
        if from < 0 || from >= size || length <= 0 {
            return Ok(utf8(""));
        }
        let taken: String =
            of.chars().skip(from as usize).take(usize::try_from(length).unwrap_or(usize::MAX)).collect();
        Ok(utf8(taken))
    })
}

fn replace(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(of), Some(what)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let with = match args.get(2) {
            Some(with) => match text(with, row) {
                Some(with) => with,
                None => return Ok(None),
            },
            None => "",
        };
        Ok(utf8(of.replace(what, with)))
    })
}

fn concat_type(types: &[DataType]) -> Kind {
    if types.iter().all(is_text) {
        return Ok(DataType::Utf8);
    }
    match types.iter().find(|t| matches!(t, DataType::List(_))) {
        Some(list) if types.iter().all(|t| t == list || t == &DataType::Null) => Ok(list.clone()),
        _ => Err("concat(varchar, …), concat(array(E), …)"),
    }
}

/// NULL when any part is NULL.
pub fn concat(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        if args.iter().any(|a| a.is_null(row) || a.data_type() == &DataType::Null) {
            return Ok(None);
        }
        if kind == &DataType::Utf8 {
            return Ok(utf8(args.iter().filter_map(|a| text(a, row)).collect::<String>()));
        }
        let lists = args.iter().map(super::arrays::list).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<ArrayRef> = lists.iter().map(|l| l.value(row)).collect();
        let parts: Vec<&dyn Array> = values.iter().map(|v| &**v).collect();
        let whole = compute::concat(&parts).map_err(wrong)?;
        let list = super::arrays::lists(kind, vec![whole.len()], whole, vec![true])?;
        at(&list, 0).map(Some)
    })
}

fn reverse_type(types: &[DataType]) -> Kind {
    match &types[0] {
        kind if is_text(kind) => Ok(DataType::Utf8),
        DataType::List(of) => Ok(DataType::List(of.clone())),
        DataType::Binary => Ok(DataType::Binary),
        _ => Err("reverse(varchar), reverse(array(E)), reverse(varbinary)"),
    }
}

fn reverse(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    if let DataType::List(_) = kind {
        let list = super::arrays::list(&args[0])?;
        return collect(kind, list.len(), |row| {
            if list.is_null(row) {
                return Ok(None);
            }
            let values = list.value(row);
            let places: UInt32Array = (0..values.len() as u32).rev().collect();
            let turned = compute::take(&values, &places, None).map_err(wrong)?;
            let one = super::arrays::lists(kind, vec![turned.len()], turned, vec![true])?;
            at(&one, 0).map(Some)
        });
    }
    if let Some(bytes) = args[0].as_binary_opt::<i32>() {
        let turned = bytes.iter().map(|b| b.map(|b| b.iter().rev().copied().collect::<Vec<u8>>()));
        return Ok(Arc::new(turned.collect::<BinaryArray>()));
    }
    collect(kind, rows(args), |row| {
        Ok(text(&args[0], row).and_then(|t| utf8(t.chars().rev().collect::<String>())))
    })
}

fn format_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) { Ok(DataType::Utf8) } else { Err("format(varchar, …)") }
}

fn format(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    use datafusion::arrow::array::cast::AsArray;
    use datafusion::arrow::array::types::Float64Type;
    let piece = |array: &ArrayRef, row: usize| -> Result<Piece, Failure> {
        if array.is_null(row) || array.data_type() == &DataType::Null {
            return Ok(Piece::Null);
        }
        if let Some(number) = whole(array, row) {
            return Ok(Piece::Whole(number));
        }
        if array.data_type().is_numeric() {
            let real = compute::cast(array, &DataType::Float64).map_err(wrong)?;
            return Ok(Piece::Real(real.as_primitive::<Float64Type>().value(row)));
        }
        let mut text = String::new();
        print::cell(array, row, &mut text);
        Ok(Piece::Text(text))
    };
    collect(kind, rows(args), |row| {
        let Some(pattern) = text(&args[0], row) else { return Ok(None) };
        let values = args[1..].iter().map(|a| piece(a, row)).collect::<Result<Vec<_>, _>>()?;
        Ok(utf8(printf(pattern, &values)?))
    })
}

fn pattern_type(types: &[DataType]) -> Kind {
    let group = types.get(2).is_none_or(is_whole);
    if types[..2].iter().all(is_text) && group {
        Ok(DataType::Utf8)
    } else {
        Err("(varchar, varchar[, bigint])")
    }
}

fn patterns_type(types: &[DataType]) -> Kind {
    pattern_type(types).map(|of| DataType::List(columns::item(of)))
}

fn like_type(types: &[DataType]) -> Kind {
    if types.iter().all(is_text) { Ok(DataType::Boolean) } else { Err("regexp_like(varchar, varchar)") }
}

/// Compiles each pattern once as long as it stays the same from row to row.
#[derive(Default)]
struct Compiled(Option<(String, Regex)>);

impl Compiled {
    fn get(&mut self, pattern: &str) -> Result<&Regex, Failure> {
        if self.0.as_ref().is_none_or(|(known, _)| known != pattern) {
            self.0 = Some((pattern.to_owned(), pattern::compile(pattern)?));
        }
        self.0.as_ref().map(|(_, regex)| regex).ok_or_else(|| Failure::internal("no pattern"))
    }
}

fn group(args: &[ArrayRef], row: usize, regex: &Regex) -> Result<usize, Failure> {
    let group = args.get(2).and_then(|a| whole(a, row)).unwrap_or(0);
    match usize::try_from(group) {
        Ok(group) if group < regex.captures_len() => Ok(group),
        _ => Err(argument(format!(
            "Pattern has {} groups. Cannot access group {group}",
            regex.captures_len() - 1
        ))),
    }
}

fn regexp_extract(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let regex = compiled.get(pattern)?;
        let group = group(args, row, regex)?;
        Ok(regex.captures(of).and_then(|c| c.get(group)).and_then(|m| utf8(m.as_str())))
    })
}

fn regexp_extract_all(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    let found = collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let regex = compiled.get(pattern)?;
        let group = group(args, row, regex)?;
        Ok(texts(regex.captures_iter(of).filter_map(|c| c.get(group)).map(|m| m.as_str()).collect()))
    })?;
    compute::cast(&found, kind).map_err(wrong)
}

fn regexp_replace(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let with = match args.get(2) {
            Some(with) => match text(with, row) {
                Some(with) => with,
                None => return Ok(None),
            },
            None => "",
        };
        let regex = compiled.get(pattern)?;
        // What is wrong with a replacement shows when something is replaced.
        if !regex.is_match(of) {
            return Ok(utf8(of));
        }
        let with = pattern::replacement(with, regex)?;
        Ok(utf8(regex.replace_all(of, with.as_str())))
    })
}

fn regexp_like(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        Ok(Some(ScalarValue::Boolean(Some(compiled.get(pattern)?.is_match(of)))))
    })
}

fn count_type(types: &[DataType]) -> Kind {
    like_type(types).map(|_| DataType::Int64)
}

fn regexp_count(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let count = compiled.get(pattern)?.find_iter(of).count();
        Ok(Some(ScalarValue::Int64(Some(count as i64))))
    })
}

fn place_type(types: &[DataType]) -> Kind {
    if types[..2].iter().all(is_text) && types[2..].iter().all(is_whole) {
        Ok(DataType::Int64)
    } else {
        Err("regexp_position(varchar, varchar[, bigint[, bigint]])")
    }
}

/// Where the n-th match from a position on begins, counted from 1; -1 when there is none.
fn regexp_position(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let number = |n: usize| args.get(n).map_or(Some(1), |a| whole(a, row));
        let (Some(start), Some(nth)) = (number(2), number(3)) else { return Ok(None) };
        if start < 1 || nth < 1 {
            return Err(argument("start position and occurrence must be positive"));
        }
        let from = of.char_indices().nth(start as usize - 1).map_or(of.len(), |(byte, _)| byte);
        let found = compiled.get(pattern)?.find_iter(&of[from..]).nth(nth as usize - 1);
        let place = found.map_or(-1, |m| of[..from + m.start()].chars().count() as i64 + 1);
        Ok(Some(ScalarValue::Int64(Some(place))))
    })
}

fn regexp_split(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let mut compiled = Compiled::default();
    let found = collect(kind, rows(args), |row| {
        let (Some(of), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        Ok(texts(compiled.get(pattern)?.split(of).collect()))
    })?;
    compute::cast(&found, kind).map_err(wrong)
}
