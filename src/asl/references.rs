//! Which variables each state reads: what DescribeStateMachine calls `variableReferences`.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Condition;
use super::intrinsics::Call;
use super::jsonata::Query;
use super::machine::{Flow, Kind, Machine, MapState, Place, Select, State, Until};
use super::operator::{Operand, Test};
use super::paths::{Path, Root};
use super::template::{Amount, Expression, Template, Text};

/// Names of variables without their dollar signs, by state; states that read none are left out.
pub fn of(machine: &Machine) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    flow(&machine.flow, &mut found);
    found
}

fn flow(flow: &Flow, found: &mut BTreeMap<String, BTreeSet<String>>) {
    for state in flow.states() {
        let mut names = Names::default();
        names.state(state);
        if !names.0.is_empty() {
            found.entry(state.name.clone()).or_default().extend(names.0);
        }
        for inner in state.flows() {
            self::flow(inner, found);
        }
    }
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn state(&mut self, state: &State) {
        let data = &state.data;
        self.select(&data.input);
        self.select(&data.output_path);
        if let Place::At(path) = &data.result {
            self.path(path);
        }
        [&data.parameters, &data.selector, &data.output].into_iter().flatten().for_each(|t| self.template(t));
        self.assign(&data.assign);
        for catcher in &state.catch {
            self.assign(&catcher.assign);
            catcher.output.iter().for_each(|t| self.template(t));
        }
        match &state.kind {
            Kind::Task(task) => {
                [&task.timeout, &task.heartbeat].into_iter().flatten().for_each(|a| self.amount(a));
                task.credentials.iter().for_each(|t| self.template(t));
            }
            Kind::Choice(choice) => {
                for rule in &choice.rules {
                    self.condition(&rule.condition);
                    self.assign(&rule.assign);
                    rule.output.iter().for_each(|t| self.template(t));
                }
            }
            Kind::Wait(Until::Seconds(amount)) => self.amount(amount),
            Kind::Wait(Until::Timestamp(text)) => self.text(text),
            Kind::Fail { error, cause } => [error, cause].into_iter().flatten().for_each(|t| self.text(t)),
            Kind::Map(map) => self.map(map),
            Kind::Pass { .. } | Kind::Succeed | Kind::Parallel { .. } => {}
        }
    }

    fn map(&mut self, map: &MapState) {
        self.select(&map.items_path);
        let amounts = [&map.max_concurrency, &map.tolerated_count, &map.tolerated_percentage];
        amounts.into_iter().flatten().for_each(|a| self.amount(a));
        [&map.items, &map.selector].into_iter().flatten().for_each(|t| self.template(t));
        let Some(distributed) = &map.distributed else { return };
        if let Some(reader) = &distributed.reader {
            reader.parameters.iter().for_each(|t| self.template(t));
            reader.max_items.iter().for_each(|a| self.amount(a));
        }
        if let Some(batcher) = &distributed.batcher {
            batcher.input.iter().for_each(|t| self.template(t));
            [&batcher.max_items, &batcher.max_bytes].into_iter().flatten().for_each(|a| self.amount(a));
        }
        if let Some(writer) = &distributed.writer {
            writer.parameters.iter().for_each(|t| self.template(t));
        }
    }

    fn assign(&mut self, fields: &[(String, Template)]) {
        fields.iter().for_each(|(_, template)| self.template(template));
    }

    fn template(&mut self, template: &Template) {
        match template {
            Template::Value(_) => {}
            Template::Expression { expression, .. } => self.expression(expression),
            Template::Object(fields) => self.assign(fields),
            Template::Array(items) => items.iter().for_each(|item| self.template(item)),
            Template::Query { query, .. } => self.query(query),
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Path(path) => self.path(path),
            Expression::Call(call) => self.call(call),
        }
    }

    fn call(&mut self, call: &Call) {
        call.paths().into_iter().for_each(|path| self.path(path));
    }

    fn query(&mut self, query: &Query) {
        self.0.extend(query.variables().map(str::to_owned));
    }

    fn amount(&mut self, amount: &Amount) {
        match amount {
            Amount::Literal(_) => {}
            Amount::Path(path) => self.path(path),
            Amount::Query { query, .. } => self.query(query),
        }
    }

    fn text(&mut self, text: &Text) {
        match text {
            Text::Literal(_) => {}
            Text::Expression(expression) => self.expression(expression),
            Text::Query(query) => self.query(query),
        }
    }

    fn select(&mut self, select: &Select) {
        if let Select::At(path) = select {
            self.path(path);
        }
    }

    fn path(&mut self, path: &Path) {
        if let Root::Variable(name) = &path.root {
            self.0.insert(name.clone());
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::And(list) | Condition::Or(list) => list.iter().for_each(|c| self.condition(c)),
            Condition::Not(inner) => self.condition(inner),
            Condition::Test { variable, test } => {
                self.path(variable);
                if let Test::Compare(_, _, Operand::Path(path)) = test {
                    self.path(path);
                }
            }
            Condition::Literal(_) => {}
            Condition::Query { query, .. } => self.query(query),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_both_languages_by_state() {
        let text = r#"{"StartAt": "A", "States": {
            "A": {"Type": "Pass", "Parameters": {"x.$": "$one.a", "y.$": "States.Array($two, $.b)"}, "Next": "C"},
            "C": {"Type": "Choice", "Choices": [{"Variable": "$three", "NumericEqualsPath": "$four", "Next": "B"}], "Default": "D"},
            "B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $five + $states.input.n + ($own := 1) %}", "End": true},
            "D": {"Type": "Pass", "End": true}}}"#;
        let found = of(&Machine::read(text).unwrap());
        let listed: Vec<(&str, Vec<&str>)> = found
            .iter()
            .map(|(state, names)| (state.as_str(), names.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(listed, [("A", vec!["one", "two"]), ("B", vec!["five"]), ("C", vec!["four", "three"])]);
    }
}
