//! Bytes and digests. <https://trino.io/docs/current/functions/binary.html>

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, BinaryBuilder, Int64Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

use super::native::*;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    macro_rules! text_of {
        ($name:literal, $eval:expr) => {
            Native {
                name: $name,
                least: 1,
                most: 1,
                returns: |t| of_bytes(t, DataType::Utf8),
                eval: |a, _| to_text(a, $eval),
            }
        };
    }
    macro_rules! bytes_of {
        ($name:literal, $eval:expr) => {
            Native { name: $name, least: 1, most: 1, returns: of_either, eval: |a, _| to_bytes(a, $eval) }
        };
    }
    let all = [
        bytes_of!("to_utf8", |b| Ok(b.to_vec())),
        text_of!("from_utf8", |b| String::from_utf8_lossy(b).into_owned()),
        text_of!("to_hex", hex),
        bytes_of!("from_hex", from_hex),
        text_of!("to_base64", |b| STANDARD.encode(b)),
        bytes_of!("from_base64", |b| STANDARD.decode(b).map_err(|e| argument(e.to_string()))),
        text_of!("to_base64url", |b| URL_SAFE.encode(b)),
        bytes_of!("from_base64url", |b| URL_SAFE.decode(b).map_err(|e| argument(e.to_string()))),
        bytes_of!("md5", |b| Ok(md5::Digest::finalize(<Md5 as md5::Digest>::new_with_prefix(b)).to_vec())),
        bytes_of!("sha1", |b| Ok(
            sha1::Digest::finalize(<sha1::Sha1 as sha1::Digest>::new_with_prefix(b)).to_vec()
        )),
        bytes_of!("sha256", |b| Ok(Sha256::digest(b).to_vec())),
        bytes_of!("sha512", |b| Ok(Sha512::digest(b).to_vec())),
        Native { name: "crc32", least: 1, most: 1, returns: |t| of_bytes(t, DataType::Int64), eval: crc32 },
    ];
    all.into_iter().map(udf).collect()
}

fn of_bytes(types: &[DataType], result: DataType) -> Kind {
    if matches!(types[0], DataType::Binary | DataType::Null) { Ok(result) } else { Err("varbinary") }
}

fn of_either(types: &[DataType]) -> Kind {
    if is_text(&types[0]) || types[0] == DataType::Binary { Ok(DataType::Binary) } else { Err("varbinary") }
}

fn bytes(array: &ArrayRef, row: usize) -> Option<&[u8]> {
    match array.data_type() {
        DataType::Binary => array.is_valid(row).then(|| array.as_binary::<i32>().value(row)),
        _ => text(array, row).map(str::as_bytes),
    }
}

fn to_text(args: &[ArrayRef], each: fn(&[u8]) -> String) -> Result<ArrayRef, Failure> {
    let mut out = StringBuilder::new();
    for row in 0..rows(args) {
        out.append_option(bytes(&args[0], row).map(each));
    }
    Ok(Arc::new(out.finish()))
}

fn to_bytes(args: &[ArrayRef], each: fn(&[u8]) -> Result<Vec<u8>, Failure>) -> Result<ArrayRef, Failure> {
    let mut out = BinaryBuilder::new();
    for row in 0..rows(args) {
        out.append_option(bytes(&args[0], row).map(each).transpose()?);
    }
    Ok(Arc::new(out.finish()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

fn from_hex(digits: &[u8]) -> Result<Vec<u8>, Failure> {
    if digits.len() % 2 == 1 {
        return Err(argument(format!("expected an even number of hex digits, but got {}", digits.len())));
    }
    let digit = |b: u8| {
        let value = char::from(b).to_digit(16);
        value.map(|d| d as u8).ok_or_else(|| argument(format!("invalid hex character: {}", char::from(b))))
    };
    digits.chunks(2).map(|pair| Ok(digit(pair[0])? * 16 + digit(pair[1])?)).collect()
}

fn crc32(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let sums: Int64Array =
        (0..rows(args)).map(|row| bytes(&args[0], row).map(|b| i64::from(crc32fast::hash(b)))).collect();
    Ok(Arc::new(sums))
}

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// xxHash64 with seed 0, which Trino's checksum is made of.
/// <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
pub fn xxhash(data: &[u8]) -> u64 {
    let round = |sum: u64, word: u64| {
        sum.wrapping_add(word.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
    };
    let word = |at: &[u8]| at.iter().take(8).rev().fold(0u64, |n, b| n << 8 | u64::from(*b));
    let mut rest = data;
    let mut sum = PRIMES[4];
    if data.len() >= 32 {
        let mut lanes = [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, 0u64.wrapping_sub(PRIMES[0])];
        while rest.len() >= 32 {
            for (n, lane) in lanes.iter_mut().enumerate() {
                *lane = round(*lane, word(&rest[n * 8..]));
            }
            rest = &rest[32..];
        }
        let turns = [1, 7, 12, 18];
        sum = lanes.iter().zip(turns).fold(0u64, |s, (l, t)| s.wrapping_add(l.rotate_left(t)));
        for lane in lanes {
            sum = (sum ^ round(0, lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        }
    }
    sum = sum.wrapping_add(data.len() as u64);
    while rest.len() >= 8 {
        sum = (sum ^ round(0, word(rest))).rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        rest = &rest[8..];
    }
    if rest.len() >= 4 {
        let half = word(&rest[..4]);
        sum = (sum ^ half.wrapping_mul(PRIMES[0]))
            .rotate_left(23)
            .wrapping_mul(PRIMES[1])
            .wrapping_add(PRIMES[2]);
        rest = &rest[4..];
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte).wrapping_mul(PRIMES[4])).rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    sum = (sum ^ (sum >> 33)).wrapping_mul(PRIMES[1]);
    sum = (sum ^ (sum >> 29)).wrapping_mul(PRIMES[2]);
    sum ^ (sum >> 32)
}

/// The sum that Trino's checksum adds values to.
pub fn checksum_step(hash: Option<u64>) -> u64 {
    hash.map_or(PRIMES[0], |h| h.wrapping_mul(PRIMES[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specification() {
        // Test vectors of the reference implementation, seed 0.
        assert_eq!(xxhash(b""), 0xEF46_DB37_51D8_E999);
        assert_eq!(xxhash(b"a"), 0xD24E_C4F1_A98C_6E5B);
        assert_eq!(xxhash(b"abc"), 0x44BC_2CF5_AD77_0999);
        assert_eq!(xxhash(b"Nobody inspects the spammish repetition"), 0xFBCE_A83C_8A37_8BF1);
    }
}
