//! Objects that list the objects with the items: an S3 inventory's `manifest.json` (S3 guide, "Locating your
//! inventory list") and the manifest of an Athena UNLOAD, which names an object a line.

use serde::Deserialize;

use super::fail;
use crate::asl::failure::Failure;

/// An inventory: what is in which files.
#[derive(Debug, PartialEq, Eq)]
pub struct Inventory {
    pub bucket: String,
    pub keys: Vec<String>,
    /// The columns of CSV files, which have no header; a Parquet file knows its own.
    pub columns: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    destination_bucket: String,
    file_format: String,
    #[serde(default)]
    file_schema: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    key: String,
}

pub fn inventory(text: &str) -> Result<Inventory, Failure> {
    let manifest: Manifest = match serde_json::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return fail(format!("The object is not the manifest of an S3 inventory: {error}")),
    };
    let columns = match manifest.file_format.to_ascii_uppercase().as_str() {
        "CSV" => Some(manifest.file_schema.split(',').map(|column| column.trim().to_owned()).collect()),
        "PARQUET" => None,
        other => return fail(format!("An inventory in the format {other} cannot be read; use CSV.")),
    };
    let bucket = manifest.destination_bucket;
    let bucket = bucket.rsplit_once(":::").map_or(bucket.as_str(), |(_, name)| name).to_owned();
    Ok(Inventory { bucket, keys: manifest.files.into_iter().map(|file| file.key).collect(), columns })
}

/// The buckets and keys that are listed.
pub fn athena(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let lines = text.lines().map(|line| line.trim().trim_matches('"')).filter(|line| !line.is_empty());
    lines
        .map(|line| match line.strip_prefix("s3://").and_then(|place| place.split_once('/')) {
            Some((bucket, key)) => Ok((bucket.to_owned(), key.to_owned())),
            None => fail(format!("The manifest names '{line}', which is no object in S3.")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the S3 guide, with two of its files.
    #[test]
    fn an_inventory_names_its_files_and_columns() {
        let text = r#"{
            "sourceBucket": "amzn-s3-demo-source-bucket",
            "destinationBucket": "arn:aws:s3:::example-inventory-destination-bucket",
            "version": "2016-11-30", "creationTimestamp": "1514944800000", "fileFormat": "CSV",
            "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
            "files": [
                {"key": "Inventory/source/2016-11-06T21-32Z/files/939c6d46.csv.gz", "size": 2147483647, "MD5checksum": "f11166069f1990abeb9c97ace9cdfabc"},
                {"key": "b.csv.gz", "size": 1}
            ]}"#;
        let found = inventory(text).unwrap();
        assert_eq!(found.bucket, "example-inventory-destination-bucket");
        assert_eq!(found.keys[1], "b.csv.gz");
        let columns = ["Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size"];
        assert_eq!(found.columns.unwrap(), columns);
        assert!(inventory("[]").is_err());
        assert!(inventory(&text.replace("\"CSV\"", "\"ORC\"")).is_err());
        assert_eq!(inventory(&text.replace("\"CSV\"", "\"Parquet\"")).unwrap().columns, None);
    }

    #[test]
    fn a_manifest_of_athena_names_an_object_a_line() {
        let found = athena("s3://bucket/a/1\n\n\"s3://bucket/a/2\"\n").unwrap();
        assert_eq!(found, [("bucket".into(), "a/1".into()), ("bucket".into(), "a/2".into())]);
        assert!(athena("a/1\n").is_err());
    }
}
