//! The states that need nobody else: Pass, Choice, Wait, Succeed and Fail.

use serde_json::Value;

use super::cursor::{At, Strand};
use super::data::Data;
use super::failure::Failure;
use super::machine::{ChoiceState, Language, Next, State, Until};
use super::operator::timestamp;
use super::run::{Assigned, Run};
use super::scope::Scope;
use super::shape::Seen;
use super::template::{Amount, Text};

impl<'m> Run<'m> {
    pub(super) fn pass(&mut self, id: u64, strand: Strand, state: &'m State, result: Option<&Value>) {
        let given = self.effective(&strand, state).and_then(|effective| match result {
            Some(result) => Ok(Data::from(result.clone())),
            None => self.arguments(&strand, state, &effective, None),
        });
        match given {
            Ok(result) => self.finish_state(id, strand, state, result),
            Err(failure) => self.fail_here(id, strand, state, failure),
        }
    }

    pub(super) fn choose(&mut self, id: u64, strand: Strand, state: &'m State, choice: &'m ChoiceState) {
        match self.chosen(&strand, state, choice) {
            Ok((next, output, assigned)) => {
                self.leave(id, strand, state, output, assigned, &Next::State(next.to_owned()));
            }
            Err(failure) => self.fail_here(id, strand, state, failure),
        }
    }

    fn chosen(
        &self,
        strand: &Strand,
        state: &State,
        choice: &'m ChoiceState,
    ) -> Result<(&'m str, Data, Assigned), Failure> {
        let effective = self.effective(strand, state)?;
        let seen = Seen::of(effective.value());
        let context = self.context(strand, None);
        let scope = Scope::new(effective.value(), &strand.variables, &context);
        for rule in &choice.rules {
            if rule.condition.holds(&scope).map_err(|f| self.placed(strand, f))? {
                let output = match (&rule.output, state.language) {
                    (Some(template), _) => self.fill(template, strand, &seen)?.into(),
                    // The Output beside the rules is the default's.
                    (None, Language::Jsonata) => effective.clone(),
                    (None, Language::JsonPath) => self.passed_on(strand, state, &effective)?,
                };
                return Ok((&rule.next, output, self.assigned(&rule.assign, strand, &seen)?));
            }
        }
        let Some(next) = &choice.default else {
            let why = "Failed to transition out of the state. The state does not point to a next state.";
            return Err(self.placed(strand, Failure::runtime(why)));
        };
        let output = self.passed_on(strand, state, &effective)?;
        Ok((next, output, self.assigned(&state.data.assign, strand, &seen)?))
    }

    pub(super) fn wait(&mut self, id: u64, mut strand: Strand, state: &'m State, until: &Until) {
        let timer = self.effective(&strand, state).and_then(|effective| match until {
            Until::Seconds(amount) => self.seconds(amount, effective.value(), &strand).map(|s| self.timer(s)),
            Until::Timestamp(text) => {
                let time = self.time(text, effective.value(), &strand)?;
                Ok(self.timer_until(time))
            }
        });
        match timer {
            Ok(timer) if timer.until <= self.now => {
                // Nothing to wait for: the wait is taken back before anybody hears of it.
                self.out.pop();
                self.waited(id, strand);
            }
            Ok(timer) => {
                strand.at = At::Waiting(timer);
                self.cursor.strands.insert(id, strand);
            }
            Err(failure) => self.fail_here(id, strand, state, failure),
        }
    }

    /// A Wait is over.
    pub(super) fn waited(&mut self, id: u64, strand: Strand) {
        let Some(state) = self.state(&strand) else { return };
        let left = self.effective(&strand, state).and_then(|effective| {
            let output = self.passed_on(&strand, state, &effective)?;
            Ok((output, self.assigned(&state.data.assign, &strand, &Seen::of(effective.value()))?))
        });
        match left {
            Ok((output, assigned)) => self.leave(id, strand, state, output, assigned, &state.next),
            Err(failure) => self.fail_here(id, strand, state, failure),
        }
    }

    fn seconds(&self, amount: &Amount, input: &Value, strand: &Strand) -> Result<f64, Failure> {
        let Amount::Path(path) = amount else { return self.amount("Seconds", amount, input, strand) };
        let cause = match self.find(path, input, strand) {
            None => format!("The SecondsPath parameter does not reference an input value: {}", path.text),
            Some(Value::Number(number)) if number.is_u64() => return Ok(number.as_f64().unwrap_or_default()),
            Some(Value::Number(number)) if number.is_i64() => {
                format!("The SecondsPath parameter references a negative value: {} == {number}", path.text)
            }
            Some(value) => {
                format!(
                    "The SecondsPath parameter cannot be parsed as a long value: {} == {value}",
                    path.text
                )
            }
        };
        Err(self.placed(strand, Failure::runtime(cause)))
    }

    fn time(
        &self,
        text: &Text,
        input: &Value,
        strand: &Strand,
    ) -> Result<chrono::DateTime<chrono::Utc>, Failure> {
        let context = self.context(strand, None);
        let scope = Scope::new(input, &strand.variables, &context);
        let (shown, found) = match text {
            Text::Literal(text) => (text.as_str(), Ok(Value::from(text.as_str()))),
            Text::Expression(expression) => (expression.text(), expression.value("TimestampPath", &scope)),
            Text::Query(query) => {
                let field = "Timestamp";
                let text = query.typed(field, &scope, "string", |value| value.as_str().map(str::to_owned));
                let text = text.map_err(|failure| self.placed(strand, failure))?;
                let Some(time) = timestamp(&text) else {
                    let cause = format!(
                        "The {field} parameter does not reference a valid ISO-8601 extended offset date-time format \
                         string: {} == {text}",
                        query.source
                    );
                    return Err(self.placed(strand, Failure::in_field(field, cause)));
                };
                return Ok(time.to_utc());
            }
        };
        let Ok(found) = found else {
            let cause = format!("The TimestampPath parameter does not reference an input value: {shown}");
            return Err(self.placed(strand, Failure::runtime(cause)));
        };
        match found.as_str().and_then(timestamp) {
            Some(time) => Ok(time.to_utc()),
            None => {
                let value = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                let cause = format!(
                    "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time \
                     format string: {shown} == {value}"
                );
                Err(self.placed(strand, Failure::runtime(cause)))
            }
        }
    }

    pub(super) fn succeed(&mut self, id: u64, strand: Strand, state: &'m State) {
        let output = self.effective(&strand, state).and_then(|data| self.passed_on(&strand, state, &data));
        match output {
            Ok(output) => self.leave(id, strand, state, output, Assigned::new(), &Next::End),
            Err(failure) => self.fail_here(id, strand, state, failure),
        }
    }

    pub(super) fn fail_state(
        &mut self,
        id: u64,
        strand: Strand,
        state: &'m State,
        error: Option<&Text>,
        cause: Option<&Text>,
    ) {
        let context = self.context(&strand, None);
        let scope = Scope::new(strand.input.value(), &strand.variables, &context);
        let fill = |field: &str, text: Option<&Text>| text.map(|t| t.fill(field, &scope)).transpose();
        let failure = fill("ErrorPath", error)
            .and_then(|error| Ok(Failure { error, cause: fill("CausePath", cause)?, ..Failure::default() }))
            .unwrap_or_else(|failure| self.placed(&strand, failure));
        drop(context);
        self.fail_here(id, strand, state, failure);
    }
}
