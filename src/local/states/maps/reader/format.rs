//! Objects with items in them: a JSON array, or JSON line by line; and how they are packed.

use std::io::Read;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::fail;
use crate::asl::entry::Entry;
use crate::asl::failure::Failure;

/// What an object may unpack to, bytes: far above what AWS reads, far below what would hurt.
const UNPACKED: u64 = 2 << 30;

/// The body of a gzip or Zstandard file, known by its first bytes (RFC 1952, RFC 8878), and any other as it is.
pub fn unpacked(body: Bytes) -> Result<Bytes, Failure> {
    let mut out = Vec::new();
    let unpacked = if body.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(body.as_ref()).take(UNPACKED).read_to_end(&mut out)
    } else if body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let reader = zstd::stream::read::Decoder::with_buffer(body.as_ref());
        reader.and_then(|reader| reader.take(UNPACKED).read_to_end(&mut out))
    } else {
        return Ok(body);
    };
    match unpacked {
        Ok(_) => Ok(out.into()),
        Err(error) => fail(format!("The object cannot be unpacked: {error}")),
    }
}

/// The items of a JSON array, or the members of an object.
pub fn json(body: &str, config: &Map<String, Value>, most: usize) -> Result<Vec<Entry>, Failure> {
    let value: Value = match serde_json::from_str(body) {
        Ok(value) => value,
        Err(error) => return fail(format!("The object is not JSON: {error}")),
    };
    let found = match config.get("ItemsPointer").and_then(Value::as_str) {
        None => Some(value),
        Some(pointer) => value.pointer(pointer).cloned(),
    };
    match found.map(Entry::all) {
        Some(Ok(mut items)) => {
            items.truncate(most);
            Ok(items)
        }
        Some(Err(_)) => fail("Attempting to map over non-iterable node."),
        None => fail("The ItemsPointer leads nowhere."),
    }
}

pub fn lines(body: &str, most: usize) -> Result<Vec<Value>, Failure> {
    let lines = body.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .take(most)
        .map(|(i, line)| {
            serde_json::from_str(line)
                .or_else(|error| fail(format!("Line {} of the object is not JSON: {error}", i + 1)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    fn config(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn json_gives_its_array_or_the_one_pointed_at() {
        let plain = config(value!({"InputType": "JSON"}));
        assert_eq!(json("[1, 2, 3]", &plain, 2).unwrap(), [value!(1).into(), value!(2).into()]);
        let members = json(r#"{"a": 1, "b": [2]}"#, &plain, 9).unwrap();
        let inputs: Vec<Value> = members.iter().map(Entry::input).collect();
        assert_eq!(inputs, [value!({"Key": "a", "Value": 1}), value!({"Key": "b", "Value": [2]})]);
        let failure = json("7", &plain, 2).unwrap_err();
        assert_eq!(failure.error.as_deref(), Some("States.ItemReaderFailed"));
        assert_eq!(failure.cause.as_deref(), Some("Attempting to map over non-iterable node."));
        let pointed = config(value!({"ItemsPointer": "/a/b"}));
        assert_eq!(json(r#"{"a": {"b": [7]}}"#, &pointed, 9).unwrap(), [value!(7).into()]);
        assert!(json("[", &plain, 2).is_err());
        assert_eq!(lines("{\"a\": 1}\n\n2\n", 9).unwrap(), [value!({"a": 1}), value!(2)]);
    }

    /// `printf '{"a":1}\n' | gzip -n`, and the same cut short.
    #[test]
    fn a_packed_object_is_unpacked() {
        let packed: &[u8] = &[
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2, 0x32,
            0xac, 0xe5, 0x02, 0x00, 0x46, 0xa3, 0xe8, 0x74, 0x08, 0x00, 0x00, 0x00,
        ];
        assert_eq!(unpacked(Bytes::from_static(packed)).unwrap(), "{\"a\":1}\n");
        assert!(unpacked(Bytes::from_static(&packed[..14])).is_err());
        assert_eq!(unpacked(Bytes::from_static(b"plain")).unwrap(), "plain");
        // RFC 8878, by hand: a single segment of 8 bytes, in one last block that is not compressed.
        let framed = b"\x28\xb5\x2f\xfd\x20\x08\x41\x00\x00{\"a\":1}\n";
        assert_eq!(unpacked(Bytes::from_static(framed)).unwrap(), "{\"a\":1}\n");
        assert!(unpacked(Bytes::from_static(&framed[..12])).is_err());
    }
}
