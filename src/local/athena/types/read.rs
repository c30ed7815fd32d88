//! Reading a type's text.

use super::Type;

impl Type {
    /// Reads `array<struct<name:string,n:int>>` and `array(row(name varchar, n integer))` alike.
    /// The error says what could not be read.
    pub fn read(text: &str) -> Result<Type, String> {
        Type::read_with(text, Type::Decimal(38, 0))
    }

    /// As [`Type::read`], in a statement of Hive's: where a bare `decimal` has ten digits.
    pub fn read_hive(text: &str) -> Result<Type, String> {
        Type::read_with(text, Type::Decimal(10, 0))
    }

    fn read_with(text: &str, decimal: Type) -> Result<Type, String> {
        let mut reader = Reader { rest: text.trim(), decimal };
        let found = reader.read(0)?;
        match reader.rest.trim() {
            "" => Ok(found),
            more => Err(format!("unexpected {more:?} after the type")),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// What `decimal` alone is.
    decimal: Type,
}

/// Types within types; a bound, so that no text can exhaust the stack.
const DEEPEST: usize = 100;

impl<'a> Reader<'a> {
    fn read(&mut self, depth: usize) -> Result<Type, String> {
        if depth > DEEPEST {
            return Err(format!("types nest deeper than {DEEPEST}"));
        }
        let name = self.word()?.to_ascii_lowercase();
        Ok(match name.as_str() {
            "boolean" => Type::Boolean,
            "tinyint" => Type::Tinyint,
            "smallint" => Type::Smallint,
            "int" | "integer" => Type::Integer,
            "bigint" | "long" => Type::Bigint,
            "float" | "real" => Type::Real,
            "double" => {
                self.take("precision");
                Type::Double
            }
            "decimal" | "numeric" => match self.numbers()?.as_slice() {
                [] => self.decimal.clone(),
                [p] => decimal(*p, 0)?,
                [p, s, ..] => decimal(*p, *s)?,
            },
            "string" => Type::Varchar(None),
            "varchar" => Type::Varchar(self.numbers()?.first().copied()),
            "char" => Type::Char(self.numbers()?.first().copied().unwrap_or(1)),
            "binary" | "varbinary" => Type::Varbinary,
            "date" => Type::Date,
            "time" => Type::Time,
            "timestamp" => {
                self.numbers()?;
                let zoned = self.take("with") && self.take("time") && self.take("zone");
                if zoned { Type::TimestampTz } else { Type::Timestamp }
            }
            "json" => Type::Json,
            "unknown" => Type::Unknown,
            "array" => {
                let close = self.open()?;
                let of = self.read(depth + 1)?;
                self.close(close)?;
                Type::Array(Box::new(of))
            }
            "map" => {
                let close = self.open()?;
                let key = self.read(depth + 1)?;
                self.expect(',')?;
                let value = self.read(depth + 1)?;
                self.close(close)?;
                Type::Map(Box::new(key), Box::new(value))
            }
            "struct" => {
                let close = self.open()?;
                let mut fields = Vec::new();
                loop {
                    let name = self.word()?.to_lowercase();
                    self.expect(':')?;
                    fields.push((Some(name), self.read(depth + 1)?));
                    self.skip_comment();
                    if !self.symbol(',') {
                        break;
                    }
                }
                self.close(close)?;
                Type::Row(fields)
            }
            "row" => {
                let close = self.open()?;
                let mut fields = vec![self.row_field(depth)?];
                while self.symbol(',') {
                    fields.push(self.row_field(depth)?);
                }
                self.close(close)?;
                Type::Row(fields)
            }
            other => return Err(format!("unknown type {other}")),
        })
    }

    /// `name type`, or a type alone.
    fn row_field(&mut self, depth: usize) -> Result<(Option<String>, Type), String> {
        let start = self.rest;
        let name = self.word()?.to_lowercase();
        let next = self.rest.trim_start();
        if next.starts_with([',', ')', '(', '<', '>']) || next.is_empty() {
            self.rest = start;
            return Ok((None, self.read(depth + 1)?));
        }
        Ok((Some(name), self.read(depth + 1)?))
    }

    fn word(&mut self) -> Result<&'a str, String> {
        self.rest = self.rest.trim_start();
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '`' | '"')) {
            let inner = &self.rest[1..];
            let end = inner.find(quote).ok_or("a quoted name never ends")?;
            self.rest = &inner[end + 1..];
            return Ok(&inner[..end]);
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '@')))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return Err(format!("a type or a name is missing before {:?}", self.rest));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn take(&mut self, word: &str) -> bool {
        let start = self.rest;
        if self.word().is_ok_and(|w| w.eq_ignore_ascii_case(word)) {
            return true;
        }
        self.rest = start;
        false
    }

    fn skip_comment(&mut self) {
        if self.take("comment") {
            let rest = self.rest.trim_start();
            if let Some(inner) = rest.strip_prefix('\'')
                && let Some(end) = inner.find('\'')
            {
                self.rest = &inner[end + 1..];
            }
        }
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: char) -> Result<(), String> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(format!("{symbol:?} is missing before {:?}", self.rest))
        }
    }

    fn open(&mut self) -> Result<char, String> {
        if self.symbol('<') {
            return Ok('>');
        }
        self.expect('(').map(|()| ')')
    }

    fn close(&mut self, symbol: char) -> Result<(), String> {
        self.expect(symbol)
    }

    /// `(10, 2)`, or nothing.
    fn numbers(&mut self) -> Result<Vec<u32>, String> {
        let mut found = Vec::new();
        if self.symbol('(') {
            loop {
                let word = self.word()?;
                found.push(word.parse().map_err(|_| format!("{word:?} is not a number"))?);
                if !self.symbol(',') {
                    break;
                }
            }
            self.expect(')')?;
        }
        Ok(found)
    }
}

fn decimal(precision: u32, scale: u32) -> Result<Type, String> {
    if precision == 0 || precision > 38 || scale > precision {
        return Err(format!("decimal({precision},{scale}) is out of range"));
    }
    // Both are at most 38.
    Ok(Type::Decimal(precision as u8, scale as i8))
}
