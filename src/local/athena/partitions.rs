//! Partitions by name: `dt=2026-11-01/region=south`. Pure.

use super::catalog::Column;

/// The value of a partition that has none.
pub const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The name of a partition, as its folder and SHOW PARTITIONS have it.
pub fn name<'a>(columns: &[Column], values: impl IntoIterator<Item = &'a String>) -> String {
    let part = |(column, value): (&Column, &String)| format!("{}={}", column.name, escape(value));
    columns.iter().zip(values).map(part).collect::<Vec<_>>().join("/")
}

/// Hive's escapes in names of folders (`FileUtils.escapePathName`).
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            out.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    if out.is_empty() { NULL.to_owned() } else { out }
}

/// The partition's values that the head of an object's path below the table names, and the length of
/// that head with its last slash; `None` when the path is not so.
pub fn read(columns: &[Column], path: &str) -> Option<(Vec<String>, usize)> {
    let (mut values, mut at) = (Vec::new(), 0);
    for column in columns {
        // An object directly in the partition's folder or below: the folder itself needs a name.
        let (part, _) = path[at..].split_once('/')?;
        let (name, value) = part.split_once('=')?;
        if !name.eq_ignore_ascii_case(&column.name) {
            return None;
        }
        values.push(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned());
        at += part.len() + 1;
    }
    Some((values, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        ["dt", "region"].map(|n| Column { name: n.into(), kind: "string".into(), comment: None }).to_vec()
    }

    #[test]
    fn names_are_escaped_and_read_back() {
        let values = ["2026-11-01 10:00".to_owned(), "a/b%".to_owned()];
        let name = name(&columns(), &values);
        assert_eq!(name, "dt=2026-11-01 10%3A00/region=a%2Fb%25");
        let (read, length) = read(&columns(), &format!("{name}/file.json")).unwrap();
        assert_eq!((read.as_slice(), length), (&values[..], name.len() + 1));
    }

    #[test]
    fn other_folders_are_no_partitions() {
        for path in ["x.json", "dt=1/x.json", "dt=1/other=2/x.json", "region=1/dt=2/x", "dt=1/region=2"] {
            assert_eq!(read(&columns(), path), None, "{path}");
        }
    }
}
