//! Texts: padding, positions, pieces, distances. <https://trino.io/docs/current/functions/string.html>

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, Int64Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::native::*;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "length", least: 1, most: 1, returns: length_type, eval: length },
        Native { name: "lpad", least: 3, most: 3, returns: pad_type, eval: |a, k| pad(a, k, true) },
        Native { name: "rpad", least: 3, most: 3, returns: pad_type, eval: |a, k| pad(a, k, false) },
        Native { name: "strpos", least: 2, most: 3, returns: position_type, eval: strpos },
        Native { name: "split_part", least: 3, most: 3, returns: part_type, eval: split_part },
        Native { name: "chr", least: 1, most: 1, returns: chr_type, eval: chr },
        Native {
            name: "codepoint",
            least: 1,
            most: 1,
            returns: |t| texts(t, DataType::Int32),
            eval: codepoint,
        },
        Native { name: "concat_ws", least: 2, most: 127, returns: joined_type, eval: concat_ws },
        Native {
            name: "translate",
            least: 3,
            most: 3,
            returns: |t| texts(t, DataType::Utf8),
            eval: translate,
        },
        Native {
            name: "$like_pattern",
            least: 1,
            most: 2,
            // What is no text is refused where LIKE is.
            returns: |t| if t.len() == 1 { Ok(t[0].clone()) } else { texts(t, DataType::Utf8) },
            eval: like_pattern,
        },
        Native {
            name: "$text",
            least: 1,
            most: 1,
            returns: |t| texts(t, DataType::Utf8),
            eval: |a, _| Ok(a[0].clone()),
        },
    ];
    all.into_iter().map(udf).collect()
}

/// The result of a function of texts alone.
pub fn texts(types: &[DataType], result: DataType) -> Kind {
    if types.iter().all(is_text) { Ok(result) } else { Err("varchar") }
}

/// Calls `each` with the texts of a row, where none is NULL.
pub fn mapped<const N: usize>(
    args: &[ArrayRef],
    kind: &DataType,
    each: impl Fn([&str; N]) -> Result<Option<ScalarValue>, Failure>,
) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let mut of = [""; N];
        for (place, array) in of.iter_mut().zip(args) {
            match text(array, row) {
                Some(text) => *place = text,
                None => return Ok(None),
            }
        }
        each(of)
    })
}

pub fn utf8(text: impl Into<String>) -> Option<ScalarValue> {
    Some(ScalarValue::Utf8(Some(text.into())))
}

pub fn count(n: usize) -> Option<ScalarValue> {
    Some(ScalarValue::Int64(Some(n as i64)))
}

fn length_type(types: &[DataType]) -> Kind {
    match &types[0] {
        kind if is_text(kind) => Ok(DataType::Int64),
        DataType::Binary => Ok(DataType::Int64),
        _ => Err("length(char(x)), length(varchar(x)), length(varbinary)"),
    }
}

fn length(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let of = &args[0];
    let lengths: Int64Array = (0..of.len())
        .map(|row| {
            if of.data_type() == &DataType::Binary {
                return of.is_valid(row).then(|| of.as_binary::<i32>().value(row).len() as i64);
            }
            text(of, row).map(|t| if t.is_ascii() { t.len() } else { t.chars().count() } as i64)
        })
        .collect();
    Ok(Arc::new(lengths))
}

fn pad_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) && is_whole(&types[1]) && is_text(&types[2]) {
        Ok(DataType::Utf8)
    } else {
        Err("lpad(varchar(x), bigint, varchar(y))")
    }
}

/// The longest text that padding makes here; Trino's own limit would not fit into memory.
const WIDEST: i64 = 1 << 20;

fn pad(args: &[ArrayRef], kind: &DataType, left: bool) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(of), Some(size), Some(with)) =
            (text(&args[0], row), whole(&args[1], row), text(&args[2], row))
        else {
            return Ok(None);
        };
        if !(0..=i64::from(i32::MAX)).contains(&size) {
            return Err(argument("Target length must be in the range [0..2147483647]"));
        }
        if with.is_empty() {
            return Err(argument("Padding string must not be empty"));
        }
        if size > WIDEST {
            return Err(argument(format!("Target length must be at most {WIDEST}")));
        }
        let size = size as usize;
        let missing = size.saturating_sub(of.chars().count());
        if missing == 0 {
            return Ok(utf8(of.chars().take(size).collect::<String>()));
        }
        let padding: String = with.chars().cycle().take(missing).collect();
        Ok(utf8(if left { padding + of } else { of.to_owned() + &padding }))
    })
}

fn position_type(types: &[DataType]) -> Kind {
    if types[..2].iter().all(is_text) && types.get(2).is_none_or(is_whole) {
        Ok(DataType::Int64)
    } else {
        Err("strpos(varchar(x), varchar(y)), strpos(varchar(x), varchar(y), bigint)")
    }
}

/// Where the n-th occurrence begins, counted from 1; from the end when n is negative.
fn strpos(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(of), Some(what)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let instance = match args.get(2) {
            Some(n) => match whole(n, row) {
                Some(0) => return Err(argument("'instance' must not be a zero")),
                Some(n) => n,
                None => return Ok(None),
            },
            None => 1,
        };
        let nth = instance.unsigned_abs() as usize - 1;
        let starts = |rest: usize| of[rest..].find(what).map(|at| at + rest);
        let mut found: Vec<usize> = Vec::new();
        let mut from = 0;
        while let Some(at) = starts(from) {
            found.push(at);
            if instance > 0 && found.len() > nth {
                break;
            }
            // Occurrences may overlap.
            from = at + of[at..].chars().next().map_or(1, char::len_utf8);
            if from > of.len() {
                break;
            }
        }
        let byte = if instance > 0 { found.get(nth) } else { found.iter().rev().nth(nth) };
        Ok(count(byte.map_or(0, |b| of[..*b].chars().count() + 1)))
    })
}

fn part_type(types: &[DataType]) -> Kind {
    if types[..2].iter().all(is_text) && is_whole(&types[2]) {
        Ok(DataType::Utf8)
    } else {
        Err("split_part(varchar(x), varchar(y), bigint)")
    }
}

fn split_part(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let mut out = StringBuilder::new();
    for row in 0..rows(args) {
        let (Some(of), Some(by), Some(n)) = (text(&args[0], row), text(&args[1], row), whole(&args[2], row))
        else {
            out.append_null();
            continue;
        };
        let nth = usize::try_from(n).ok().filter(|n| *n > 0);
        let Some(nth) = nth else { return Err(argument("Index must be greater than zero")) };
        if by.is_empty() {
            // Every character is a part of its own.
            out.append_option(of.chars().nth(nth - 1).map(String::from));
        } else {
            out.append_option(of.split(by).nth(nth - 1));
        }
    }
    Ok(Arc::new(out.finish()))
}

fn chr_type(types: &[DataType]) -> Kind {
    if is_whole(&types[0]) { Ok(DataType::Utf8) } else { Err("chr(bigint)") }
}

fn chr(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(n) = whole(&args[0], row) else { return Ok(None) };
        let c = u32::try_from(n).ok().and_then(char::from_u32);
        c.map(utf8).ok_or_else(|| argument(format!("Not a valid Unicode code point: {n}")))
    })
}

fn codepoint(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    mapped(args, kind, |[of]| {
        let mut chars = of.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Some(ScalarValue::Int32(Some(c as i32)))),
            _ => Err(argument("Input string must be a single character string")),
        }
    })
}

fn joined_type(types: &[DataType]) -> Kind {
    let list = matches!(&types[1], DataType::List(of) if is_text(of.data_type()));
    if is_text(&types[0]) && (types[1..].iter().all(is_text) || list && types.len() == 2) {
        Ok(DataType::Utf8)
    } else {
        Err("concat_ws(varchar, varchar, …), concat_ws(varchar, array(varchar))")
    }
}

/// NULL parts are left out; without a separator there is nothing.
fn concat_ws(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(by) = text(&args[0], row) else { return Ok(None) };
        if let DataType::List(_) = args[1].data_type() {
            let list = args[1].as_list::<i32>();
            if list.is_null(row) {
                return Ok(utf8(""));
            }
            let values = list.value(row);
            let parts: Vec<&str> = (0..values.len()).filter_map(|n| text(&values, n)).collect();
            return Ok(utf8(parts.join(by)));
        }
        let parts: Vec<&str> = args[1..].iter().filter_map(|a| text(a, row)).collect();
        Ok(utf8(parts.join(by)))
    })
}

fn translate(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    mapped(args, kind, |[of, from, to]| {
        let to: Vec<char> = to.chars().collect();
        let moved = of.chars().filter_map(|c| match from.chars().position(|f| f == c) {
            Some(at) => to.get(at).copied(),
            None => Some(c),
        });
        Ok(utf8(moved.collect::<String>()))
    })
}

/// A LIKE pattern with another escape, or none, as one with the backslash.
fn like_pattern(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    if args.len() == 1 {
        return mapped(args, kind, |[pattern]| Ok(utf8(pattern.replace('\\', "\\\\"))));
    }
    mapped(args, kind, |[pattern, escape]| {
        let mut escapes = escape.chars();
        let (Some(escape), None) = (escapes.next(), escapes.next()) else {
            return Err(argument("Escape string must be a single character"));
        };
        let mut out = String::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if c == escape {
                match chars.next() {
                    Some(next) if next == escape || matches!(next, '%' | '_') => out.extend(['\\', next]),
                    _ => {
                        return Err(argument(
                            "Escape character must be followed by '%', '_' or the escape character itself",
                        ));
                    }
                }
            } else if c == '\\' {
                out.push_str("\\\\");
            } else {
                out.push(c);
            }
        }
        Ok(utf8(out))
    })
}
