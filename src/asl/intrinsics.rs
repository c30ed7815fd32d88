//! The 18 intrinsic functions of JSONPath states: `States.Format('{} of {}', $.n, States.ArrayLength($.list))`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use super::failure::{Failure, INTRINSIC};
use super::paths::Path;
use super::scope::{Chance, Scope};

/// A parsed call and the text it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub text: String,
    pub function: Function,
    pub arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Literal(Value),
    /// What stands in single quotes, with its backslashes.
    Text(String),
    Path(Path),
    Call(Call),
}

macro_rules! functions {
    ($($name:ident $least:literal..=$most:expr),* $(,)?) => {
        /// The functions, as AWS names them after `States.`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Function { $($name),* }

        impl Function {
            fn parse(name: &str) -> Option<Function> {
                match name { $(stringify!($name) => Some(Function::$name),)* _ => None }
            }

            /// How many arguments it takes.
            fn arity(self) -> std::ops::RangeInclusive<usize> {
                match self { $(Function::$name => $least..=$most),* }
            }
        }
    };
}

functions! {
    Array 0..=usize::MAX, ArrayPartition 2..=2, ArrayContains 2..=2, ArrayRange 3..=3,
    ArrayGetItem 2..=2, ArrayLength 1..=1, ArrayUnique 1..=1, Base64Encode 1..=1, Base64Decode 1..=1,
    Hash 2..=2, JsonMerge 3..=3, JsonToString 1..=1, StringToJson 1..=1, MathRandom 2..=3, MathAdd 2..=2,
    StringSplit 2..=2, UUID 0..=0, Format 1..=usize::MAX,
}

/// Calls may stand in calls; AWS allows ten levels.
const DEPTH: usize = 10;

impl Call {
    /// Reads `States.Name(…)`; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Call, String> {
        let mut reader = Reader { text, at: 0 };
        let call = reader.call(0)?;
        reader.blank();
        if reader.rest().is_empty() { Ok(call) } else { Err(format!("'{}' is left over", reader.rest())) }
    }

    /// Every path it reads.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => paths.push(path),
                Argument::Call(call) => paths.extend(call.paths()),
                Argument::Literal(_) | Argument::Text(_) => {}
            }
        }
        paths
    }

    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        let failed = |why: String| {
            Failure::new(INTRINSIC, format!("The function '{}' had the following error: {why}", self.text))
        };
        let mut values = Vec::with_capacity(self.arguments.len());
        for (i, argument) in self.arguments.iter().enumerate() {
            values.push(match argument {
                Argument::Literal(value) => value.clone(),
                Argument::Text(raw) => {
                    let text = unescaped(raw).map_err(failed)?;
                    // Format's template must tell `{}` from `\{\}`.
                    let template = self.function == Function::Format && i == 0;
                    if template { raw.clone().into() } else { text.into() }
                }
                Argument::Call(call) => call.value(scope)?,
                Argument::Path(path) => path.select(scope).ok_or_else(|| {
                    Failure::runtime(format!(
                        "The function '{}' had the following error: The JsonPath argument for the field '{}' \
                         could not be found in the input '{}'",
                        self.text, path.text, scope.input
                    ))
                })?,
            });
        }
        apply(self.function, &values, scope.context.chance).map_err(failed)
    }
}

fn apply(function: Function, values: &[Value], chance: &Chance) -> Result<Value, String> {
    let any = |i: usize| values.get(i).unwrap_or(&Value::Null);
    let list = |i: usize| any(i).as_array().ok_or_else(|| format!("argument {} must be an array", i + 1));
    let text = |i: usize| any(i).as_str().ok_or_else(|| format!("argument {} must be a string", i + 1));
    let whole =
        |i: usize| any(i).as_f64().map(rounded).ok_or_else(|| format!("argument {} must be a number", i + 1));
    Ok(match function {
        Function::Array => Value::Array(values.to_vec()),
        Function::ArrayPartition => {
            let size = usize::try_from(whole(1)?)
                .ok()
                .filter(|s| *s > 0)
                .ok_or("the chunk size must be positive")?;
            list(0)?.chunks(size).map(|c| Value::Array(c.to_vec())).collect()
        }
        Function::ArrayContains => list(0)?.contains(any(1)).into(),
        Function::ArrayRange => range(whole(0)?, whole(1)?, whole(2)?)?,
        Function::ArrayGetItem => {
            let index = whole(1)?;
            let item = usize::try_from(index).ok().and_then(|i| list(0).ok()?.get(i));
            list(0)?;
            item.cloned().ok_or_else(|| format!("there is no item {index} in the array"))?
        }
        Function::ArrayLength => list(0)?.len().into(),
        Function::ArrayUnique => {
            let mut seen = std::collections::HashSet::new();
            list(0)?.iter().filter(|v| seen.insert(v.to_string())).cloned().collect()
        }
        Function::Base64Encode => STANDARD.encode(short(text(0)?)?).into(),
        Function::Base64Decode => {
            let bytes =
                STANDARD.decode(short(text(0)?)?).map_err(|e| format!("the text is not Base64: {e}"))?;
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        Function::Hash => {
            let data = match any(0) {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            super::digest::hex(text(1)?, short(&data)?.as_bytes())
                .ok_or_else(|| format!("'{}' is not one of MD5, SHA-1, SHA-256, SHA-384, SHA-512", any(1)))?
                .into()
        }
        Function::JsonMerge => {
            let object =
                |i: usize| any(i).as_object().ok_or_else(|| format!("argument {} must be an object", i + 1));
            if any(2) != &Value::Bool(false) {
                return Err("only a shallow merge is supported: argument 3 must be false".into());
            }
            let mut merged = object(0)?.clone();
            merged.extend(object(1)?.clone());
            let mut members: Vec<(String, Value)> = merged.into_iter().collect();
            super::order::hashed(&mut members, |(name, _)| name);
            Value::Object(members.into_iter().collect())
        }
        Function::JsonToString => any(0).to_string().into(),
        Function::StringToJson => match text(0)? {
            "" => Value::Null,
            text => serde_json::from_str(text).map_err(|e| format!("the text is not JSON: {e}"))?,
        },
        Function::MathRandom => {
            let (start, end) = (whole(0)?, whole(1)?);
            if end <= start {
                return Err("the end must be greater than the start".into());
            }
            let seeded = if values.len() > 2 { Some(Chance::new(whole(2)? as u64)) } else { None };
            let fraction = seeded.as_ref().unwrap_or(chance).fraction();
            let span = end.saturating_sub(start) as f64;
            start.saturating_add((fraction * span) as i64).into()
        }
        Function::MathAdd => whole(0)?.checked_add(whole(1)?).ok_or("the sum is too large")?.into(),
        Function::StringSplit => {
            let marks: Vec<char> = text(1)?.chars().collect();
            let parts = text(0)?.split(|c| marks.contains(&c));
            parts.filter(|p| !p.is_empty()).map(Value::from).collect()
        }
        Function::UUID => chance.uuid().into(),
        Function::Format => format(text(0)?, &values[1..])?.into(),
    })
}

/// Java's `Math.round`: halves go up.
fn rounded(number: f64) -> i64 {
    (number + 0.5).floor() as i64
}

fn short(text: &str) -> Result<&str, String> {
    if text.chars().count() > 10_000 {
        Err("the text is longer than 10000 characters".into())
    } else {
        Ok(text)
    }
}

fn range(first: i64, last: i64, step: i64) -> Result<Value, String> {
    if step == 0 {
        return Err("the step must not be 0".into());
    }
    let (mut items, mut next) = (Vec::new(), first);
    while if step > 0 { next <= last } else { next >= last } {
        if items.len() == 1000 {
            return Err("the range has more than 1000 items".into());
        }
        items.push(Value::from(next));
        match next.checked_add(step) {
            Some(following) => next = following,
            None => break,
        }
    }
    Ok(items.into())
}

/// Each `{}` takes the next argument; `\{`, `\}` and `\\` stand for themselves.
fn format(template: &str, arguments: &[Value]) -> Result<String, String> {
    let (mut out, mut used) = (String::new(), 0);
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some('{' | '}' | '\\' | '\'')) => out.extend(chars.next()),
            '{' if chars.peek() == Some(&'}') => {
                chars.next();
                let argument = arguments.get(used).ok_or("there are fewer arguments than '{}'")?;
                match argument {
                    Value::String(text) => out.push_str(text),
                    other => java(other, &mut out),
                }
                used += 1;
            }
            c => out.push(c),
        }
    }
    if used == arguments.len() { Ok(out) } else { Err("there are more arguments than '{}'".into()) }
}

/// Arrays and objects appear as Java's collections print them: `{Arg1=1, Arg2=[]}`.
fn java(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                java(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(key);
                out.push('=');
                java(item, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn call(&mut self, depth: usize) -> Result<Call, String> {
        self.blank();
        let start = self.at;
        if depth >= DEPTH {
            return Err(format!("intrinsic functions are nested more than {DEPTH} deep"));
        }
        let rest =
            self.rest().strip_prefix("States.").ok_or("an intrinsic function starts with 'States.'")?;
        let open = rest.find('(').ok_or("'(' is missing")?;
        let name = &rest[..open];
        let function =
            Function::parse(name).ok_or_else(|| format!("there is no function 'States.{name}'"))?;
        self.at += "States.".len() + open + 1;
        let mut arguments = Vec::new();
        loop {
            self.blank();
            match self.rest().chars().next() {
                None => return Err("')' is missing".into()),
                Some(')') => break,
                Some(',') if !arguments.is_empty() => self.at += 1,
                Some(_) if arguments.is_empty() => {}
                Some(_) => return Err(format!("',' or ')' is expected at '{}'", self.rest())),
            }
            self.blank();
            arguments.push(self.argument(depth)?);
        }
        self.at += 1;
        if !function.arity().contains(&arguments.len()) {
            return Err(format!("States.{name} does not take {} arguments", arguments.len()));
        }
        Ok(Call { text: self.text[start..self.at].to_owned(), function, arguments })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, String> {
        let rest = self.rest();
        if rest.starts_with("States.") {
            return self.call(depth + 1).map(Argument::Call);
        }
        if rest.starts_with('\'') {
            return self.quoted().map(Argument::Text);
        }
        if rest.starts_with('$') {
            let end = path_end(rest);
            self.at += end;
            return Path::parse(rest[..end].trim_end()).map(Argument::Path);
        }
        let end = rest.find([',', ')']).unwrap_or(rest.len());
        self.at += end;
        let literal = rest[..end].trim();
        match serde_json::from_str(literal) {
            Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => Ok(Argument::Literal(value)),
            _ => match literal.parse::<f64>().ok().and_then(Number::from_f64) {
                Some(number) => Ok(Argument::Literal(number.into())),
                None => Err(format!("'{literal}' is neither a text in single quotes, a number nor a path")),
            },
        }
    }

    /// What stands in single quotes; a backslash keeps the quote behind it from closing them.
    fn quoted(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let mut chars = rest.char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                '\'' => {
                    self.at += i + 1;
                    return Ok(rest[1..i].to_owned());
                }
                '\\' => _ = chars.next(),
                _ => {}
            }
        }
        Err("a text in single quotes is not closed".into())
    }
}

/// The text that is meant: a backslash stands before `'`, `{`, `}` and itself, and before nothing else (States
/// Language, "Intrinsic Functions").
fn unescaped(raw: &str) -> Result<String, String> {
    let (mut out, mut chars) = (String::with_capacity(raw.len()), raw.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\'' | '{' | '}' | '\\')) => out.push(c),
                _ => return Err(format!("there is an open escape backslash in '{raw}'")),
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Where a path argument ends: at a comma or parenthesis outside brackets and quotes.
fn path_end(text: &str) -> usize {
    let (mut depth, mut quote) = (0usize, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, ')') if depth > 0 => depth -= 1,
            (None, ',' | ')') if depth == 0 => return i,
            _ => {}
        }
    }
    text.len()
}
