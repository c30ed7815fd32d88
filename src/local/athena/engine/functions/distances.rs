//! Forms of texts, and how far texts are apart.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::native::*;
use super::text::{count, mapped, texts, utf8};
use crate::local::athena::failure::Failure;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native {
            name: "levenshtein_distance",
            least: 2,
            most: 2,
            returns: |t| texts(t, DataType::Int64),
            eval: levenshtein,
        },
        Native {
            name: "hamming_distance",
            least: 2,
            most: 2,
            returns: |t| texts(t, DataType::Int64),
            eval: hamming,
        },
        Native { name: "soundex", least: 1, most: 1, returns: |t| texts(t, DataType::Utf8), eval: soundex },
        Native {
            name: "luhn_check",
            least: 1,
            most: 1,
            returns: |t| texts(t, DataType::Boolean),
            eval: luhn,
        },
        Native {
            name: "normalize",
            least: 1,
            most: 2,
            returns: |t| texts(t, DataType::Utf8),
            eval: normalize,
        },
    ];
    all.into_iter().map(udf).collect()
}

/// Texts whose product of lengths is greater are too long for a distance.
const TOO_LONG: usize = 10_000_000;

fn levenshtein(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    mapped(args, kind, |[a, b]| {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        if a.len().saturating_mul(b.len()) > TOO_LONG {
            return Err(argument("The combined inputs for Levenshtein distance are too large"));
        }
        let mut before: Vec<usize> = (0..=b.len()).collect();
        for (n, x) in a.iter().enumerate() {
            let mut now = vec![n + 1];
            for (m, y) in b.iter().enumerate() {
                let swapped = before[m] + usize::from(x != y);
                now.push(swapped.min(before[m + 1] + 1).min(now[m] + 1));
            }
            before = now;
        }
        Ok(count(before[b.len()]))
    })
}

fn hamming(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    mapped(args, kind, |[a, b]| {
        if a.chars().count() != b.chars().count() {
            return Err(argument("The input strings to hamming_distance function must have the same length"));
        }
        Ok(count(a.chars().zip(b.chars()).filter(|(x, y)| x != y).count()))
    })
}

/// The American Soundex: H and W between letters of one code do not part them.
fn soundex(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let code = |c: char| match c {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    };
    mapped(args, kind, |[of]| {
        let letters: Vec<char> =
            of.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
        let Some(first) = letters.first() else { return Ok(utf8("")) };
        let mut out = String::from(*first);
        let mut last = code(*first);
        for c in &letters[1..] {
            let now = code(*c);
            if now.is_some() && now != last {
                out.extend(now);
            }
            if !matches!(c, 'H' | 'W') {
                last = now;
            }
        }
        out.truncate(4);
        Ok(utf8(format!("{out:0<4}")))
    })
}

fn luhn(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    mapped(args, kind, |[of]| {
        let digits: Option<Vec<u32>> = of.chars().map(|c| c.to_digit(10)).collect();
        let digits = digits.ok_or_else(|| argument("Input contains non-digit characters"))?;
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(n, d)| match n % 2 {
                0 => *d,
                _ if *d > 4 => d * 2 - 9,
                _ => d * 2,
            })
            .sum();
        Ok(Some(ScalarValue::Boolean(Some(!digits.is_empty() && sum.is_multiple_of(10)))))
    })
}

fn normalize(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(of) = text(&args[0], row) else { return Ok(None) };
        let form = args.get(1).map_or(Some("NFC"), |a| text(a, row)).unwrap_or("NFC");
        let done = match form.to_uppercase().as_str() {
            "NFC" => ComposingNormalizerBorrowed::new_nfc().normalize(of),
            "NFKC" => ComposingNormalizerBorrowed::new_nfkc().normalize(of),
            "NFD" => DecomposingNormalizerBorrowed::new_nfd().normalize(of),
            "NFKD" => DecomposingNormalizerBorrowed::new_nfkd().normalize(of),
            other => return Err(argument(format!("Invalid normalization form: {other}"))),
        };
        Ok(Some(ScalarValue::Utf8(Some(done.into_owned()))))
    })
}
