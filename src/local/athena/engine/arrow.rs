//! Athena's types as the engine's, and back.
//!
//! JSON values travel as `LargeUtf8`, which nothing else is: so they are never taken for text.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

use super::columns;
use crate::local::athena::types::Type;

pub fn to(kind: &Type) -> DataType {
    match kind {
        Type::Boolean => DataType::Boolean,
        Type::Tinyint => DataType::Int8,
        Type::Smallint => DataType::Int16,
        Type::Integer => DataType::Int32,
        Type::Bigint => DataType::Int64,
        Type::Real => DataType::Float32,
        Type::Double => DataType::Float64,
        Type::Decimal(p, s) => DataType::Decimal128(*p, *s),
        Type::Varchar(_) | Type::Char(_) => DataType::Utf8,
        Type::Json => DataType::LargeUtf8,
        Type::Varbinary => DataType::Binary,
        Type::Date => DataType::Date32,
        Type::Time => DataType::Time64(TimeUnit::Microsecond),
        Type::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
        Type::TimestampTz => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        Type::IntervalYearMonth => DataType::Interval(IntervalUnit::YearMonth),
        Type::IntervalDaySecond => DataType::Interval(IntervalUnit::MonthDayNano),
        Type::Array(of) => DataType::List(columns::item(to(of))),
        Type::Map(key, value) => DataType::Map(columns::entries(to(key), to(value)), false),
        Type::Row(fields) => DataType::Struct(
            fields
                .iter()
                .enumerate()
                .map(|(n, (name, kind))| Arc::new(Field::new(field_name(name.as_deref(), n), to(kind), true)))
                .collect::<Fields>(),
        ),
        Type::Unknown => DataType::Null,
    }
}

/// Where a field keeps a type of texts of a greatest or a fixed length, which the engine has not.
const DECLARED: &str = "ward:type";

/// A field of a type, which is not lost when it is `varchar(5)` or `char(5)`.
pub fn declared(name: &str, stored: DataType, kind: &Type) -> Field {
    let field = Field::new(name, stored, true);
    match kind {
        Type::Char(_) | Type::Varchar(Some(_)) => {
            field.with_metadata([(DECLARED.to_owned(), kind.trino())].into())
        }
        _ => field,
    }
}

/// The type of a field.
pub fn of(field: &Field) -> Type {
    let declared = field.metadata().get(DECLARED).and_then(|kind| Type::read(kind).ok());
    declared.filter(|_| field.data_type() == &DataType::Utf8).unwrap_or_else(|| from(field.data_type()))
}

/// The name of a row's field; fields without a name are `field0`, `field1` …, as Athena shows them.
fn field_name(name: Option<&str>, n: usize) -> String {
    name.map_or_else(|| format!("field{n}"), str::to_owned)
}

pub fn from(kind: &DataType) -> Type {
    match kind {
        DataType::Boolean => Type::Boolean,
        DataType::Int8 | DataType::UInt8 => Type::Tinyint,
        DataType::Int16 | DataType::UInt16 => Type::Smallint,
        DataType::Int32 => Type::Integer,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Type::Bigint,
        DataType::Float16 | DataType::Float32 => Type::Real,
        DataType::Float64 => Type::Double,
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
            Type::Decimal(*p, *s)
        }
        DataType::Decimal256(_, s) => Type::Decimal(38, *s),
        DataType::Utf8 | DataType::Utf8View => Type::Varchar(None),
        DataType::LargeUtf8 => Type::Json,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Type::Varbinary
        }
        DataType::Date32 | DataType::Date64 => Type::Date,
        DataType::Time32(_) | DataType::Time64(_) => Type::Time,
        DataType::Timestamp(_, None) => Type::Timestamp,
        DataType::Timestamp(_, Some(_)) => Type::TimestampTz,
        DataType::Interval(IntervalUnit::YearMonth) => Type::IntervalYearMonth,
        DataType::Interval(_) | DataType::Duration(_) => Type::IntervalDaySecond,
        DataType::List(of)
        | DataType::LargeList(of)
        | DataType::FixedSizeList(of, _)
        | DataType::ListView(of)
        | DataType::LargeListView(of) => Type::Array(Box::new(from(of.data_type()))),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                Type::Map(Box::new(from(fields[0].data_type())), Box::new(from(fields[1].data_type())))
            }
            _ => Type::Unknown,
        },
        DataType::Struct(fields) => {
            let name =
                |(n, f): (usize, &Arc<Field>)| (f.name() != &field_name(None, n)).then(|| f.name().clone());
            Type::Row(fields.iter().enumerate().map(|(n, f)| (name((n, f)), from(f.data_type()))).collect())
        }
        DataType::Dictionary(_, of) => from(of),
        DataType::RunEndEncoded(_, of) => from(of.data_type()),
        DataType::Null | DataType::Union(..) => Type::Unknown,
    }
}
