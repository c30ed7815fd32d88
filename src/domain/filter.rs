//! The filter line's grammar: `state:TX days<30 !service:ICU accreditor:CAP tier:high free text`.
//!
//! Terms are separated by blanks and all of them must hold; `!` turns one around; `field:a,b` holds when
//! either does; `"…"` keeps blanks, commas and colons together. Words without a field are matched
//! fuzzily against id, name and city.
//!
//! | field | holds when |
//! |---|---|
//! | `id:` `name:` `city:` `accreditor:` `service:` | the text is part of it, in any case |
//! | `state:` `tier:` | it is that one |
//! | `days` `staff` `services` with `<` `<=` `>` `>=` `=` | the number compares so |
//! | `expiry` with `<` `<=` `>` `>=` `=` | the date (`2026-03-01`) compares so |
//! | `within:6mo` | an accreditation expires inside that window |
//! | `month:2026-03` | an accreditation expires in that month |
//!
//! Days, expiry and tier are those the list shows: of the accreditation that put the facility into its
//! tier. What has no date compares with no number of days.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

use super::expiry::{self, Tier, Window};
use super::facility::Facility;

/// A filter line, understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// Why a line is not a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub line: String,
    /// The spot, in bytes of the line.
    pub at: Range<usize>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Free(String),
    Text(Field, Vec<String>),
    Tier(Vec<Tier>),
    Number(Measure, Compare, i64),
    Expiry(Compare, NaiveDate),
    Within(Window),
    /// Year and month.
    Month(i32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    Name,
    City,
    State,
    Accreditor,
    Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Days,
    Staff,
    Services,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

const FIELDS: &str =
    "id, name, city, state, accreditor, service, tier, within, month, days, staff, services, expiry";

static FUZZY: LazyLock<SkimMatcherV2> = LazyLock::new(|| SkimMatcherV2::default().ignore_case());

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The line with the spot marked beneath, in two lines.
    pub fn pointed(&self) -> String {
        let before = self.line[..self.at.start].chars().count();
        let width = self.line[self.at.clone()].chars().count().max(1);
        format!("{}\n{}{}", super::text::shown(&self.line), " ".repeat(before), "^".repeat(width))
    }
}

impl Compare {
    fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Compare::Less => left < right,
            Compare::AtMost => left <= right,
            Compare::Equal => left == right,
            Compare::AtLeast => left >= right,
            Compare::More => left > right,
        }
    }
}

impl Filter {
    /// Reads a filter line; an empty one holds for everything.
    pub fn parse(line: &str) -> Result<Filter, Error> {
        let wrong = |at: Range<usize>, message: String| Error { line: line.to_owned(), at, message };
        let mut terms = Vec::new();
        for at in words(line).map_err(|at| wrong(at, "the quote is not closed".into()))? {
            let word = &line[at.clone()];
            let (negated, start) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (true, at.start + 1),
                _ => (false, at.start),
            };
            let test = term(line, start..at.end).map_err(|(at, message)| wrong(at, message))?;
            terms.push(Term { negated, test });
        }
        Ok(Filter { terms })
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn matches(&self, facility: &Facility, as_of: NaiveDate) -> bool {
        self.score(facility, as_of).is_some()
    }

    /// How well the facility fits the free words (0 without any); `None` when it does not fit the line.
    pub fn score(&self, facility: &Facility, as_of: NaiveDate) -> Option<i64> {
        let mut score = 0;
        for Term { negated, test } in &self.terms {
            match (negated, test) {
                (false, Test::Free(word)) => score += fuzzy(word, facility)?,
                (true, Test::Free(word)) => {
                    if plain(facility).any(|text| part(text, word)) {
                        return None;
                    }
                }
                (negated, test) => {
                    if test.holds(facility, as_of) == *negated {
                        return None;
                    }
                }
            }
        }
        Some(score)
    }
}

impl Test {
    fn holds(&self, facility: &Facility, as_of: NaiveDate) -> bool {
        match self {
            Test::Free(word) => fuzzy(word, facility).is_some(),
            Test::Text(field, values) => values.iter().any(|value| match field {
                Field::Id => part(&facility.facility_id, value),
                Field::Name => part(&facility.facility_name, value),
                Field::City => facility.city.as_deref().is_some_and(|city| part(city, value)),
                Field::State => facility.state.as_deref().is_some_and(|s| s.to_lowercase() == *value),
                Field::Accreditor => facility.accreditations.iter().any(|a| part(&a.name, value)),
                Field::Service => facility.services.iter().any(|service| part(service, value)),
            }),
            Test::Tier(tiers) => tiers.contains(&expiry::facility_tier(facility, as_of).0),
            Test::Number(measure, compare, wanted) => {
                let number = match measure {
                    Measure::Days => {
                        expiry::facility_date(facility, as_of).map(|date| expiry::days_left(date, as_of))
                    }
                    Measure::Staff => facility.employee_count.and_then(|count| i64::try_from(count).ok()),
                    Measure::Services => i64::try_from(facility.services.len()).ok(),
                };
                number.is_some_and(|number| compare.holds(&number, wanted))
            }
            Test::Expiry(compare, wanted) => {
                expiry::facility_date(facility, as_of).is_some_and(|date| compare.holds(&date, wanted))
            }
            Test::Within(window) => window.first(facility, as_of).is_some(),
            Test::Month(year, month) => (facility.accreditations.iter().filter_map(|a| a.expiry))
                .any(|date| (date.year(), date.month()) == (*year, *month)),
        }
    }
}

/// The texts free words are looked for in.
fn plain(facility: &Facility) -> impl Iterator<Item = &str> {
    [facility.facility_id.as_str(), &facility.facility_name].into_iter().chain(facility.city.as_deref())
}

/// The best fuzzy score of a word. Words of one or two letters fit nearly everything fuzzily, so they
/// must be part of the text, or be the state.
fn fuzzy(word: &str, facility: &Facility) -> Option<i64> {
    if word.chars().count() < 3 {
        let state = facility.state.as_deref().is_some_and(|state| state.to_lowercase() == *word);
        return (state || plain(facility).any(|text| part(text, word))).then_some(1);
    }
    plain(facility).filter_map(|text| FUZZY.fuzzy_match(text, word)).max()
}

/// Whether `value`, in lower case, is part of the text in any case.
fn part(text: &str, value: &str) -> bool {
    if text.is_ascii() && value.is_ascii() {
        let (text, value) = (text.as_bytes(), value.as_bytes());
        return value.is_empty() || text.windows(value.len()).any(|w| w.eq_ignore_ascii_case(value));
    }
    text.to_lowercase().contains(value)
}

/// The words of a line; an error is where an open quote starts.
fn words(line: &str) -> Result<Vec<Range<usize>>, Range<usize>> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    for (at, c) in line.char_indices() {
        match c {
            '"' => {
                quote = if quote.is_none() { Some(at) } else { None };
                start.get_or_insert(at);
            }
            c if c.is_whitespace() && quote.is_none() => {
                words.extend(start.take().map(|start| start..at));
            }
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    match quote {
        Some(at) => Err(at..line.len()),
        None => {
            words.extend(start.map(|start| start..line.len()));
            Ok(words)
        }
    }
}

type Wrong = (Range<usize>, String);

fn term(line: &str, at: Range<usize>) -> Result<Test, Wrong> {
    let word = &line[at.clone()];
    let name_len = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = &word[name_len..];
    let operators = [
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("<", Compare::Less),
        (">", Compare::More),
        ("=", Compare::Equal),
        (":", Compare::Equal),
    ];
    let operator = operators.into_iter().find(|(sign, _)| rest.starts_with(sign));
    let (Some((sign, compare)), true) = (operator, name_len > 0) else {
        return Ok(Test::Free(word.replace('"', "").to_lowercase()));
    };
    let name = word[..name_len].to_ascii_lowercase();
    let value_at = at.start + name_len + sign.len()..at.end;
    let value = Value { line, at: value_at, of: &name };
    let text = |field| -> Result<Test, Wrong> {
        if compare != Compare::Equal {
            return Err((at.start..value.at.start, format!("`{name}` is a text: write {name}:…")));
        }
        Ok(Test::Text(field, value.list()?.into_iter().map(|(_, v)| v.to_lowercase()).collect()))
    };
    let number = |measure| Ok(Test::Number(measure, compare, value.read("a whole number")?));
    match name.as_str() {
        "id" => text(Field::Id),
        "name" => text(Field::Name),
        "city" => text(Field::City),
        "state" | "st" => text(Field::State),
        "accreditor" | "accreditation" => text(Field::Accreditor),
        "service" => text(Field::Service),
        "services" if sign == ":" => text(Field::Service),
        "services" => number(Measure::Services),
        "days" => number(Measure::Days),
        "staff" | "employees" => number(Measure::Staff),
        "expiry" => Ok(Test::Expiry(compare, value.read("a date (2026-03-01)")?)),
        "within" if compare == Compare::Equal => {
            let text = value.text()?;
            Window::parse(&text).map(Test::Within).map_err(|message| (value.at.clone(), message))
        }
        "within" => Err((at, "write within:6mo".into())),
        "month" if compare == Compare::Equal => {
            let text = value.text()?;
            let first: Option<NaiveDate> = format!("{text}-01").parse().ok();
            let wrong = || (value.at.clone(), format!("`{text}` is not a month (2026-03)"));
            first.map(|first| Test::Month(first.year(), first.month())).ok_or_else(wrong)
        }
        "month" => Err((at, "write month:2026-03".into())),
        "tier" if compare == Compare::Equal => {
            let tiers = value.list()?.into_iter().map(|(at, v)| v.parse().map_err(|message| (at, message)));
            Ok(Test::Tier(tiers.collect::<Result<_, _>>()?))
        }
        "tier" => Err((at, "tiers do not compare: write tier:critical,high".into())),
        _ => {
            let message = format!("`{name}` is not a field: {FIELDS} (quote \"…\" what is meant as text)");
            Err((at.start..at.start + name_len, message))
        }
    }
}

/// The part of a term after its sign.
struct Value<'a> {
    line: &'a str,
    at: Range<usize>,
    of: &'a str,
}

impl Value<'_> {
    fn text(&self) -> Result<String, Wrong> {
        let text = self.line[self.at.clone()].replace('"', "");
        if text.trim().is_empty() {
            let sign = self.at.start.saturating_sub(1);
            return Err((sign..self.at.end, format!("`{}` needs a value after it", self.of)));
        }
        Ok(text)
    }

    fn read<T: std::str::FromStr>(&self, what: &str) -> Result<T, Wrong> {
        let text = self.text()?;
        text.parse().map_err(|_| (self.at.clone(), format!("`{text}` is not {what}")))
    }

    /// The values between commas outside quotes, without the empty ones.
    fn list(&self) -> Result<Vec<(Range<usize>, String)>, Wrong> {
        self.text()?;
        let (mut values, mut start, mut quoted) = (Vec::new(), self.at.start, false);
        let raw = &self.line[self.at.clone()];
        let ends = raw.char_indices().chain([(raw.len(), ',')]);
        for (offset, c) in ends {
            let end = self.at.start + offset;
            quoted ^= c == '"';
            if c == ',' && !quoted {
                let value = self.line[start..end].replace('"', "");
                if !value.trim().is_empty() {
                    values.push((start..end, value));
                }
                start = end + 1;
            }
        }
        match values.is_empty() {
            true => Err((self.at.clone(), format!("`{}` needs a value after it", self.of))),
            false => Ok(values),
        }
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
