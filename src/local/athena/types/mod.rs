//! Types of columns: [`read`] in Hive's and in Trino's spelling, written in either.

mod read;

/// A column's type. Names of rows' fields are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Boolean,
    Tinyint,
    Smallint,
    Integer,
    Bigint,
    Real,
    Double,
    Decimal(u8, i8),
    /// With its greatest length, if it has one.
    Varchar(Option<u32>),
    Char(u32),
    Varbinary,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    IntervalYearMonth,
    IntervalDaySecond,
    Json,
    Array(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Row(Vec<(Option<String>, Type)>),
    /// The type of a bare NULL.
    Unknown,
}

impl Type {
    /// Trino's spelling: `array(row(name varchar))`, as results and information_schema show it.
    pub fn trino(&self) -> String {
        match self {
            // The results of a query call it float.
            Type::Real => "real".into(),
            Type::Decimal(p, s) => format!("decimal({p},{s})"),
            Type::Varchar(Some(n)) => format!("varchar({n})"),
            Type::Char(n) => format!("char({n})"),
            Type::Timestamp => "timestamp(3)".into(),
            Type::TimestampTz => "timestamp(3) with time zone".into(),
            Type::IntervalYearMonth => "interval year to month".into(),
            Type::IntervalDaySecond => "interval day to second".into(),
            Type::Array(of) => format!("array({})", of.trino()),
            Type::Map(key, value) => format!("map({}, {})", key.trino(), value.trino()),
            Type::Row(fields) => {
                let field = |(name, kind): &(Option<String>, Type)| match name {
                    Some(name) => format!("{name} {}", kind.trino()),
                    None => kind.trino(),
                };
                format!("row({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            simple => simple.base().into(),
        }
    }

    /// Hive's spelling: `array<struct<name:string>>`, as DDL and table metadata have it.
    pub fn hive(&self) -> String {
        match self {
            Type::Integer => "int".into(),
            Type::Real => "float".into(),
            Type::Varchar(None) | Type::Json => "string".into(),
            Type::Varchar(Some(n)) => format!("varchar({n})"),
            Type::Char(n) => format!("char({n})"),
            Type::Varbinary => "binary".into(),
            Type::Decimal(p, s) => format!("decimal({p},{s})"),
            Type::Array(of) => format!("array<{}>", of.hive()),
            Type::Map(key, value) => format!("map<{},{}>", key.hive(), value.hive()),
            Type::Row(fields) => {
                let field = |(n, (name, kind)): (usize, &(Option<String>, Type))| match name {
                    Some(name) => format!("{name}:{}", kind.hive()),
                    None => format!("field{n}:{}", kind.hive()),
                };
                let fields: Vec<_> = fields.iter().enumerate().map(field).collect();
                format!("struct<{}>", fields.join(","))
            }
            simple => simple.base().into(),
        }
    }

    /// Whether values of this type can be written into a column of another: what Trino coerces by
    /// itself. Whole numbers go into any whole number that holds them.
    pub fn goes_into(&self, column: &Type) -> bool {
        let whole = |t: &Type| matches!(t, Type::Tinyint | Type::Smallint | Type::Integer | Type::Bigint);
        match (self, column) {
            (Type::Unknown, _) => true,
            (Type::Varchar(_) | Type::Char(_), Type::Varchar(_) | Type::Char(_)) => true,
            (Type::Decimal(..), Type::Decimal(..) | Type::Double | Type::Real) => true,
            (Type::Real, Type::Double) => true,
            (Type::Double, Type::Real) => false,
            (Type::Date, Type::Timestamp) | (Type::TimestampTz, Type::Timestamp) => true,
            (Type::Array(from), Type::Array(to)) => from.goes_into(to),
            (Type::Map(k, v), Type::Map(key, value)) => k.goes_into(key) && v.goes_into(value),
            (Type::Row(from), Type::Row(to)) => {
                from.len() == to.len() && from.iter().zip(to).all(|((_, a), (_, b))| a.goes_into(b))
            }
            (from, Type::Real | Type::Double | Type::Decimal(..)) if whole(from) => true,
            (from, to) => from == to || (whole(from) && whole(to)),
        }
    }

    /// The name without parameters, as GetQueryResults' ColumnInfo has it: `array`, `row`, `varchar`.
    pub fn base(&self) -> &'static str {
        match self {
            Type::Boolean => "boolean",
            Type::Tinyint => "tinyint",
            Type::Smallint => "smallint",
            Type::Integer => "integer",
            Type::Bigint => "bigint",
            Type::Real => "float",
            Type::Double => "double",
            Type::Decimal(..) => "decimal",
            Type::Varchar(_) => "varchar",
            Type::Char(_) => "char",
            Type::Varbinary => "varbinary",
            Type::Date => "date",
            Type::Time => "time",
            Type::Timestamp => "timestamp",
            Type::TimestampTz => "timestamp with time zone",
            Type::IntervalYearMonth => "interval year to month",
            Type::IntervalDaySecond => "interval day to second",
            Type::Json => "json",
            Type::Array(_) => "array",
            Type::Map(..) => "map",
            Type::Row(_) => "row",
            Type::Unknown => "unknown",
        }
    }

    /// Precision and scale, as ColumnInfo has them.
    pub fn precision(&self) -> (u32, u32) {
        match self {
            Type::Tinyint => (3, 0),
            Type::Smallint => (5, 0),
            Type::Integer => (10, 0),
            Type::Bigint => (19, 0),
            Type::Real | Type::Double => (17, 0),
            Type::Decimal(p, s) => (u32::from(*p), u32::try_from(*s).unwrap_or(0)),
            Type::Varchar(Some(n)) | Type::Char(n) => (*n, 0),
            Type::Varchar(None) => (2_147_483_647, 0),
            Type::Timestamp | Type::TimestampTz => (3, 0),
            _ => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_mean_the_same() {
        for (hive, trino) in [
            ("string", "varchar"),
            ("int", "integer"),
            (
                "array<struct<name:string,expiry_date:string>>",
                "array(row(name varchar, expiry_date varchar))",
            ),
            ("map<string,array<decimal(10,2)>>", "map(varchar, array(decimal(10,2)))"),
        ] {
            let read = Type::read(hive).unwrap();
            assert_eq!(read.trino(), trino);
            assert_eq!(read.hive(), hive);
            assert_eq!(Type::read(trino).unwrap(), read);
        }
    }

    #[test]
    fn rows_may_go_without_names() {
        assert_eq!(
            Type::read("row(varchar, n integer)").unwrap(),
            Type::Row(vec![(None, Type::Varchar(None)), (Some("n".into()), Type::Integer)])
        );
        assert_eq!(Type::read("decimal").unwrap(), Type::Decimal(38, 0));
        let nested = Type::read_hive("array<decimal>").unwrap();
        assert_eq!(nested, Type::Array(Box::new(Type::Decimal(10, 0))));
        assert_eq!(Type::read("timestamp(3) with time zone").unwrap(), Type::TimestampTz);
        assert_eq!(Type::read("struct<`a b`:int COMMENT 'x', c: double>").unwrap().base(), "row");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "money", "array<", "array<int", "decimal(40,1)", "int int", "map<string>"] {
            assert!(Type::read(text).is_err(), "{text}");
        }
        assert!(Type::read(&"array<".repeat(100_000)).is_err());
    }
}
