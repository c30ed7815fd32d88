//! CREATE EXTERNAL TABLE and the parts that ALTER TABLE shares with it.

use super::{Name, Properties, Words};
use crate::local::athena::failure::{Failure, Spot};
use crate::local::athena::storage;
use crate::local::athena::types::Type;

#[derive(Clone, Debug, PartialEq)]
pub struct NewColumn {
    pub name: String,
    pub kind: Type,
    pub comment: Option<String>,
}

/// One partition of ALTER TABLE: its values, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    pub values: Properties,
    pub location: Option<String>,
}

/// A CREATE EXTERNAL TABLE.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewTable {
    pub name: Name,
    /// IF NOT EXISTS.
    pub lenient: bool,
    pub columns: Vec<NewColumn>,
    pub partitioned_by: Vec<NewColumn>,
    pub comment: Option<String>,
    /// The SerDe's class; `None` for delimited text and for STORED AS formats.
    pub serde: Option<String>,
    pub serde_properties: Properties,
    /// STORED AS: `PARQUET`, `TEXTFILE` …, upper case.
    pub stored_as: Option<String>,
    pub input_format: Option<String>,
    pub output_format: Option<String>,
    /// `s3://bucket/prefix/`
    pub location: String,
    pub properties: Properties,
}

/// From behind EXTERNAL TABLE to the end.
pub fn read(words: &mut Words<'_>) -> Result<NewTable, Failure> {
    let mut table = NewTable { lenient: words.take("IF NOT EXISTS"), ..NewTable::default() };
    table.name = words.qualified()?;
    table.columns = columns(words)?;
    let mut located = false;
    loop {
        if words.take("COMMENT") {
            table.comment = Some(words.string()?);
        } else if words.take("PARTITIONED BY") {
            table.partitioned_by = columns(words)?;
        } else if words.take("CLUSTERED BY") {
            skip_parentheses(words)?;
            if words.take("SORTED BY") {
                skip_parentheses(words)?;
            }
            words.must("INTO")?;
            words.value()?;
            words.must("BUCKETS")?;
        } else if words.take("ROW FORMAT SERDE") {
            table.serde = Some(words.string()?);
            if words.take("WITH SERDEPROPERTIES") {
                table.serde_properties = words.properties()?;
            }
        } else if words.take("ROW FORMAT DELIMITED") {
            delimited(words, &mut table.serde_properties)?;
        } else if words.take("WITH SERDEPROPERTIES") {
            table.serde_properties.extend(words.properties()?);
        } else if words.take("STORED AS INPUTFORMAT") {
            table.input_format = Some(words.string()?);
            words.must("OUTPUTFORMAT")?;
            table.output_format = Some(words.string()?);
        } else if words.take("STORED AS") {
            let spot = Spot::of(words.text, words.offset());
            let format = words.name()?.to_uppercase();
            if storage::of(&format).is_none() {
                return Err(Failure::malformed(
                    spot,
                    format!("Unrecognized file format in STORED AS clause: '{format}'"),
                ));
            }
            table.stored_as = Some(format);
        } else if words.take("LOCATION") {
            table.location = words.string()?;
            located = true;
        } else if words.take("TBLPROPERTIES") {
            table.properties = words.properties()?;
        } else {
            break;
        }
    }
    if !located && words.done() {
        return Err(words.mismatch("'LOCATION'"));
    }
    Ok(table)
}

/// `(name type COMMENT '…', …)`
pub fn columns(words: &mut Words<'_>) -> Result<Vec<NewColumn>, Failure> {
    words.must("(")?;
    let mut found: Vec<NewColumn> = Vec::new();
    loop {
        let spot = Spot::of(words.text, words.offset());
        let column = column(words)?;
        if found.iter().any(|c| c.name == column.name) {
            return Err(Failure::malformed(spot, format!("Column name '{}' is given twice", column.name)));
        }
        found.push(column);
        if !words.take(",") {
            break;
        }
    }
    words.must(")")?;
    Ok(found)
}

/// `name type COMMENT '…'`
pub fn column(words: &mut Words<'_>) -> Result<NewColumn, Failure> {
    let name = words.name()?;
    let spot = Spot::of(words.text, words.offset());
    let kind = Type::read_hive(words.type_text()?).map_err(|why| Failure::malformed(spot, why))?;
    let comment = if words.take("COMMENT") { Some(words.string()?) } else { None };
    Ok(NewColumn { name, kind, comment })
}

/// `(a='1', b='2')`
pub fn values(words: &mut Words<'_>) -> Result<Properties, Failure> {
    words.must("(")?;
    let mut values = Vec::new();
    loop {
        let name = words.name()?;
        words.must("=")?;
        values.push((name, words.value()?));
        if !words.take(",") {
            break;
        }
    }
    words.must(")")?;
    Ok(values)
}

/// `PARTITION (a='1', b='2') LOCATION '…' PARTITION …`
pub fn partitions(words: &mut Words<'_>) -> Result<Vec<Partition>, Failure> {
    let mut found = Vec::new();
    words.must("PARTITION")?;
    loop {
        let values = values(words)?;
        let location = if words.take("LOCATION") { Some(words.string()?) } else { None };
        found.push(Partition { values, location });
        words.take(",");
        if !words.take("PARTITION") {
            return Ok(found);
        }
    }
}

/// The clauses of ROW FORMAT DELIMITED as the properties that the SerDe knows them by.
fn delimited(words: &mut Words<'_>, properties: &mut Properties) -> Result<(), Failure> {
    const CLAUSES: [(&str, &str); 6] = [
        ("FIELDS TERMINATED BY", "field.delim"),
        ("ESCAPED BY", "escape.delim"),
        ("COLLECTION ITEMS TERMINATED BY", "colelction.delim"),
        ("MAP KEYS TERMINATED BY", "mapkey.delim"),
        ("LINES TERMINATED BY", "line.delim"),
        ("NULL DEFINED AS", "serialization.null.format"),
    ];
    'clauses: loop {
        for (clause, property) in CLAUSES {
            if words.take(clause) {
                let value = words.value()?;
                if property == "field.delim" {
                    properties.push(("serialization.format".into(), value.clone()));
                }
                properties.push((property.to_owned(), value));
                continue 'clauses;
            }
        }
        return Ok(());
    }
}

fn skip_parentheses(words: &mut Words<'_>) -> Result<(), Failure> {
    words.must("(")?;
    while !words.take(")") {
        words.value()?;
        words.take(",");
    }
    Ok(())
}
