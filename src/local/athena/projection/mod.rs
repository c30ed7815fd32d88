//! Partition projection: partitions that a table's properties describe instead of the catalog. Pure.
//!
//! The rules are those of Athena's user guide, "Partition projection with Amazon Athena":
//! `projection.enabled`, `projection.COLUMN.type` with what each type asks for, and
//! `storage.location.template`.

mod dates;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use self::dates::Dates;
use super::catalog::{Column, Table};
use super::failure::Failure;
use super::partitions;

/// Values that one column may have before a query is refused: each costs a listing.
const MOST: usize = 1_000_000;

/// What the values of a partition column are.
#[derive(Clone, Debug, PartialEq)]
pub enum Projected {
    Enum(Vec<String>),
    /// `digits` pads with zeros.
    Integer {
        from: i64,
        to: i64,
        interval: i64,
        digits: usize,
    },
    Date(Dates),
    /// Whatever the query compares the column with.
    Injected,
}

fn bad(table: &Table, why: impl std::fmt::Display) -> Failure {
    Failure::new(
        "INVALID_TABLE_PROPERTY",
        format!("Table {}.{} is configured for partition projection, but {why}", table.database, table.name),
    )
}

/// Whether the table's partitions are projected.
pub fn enabled(table: &Table) -> bool {
    table.property("projection.enabled").is_some_and(|v| v.eq_ignore_ascii_case("true"))
}

/// The projection of each partition column, in their order; `None` when it is not enabled.
pub fn of(table: &Table) -> Result<Option<Vec<Projected>>, Failure> {
    if !enabled(table) {
        return Ok(None);
    }
    let missing: Vec<&str> = table
        .partitioned_by
        .iter()
        .filter(|c| table.property(&format!("projection.{}.type", c.name)).is_none())
        .map(|c| c.name.as_str())
        .collect();
    if !missing.is_empty() {
        let why = format!(
            "the following partition columns are missing projection configuration: [{}]",
            missing.join(", ")
        );
        return Err(bad(table, why));
    }
    table.partitioned_by.iter().map(|column| one(table, column)).collect::<Result<_, _>>().map(Some)
}

fn one(table: &Table, column: &Column) -> Result<Projected, Failure> {
    let name = &column.name;
    let property = |what: &str| table.property(&format!("projection.{name}.{what}"));
    let must =
        |what: &str| property(what).ok_or_else(|| bad(table, format!("projection.{name}.{what} is missing")));
    let wrong = |what: &str, value: &str| {
        bad(table, format!("projection.{name}.{what} has a value that cannot be read: '{value}'"))
    };
    let number = |what: &str, default: i64| match property(what) {
        Some(text) => text.trim().parse::<i64>().ok().filter(|n| *n > 0).ok_or_else(|| wrong(what, text)),
        None => Ok(default),
    };
    let kind = must("type")?;
    Ok(match kind.to_ascii_lowercase().as_str() {
        "enum" => Projected::Enum(must("values")?.split(',').map(|v| v.trim().to_owned()).collect()),
        "integer" => {
            let range = must("range")?;
            let ends = range
                .split_once(',')
                .and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
            let (from, to) = ends.ok_or_else(|| wrong("range", range))?;
            let digits = usize::try_from(number("digits", 0)?).unwrap_or(0).min(64);
            Projected::Integer { from, to, interval: number("interval", 1)?, digits }
        }
        "date" => {
            let (format, range) = (must("format")?, must("range")?);
            let dates = Dates::new(format, range, number("interval", 1)?, property("interval.unit"));
            Projected::Date(dates.map_err(|why| bad(table, format!("projection.{name}: {why}")))?)
        }
        "injected" => Projected::Injected,
        other => return Err(wrong("type", other)),
    })
}

impl Projected {
    /// Those of some texts that are values, where that is known without counting them all out.
    pub fn among(&self, texts: &[String]) -> Option<Vec<String>> {
        let Projected::Integer { from, to, interval, digits } = self else { return None };
        let numbers: Option<Vec<i64>> = texts.iter().map(|text| text.trim().parse().ok()).collect();
        let fits = |n: &i64| {
            (*from..=*to).contains(n) && (i128::from(*n) - i128::from(*from)) % i128::from(*interval) == 0
        };
        let numbers: BTreeSet<i64> = numbers?.into_iter().filter(fits).collect();
        Some(numbers.into_iter().map(|n| padded(n, *digits)).collect())
    }

    /// All values, in order. Injected columns have none of their own.
    pub fn values(&self, now: DateTime<Utc>) -> Result<Vec<String>, Failure> {
        let found: Vec<String> = match self {
            Projected::Enum(values) => values.clone(),
            Projected::Integer { from, to, interval, digits } => {
                let step = usize::try_from(*interval).unwrap_or(usize::MAX);
                (*from..=*to).step_by(step).map(|n| padded(n, *digits)).take(MOST + 1).collect()
            }
            Projected::Date(dates) => dates.values(now, MOST + 1)?,
            Projected::Injected => Vec::new(),
        };
        if found.len() > MOST {
            return Err(Failure::new(
                "CONSTRAINT_VIOLATION",
                format!("A projected partition column has more than {MOST} values: narrow its range"),
            ));
        }
        Ok(found)
    }
}

fn padded(number: i64, digits: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0digits$}", number.unsigned_abs())
}

/// Where the partition with these values is.
pub fn location(table: &Table, values: &[String]) -> String {
    match table.property("storage.location.template") {
        Some(template) => {
            let mut at = template.to_owned();
            for (column, value) in table.partitioned_by.iter().zip(values) {
                at = at.replace(&format!("${{{}}}", column.name), value);
            }
            at
        }
        None => {
            let name = partitions::name(&table.partitioned_by, values);
            format!("{}/{name}/", table.location.trim_end_matches('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(properties: &[(&str, &str)], columns: &[&str]) -> Table {
        let column = |n: &&str| Column { name: (*n).into(), kind: "string".into(), comment: None };
        let pair = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        Table {
            database: "d".into(),
            name: "t".into(),
            location: "s3://b/logs".into(),
            partitioned_by: columns.iter().map(column).collect(),
            properties: properties.iter().map(pair).collect(),
            ..Table::default()
        }
    }

    fn values(properties: &[(&str, &str)]) -> Vec<String> {
        let mut all = vec![("projection.enabled", "TRUE")];
        all.extend(properties);
        let projected = of(&table(&all, &["p"])).unwrap().unwrap();
        projected[0].values(DateTime::from_timestamp(1_772_366_400, 0).unwrap()).unwrap()
    }

    #[test]
    fn each_type_has_its_values() {
        // The examples of the user guide, "Supported types for partition projection".
        assert_eq!(
            values(&[("projection.p.type", "enum"), ("projection.p.values", "A, B,C")]),
            ["A", "B", "C"]
        );
        let integers = [("projection.p.type", "integer"), ("projection.p.range", "0,12")];
        let mut all = integers.to_vec();
        all.extend([("projection.p.interval", "5"), ("projection.p.digits", "2")]);
        assert_eq!(values(&all), ["00", "05", "10"]);
        assert_eq!(values(&integers).len(), 13);
        // 1772366400 is 2026-03-01 12:00 UTC.
        let days = [
            ("projection.p.type", "date"),
            ("projection.p.format", "yyyy/MM/dd"),
            ("projection.p.range", "NOW-2DAYS,NOW"),
        ];
        assert_eq!(values(&days), ["2026/02/27", "2026/02/28", "2026/03/01"]);
    }

    #[test]
    fn a_value_of_an_endless_range_is_found_at_once() {
        let endless = Projected::Integer { from: 0, to: i64::MAX, interval: 5, digits: 3 };
        let texts = ["5", "05", "7", "-5", "9223372036854775805"].map(str::to_owned);
        assert_eq!(endless.among(&texts).unwrap(), ["005", "9223372036854775805"]);
        // What is no number may still equal one: it is compared with every value.
        assert_eq!(endless.among(&["5.0".to_owned()]), None);
        assert_eq!(Projected::Enum(vec!["a".into()]).among(&texts), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let failure =
            of(&table(&[("projection.enabled", "true"), ("projection.a.type", "injected")], &["a", "b"]))
                .unwrap_err();
        assert!(failure.to_string().ends_with("missing projection configuration: [b]"), "{failure}");
        assert_eq!(of(&table(&[], &["a"])).unwrap(), None);
    }

    #[test]
    fn places_come_from_the_template() {
        let values = ["2026/01/02".to_owned(), "x".to_owned()];
        let plain = table(&[], &["dt", "r"]);
        assert_eq!(location(&plain, &values), "s3://b/logs/dt=2026%2F01%2F02/r=x/");
        let template = table(&[("storage.location.template", "s3://b/in/${r}/${dt}/")], &["dt", "r"]);
        assert_eq!(location(&template, &values), "s3://b/in/x/2026/01/02/");
    }
}
