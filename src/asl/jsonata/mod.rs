//! JSONata in Step Functions: the one place that knows the evaluator. A [`Query`] is read once, with the
//! definition, and evaluated with `$states` and the execution's variables bound.
//!
//! Step Functions supports JSONata 2.0.6 without `$eval`, adds the functions in [`added`] and bounds
//! evaluation in depth, time and size (AWS guide, "Transforming data with JSONata in Step Functions").

mod added;
mod functions;
mod messages;
mod parse;
mod sums;
mod tree;
mod value;
mod whole;
mod words;

use std::rc::Rc;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;

use super::failure::Failure;
use super::scope::Scope;
use tree::Uses;
use whole::Wholes;

/// How deep evaluation may nest, as measured on AWS.
const DEPTH: usize = 100;
/// How long one evaluation may take, in milliseconds.
const TIME: u64 = 2_000;
/// The longest sequence: AWS evaluates `[1..873782]` and runs out of memory one further.
const LENGTH: usize = 873_782;

/// A parsed expression and the text it came from, without its braces.
#[derive(Clone, Debug)]
pub struct Query {
    pub source: String,
    tree: Arc<AstNode>,
    uses: Arc<Uses>,
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// What stands between `{%` and `%}` when the text is an expression.
pub fn source(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

/// Whether the text has only one of an expression's braces. Where white space stands outside both, it is
/// text like any other.
pub fn is_broken(text: &str) -> bool {
    text.starts_with("{%") != text.ends_with("%}")
}

impl Query {
    /// Reads an expression; the error is what AWS's diagnostic says.
    pub fn parse(source: &str) -> Result<Query, String> {
        let mut tree =
            jsonata_core::parser::parse(source).map_err(|error| words::syntax(&error.to_string(), source))?;
        let mut uses = tree::uses(&mut tree);
        if let Some(sign) = uses.newer {
            return Err(format!("The symbol \"{sign}\" cannot be used as a unary operator"));
        }
        if uses.loops {
            tree::guard(&mut tree);
            uses.functions.insert(functions::LIMIT.into());
        }
        if uses.compares {
            tree::hasten(&mut tree);
            uses.functions.insert(functions::DISTINCT.into());
        }
        Ok(Query { source: source.to_owned(), tree: Arc::new(tree), uses: Arc::new(uses) })
    }

    /// The names that are read from a context that does not exist: expressions see `$states` and variables.
    pub fn unbound(&self) -> &[String] {
        &self.uses.unbound
    }

    /// Whether it says that it reads this member of `$states`.
    pub fn reads(&self, member: &str) -> bool {
        self.uses.names(member)
    }

    /// The variables that are read, without their dollar signs; `states` is none.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.uses.variables.iter().map(String::as_str).filter(|name| *name != "states")
    }

    /// Evaluates the expression for `field`, which a failure names: `Output/total`.
    pub fn value(&self, field: &str, scope: &Scope<'_>) -> Result<Value, Failure> {
        let fail = |what: &str| {
            let cause =
                format!("The JSONata expression '{}' specified for the field '{field}' {what}", self.source);
            Failure::in_field(field, cause)
        };
        let draws = functions::RANDOM.iter().any(|name| self.uses.functions.contains(*name));
        let entropy = if draws { scope.context.chance.next() } else { 0 };
        let moment = (scope.context.now, entropy);
        let (mut found, mut wholes) = self.evaluated(scope, moment, None);
        if wholes.differ() {
            let mut tree = (*self.tree).clone();
            if sums::settle(&mut tree) {
                (found, wholes) = self.evaluated(scope, moment, Some(&tree));
            }
        }
        match found {
            Err(message) => Err(fail(&words::thrown(&message))),
            Ok(JValue::Undefined) => Err(fail("returned nothing (undefined).")),
            Ok(found) => value::give_back(&found, &wholes).map_err(|why| fail(&why.words())),
        }
    }

    /// What it gives as it is, or as the tree of it that is `settled`; with the large numbers in that.
    fn evaluated(
        &self,
        scope: &Scope<'_>,
        moment: (DateTime<Utc>, u64),
        settled: Option<&AstNode>,
    ) -> (Result<JValue, String>, Rc<Wholes>) {
        let options = EvaluatorOptions {
            timeout_ms: Some(TIME),
            // What is put around operands and results nests, too.
            max_stack_depth: Some(if settled.is_some() { 3 * DEPTH } else { DEPTH }),
            max_sequence_length: Some(LENGTH),
            ..EvaluatorOptions::default()
        };
        let wholes = Rc::new(Wholes::default());
        let mut evaluator = Evaluator::with_options(self.bindings(scope, &wholes), options);
        let registered = functions::register(&mut evaluator, &self.uses.functions, moment, &wholes);
        let registered = registered.and_then(|()| match settled {
            Some(_) => sums::register(&mut evaluator, &wholes),
            None => Ok(()),
        });
        let found = registered.and_then(|()| {
            let found = evaluator.evaluate(settled.unwrap_or(&self.tree), &JValue::Undefined);
            found.map_err(|error| messages::reword(error.message(), &self.uses))
        });
        (found, wholes)
    }

    /// `value`, when it is of the kind that the field takes.
    pub fn typed<T>(
        &self,
        field: &str,
        scope: &Scope<'_>,
        expected: &str,
        of: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Failure> {
        let value = self.value(field, scope)?;
        of(&value).ok_or_else(|| self.unexpected(field, expected, &value))
    }

    /// The expression gave a value of the wrong type.
    pub fn unexpected(&self, field: &str, expected: &str, value: &Value) -> Failure {
        let cause = format!(
            "The JSONata expression '{}' specified for the field '{field}' returned an unexpected result type. \
             Expected '{expected}', but was '{}' for value: {value}",
            self.source,
            kind(value)
        );
        Failure::in_field(field, cause)
    }

    fn bindings(&self, scope: &Scope<'_>, wholes: &Wholes) -> Context {
        let mut context = Context::new();
        for name in &self.uses.variables {
            if name == "states" {
                context.bind(name.clone(), self.states(scope, wholes));
            } else if let Some(value) = scope.variables.get(name) {
                context.bind(name.clone(), value::lend(value, wholes));
            }
        }
        context
    }

    /// `$states`: only the members that the expression may read.
    fn states(&self, scope: &Scope<'_>, wholes: &Wholes) -> JValue {
        let context = self.uses.reads("context").then(|| scope.context.value());
        let members = [
            ("input", Some(scope.input)),
            ("result", scope.result),
            ("errorOutput", scope.error),
            ("context", context),
        ];
        let read = members.into_iter().filter(|(name, _)| self.uses.reads(name));
        JValue::object(
            read.filter_map(|(name, value)| Some((name.to_owned(), value::lend(value?, wholes)))).collect(),
        )
    }
}

/// The type of a JSON value as AWS's messages name it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
