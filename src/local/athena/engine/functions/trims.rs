//! `trim`, `ltrim` and `rtrim`: whitespace or given characters from the ends of a text.
//! <https://trino.io/docs/current/functions/string.html#trim>

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::native::*;
use crate::local::athena::failure::Failure;

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Both,
    Left,
    Right,
}

pub fn all() -> Vec<ScalarUDF> {
    macro_rules! trimmer {
        ($name:literal, $ends:expr, $expected:literal) => {
            Native {
                name: $name,
                least: 1,
                most: 2,
                returns: |types| kind(types).ok_or($expected),
                eval: |args, _| trim(args, $ends),
            }
        };
    }
    let all = [
        trimmer!("$trim", Ends::Both, "trim(varchar(x))"),
        trimmer!("$ltrim", Ends::Left, "ltrim(varchar(x))"),
        trimmer!("$rtrim", Ends::Right, "rtrim(varchar(x))"),
    ];
    all.into_iter().map(udf).collect()
}

fn kind(types: &[DataType]) -> Option<DataType> {
    types.iter().all(is_text).then_some(DataType::Utf8)
}

/// What Java's `Character.isWhitespace` takes for white: no space that does not break.
fn is_white(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}')
        || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn cut(text: &str, ends: Ends, goes: impl Fn(char) -> bool) -> &str {
    let text = if ends == Ends::Right { text } else { text.trim_start_matches(&goes) };
    if ends == Ends::Left { text } else { text.trim_end_matches(&goes) }
}

fn trim(args: &[ArrayRef], ends: Ends) -> Result<ArrayRef, Failure> {
    let mut out = StringBuilder::new();
    for row in 0..rows(args) {
        let of = text(&args[0], row);
        out.append_option(match args.get(1) {
            None => of.map(|of| cut(of, ends, is_white)),
            Some(given) => of.zip(text(given, row)).map(|(of, given)| cut(of, ends, |c| given.contains(c))),
        });
    }
    Ok(Arc::new(out.finish()))
}
