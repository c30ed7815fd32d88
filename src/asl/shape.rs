//! How data passes through a state: what goes in, what comes out, and what happens to errors.

use serde_json::Value;

use super::cursor::{At, Strand};
use super::data::{Data, LIMIT};
use super::event;
use super::failure::Failure;
use super::jsonata::Query;
use super::machine::{Kind, Language, Place, Select, State};
use super::paths::{self, Path, Segment};
use super::retry;
use super::run::{Assigned, Run};
use super::scope::Scope;
use super::template::{Amount, Template};

/// The largest of the numbers that count seconds or items.
const MOST: f64 = 99_999_999.0;

/// What the number of a field must lie between when it is not known before the state runs.
fn bounds(field: &str) -> (f64, f64) {
    match field {
        "TimeoutSeconds" | "HeartbeatSeconds" | "MaxItemsPerBatch" | "MaxInputBytesPerBatch" => (1.0, MOST),
        "ToleratedFailurePercentage" => (0.0, 100.0),
        // AWS reads at most 100,000,000 items, so more than that is no limit.
        "MaxItems" => (0.0, u32::MAX.into()),
        _ => (0.0, MOST),
    }
}

/// What a template sees: `$` or `$states.input`, and what else is there.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub input: &'a Value,
    /// JSONata's `$states.result`.
    pub result: Option<&'a Value>,
    /// JSONata's `$states.errorOutput`.
    pub error: Option<&'a Value>,
    /// The task token, in the context object.
    pub token: Option<&'a str>,
}

impl<'a> Seen<'a> {
    pub fn of(input: &'a Value) -> Seen<'a> {
        Seen { input, result: None, error: None, token: None }
    }
}

impl<'m> Run<'m> {
    /// The state's input after InputPath.
    pub fn effective(&self, strand: &Strand, state: &State) -> Result<Data, Failure> {
        self.select(&state.data.input, &strand.input, strand)
    }

    /// The effective input after Parameters.
    pub fn arguments(
        &self,
        strand: &Strand,
        state: &State,
        effective: &Data,
        token: Option<&str>,
    ) -> Result<Data, Failure> {
        let Some(template) = &state.data.parameters else { return Ok(effective.clone()) };
        let seen = Seen { token, ..Seen::of(effective.value()) };
        let filled = self.fill(template, strand, &seen).map(Data::from)?;
        if filled.is_too_large() {
            return Err(Failure::new(super::failure::DATA_LIMIT, super::run::too_large(&state.name)));
        }
        Ok(filled)
    }

    pub fn fill(&self, template: &Template, strand: &Strand, seen: &Seen<'_>) -> Result<Value, Failure> {
        let context = self.context(strand, seen.token);
        let scope = Scope {
            result: seen.result,
            error: seen.error,
            ..Scope::new(seen.input, &strand.variables, &context)
        };
        template.fill(&scope).map_err(|failure| self.placed(strand, failure))
    }

    /// Says where an error was met.
    pub fn placed(&self, strand: &Strand, mut failure: Failure) -> Failure {
        failure.cause = failure.cause.map(|cause| self.executing(strand, &cause));
        failure
    }

    pub fn find(&self, path: &Path, input: &Value, strand: &Strand) -> Option<Value> {
        let context = self.context(strand, None);
        path.select(&Scope::new(input, &strand.variables, &context))
    }

    fn select(&self, select: &Select, data: &Data, strand: &Strand) -> Result<Data, Failure> {
        match select {
            Select::Whole => Ok(data.clone()),
            Select::Nothing => Ok(Data::default()),
            Select::At(path) => match self.find(path, data.value(), strand) {
                Some(value) => Ok(value.into()),
                None => Err(self.placed(strand, Failure::runtime(invalid_path(path)))),
            },
        }
    }

    pub fn assigned(
        &self,
        fields: &[(String, Template)],
        strand: &Strand,
        seen: &Seen<'_>,
    ) -> Result<Assigned, Failure> {
        let mut assigned = Assigned::new();
        let mut bytes = 0;
        for (name, template) in fields {
            let value = self.fill(template, strand, seen)?;
            let data = Data::from(value.clone());
            bytes += data.text().len();
            if bytes > LIMIT || data.is_too_deep() {
                let why = format!("The variable '{name}' is larger than a state may assign.");
                return Err(self.placed(strand, Failure::runtime(why)));
            }
            assigned.insert(name.clone(), value);
        }
        Ok(assigned)
    }

    /// The state's work gave `result`: selects, places, assigns and leaves.
    pub fn finish_state(&mut self, id: u64, strand: Strand, state: &'m State, result: Data) {
        match self.shaped(&strand, state, result) {
            Ok((output, assigned)) => self.leave(id, strand, state, output, assigned, &state.next),
            Err(failure) => self.fail_here(id, strand, state, failure),
        }
    }

    fn shaped(&self, strand: &Strand, state: &State, result: Data) -> Result<(Data, Assigned), Failure> {
        if state.language == Language::Jsonata {
            let given = !matches!(state.kind, Kind::Pass { .. });
            let seen = Seen { result: given.then(|| result.value()), ..Seen::of(strand.input.value()) };
            let output = match &state.data.output {
                None => result.clone(),
                Some(template) => self.fill(template, strand, &seen)?.into(),
            };
            return Ok((output, self.assigned(&state.data.assign, strand, &seen)?));
        }
        let selected = match &state.data.selector {
            None => result,
            Some(template) => self.fill(template, strand, &Seen::of(result.value()))?.into(),
        };
        let placed = self.place(&state.data.result, strand, &selected)?;
        let output = self.select(&state.data.output_path, &placed, strand)?;
        let assigned = self.assigned(&state.data.assign, strand, &Seen::of(selected.value()))?;
        Ok((output, assigned))
    }

    /// The raw input with the result in the place for it.
    pub fn place(&self, place: &Place, strand: &Strand, result: &Data) -> Result<Data, Failure> {
        match place {
            Place::Whole => Ok(result.clone()),
            Place::Discard => Ok(strand.input.clone()),
            Place::At(path) => {
                let mut output = strand.input.value().clone();
                paths::place(path, &mut output, result.value().clone()).map_err(|why| {
                    let cause = format!(
                        "Unable to apply ReferencePath {} to input {}: {why}",
                        path.text,
                        strand.input.text()
                    );
                    Failure::new("States.ResultPathMatchFailure", self.executing(strand, &cause))
                })?;
                Ok(output.into())
            }
        }
    }

    /// The output after OutputPath of a state that has no result of its own.
    pub fn passed_on(&self, strand: &Strand, state: &State, data: &Data) -> Result<Data, Failure> {
        match &state.data.output {
            Some(template) => Ok(self.fill(template, strand, &Seen::of(data.value()))?.into()),
            None => self.select(&state.data.output_path, data, strand),
        }
    }

    /// Records that a JSONata field failed, once.
    fn unevaluated(&mut self, strand: &mut Strand, failure: &mut Failure) -> bool {
        let Some(location) = failure.location.take() else { return false };
        // AWS has this follow the event that led here: a state's entering is not counted.
        let previous = if strand.previous == strand.entered { strand.led_by } else { strand.previous };
        let details = serde_json::json!({"location": location, "state": strand.state});
        strand.previous = self.record_failure(previous, "EvaluationFailed", details, failure);
        true
    }

    /// The state failed: retries, catches, or fails the strand.
    pub fn fail_here(&mut self, id: u64, mut strand: Strand, state: &'m State, mut failure: Failure) {
        let unevaluated = self.unevaluated(&mut strand, &mut failure);
        if let Some(index) = retry::choose(&state.retry, &failure, &strand.attempts) {
            let retrier = &state.retry[index];
            strand.attempts.resize(state.retry.len(), 0);
            let delay = retrier.delay(strand.attempts[index], self.chance.fraction());
            strand.attempts[index] += 1;
            strand.retries += 1;
            self.cursor.halted.clear();
            strand.at = At::BackingOff(self.timer(delay));
            self.cursor.strands.insert(id, strand);
            return;
        }
        if matches!(state.kind, Kind::Parallel { .. } | Kind::Map(_))
            && (unevaluated || matches!(strand.at, At::Joining(_) | At::Working(_)))
        {
            let kind = format!("{}StateFailed", state.type_name());
            strand.previous = self.record(strand.previous, &kind, None);
        }
        let Some(catcher) = state.catch.iter().find(|c| c.takes(&failure)) else {
            return self.fail_strand(id, strand, failure);
        };
        let error = Data::from(failure.output());
        let seen = match state.language {
            Language::JsonPath => Seen::of(error.value()),
            Language::Jsonata => Seen { error: Some(error.value()), ..Seen::of(strand.input.value()) },
        };
        let output = match (&catcher.output, state.language) {
            (Some(template), _) => self.fill(template, &strand, &seen).map(Data::from),
            (None, Language::Jsonata) => Ok(error.clone()),
            (None, Language::JsonPath) => self.place(&catcher.result, &strand, &error),
        };
        let caught = output.and_then(|output| {
            let assigned = self.assigned(&catcher.assign, &strand, &seen)?;
            // What is too large here would come back to the same catcher for ever.
            if output.is_too_large() || output.is_too_deep() {
                return Err(Failure::new(super::failure::DATA_LIMIT, super::run::too_large(&state.name)));
            }
            Ok((output, assigned))
        });
        match caught {
            Ok((output, assigned)) => {
                self.cursor.halted.clear();
                let next = super::machine::Next::State(catcher.next.clone());
                self.leave(id, strand, state, output, assigned, &next);
            }
            Err(mut failure) => {
                self.unevaluated(&mut strand, &mut failure);
                self.fail_strand(id, strand, failure);
            }
        }
    }

    /// A whole number that a field or its path gives; the error is AWS's for `TimeoutSecondsPath` and
    /// its like.
    pub fn amount(
        &self,
        field: &str,
        amount: &Amount,
        input: &Value,
        strand: &Strand,
    ) -> Result<f64, Failure> {
        let found = match amount {
            Amount::Literal(number) => return Ok(*number),
            Amount::Query { query, field } => return self.counted(field, query, input, strand),
            Amount::Path(path) => (path, self.find(path, input, strand)),
        };
        let (least, most) = bounds(field);
        let cause = match &found {
            // Not before the run: the reader refuses it.
            (_, Some(Value::Number(number))) if field == "MaxItems" && number.is_i64() => {
                return Ok(number.as_f64().unwrap_or_default());
            }
            (path, Some(Value::Number(number))) if number.is_u64() => {
                let given = number.as_f64().unwrap_or_default();
                if given >= least && (given <= most || most == MOST) {
                    return Ok(given);
                }
                format!(
                    "The {field}Path field refers to value \"{number}\" which is not between {least} and {most}: {}",
                    path.text
                )
            }
            (path, Some(value)) => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!(
                    "The {field}Path field refers to value \"{value}\" which is not a valid integer: {}",
                    path.text
                )
            }
            (path, None) => {
                format!("The {field}Path parameter does not reference an input value: {}", path.text)
            }
        };
        Err(self.placed(strand, Failure::runtime(cause)))
    }

    /// A whole number that an expression gives.
    fn counted(&self, field: &str, query: &Query, input: &Value, strand: &Strand) -> Result<f64, Failure> {
        let context = self.context(strand, None);
        let scope = Scope::new(input, &strand.variables, &context);
        let number = query.typed(field, &scope, "number", Value::as_f64);
        let number = number.map_err(|failure| self.placed(strand, failure))?;
        let wrong = |cause: String| Err(self.placed(strand, Failure::in_field(field, cause)));
        if number.fract() != 0.0 && !field.ends_with("Percentage") {
            return wrong(format!("The {field} field cannot be parsed as an integer: {number}"));
        }
        let (least, most) = bounds(field.rsplit('/').next().unwrap_or(field));
        if !(least..=most).contains(&number) {
            return wrong(format!("{field} must be between {least} and {most} but was: {number}"));
        }
        Ok(number)
    }

    /// The name of the Map state whose iteration the strand is.
    pub fn iteration_of(&self, strand: &Strand) -> Option<&'m str> {
        strand.parent?;
        let ((name, _), above) = strand.route.split_last()?;
        let route = above.iter().map(|(state, branch)| (state.as_str(), *branch));
        let state = self.machine.flow_at(route)?.state(name)?;
        matches!(state.kind, Kind::Map(_)).then_some(state.name.as_str())
    }

    /// Records `kind` with a failure in its details.
    pub fn record_failure(&mut self, previous: i64, kind: &str, details: Value, failure: &Failure) -> i64 {
        self.record(previous, kind, Some(event::with_failure(details, failure)))
    }
}

/// What a path's own library says in AWS when nothing is there.
fn invalid_path(path: &Path) -> String {
    let spelled: String = path
        .segments
        .iter()
        .map(|segment| match segment {
            Segment::Name(name) => format!("['{name}']"),
            Segment::Index(index) => format!("[{index}]"),
            _ => "[*]".into(),
        })
        .collect();
    format!("Invalid path '{}' : No results for path: ${spelled}", path.text)
}
